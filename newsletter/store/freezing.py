"""Freeze: the edition and everybody it is for, written down in one transaction before the first byte goes out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, case, func, insert, select, update

from newsletter.errors import Problem, StoreError
from newsletter.store.bulk import write_all
from newsletter.store.deliveries import DeliveryState, Selected, Send, Settlement
from newsletter.store.outcomes import settle
from newsletter.store.schema import editions, recipients, sends

ROWS_AT_ONCE = 1_000


def freeze(connection: Connection, send: Send, body: bytes, selected: Iterable[Selected]) -> int:
    """See Ledger.freeze. The audience's digest goes on from the one before where people are added."""
    known = send_of(connection, send.issue_id)
    if known is None:
        _insert_send(connection, send, body)
    else:
        refuse_another(known, send)
        if known.settings is None and send.settings is not None:
            write_settings(connection, send)
    digest = hashlib.sha256((known.audience_digest if known else "").encode())
    number, before = 0, connection.scalar(select(func.max(recipients.c.seq))) or 0
    people = iter(selected)
    while chunk := [*islice(people, ROWS_AT_ONCE)]:
        new = unknown(connection, send.issue_id, chunk)
        for person in new:
            digest.update(_canonical(person))
        _insert(connection, send.issue_id, new, before + number)
        number += len(new)
    if number or known is None:
        first = case((sends.c.first == 0, before + 1), else_=sends.c.first)
        connection.execute(
            update(sends)
            .where(sends.c.issue_id == send.issue_id)
            .values(
                audience_digest=digest.hexdigest(),
                first=first,
                last=before + number,
                selected=sends.c.selected + number,
            )
        )
    return number


def send_of(connection: Connection, issue_id: str) -> Send | None:
    """The sending of an issue, if it was begun."""
    kept = (sends.c[name] for name in Send.__slots__)
    row = connection.execute(select(*kept).where(sends.c.issue_id == issue_id)).one_or_none()
    return Send(**row._asdict()) if row else None


def write_settings(connection: Connection, send: Send) -> None:
    """Keep provider and settings of `send` as those by which its issue is sent."""
    connection.execute(
        update(sends)
        .where(sends.c.issue_id == send.issue_id)
        .values(provider=send.provider, settings=send.settings, settings_digest=send.settings_digest)
    )


def unknown(connection: Connection, issue_id: str, chunk: Sequence[Selected]) -> list[Selected]:
    """Those of `chunk` who are not in the ledger of the issue."""
    by_key = {person.key: person for person in chunk}
    known = connection.scalars(
        select(recipients.c.recipient_key).where(
            recipients.c.issue_id == issue_id, recipients.c.recipient_key.in_(by_key)
        )
    )
    for key in known.all():
        del by_key[key]
    return [*by_key.values()]


def _insert_send(connection: Connection, send: Send, body: bytes) -> None:
    if connection.scalar(select(editions.c.hash).where(editions.c.hash == send.edition_hash)) is None:
        connection.execute(insert(editions).values(hash=send.edition_hash, issue_id=send.issue_id, body=body))
    connection.execute(
        insert(sends).values(
            issue_id=send.issue_id,
            edition_hash=send.edition_hash,
            list=send.list,
            provider=send.provider,
            audience_digest=send.audience_digest,
            settings_digest=send.settings_digest,
            settings=send.settings,
            frozen_at=datetime.now(UTC),
        )
    )


def refuse_another(known: Send, send: Send) -> None:
    """Raise StoreError, with all that differs, if the issue cannot be sent as `send` says since it is as `known`."""
    if problems := [*_other_edition(known, send), *_other_settings(known, send), *_cancelled(known)]:
        raise StoreError.of(problems)


def _other_edition(known: Send, send: Send) -> Iterator[Problem]:
    if known.edition_hash != send.edition_hash:
        yield Problem(
            f"issue {send.issue_id} is being sent, or was, as edition {known.edition_hash[:12]}; "
            f"this one is {send.edition_hash[:12]}",
            "`newsletter resume` goes on with the first one; a correction is an issue of its own, with its own id",
        )


def _other_settings(known: Send, send: Send) -> Iterator[Problem]:
    if differences := send.differences(known):
        yield Problem(
            "\n  ".join((f"issue {send.issue_id} is being sent, or was, with other settings:", *differences)),
            "`newsletter resume` goes on as it was begun, and with `--provider NAME` through that one as it is now; "
            "to another list, or from another sender, it is an issue of its own, with its own id",
        )


def _cancelled(known: Send) -> Iterator[Problem]:
    if known.cancelled_at:
        yield Problem(
            f"the sending of issue {known.issue_id} was cancelled on {known.cancelled_at:%Y-%m-%d %H:%M} UTC",
            "what is sent after all is an issue of its own, with its own id",
        )


def _canonical(person: Selected) -> bytes:
    said = [person.key, person.name, dict(person.values), person.audience, person.subject, person.excluded]
    return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def _insert(connection: Connection, issue_id: str, people: Sequence[Selected], before: int) -> None:
    """Write down `people`, behind the copy with the number `before`."""
    numbered = [*enumerate(people, before + 1)]
    write_all(connection, insert(recipients), [_row(seq, issue_id, person) for seq, person in numbered])
    excluded = [
        Settlement(seq=seq, state=DeliveryState.EXCLUDED, reason=person.excluded)
        for seq, person in numbered
        if person.excluded
    ]
    settle(connection, issue_id, excluded, datetime.now(UTC))


def _row(seq: int, issue_id: str, person: Selected) -> tuple[Any, ...]:
    values = json.dumps(dict(person.values), ensure_ascii=False)
    own = (person.key, person.subscriber, person.address, person.name, values, person.audience, person.subject)
    return (seq, issue_id, *own)
