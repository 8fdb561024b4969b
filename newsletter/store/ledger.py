"""Who is to get an issue, and what became of each of them: freeze, claim, settle.

One issue is sent once: a recipient is in the ledger of an issue once, by a keyed hash of the address, and only those
who wait are handed out. Every method is one transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Engine, Row, bindparam, func, insert, select, update

from newsletter.errors import StoreError
from newsletter.store.deliveries import Balance, Claim, Delivery, DeliveryState, Selected, Send, Settlement, Worker
from newsletter.store.freezing import ROWS_AT_ONCE, freeze, refuse_another, send_of, unknown, write_settings
from newsletter.store.schema import batches, deliveries, editions, reading, sends, subscribers, subscriptions, writing
from newsletter.store.subscribers import SubscriberState

CANCELLED = "cancelled"
_NOT_SETTLED = (DeliveryState.WAITING.value, DeliveryState.CLAIMED.value)

__all__ = [
    "CANCELLED",
    "Balance",
    "Claim",
    "Delivery",
    "DeliveryState",
    "Ledger",
    "Selected",
    "Send",
    "Settlement",
    "Worker",
]


class Ledger:
    """The deliveries of a database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def freeze(self, send: Send, body: bytes, selected: Iterable[Selected]) -> int:
        """Write down the edition (its `body`) and everybody it is for; returns how many were new.

        Done again with the same edition, those who are not there yet are added. Another edition of the same issue,
        other settings, or an issue that was cancelled, is refused with StoreError. What `selected` raises undoes all.
        """
        with writing(self._engine) as connection:
            return freeze(connection, send, body, selected)

    def refuse_another(self, send: Send) -> None:
        """Raise StoreError where a freeze would refuse `send`."""
        if known := self.send(send.issue_id):
            refuse_another(known, send)

    def reconfigure(self, send: Send) -> None:
        """Keep provider and settings of `send` as those by which its issue is sent from now on."""
        with writing(self._engine) as connection:
            write_settings(connection, send)

    def send(self, issue_id: str) -> Send | None:
        """The sending of an issue, if it was begun."""
        with reading(self._engine) as connection:
            return send_of(connection, issue_id)

    def edition(self, issue_id: str) -> bytes:
        """The body of the edition that the issue is sent with; raises StoreError if it was never frozen."""
        with reading(self._engine) as connection:
            body = connection.scalar(
                select(editions.c.body)
                .join(sends, sends.c.edition_hash == editions.c.hash)
                .where(sends.c.issue_id == issue_id)
            )
        if body is None:
            raise StoreError(f"the ledger knows nothing of issue {issue_id}", hint="`newsletter send` begins it")
        return bytes(body)

    def unknown(self, issue_id: str, selected: Iterable[Selected]) -> Iterator[Selected]:
        """Those of `selected` who are not in the ledger of the issue yet: a freeze would add them."""
        people = iter(selected)
        while chunk := [*islice(people, ROWS_AT_ONCE)]:
            with reading(self._engine) as connection:
                new = unknown(connection, issue_id, chunk)
            yield from new

    def balance(self, issue_id: str) -> Balance:
        """Where the issue's deliveries stand; all zero for one that was never frozen."""
        with reading(self._engine) as connection:
            return _balance(connection, issue_id)

    def claim(
        self, issue_id: str, worker: Worker, *, limit: int, after: int = 0, lease: timedelta = timedelta(minutes=15)
    ) -> Claim | None:
        """Take up to `limit` of those who wait, behind the delivery `after`; None when there are none.

        Whoever may not get mail any more (unsubscribed since the freeze, say) is excluded here.
        """
        excluded: Counter[str] = Counter()
        with writing(self._engine) as connection:
            while rows := _waiting(connection, issue_id, limit, after):
                after = rows[-1].seq
                barred = [row for row in rows if row.standing != SubscriberState.ACTIVE.value]
                excluded.update(_exclude(connection, barred))
                fit = [row for row in rows if row.standing == SubscriberState.ACTIVE.value]
                if fit:
                    now = datetime.now(UTC)
                    id_ = _insert_batch(connection, issue_id, worker, now, now + lease)
                    connection.execute(
                        update(deliveries)
                        .where(deliveries.c.seq.in_([row.seq for row in fit]))
                        .values(state=DeliveryState.CLAIMED.value, batch_id=id_)
                    )
                    return Claim(
                        id=id_,
                        issue_id=issue_id,
                        worker=worker,
                        lease_until=now + lease,
                        deliveries=tuple(_delivery(row) for row in fit),
                        excluded=excluded,
                    )
        return None

    def settle(self, claim: Claim, settlements: Sequence[Settlement]) -> None:
        """Write down what became of a batch; what is still claimed in it and not said waits again.

        Where the issue was cancelled meanwhile, whoever would wait is excluded.
        """
        with writing(self._engine) as connection:
            now = datetime.now(UTC)
            mine = (deliveries.c.batch_id == claim.id) & (deliveries.c.state == DeliveryState.CLAIMED.value)
            if settlements:
                connection.execute(
                    update(deliveries)
                    .where(mine, deliveries.c.seq == bindparam("key_seq"))
                    .values(
                        state=bindparam("to_state"),
                        detail=bindparam("to_detail"),
                        provider_id=bindparam("to_provider_id"),
                        settled_at=now,
                    ),
                    [
                        {
                            "key_seq": each.seq,
                            "to_state": each.state.value,
                            "to_detail": each.detail,
                            "to_provider_id": each.provider_id,
                        }
                        for each in settlements
                    ],
                )
            connection.execute(update(deliveries).where(mine).values(state=DeliveryState.WAITING.value))
            connection.execute(update(batches).where(batches.c.id == claim.id).values(settled_at=now))
            _exclude_cancelled(connection, claim.issue_id)

    def open_claims(self, issue_id: str) -> list[Claim]:
        """The batches that were claimed and never settled: a worker is busy with them, or died."""
        with reading(self._engine) as connection:
            rows = connection.execute(
                select(batches).where(batches.c.issue_id == issue_id, batches.c.settled_at.is_(None))
            ).all()
            return [_open_claim(connection, row) for row in rows]

    def under_way(self) -> dict[str, Balance]:
        """The balance of each issue that somebody waits for, by its id."""
        with reading(self._engine) as connection:
            issues = connection.scalars(
                select(deliveries.c.issue_id).where(deliveries.c.state.in_(_NOT_SETTLED)).distinct()
            ).all()
            return {issue: _balance(connection, issue) for issue in issues}

    def distrust(self, detail: str) -> dict[str, int]:
        """Older than what was done, perhaps: all who wait are uncertain, for `detail`. Returns how many, by issue."""
        with writing(self._engine) as connection:
            now, waits = datetime.now(UTC), deliveries.c.state.in_(_NOT_SETTLED)
            by_issue = select(deliveries.c.issue_id, func.count()).where(waits).group_by(deliveries.c.issue_id)
            found = {row[0]: row[1] for row in connection.execute(by_issue)}
            connection.execute(
                update(deliveries)
                .where(waits)
                .values(state=DeliveryState.UNCERTAIN.value, detail=detail, settled_at=now)
            )
            connection.execute(update(batches).where(batches.c.settled_at.is_(None)).values(settled_at=now))
            return found

    def cancel(self, issue_id: str) -> Balance:
        """Exclude all who wait, for good; a worker's batch is settled as it ends. Raises StoreError if never frozen."""
        with writing(self._engine) as connection:
            if send_of(connection, issue_id) is None:
                raise StoreError(f"the ledger knows nothing of issue {issue_id}", hint="there is nothing to cancel")
            connection.execute(
                update(sends)
                .where(sends.c.issue_id == issue_id, sends.c.cancelled_at.is_(None))
                .values(cancelled_at=datetime.now(UTC))
            )
            _exclude_cancelled(connection, issue_id)
            return _balance(connection, issue_id)

    def uncertain(self, issue_id: str) -> list[Delivery]:
        """Those of whom nobody can know whether they got it, with what is known in `detail`."""
        with reading(self._engine) as connection:
            rows = connection.execute(
                select(deliveries).where(
                    deliveries.c.issue_id == issue_id, deliveries.c.state == DeliveryState.UNCERTAIN.value
                )
            )
            return [_delivery(row) for row in rows]

    def settle_uncertain(self, issue_id: str, state: DeliveryState, detail: str) -> int:
        """An operator decides for all uncertain ones: WAITING sends again, ACCEPTED assumes sent. Returns how many."""
        with writing(self._engine) as connection:
            changed = connection.execute(
                update(deliveries)
                .where(deliveries.c.issue_id == issue_id, deliveries.c.state == DeliveryState.UNCERTAIN.value)
                .values(state=state.value, detail=detail, settled_at=datetime.now(UTC))
            ).rowcount
            _exclude_cancelled(connection, issue_id)
            return changed


