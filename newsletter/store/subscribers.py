"""Who wants the newsletter, and since when they said so. Every change of state leaves a row in `consents`."""

from __future__ import annotations

import secrets
import string
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from email_validator import validate_email
from sqlalchemy import Connection, Engine, Row, Select, func, insert, select, update

from newsletter.store.schema import consents, reading, subscribers, subscriptions, writing

_STREAMED_ROWS = 1_000


class SubscriberState(StrEnum):
    """Where a person stands. The last four hold for every list."""

    PENDING = "pending"
    ACTIVE = "active"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    SUPPRESSED = "suppressed"
    ERASED = "erased"


class Added(StrEnum):
    """What became of adding somebody. LEFT_ALONE: their state forbids it, `find` says which it is."""

    ADDED = "added"
    ALREADY = "already"
    LEFT_ALONE = "left_alone"


class Consent(StrEnum):
    """What is written down about a change."""

    ADDED = "added"
    SIGNED_UP = "signed up"
    CONFIRMED = "confirmed"
    UNSUBSCRIBED = "unsubscribed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """A person on a list. `id` is opaque and stands in links; `fields` are the publication's own."""

    id: str
    email: str
    first_name: str
    last_name: str
    tags: tuple[str, ...]
    fields: dict[str, str]
    list: str
    state: SubscriberState
    joined: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """Somebody to be added; `email` is normalised, `detail` goes into the consent."""

    email: str
    first_name: str = ""
    last_name: str = ""
    tags: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    detail: str = ""


def normalise(address: str) -> str:
    """The form to send to: domain in lower-case A-labels (RFC 5890), local part in NFC with its case kept.

    Raises ValueError with the reason in words.
    """
    found = validate_email(address.strip(), check_deliverability=False, strict=True)
    return f"{found.local_part}@{found.ascii_domain.lower()}"


def address_key(address: str) -> str:
    """The form to compare by, of a normalised address: two that differ in case are one person."""
    return unicodedata.normalize("NFC", address.lower())


_state = func.coalesce(subscribers.c.barred, subscriptions.c.state)


