"""The settings under which an issue was approved are those under which it is sent."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from newsletter.cli import run
from newsletter.config import Settings
from newsletter.delivery.plan import Plan, plan
from newsletter.errors import StoreError
from tests.providers.editions import an_edition
from tests.providers.relay import Relay, serving
from tests.publication import Publication
from tests.workspaces import SETTINGS, issue_file, workspace

EDITION = an_edition()
SMTP_OPTIONS = {"host": "mail.example.org", "port": 587, "username": "me", "password": "a-secret-in-the-wrong-place"}
DATA = Path(__file__).parent / "data"
VERSION_1 = DATA / "schema_1.sql"


def _plan(of: Publication, provider: str = "smtp", **settings: Any) -> Plan:
    said = of.settings.model_dump(by_alias=True) | settings
    return plan(
        EDITION,
        provider=provider,
        subscribers=of.subscribers,
        ledger=of.ledger,
        settings=Settings.model_validate(said),
        keyring=of.keyring,
        sent=None,
    )


@pytest.fixture
def begun(tmp_path: Path) -> Publication:
    """A publication whose issue is frozen, for the relay of SMTP_OPTIONS."""
    made = Publication.at(tmp_path, providers={"smtp": SMTP_OPTIONS})
    made.join("ana", "bo")
    approved = _plan(made)
    made.ledger.freeze(approved.send, approved.body, approved.audience)
    return made


def test_they_are_kept_without_secrets(begun: Publication, tmp_path: Path) -> None:
    send = begun.ledger.send(EDITION.issue_id)
    assert send
    assert send.settings == {
        "sender": "jo@example.org",
        "public_url": "https://news.example.org",
        "options": {"host": "mail.example.org", "port": 587, "username": "me"},
    }
    with closing(sqlite3.connect(tmp_path / "newsletter.db")) as raw:
        assert "a-secret" not in "".join(raw.iterdump())


@pytest.mark.parametrize(
    ("provider", "settings", "said"),
    [
        ("outbox", {}, ["provider: outbox, was smtp", "options.host: not set, was mail.example.org"]),
        ("smtp", {"providers": {"smtp": SMTP_OPTIONS | {"port": 25}}}, ["options.port: 25, was 587"]),
        ("smtp", {"providers": {"smtp": SMTP_OPTIONS | {"security": "tls"}}}, ["options.security: tls, was not set"]),
        (
            "smtp",
            {"public": {"url": "https://go.example.org"}},
            ["public_url: https://go.example.org, was https://news"],
        ),
    ],
)
def test_others_are_refused_key_by_key_before_anything_is_asked_or_written(
    begun: Publication, provider: str, settings: dict[str, Any], said: list[str]
) -> None:
    begun.join("cy")
    before = begun.ledger.send(EDITION.issue_id)
    with pytest.raises(StoreError, match="with other settings") as caught:
        _plan(begun, provider, **settings)
    assert [difference for difference in said if f"\n  {difference}" in str(caught.value)] == said
    assert begun.ledger.send(EDITION.issue_id) == before
    assert begun.ledger.balance(EDITION.issue_id).selected == 2


def test_another_sender_and_another_list_are_refused_with_both(begun: Publication) -> None:
    settings = begun.settings.model_dump(by_alias=True)
    settings["publication"]["from"] = "al@example.org"
    send = replace(_plan(begun).send, list="pro", settings={"sender": "al@example.org"})
    with pytest.raises(StoreError, match=r"(?s)list: pro, was main.*sender: al@example.org, was jo@example.org"):
        begun.ledger.freeze(send, b"", [])
    with pytest.raises(StoreError, match=r"sender: al@example.org, was jo@example.org"):
        _plan(begun, publication=settings["publication"])


@pytest.mark.parametrize(
    "settings",
    [
        {"send": {"provider": "outbox", "hold": "30s"}},
        {"providers": {"smtp": SMTP_OPTIONS | {"password": "another"}}},
        {"providers": {"smtp": SMTP_OPTIONS | {"connections": 1, "timeout": 5}}},
        {"providers": {"smtp": SMTP_OPTIONS, "outbox": {"path": "/elsewhere"}}},
    ],
)
def test_pace_secrets_and_other_providers_are_no_difference(begun: Publication, settings: dict[str, Any]) -> None:
    begun.join("cy")
    same = _plan(begun, **settings)
    assert begun.ledger.freeze(same.send, same.body, same.audience) == 1


def test_what_was_begun_without_them_takes_those_that_are_approved_next(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "newsletter.db")) as raw:
        raw.executescript(VERSION_1.read_text("utf-8"))
    publication = Publication.at(tmp_path)
    known = publication.ledger.send("k3v9q2m8w1zt")
    assert known
    assert known.settings is None
    with pytest.raises(StoreError, match="provider: smtp, was outbox"):
        publication.ledger.freeze(replace(known, provider="smtp", settings={"sender": "jo@example.org"}), b"", [])
    approved = replace(known, settings={"sender": "jo@example.org"}, settings_digest="6" * 64)
    publication.ledger.freeze(approved, b"", [])
    assert publication.ledger.send("k3v9q2m8w1zt") == approved
    with pytest.raises(StoreError, match=r"sender: al@example.org, was jo@example.org"):
        publication.ledger.freeze(replace(approved, settings={"sender": "al@example.org"}), b"", [])


def test_going_on_with_what_was_begun_without_them_is_possible(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The tool was upgraded between a stop and the resume."""
    root = tmp_path / "news"
    root.mkdir()
    workspace(root, {"1-one/issue.md": issue_file(1, "Hello.")})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEWSLETTER_DATA_DIR", str(tmp_path))
        assert run(["-C", str(root), "subscribers", "add", "ana@example.org"]) == 0
        assert run(["-C", str(root), "send", "1", "--yes"]) == 0
        with closing(sqlite3.connect(tmp_path / "newsletter.db")) as raw, raw:  # as version 1 left it
            raw.executescript((DATA / "schema_3_to_2.sql").read_text("utf-8"))
            raw.execute("ALTER TABLE sends DROP COLUMN settings")
            raw.execute("DROP TABLE alembic_version")
            raw.execute("UPDATE meta SET value = '1'")
        (root / "issues" / "1-one" / "sent.json").unlink()
        assert run(["-C", str(root), "resume", "1"]) == 0
    assert "says otherwise" not in capsys.readouterr().err