def _waiting(connection: Connection, issue_id: str, limit: int, after: int) -> Sequence[Row[Any]]:
    """The next who wait, each with how the person stands on the list of the send now."""
    standing = func.coalesce(subscribers.c.barred, subscriptions.c.state, SubscriberState.ERASED.value)
    return connection.execute(
        select(deliveries, standing.label("standing"))
        .join(sends, sends.c.issue_id == deliveries.c.issue_id)
        .outerjoin(subscribers, subscribers.c.id == deliveries.c.subscriber_id)
        .outerjoin(
            subscriptions,
            (subscriptions.c.subscriber_id == deliveries.c.subscriber_id) & (subscriptions.c.list == sends.c.list),
        )
        .where(
            deliveries.c.issue_id == issue_id,
            deliveries.c.state == DeliveryState.WAITING.value,
            deliveries.c.reason == "",  # always so; said, it lets the index give them in the order of seq
            deliveries.c.seq > after,
        )
        .order_by(deliveries.c.seq)
        .limit(limit)
    ).all()


def _exclude(connection: Connection, rows: Sequence[Row[Any]]) -> list[str]:
    """Exclude these, each for how the person stands; gives the reasons."""
    if rows:
        connection.execute(
            update(deliveries)
            .where(deliveries.c.seq == bindparam("key_seq"))
            .values(state=DeliveryState.EXCLUDED.value, reason=bindparam("why")),
            [{"key_seq": row.seq, "why": row.standing} for row in rows],
        )
    return [row.standing for row in rows]


