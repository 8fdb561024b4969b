"""Who is to get an edition, with which values, and what is to be expected of it. Nothing is written here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from newsletter.compile.edition import Edition, digest, to_bytes
from newsletter.compile.slots import Program, missing
from newsletter.config import Settings
from newsletter.delivery.sent import refuse_if_sent_elsewhere
from newsletter.errors import ContentError, Problem
from newsletter.issue.sent import Sent
from newsletter.message import Recipient
from newsletter.providers import provider_type
from newsletter.store.ledger import Balance, Ledger, Selected, Send
from newsletter.store.subscribers import Subscriber, Subscribers, SubscriberState, address_key
from newsletter.tokens import Action, Grant, Keyring

LINKS = ("links.unsubscribe", "links.preferences")


class Audience:
    """Those of the edition's list who are not in its ledger yet. Every iteration streams them from the store.

    Raises ContentError, at the end, if a slot would stand empty for somebody.
    """

    def __init__(
        self, edition: Edition, *, subscribers: Subscribers, ledger: Ledger, settings: Settings, keyring: Keyring
    ) -> None:
        self._edition = edition
        self._used = _names(edition)
        self._subscribers = subscribers
        self._ledger = ledger
        self._settings = settings
        self._keyring = keyring

    def __iter__(self) -> Iterator[Selected]:
        everybody = (self._selected(person) for person in self._subscribers.subscribed(self._edition.list))
        return _checked(self._ledger.unknown(self._edition.issue_id, everybody), self._edition)

    def _selected(self, person: Subscriber) -> Selected:
        recipient = recipient_of(person, self._settings, self._keyring)
        return Selected(
            key=recipient.id,
            subscriber=person.id,
            address=recipient.address,
            name=recipient.name,
            values={name: value for name, value in recipient.values.items() if name.removeprefix("?") in self._used},
            audience=_audience_variant(self._edition, person),
            subject=int(recipient.id, 16) % max(1, len(self._edition.subjects)),
            excluded="" if person.state is SubscriberState.ACTIVE else person.state.value,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What sending an edition would do: to whom, and the balance before the first byte."""

    edition: Edition
    send: Send
    audience: Audience
    joining: int
    expected: Balance

    @property
    def body(self) -> bytes:
        """The edition, as it is frozen."""
        return to_bytes(self.edition)


def plan(
    edition: Edition,
    *,
    provider: str,
    subscribers: Subscribers,
    ledger: Ledger,
    settings: Settings,
    keyring: Keyring,
    sent: Sent | None,
) -> Plan:
    """The plan for sending `edition` through `provider` now; `sent` is what the issue's folder says (read_sent).

    Raises ContentError if a slot would stand empty for somebody, StoreError if the issue was sent from elsewhere, or is
    being sent as another edition or with other settings.
    """
    refuse_if_sent_elsewhere(sent, edition.issue_id, ledger)
    approved = send_settings(settings, provider)
    send = Send(
        issue_id=edition.issue_id,
        edition_hash=edition.hash,
        list=edition.list,
        provider=provider,
        settings=approved,
        settings_digest=_settings_digest(edition.list, provider, approved),
    )
    ledger.refuse_another(send)
    audience = Audience(edition, subscribers=subscribers, ledger=ledger, settings=settings, keyring=keyring)
    joining = Counter(person.excluded for person in audience)
    return Plan(
        edition=edition,
        send=send,
        audience=audience,
        joining=joining.total(),
        expected=_joined(ledger.balance(edition.issue_id), joining),
    )


def recipient_of(person: Subscriber, settings: Settings, keyring: Keyring, *, harmless: bool = False) -> Recipient:
    """`person` as a message needs them: values, configured defaults, and links signed for them.

    With `harmless`, as for a test copy, the links can do nothing.
    """
    name = f"{person.first_name} {person.last_name}".strip()
    fields = person.fields | {
        "email": person.email,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "name": name,
    }
    values = {f"subscriber.{field}": value for field, value in fields.items() if value}
    for field, described in settings.subscribers.fields.items():
        if described.default is not None:
            values[f"?subscriber.{field}"] = described.default
    for link, action in zip(LINKS, (Action.UNSUBSCRIBE, Action.PREFERENCES), strict=True):
        token = keyring.sign(Grant(person.id, person.list, Action.NOTHING if harmless else action))
        values[link] = f"{settings.public_url}/{link.removeprefix('links.')}/{token}"
    return Recipient(id=keyring.keyed_hash(address_key(person.email)), address=person.email, name=name, values=values)


def send_settings(settings: Settings, provider: str) -> dict[str, Any]:
    """What of the configuration decides how an issue is sent through `provider`. No secret is in it, and no pace."""
    options = settings.providers.get(provider, {})
    kind = provider_type(provider)
    return {
        "sender": settings.publication.sender,
        "public_url": settings.public_url,
        "options": {key: value for key, value in options.items() if key not in {*kind.secrets, *kind.pace}},
    }


def configured_now(known: Send, settings: Settings) -> Send:
    """`known` as if it were begun with the `settings` of now: its differences are what changed meanwhile."""
    return replace(known, provider=settings.send.provider, settings=send_settings(settings, known.provider))


def through(known: Send, settings: Settings, provider: str) -> Send:
    """`known`, from now on through `provider` and its options as `settings` say now; all else as it was approved."""
    now = send_settings(settings, provider)
    kept = now if known.settings is None else {**known.settings, "options": now["options"]}
    return replace(
        known, provider=provider, settings=kept, settings_digest=_settings_digest(known.list, provider, kept)
    )


def _settings_digest(list: str, provider: str, settings: Mapping[str, Any]) -> str:
    """SHA-256 over the settings by which an issue is sent."""
    return digest({"list": list, "provider": provider, **settings})


def _names(edition: Edition) -> set[str]:
    """The values that the edition's messages are made of; the ledger keeps no others."""
    return {slot.name for program in edition.programs() for slot in program.slots} | {*LINKS}


def _audience_variant(edition: Edition, person: Subscriber) -> int:
    """The index of the variant whose conditions (`tag=NAME`) are just those that hold for `person`."""
    return next(
        index
        for index, variant in enumerate(edition.variants)
        if all((condition.removeprefix("tag=") in person.tags) is holds for condition, holds in variant.conditions)
    )


def _checked(people: Iterator[Selected], edition: Edition) -> Iterator[Selected]:
    slots = {slot for program in edition.programs() for slot in program.slots if slot.default is None}
    needed = Program(("",) * (len(slots) + 1), tuple(slots))
    lacking: Counter[str] = Counter()
    for person in people:
        if not person.excluded:
            lacking.update(missing(iter([needed]), person.values))
        yield person
    if lacking:
        raise ContentError.of(_lacks(name, number) for name, number in sorted(lacking.items()))


def _lacks(name: str, number: int) -> Problem:
    who = "1 subscriber has" if number == 1 else f"{number:,} subscribers have"
    return Problem(
        f"{who} no value for `{name}`, and its slot has no default",
        f'write {{{{ {name} | default("...") }}}}, or give the field a default in [subscribers.fields]',
    )


def _joined(balance: Balance, joining: Mapping[str, int]) -> Balance:
    """`balance` with newcomers, counted by the reason for which they are excluded ("" for none)."""
    number = sum(joining.values())
    excluded = {reason: count for reason, count in joining.items() if reason}
    return replace(balance, selected=balance.selected + number, waiting=balance.waiting + number).after({}, excluded)
