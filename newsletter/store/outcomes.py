"""What became of the copies of an issue: one row each, written once, or again while the copy waits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    Text,
    and_,
    cast,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import sqlite

from newsletter.store.bulk import stored, write_all
from newsletter.store.deliveries import Balance, Delivery, DeliveryState, Settlement
from newsletter.store.schema import IS_OPEN, batches, outcomes, recipients, sends

_VALUES = TypeAdapter(dict[str, str])
_NO_OUTCOME: dict[str, Any] = {"reason": "", "detail": "", "provider_id": "", "tries": 0, "not_before": None}

waits: ColumnElement[bool] = or_(outcomes.c.seq.is_(None), outcomes.c.state == DeliveryState.WAITING.value)
"""Of recipients with their outcomes: those who wait, claimed or not."""


def of_issue(connection: Connection, table: Table, issue_id: str, after: int = 0) -> ColumnElement[bool]:
    """Of recipients or outcomes: those of the issue, behind the copy `after`.

    With one lower bound: of two, SQLite seeks the first and tries all rows for the other.
    """
    ends = connection.execute(select(sends.c.first, sends.c.last).where(sends.c.issue_id == issue_id)).one_or_none()
    first, last = ends or (0, 0)
    return (table.c.issue_id == issue_id) & table.c.seq.between(max(first, after + 1), last)


def still(issue_id: str, state: DeliveryState) -> ColumnElement[bool]:
    """Of outcomes: those of the issue that are waiting or uncertain. SQLite uses the index of them where its condition
    is said to the letter.
    """
    return and_(outcomes.c.issue_id == issue_id, outcomes.c.state == state.value, IS_OPEN)


def with_outcomes(*columns: Any) -> Select[Any]:
    """`columns` of the recipients and what became of each, if anything did."""
    return select(*columns).select_from(recipients).outerjoin(outcomes, outcomes.c.seq == recipients.c.seq)


def delivery_columns() -> tuple[Any, ...]:
    """What `delivery_of` needs, in its order; JSON as text, which is read once for each."""
    own = recipients.c
    values = cast(own["values"], Text)
    return (own.seq, own.recipient_key, own.address, own.name, values, own.audience, own.subject, outcomes.c.tries)


def delivery_of(row: Sequence[Any]) -> Delivery:
    """The delivery in a row that begins with `delivery_columns`."""
    seq, key, address, name, values, audience, subject, tries, *_ = row
    return Delivery(seq, key, address, name, _VALUES.validate_json(values), audience, subject, tries or 0)


def settled_ones(connection: Connection, those: ColumnElement[bool]) -> list[Delivery]:
    """The deliveries with these outcomes, with what was said of them last, and when."""
    rows = connection.execute(
        with_outcomes(*delivery_columns(), outcomes.c.detail, outcomes.c.at).where(those).order_by(recipients.c.seq)
    )
    return [delivery_of(row)._replace(detail=row.detail, at=row.at) for row in rows]


def members(batch: Row[Any]) -> ColumnElement[bool]:
    """Of the issue's recipients who wait: those whom the batch claimed."""
    if batch.seqs is None:
        return recipients.c.seq.between(batch.first, batch.last)
    return recipients.c.seq.in_(batch.seqs)


def open_batches(connection: Connection, issue_id: str) -> Sequence[Row[Any]]:
    """The batches of the issue that are not settled."""
    return connection.execute(
        select(batches).where(batches.c.issue_id == issue_id, batches.c.settled_at.is_(None)).order_by(batches.c.id)
    ).all()


def unclaimed(connection: Connection, issue_id: str, after: int = 0) -> ColumnElement[bool]:
    """Of the issue's recipients behind `after`: those whom no open batch holds."""
    others = (not_(members(batch)) for batch in open_batches(connection, issue_id))
    return and_(of_issue(connection, recipients, issue_id, after), *others)


def settle(connection: Connection, issue_id: str, settlements: Sequence[Settlement], now: datetime) -> None:
    """Write down what became of copies that waited."""
    at = stored(connection, now)
    insert_ = sqlite.insert(outcomes)
    written = {column.name: column for column in insert_.excluded if column.name not in {"seq", "issue_id"}}
    write_all(
        connection,
        insert_.on_conflict_do_update(index_elements=["seq"], set_=written),
        [
            (
                seq,
                issue_id,
                state.value,
                reason,
                detail,
                provider_id,
                tries,
                stored(connection, not_before) if not_before else None,
                at,
            )
            for seq, state, reason, detail, provider_id, tries, not_before in settlements
        ],
    )


def end_waiting(
    connection: Connection, those: ColumnElement[bool], now: datetime, state: DeliveryState, **said: str
) -> None:
    """All of `those` recipients who wait get this outcome; `said` is its reason or detail."""
    connection.execute(
        update(outcomes)
        .where(
            outcomes.c.state == DeliveryState.WAITING.value,
            IS_OPEN,
            outcomes.c.seq.in_(select(recipients.c.seq).where(those)),
        )
        .values(state=state.value, at=now, not_before=None, **said)
    )
    values = {**_NO_OUTCOME, **said, "state": state.value, "at": now}
    columns = [outcomes.c[name] for name in values]
    new = with_outcomes(
        recipients.c.seq,
        recipients.c.issue_id,
        *(literal(value, column.type) for column, value in zip(columns, values.values(), strict=True)),
    ).where(outcomes.c.seq.is_(None), those)
    connection.execute(insert(outcomes).from_select(["seq", "issue_id", *values], new))


def exclude_cancelled(connection: Connection, issue_id: str, now: datetime, reason: str) -> None:
    """Where the issue was cancelled, exclude whoever waits and is in no open batch."""
    if connection.scalar(select(sends.c.cancelled_at).where(sends.c.issue_id == issue_id)):
        those = unclaimed(connection, issue_id)
        end_waiting(connection, those, now, DeliveryState.EXCLUDED, reason=reason)


def balance_of(connection: Connection, issue_id: str) -> Balance:
    """Where the issue's copies stand; all zero for one that was never frozen."""
    selected = connection.scalar(select(sends.c.selected).where(sends.c.issue_id == issue_id)) or 0
    rows = connection.execute(
        select(outcomes.c.state, outcomes.c.reason, func.count())
        .where(of_issue(connection, outcomes, issue_id), outcomes.c.state != DeliveryState.WAITING.value)
        .group_by(outcomes.c.state, outcomes.c.reason)
    )
    counts = {(DeliveryState(state), reason): number for state, reason, number in rows}
    return Balance.of(counts | {(DeliveryState.WAITING, ""): selected - sum(counts.values())})
