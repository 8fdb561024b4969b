"""Who is sent to next: those who wait, are still on the list, and whom the limits leave room for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, insert, not_, or_, select, true, update

from newsletter.store.deliveries import Claim, Delivery, DeliveryState, Later, Limit, Settlement, Worker
from newsletter.store.outcomes import (
    delivery_columns,
    delivery_of,
    members,
    open_batches,
    settle,
    unclaimed,
    waits,
    with_outcomes,
)
from newsletter.store.schema import batches, handovers, outcomes, recipients, sends, subscribers, subscriptions
from newsletter.store.subscribers import SubscriberState

_SHARE = 4
"""A batch takes a quarter at most of what a limit allows, so that the next need not wait for the whole of it."""
_ACTIVE = SubscriberState.ACTIVE.value


Limits = Sequence[Limit]


def claim(
    connection: Connection,
    issue_id: str,
    worker: Worker,
    *,
    limit: int,
    after: int,
    now: datetime,
    lease: timedelta,
    limits: Limits,
) -> Claim | Later | None:
    """See Ledger.claim."""
    rooms = [_room(connection, each, now, lease) for each in limits]
    everybody = [room for room in rooms if not room.limit.domain]
    full = [room for room in everybody if not room.left]
    if full and _anybody(connection, unclaimed(connection, issue_id, after) & waits):
        last = max(full, key=lambda room: room.until)
        return Later(until=last.until, limit=last.limit)
    domains = {room.limit.domain: room for room in sorted(rooms, key=lambda room: -room.left) if room.limit.domain}
    due = waits & or_(outcomes.c.not_before.is_(None), outcomes.c.not_before <= now)
    may = due & _not_at(name for name, room in domains.items() if not room.left)
    most = min([limit, *(room.at_once for room in everybody)])
    excluded: Counter[str] = Counter()
    while found := _next(connection, issue_id, unclaimed(connection, issue_id, after) & may, most):
        after = found[-1][0]
        barred = _barred(connection, found)
        settle(connection, issue_id, [_excluded(seq, standing) for seq, standing in barred.items()], now)
        excluded.update(barred.values())
        fit = _fitting([delivery_of(row) for row in found if row[0] not in barred], domains)
        if fit:
            made = _begun(
                connection,
                Claim(
                    id=0,
                    issue_id=issue_id,
                    worker=worker,
                    lease_until=now + lease,
                    deliveries=tuple(fit),
                    excluded=excluded,
                ),
                now,
            )
            _reserve(connection, made, domains)
            return made
    return _later(connection, unclaimed(connection, issue_id) & waits, rooms, now)


def open_claims(connection: Connection, issue_id: str) -> list[Claim]:
    """See Ledger.open_claims."""
    return [_open_claim(connection, batch) for batch in open_batches(connection, issue_id)]


def close(connection: Connection, claim: Claim, settlements: Sequence[Settlement], now: datetime) -> bool:
    """Settle the batch, and count what was handed over of it; False if that was done before."""
    mine = (batches.c.id == claim.id) & batches.c.settled_at.is_(None)
    if not connection.execute(update(batches).where(mine).values(settled_at=now)).rowcount:
        return False
    settle(connection, claim.issue_id, settlements, now)
    gone = {each.seq for each in settlements if each.state is not DeliveryState.WAITING}
    handed_over = [each for each in claim.deliveries if each.seq in gone]
    reserved = connection.scalars(select(handovers.c.domain).where(handovers.c.batch_id == claim.id)).all()
    by_domain = Counter(each.domain for each in handed_over) if len(reserved) > 1 else Counter()
    for domain in reserved:
        connection.execute(
            update(handovers)
            .where(handovers.c.batch_id == claim.id, handovers.c.domain == domain)
            .values(number=by_domain[domain] if domain else len(handed_over), at=now)
        )
    return True


@dataclass(frozen=True, slots=True)
class _Room:
    """What a limit leaves at the moment; `until`: when it leaves more."""

    limit: Limit
    left: int
    until: datetime

    @property
    def at_once(self) -> int:
        return min(self.left, max(1, self.limit.number // _SHARE))


def _room(connection: Connection, limit: Limit, now: datetime, lease: timedelta) -> _Room:
    """What lies further ahead than a lease was written before the clock was set back."""
    recent = (handovers.c.at > now - limit.window) & (handovers.c.at <= now + lease)
    recent &= handovers.c.domain == limit.domain
    used, oldest = connection.execute(
        select(func.sum(handovers.c.number), func.min(handovers.c.at)).where(recent)
    ).one()
    return _Room(limit, max(0, limit.number - (used or 0)), (oldest or now) + limit.window)


def _not_at(domains: Iterable[str]) -> ColumnElement[bool]:
    return and_(true(), *(not_(_at(domain)) for domain in domains))


def _next(connection: Connection, issue_id: str, who: ColumnElement[bool], limit: int) -> Sequence[Sequence[Any]]:
    """The next of those, each with how the person stands on the list of the send now."""
    list_ = connection.scalar(select(sends.c.list).where(sends.c.issue_id == issue_id))
    subscribed = (subscriptions.c.subscriber_id == recipients.c.subscriber_id) & (subscriptions.c.list == list_)
    return connection.execute(
        with_outcomes(*delivery_columns(), subscriptions.c.state, recipients.c.subscriber_id)
        .outerjoin(subscriptions, subscribed)
        .where(who)
        .order_by(recipients.c.seq)
        .limit(limit)
    ).all()


def _barred(connection: Connection, rows: Sequence[Sequence[Any]]) -> dict[int, str]:
    """Who of these is not to get mail any more, and why. They are few, and the people of a batch lie together."""
    people = [row[-1] for row in rows]
    barred = subscribers.c.barred.is_not(None) & subscribers.c.id.between(min(people), max(people))
    found = connection.execute(select(subscribers.c.id, subscribers.c.barred).where(barred)).all()
    why = {row.id: row.barred for row in found}
    return {
        row[0]: why.get(row[-1]) or row[-2] or SubscriberState.ERASED.value
        for row in rows
        if row[-2] != _ACTIVE or row[-1] in why
    }


def _excluded(seq: int, standing: str) -> Settlement:
    return Settlement(seq=seq, state=DeliveryState.EXCLUDED, reason=standing)


def _fitting(deliveries: list[Delivery], domains: Mapping[str, _Room]) -> list[Delivery]:
    """Those for whom the limits of their domains leave room."""
    if not domains:
        return deliveries
    fit, taken = [], Counter[str]()
    for delivery in deliveries:
        domain = delivery.domain
        if domain not in domains or taken[domain] < domains[domain].at_once:
            taken[domain] += 1
            fit.append(delivery)
    return fit


def _begun(connection: Connection, claim: Claim, now: datetime) -> Claim:
    """`claim` as the batch that it is from `now` on."""
    seqs = [delivery.seq for delivery in claim.deliveries]
    made = connection.execute(
        insert(batches).values(
            issue_id=claim.issue_id,
            owner=claim.worker.owner,
            boot_id=claim.worker.boot_id,
            journal_id=claim.worker.journal_id,
            claimed_at=now,
            lease_until=claim.lease_until,
            first=seqs[0],
            last=seqs[-1],
            seqs=None if seqs[-1] - seqs[0] == len(seqs) - 1 else seqs,
        )
    )
    assert made.inserted_primary_key
    return replace(claim, id=int(made.inserted_primary_key.id))


def _reserve(connection: Connection, claim: Claim, domains: Iterable[str]) -> None:
    numbers = {"": len(claim.deliveries)}
    if domains:
        found = Counter(each.domain for each in claim.deliveries)
        numbers |= {domain: found[domain] for domain in domains if found[domain]}
    connection.execute(
        insert(handovers),
        [
            {"batch_id": claim.id, "domain": domain, "number": number, "at": claim.lease_until}
            for domain, number in numbers.items()
        ],
    )


def _later(connection: Connection, waiting: ColumnElement[bool], rooms: Sequence[_Room], now: datetime) -> Later | None:
    """When there may be somebody to send to, if anybody waits."""
    put_off = connection.scalar(
        with_outcomes(func.min(outcomes.c.not_before)).where(waiting, outcomes.c.not_before > now)
    )
    held_up = [
        room
        for room in rooms
        if room.limit.domain and not room.left and _anybody(connection, waiting & _at(room.limit.domain))
    ]
    moments = [*(room.until for room in held_up), *([put_off] if put_off else [])]
    return Later(until=min(moments), limit=held_up[0].limit if held_up else None) if moments else None


def _at(domain: str) -> ColumnElement[bool]:
    return recipients.c.address.iendswith(f"@{domain}", autoescape=True)


def _anybody(connection: Connection, who: ColumnElement[bool]) -> bool:
    return connection.execute(with_outcomes(recipients.c.seq).where(who).limit(1)).first() is not None


def _open_claim(connection: Connection, batch: Row[Any]) -> Claim:
    mine = (recipients.c.issue_id == batch.issue_id) & members(batch)
    rows = connection.execute(with_outcomes(*delivery_columns()).where(mine, waits).order_by(recipients.c.seq))
    return Claim(
        id=batch.id,
        issue_id=batch.issue_id,
        worker=Worker(owner=batch.owner, boot_id=batch.boot_id, journal_id=batch.journal_id),
        lease_until=batch.lease_until,
        deliveries=tuple(map(delivery_of, rows)),
    )
