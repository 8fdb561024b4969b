from __future__ import annotations

import email
import re
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from newsletter.delivery.trial import send_test_copies, stranger
from newsletter.issue.slots import Slot
from newsletter.providers.base import Outcome
from newsletter.providers.outbox import Outbox, OutboxOptions
from newsletter.store.ledger import Balance
from newsletter.tokens import Action, InvalidToken
from tests.providers.editions import an_edition
from tests.publication import Publication


def _messages(folder: Path) -> list[EmailMessage]:
    return [email.message_from_bytes(path.read_bytes(), policy=default) for path in sorted(folder.glob("new/*"))]


def _text(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body
    return str(body.get_content())


def test_a_test_copy_can_do_nothing_and_is_remembered_nowhere(tmp_path: Path) -> None:
    publication = Publication.at(tmp_path)
    outbox = Outbox(OutboxOptions(path=tmp_path / "outbox"))
    edition = an_edition()
    for _ in range(2):
        [(address, result)] = send_test_copies(
            outbox,
            edition,
            [stranger("me@example.org", "main")],
            settings=publication.settings,
            keyring=publication.keyring,
        )
        assert (address, result.outcome) == ("me@example.org", Outcome.ACCEPTED)
    first, second = _messages(tmp_path / "outbox")
    assert first["Subject"] == "[Test] News"
    assert first["Message-ID"] != second["Message-ID"]
    found = re.search(r"/unsubscribe/(\S+)", _text(first))
    assert found
    with pytest.raises(InvalidToken):
        publication.keyring.verify(found[1], Action.UNSUBSCRIBE)
    assert publication.ledger.balance(edition.issue_id) == Balance()


def test_every_subject_is_sent_and_an_empty_slot_shows_its_name(tmp_path: Path) -> None:
    publication = Publication.at(tmp_path)
    send_test_copies(
        Outbox(OutboxOptions(path=tmp_path / "outbox")),
        an_edition(f"Hello from {Slot('subscriber.city').token}", subjects=("One", "Two")),
        [stranger("me@example.org", "main")],
        settings=publication.settings,
        keyring=publication.keyring,
    )
    messages = _messages(tmp_path / "outbox")
    assert sorted(message["Subject"] for message in messages) == ["[Test] One", "[Test] Two"]
    assert "Hello from [subscriber.city]" in _text(messages[0])