def _exclude_cancelled(connection: Connection, issue_id: str) -> None:
    cancelled = select(sends.c.issue_id).where(sends.c.issue_id == issue_id, sends.c.cancelled_at.is_not(None))
    connection.execute(
        update(deliveries)
        .where(deliveries.c.issue_id.in_(cancelled), deliveries.c.state == DeliveryState.WAITING.value)
        .values(state=DeliveryState.EXCLUDED.value, reason=CANCELLED)
    )


def _insert_batch(connection: Connection, issue_id: str, worker: Worker, now: datetime, until: datetime) -> int:
    made = connection.execute(
        insert(batches).values(
            issue_id=issue_id,
            owner=worker.owner,
            boot_id=worker.boot_id,
            journal_id=worker.journal_id,
            claimed_at=now,
            lease_until=until,
        )
    )
    assert made.inserted_primary_key
    return int(made.inserted_primary_key.id)


def _open_claim(connection: Connection, batch: Row[Any]) -> Claim:
    rows = connection.execute(
        select(deliveries)
        .where(deliveries.c.batch_id == batch.id, deliveries.c.state == DeliveryState.CLAIMED.value)
        .order_by(deliveries.c.seq)
    )
    return Claim(
        id=batch.id,
        issue_id=batch.issue_id,
        worker=Worker(owner=batch.owner, boot_id=batch.boot_id, journal_id=batch.journal_id),
        lease_until=batch.lease_until,
        deliveries=tuple(_delivery(row) for row in rows),
    )


def _delivery(row: Row[Any]) -> Delivery:
    said = row._mapping
    return Delivery(
        seq=said["seq"],
        key=said["recipient_key"],
        address=said["address"],
        name=said["name"],
        values=said["values"],
        audience=said["audience"],
        subject=said["subject"],
        detail=said["detail"],
    )


def _balance(connection: Connection, issue_id: str) -> Balance:
    rows = connection.execute(
        select(deliveries.c.state, deliveries.c.reason, func.count())
        .where(deliveries.c.issue_id == issue_id)
        .group_by(deliveries.c.state, deliveries.c.reason)
    )
    return Balance.of({(DeliveryState(state), reason): number for state, reason, number in rows})