# What a person does whose relay has moved, or has a new password: real relays, the real command line.


class _Door:
    """Lets in who has the password."""

    def __init__(self, password: bytes) -> None:
        self.password = password

    def __call__(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        return AuthResult(success=data.password == self.password, handled=False)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NEWSLETTER_DATA_DIR", str(tmp_path / "data"))
    workspace(tmp_path, {"1-one/issue.md": issue_file(1, "Hello.")})
    for name in ("ana", "bo", "cy"):
        assert run(["-C", str(tmp_path), "subscribers", "add", f"{name}@example.org"]) == 0
    return tmp_path


@pytest.fixture
def old() -> Iterator[Relay]:
    with serving(Relay()) as relay:
        yield relay


@pytest.fixture
def new() -> Iterator[Relay]:
    with serving(Relay()) as relay:
        yield relay


def _configure(root: Path, relay: Relay, more: str = "") -> None:
    smtp = f'[providers.smtp]\nhost = "127.0.0.1"\nport = {relay.port}\nsecurity = "none"\n'
    (root / "newsletter.toml").write_text(f'{SETTINGS}[send]\nprovider = "smtp"\n{smtp}{more}')


def _begin(root: Path) -> None:
    assert run(["-C", str(root), "send", "1", "--yes", "--limit", "1", "--unverified-unsubscribe"]) == 0


def test_resume_goes_on_as_it_was_begun_and_says_what_changed(
    root: Path, old: Relay, new: Relay, capsys: pytest.CaptureFixture[str]
) -> None:
    _configure(root, old)
    _begin(root)
    _configure(root, new)
    assert run(["-C", str(root), "resume", "1"]) == 0
    assert (len(old.messages), len(new.messages)) == (3, 0)
    said = capsys.readouterr().err
    assert f"\n  options.port: {new.port}, was {old.port}\n" in said
    assert "--provider smtp" in said


def test_a_relay_that_moved_is_gone_on_with_when_it_is_named_and_is_then_the_approved_one(
    root: Path, old: Relay, new: Relay, capsys: pytest.CaptureFixture[str]
) -> None:
    _configure(root, old)
    _begin(root)
    _configure(root, new)
    assert run(["-C", str(root), "send", "1", "--yes", "--unverified-unsubscribe"]) == 4
    assert f"options.port: {new.port}, was {old.port}" in capsys.readouterr().err
    assert run(["-C", str(root), "resume", "1", "--provider", "smtp"]) == 0
    assert (len(old.messages), len(new.messages)) == (1, 2)
    assert run(["-C", str(root), "subscribers", "add", "di@example.org"]) == 0
    assert run(["-C", str(root), "send", "1", "--yes", "--unverified-unsubscribe"]) == 0
    assert (len(old.messages), len(new.messages)) == (1, 3)
    assert run(["-C", str(root), "resume", "1"]) == 0
    assert "says otherwise" not in capsys.readouterr().err


def test_a_new_password_needs_no_word(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    door, relay = _Door(b"old"), Relay()
    with serving(relay, authenticator=door, auth_require_tls=False):
        _configure(root, relay, 'username = "me"\n')
        monkeypatch.setenv("NEWSLETTER_SMTP_PASSWORD", "old")
        _begin(root)
        door.password = b"new"
        assert run(["-C", str(root), "resume", "1"]) == 4
        assert len(relay.messages) == 1
        monkeypatch.setenv("NEWSLETTER_SMTP_PASSWORD", "new")
        assert run(["-C", str(root), "resume", "1"]) == 0
        assert len({address for _, address, _ in relay.messages}) == len(relay.messages) == 3


def test_the_first_byte_through_another_service_waits_for_the_unsubscribe_address(
    root: Path, new: Relay, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "newsletter.toml").write_text(SETTINGS.replace("https://test.example.org", "http://127.0.0.1:9"))
    _begin(root)
    smtp = f'[providers.smtp]\nhost = "127.0.0.1"\nport = {new.port}\nsecurity = "none"\n'
    (root / "newsletter.toml").write_text(SETTINGS.replace("https://test.example.org", "http://127.0.0.1:9") + smtp)
    assert run(["-C", str(root), "resume", "1", "--provider", "smtp"]) != 0
    assert "unsubscribe" in capsys.readouterr().err
    assert new.messages == []
    assert run(["-C", str(root), "resume", "1", "--provider", "smtp", "--unverified-unsubscribe"]) == 0
    assert len(new.messages) == 2
