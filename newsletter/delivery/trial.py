"""Test copies: for somebody to look at. No ledger row, a random Message-ID, links that can do nothing."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from newsletter.compile.edition import Edition
from newsletter.compile.slots import missing
from newsletter.config import Settings
from newsletter.delivery.plan import recipient_of
from newsletter.message import Recipient
from newsletter.providers.base import Batch, Provider, Result
from newsletter.store.subscribers import Subscriber, SubscriberState
from newsletter.tokens import Keyring


class _Unrecorded:
    """The journal of what need not be remembered."""

    def intent(self, ids: Sequence[str]) -> None:
        pass

    def answer(self, result: Result) -> None:
        pass


def send_test_copies(
    provider: Provider, edition: Edition, readers: Iterable[Subscriber], *, settings: Settings, keyring: Keyring
) -> list[tuple[str, Result]]:
    """Send a test copy to each of `readers` (`stranger` makes one of a bare address); what became of each address.

    Every subject and audience variant is sent. Where a reader has no value for a slot, its name stands in brackets.
    """
    recipients = [_recipient(reader, edition, settings, keyring) for reader in readers]
    address = {recipient.id: recipient.address for recipient in recipients}
    return [
        (address[result.recipient], result)
        for audience in range(len(edition.variants))
        for subject in range(len(edition.subjects))
        for result in provider.send(
            Batch(
                edition=edition,
                audience=audience,
                subject=subject,
                date=datetime.now(UTC),
                recipients=recipients,
                test=True,
            ),
            _Unrecorded(),
        )
    ]


def stranger(address: str, list: str) -> Subscriber:
    """Somebody of whom only the address is known."""
    return Subscriber(
        id="test",
        email=address,
        first_name="",
        last_name="",
        tags=(),
        fields={},
        list=list,
        state=SubscriberState.ACTIVE,
        joined=datetime.now(UTC),
    )


def _recipient(reader: Subscriber, edition: Edition, settings: Settings, keyring: Keyring) -> Recipient:
    recipient = recipient_of(reader, settings, keyring, harmless=True)
    blank = missing(edition.programs(), recipient.values)
    return replace(recipient, id=secrets.token_hex(16), values=recipient.values | {name: f"[{name}]" for name in blank})
