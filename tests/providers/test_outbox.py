from __future__ import annotations

import email
import mailbox
from collections.abc import Iterator
from email.policy import default
from pathlib import Path

import pytest

from newsletter.errors import ConfigError, Place, ProviderError
from newsletter.providers import open_provider
from newsletter.providers.base import Outcome, Provider
from tests.providers.contract import Arrived, ProviderContract, RecordingJournal, a_batch, recipients


def _open(folder: Path) -> Provider:
    return open_provider("outbox", {"path": str(folder)}, Place(Path("newsletter.toml")))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "outbox"


@pytest.fixture
def provider(folder: Path) -> Iterator[Provider]:
    outbox = _open(folder)
    yield outbox
    outbox.close()


@pytest.fixture
def arrived(folder: Path) -> Arrived:
    def addresses() -> list[str]:
        messages = [email.message_from_bytes(path.read_bytes(), policy=default) for path in folder.glob("new/*")]
        return [message["To"].addresses[0].addr_spec for message in messages]

    return addresses


class TestOutbox(ProviderContract):
    pass


def test_is_a_maildir_that_the_standard_library_reads(provider: Provider, folder: Path) -> None:
    list(provider.send(a_batch(recipients(2)), RecordingJournal()))
    subjects = [message["Subject"] for message in mailbox.Maildir(folder, create=False)]
    assert subjects == ["News", "News"]
    assert not list(folder.glob("tmp/*"))


def test_the_same_message_again_is_said_and_not_doubled(provider: Provider, folder: Path) -> None:
    batch = a_batch(recipients(1))
    list(provider.send(batch, RecordingJournal()))
    [again] = provider.send(batch, RecordingJournal())
    assert again.outcome is Outcome.ACCEPTED
    assert "there already" in again.detail
    assert len(list(folder.glob("new/*.eml"))) == 1


def test_test_copies_are_each_their_own(provider: Provider, folder: Path) -> None:
    batch = a_batch(recipients(1), test=True)
    for _ in range(2):
        list(provider.send(batch, RecordingJournal()))
    assert len(list(folder.glob("new/*.eml"))) == 2


def test_carries_a_single_message(folder: Path) -> None:
    from newsletter.providers.outbox import Outbox, OutboxOptions

    result = Outbox(OutboxOptions(path=folder)).carry("jo@example.org", "ana@example.org", b"Subject: Hi\r\n\r\nHi\r\n")
    assert result.outcome is Outcome.ACCEPTED
    assert [path.read_bytes() for path in folder.glob("new/*")] == [b"Subject: Hi\r\n\r\nHi\r\n"]


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    outbox = _open(tmp_path / "file" / "outbox")
    with pytest.raises(ProviderError, match=r"the outbox .* cannot be written"):
        list(outbox.send(a_batch(recipients(1)), RecordingJournal()))


def test_a_relative_path_is_refused() -> None:
    with pytest.raises(ConfigError, match="`path`: must be an absolute path"):
        open_provider("outbox", {"path": "outbox"}, Place(Path("newsletter.toml")))
