from __future__ import annotations

import json
from pathlib import Path

import pytest

from newsletter.delivery.plan import plan
from newsletter.delivery.sent import sent_record
from newsletter.errors import ContentError, StoreError
from newsletter.issue.sent import Sent, read_sent, write_sent
from newsletter.providers.outbox import Outbox, OutboxOptions
from newsletter.store.ledger import Balance
from tests.providers.editions import an_edition
from tests.publication import Publication


def _record() -> Sent:
    balance = Balance(selected=3, accepted=1, waiting=1, excluded={"unsubscribed": 1})
    return sent_record(an_edition(), balance, commit="abc123", provider="outbox")


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = write_sent(tmp_path, _record())
    assert path == tmp_path / "sent.json"
    assert read_sent(tmp_path) == _record().model_copy(update={"time": read_sent(tmp_path).time})  # type: ignore[union-attr]
    assert set(json.loads(path.read_text())) == {
        "id",
        "slug",
        "hash",
        "content_digest",
        "facts",
        "commit",
        "time",
        "provider",
        "balance",
    }
    assert [*tmp_path.iterdir()] == [path]


def test_no_address_is_in_it(tmp_path: Path) -> None:
    publication = Publication.at(tmp_path)
    publication.join("ana")
    outbox = Outbox(OutboxOptions(path=tmp_path / "outbox"))
    balance = publication.sender(outbox).send(publication.plan(an_edition()))
    path = write_sent(tmp_path, sent_record(an_edition(), balance, commit=None, provider="outbox"))
    assert "ana" not in path.read_text()
    assert "@" not in path.read_text()


def test_an_issue_that_was_not_sent_has_none(tmp_path: Path) -> None:
    assert read_sent(tmp_path) is None


def test_a_damaged_one_is_said(tmp_path: Path) -> None:
    (tmp_path / "sent.json").write_text('{"id": "k3v9q2m8w1zt"}')
    with pytest.raises(ContentError, match=r"sent\.json: does not say what was sent"):
        read_sent(tmp_path)


def test_a_second_clone_refuses_what_was_sent_elsewhere(tmp_path: Path) -> None:
    publication = Publication.at(tmp_path)
    publication.join("ana")
    write_sent(tmp_path, _record())

    def planned() -> object:
        return plan(
            an_edition(),
            provider="outbox",
            subscribers=publication.subscribers,
            ledger=publication.ledger,
            settings=publication.settings,
            keyring=publication.keyring,
            sent=read_sent(tmp_path),
        )

    with pytest.raises(
        StoreError, match=rf"was sent on 20.* as edition {an_edition().hash[:12]} through outbox, and the ledger"
    ):
        planned()
    here = publication.plan(an_edition())
    publication.ledger.freeze(here.send, here.body, here.audience)
    with pytest.raises(StoreError, match=r"older than sent\.json, which says 3 selected where the ledger has 1"):
        planned()
    balance = publication.ledger.balance(here.edition.issue_id)
    write_sent(tmp_path, sent_record(here.edition, balance, commit=None, provider="outbox"))
    assert planned()