class Subscribers:
    """The people of a database; each method is one transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(
        self,
        email: str,
        *,
        list: str = "main",
        first_name: str = "",
        last_name: str = "",
        tags: Sequence[str] = (),
        source: str,
    ) -> Added:
        """Add somebody who agreed to it elsewhere (`source` says where); raises ValueError for no address.

        One who is pending becomes active; one who left, bounced, complained or was erased is left alone.
        """
        newcomer = Newcomer(email=normalise(email), first_name=first_name, last_name=last_name, tags=tuple(tags))
        [(added, _)] = self.add_all([newcomer], list=list, source=source)
        return added

    def add_all(self, newcomers: Sequence[Newcomer], *, list: str, source: str) -> list[tuple[Added, SubscriberState]]:
        """`add` for many in one transaction: for each what became of it, and the state they are in now."""
        with writing(self._engine) as connection:
            return _add_all(connection, newcomers, list, source)

    def sign_up(self, email: str, *, list: str, source: str) -> Subscriber:
        """Somebody filled in the public form: they are pending until they confirm, as they now stand.

        One who had unsubscribed is pending again; active and barred ones stay as they are. Raises ValueError.
        """
        address = normalise(email)
        with writing(self._engine) as connection:
            person = _find(connection, address, list)
            if person is None:
                known = connection.scalar(select(subscribers.c.id).where(_is(address)))
                id_ = known or _insert_people(connection, [Newcomer(email=address)])[0]
                _subscribe(connection, [id_], list, SubscriberState.PENDING)
                _note(connection, [(id_, "")], list, Consent.SIGNED_UP, source)
            elif person.state is SubscriberState.UNSUBSCRIBED:
                _change(connection, person, SubscriberState.PENDING, Consent.SIGNED_UP, source)
            return _existing(_find(connection, address, list))

    def confirm(self, id: str, list: str, *, channel: str) -> bool:
        """Pending becomes active. True if they are active now; False for nobody, or one who may not be revived."""
        with writing(self._engine) as connection:
            person = _get(connection, id, list)
            if person is None:
                return False
            if person.state is SubscriberState.PENDING:
                _change(connection, person, SubscriberState.ACTIVE, Consent.CONFIRMED, channel)
                return True
            return person.state is SubscriberState.ACTIVE

    def unsubscribe(self, id: str, list: str, *, channel: str) -> bool:
        """They get nothing more of `list`. True if there is such a person, however often it is asked for."""
        with writing(self._engine) as connection:
            return _unsubscribe(connection, _get(connection, id, list), channel)

    def remove(self, email: str, *, list: str, channel: str = "manual") -> bool:
        """The operator unsubscribes somebody. True if there is such a person; raises ValueError for no address."""
        address = normalise(email)
        with writing(self._engine) as connection:
            return _unsubscribe(connection, _find(connection, address, list), channel)

    def get(self, id: str, list: str) -> Subscriber | None:
        with reading(self._engine) as connection:
            return _get(connection, id, list)

    def find(self, email: str, list: str) -> Subscriber | None:
        """The person with this address; raises ValueError for no address."""
        address = normalise(email)
        with reading(self._engine) as connection:
            return _find(connection, address, list)

    def count(self, list: str) -> dict[SubscriberState, int]:
        """How many are in each state."""
        with reading(self._engine) as connection:
            rows = connection.execute(
                select(_state, func.count()).select_from(_joined()).where(subscriptions.c.list == list).group_by(_state)
            )
            found = {SubscriberState(state): number for state, number in rows}
        return {state: found.get(state, 0) for state in SubscriberState}

    def active(self, list: str) -> Iterator[Subscriber]:
        """Those who get the next issue, streamed in the order of their ids."""
        return (person for person in self.subscribed(list) if person.state is SubscriberState.ACTIVE)

    def subscribed(self, list: str) -> Iterator[Subscriber]:
        """Those who want the next issue, streamed in the order of their ids; `state` says who may not get it."""
        with reading(self._engine) as connection:
            rows = connection.execution_options(yield_per=_STREAMED_ROWS).execute(
                _people(list)
                .where(subscriptions.c.state == SubscriberState.ACTIVE.value)
                .order_by(subscriptions.c.subscriber_id)
            )
            for row in rows:
                yield _subscriber(row)


def _joined() -> Any:
    return subscriptions.join(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)


def _people(list_: str) -> Select[Any]:
    return (
        select(
            subscribers.c.id,
            subscribers.c.email,
            subscribers.c.first_name,
            subscribers.c.last_name,
            subscribers.c.tags,
            subscribers.c.fields,
            subscriptions.c.list,
            _state.label("state"),
            subscriptions.c.joined,
        )
        .select_from(_joined())
        .where(subscriptions.c.list == list_)
    )


def _is(address: str) -> Any:
    return subscribers.c.address_key == address_key(address)


def _get(connection: Connection, id_: str, list_: str) -> Subscriber | None:
    row = connection.execute(_people(list_).where(subscribers.c.id == id_)).one_or_none()
    return _subscriber(row) if row else None


def _find(connection: Connection, address: str, list_: str) -> Subscriber | None:
    row = connection.execute(_people(list_).where(_is(address))).one_or_none()
    return _subscriber(row) if row else None


def _existing(person: Subscriber | None) -> Subscriber:
    assert person is not None
    return person


def _subscriber(row: Row[Any]) -> Subscriber:
    said = row._asdict()
    return Subscriber(**{**said, "tags": tuple(row.tags), "state": SubscriberState(row.state)})


def _add_all(
    connection: Connection, newcomers: Sequence[Newcomer], list_: str, source: str
) -> list[tuple[Added, SubscriberState]]:
    keys = [address_key(newcomer.email) for newcomer in newcomers]
    known = _standing(connection, keys, list_)
    strangers = {key: each for key, each in zip(keys, newcomers, strict=True) if key not in known}
    ids = dict(zip(strangers, _insert_people(connection, [*strangers.values()]), strict=True))
    known |= {key: (id_, None) for key, id_ in ids.items()}

    outcomes: list[tuple[Added, SubscriberState]] = []
    new: list[str] = []
    pending: list[str] = []
    noted: list[tuple[str, str]] = []
    for key, newcomer in zip(keys, newcomers, strict=True):
        id_, state = known[key]
        if state in {None, SubscriberState.PENDING}:
            (new if state is None else pending).append(id_)
            noted.append((id_, newcomer.detail))
            known[key] = (id_, SubscriberState.ACTIVE)
            outcomes.append((Added.ADDED, SubscriberState.ACTIVE))
        elif state is SubscriberState.ACTIVE:
            outcomes.append((Added.ALREADY, state))
        else:
            outcomes.append((Added.LEFT_ALONE, SubscriberState(state)))
    _subscribe(connection, new, list_, SubscriberState.ACTIVE)
    for id_ in pending:
        _set_state(connection, id_, list_, SubscriberState.ACTIVE)
    _note(connection, noted, list_, Consent.ADDED, source)
    return outcomes


def _standing(connection: Connection, keys: Sequence[str], list_: str) -> dict[str, tuple[str, SubscriberState | None]]:
    """The id and state of each known address; None for one who is not on the list and may join it."""
    rows = connection.execute(
        select(subscribers.c.address_key, subscribers.c.id, _state)
        .select_from(
            subscribers.outerjoin(
                subscriptions,
                (subscriptions.c.subscriber_id == subscribers.c.id) & (subscriptions.c.list == list_),
            )
        )
        .where(subscribers.c.address_key.in_(keys))
    )
    return {key: (id_, SubscriberState(state) if state else None) for key, id_, state in rows}


def _insert_people(connection: Connection, newcomers: Sequence[Newcomer]) -> list[str]:
    rows = [
        {
            "id": _new_id(),
            "address_key": address_key(newcomer.email),
            "email": newcomer.email,
            "first_name": _clean(newcomer.first_name),
            "last_name": _clean(newcomer.last_name),
            "tags": sorted({_clean(tag) for tag in newcomer.tags} - {""}),
            "fields": {name: _clean(value) for name, value in newcomer.fields.items()},
        }
        for newcomer in newcomers
    ]
    if rows:
        connection.execute(insert(subscribers), rows)
    return [str(row["id"]) for row in rows]


def _subscribe(connection: Connection, ids: Sequence[str], list_: str, state: SubscriberState) -> None:
    now = datetime.now(UTC)
    rows = [{"list": list_, "subscriber_id": id_, "state": state.value, "joined": now} for id_ in ids]
    if rows:
        connection.execute(insert(subscriptions), rows)


def _unsubscribe(connection: Connection, person: Subscriber | None, channel: str) -> bool:
    if person is None:
        return False
    said = connection.scalar(select(subscriptions.c.state).where(_on(person.id, person.list)))
    if said != SubscriberState.UNSUBSCRIBED:
        _change(connection, person, SubscriberState.UNSUBSCRIBED, Consent.UNSUBSCRIBED, channel)
    return True


def _change(connection: Connection, person: Subscriber, state: SubscriberState, consent: Consent, channel: str) -> None:
    _set_state(connection, person.id, person.list, state)
    _note(connection, [(person.id, "")], person.list, consent, channel)


def _set_state(connection: Connection, id_: str, list_: str, state: SubscriberState) -> None:
    connection.execute(update(subscriptions).where(_on(id_, list_)).values(state=state.value))


def _on(id_: str, list_: str) -> Any:
    return (subscriptions.c.subscriber_id == id_) & (subscriptions.c.list == list_)


def _note(
    connection: Connection, people: Sequence[tuple[str, str]], list_: str, consent: Consent, channel: str
) -> None:
    now = datetime.now(UTC)
    rows = [
        {"subscriber_id": id_, "list": list_, "at": now, "event": consent.value, "channel": channel, "detail": detail}
        for id_, detail in people
    ]
    if rows:
        connection.execute(insert(consents), rows)


def _new_id() -> str:
    return "".join(secrets.choice(string.digits + string.ascii_lowercase) for _ in range(16))


def _clean(text: str) -> str:
    """NFC, on one line, without control characters: names end up in headers."""
    printable = "".join(" " if unicodedata.category(each) == "Cc" else each for each in text)
    return " ".join(unicodedata.normalize("NFC", printable).split())
