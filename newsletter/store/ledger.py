"""Who is to get an issue, and what became of each of them: freeze, claim, settle.

One issue is sent once: a recipient is in the ledger of an issue once, by a keyed hash of the address, and only those
who wait are handed out. Every method is one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice

from sqlalchemy import Engine, func, select, update

from newsletter.errors import StoreError
from newsletter.store import claiming
from newsletter.store.deliveries import (
    Balance,
    Claim,
    Delivery,
    DeliveryState,
    Later,
    Limit,
    Selected,
    Send,
    Settlement,
    Worker,
)
from newsletter.store.freezing import ROWS_AT_ONCE, freeze, refuse_another, send_of, unknown, write_settings
from newsletter.store.outcomes import (
    balance_of,
    end_waiting,
    exclude_cancelled,
    of_issue,
    settled_ones,
    still,
)
from newsletter.store.schema import batches, editions, outcomes, reading, recipients, sends, writing

CANCELLED = "cancelled"

__all__ = [
    "CANCELLED",
    "Balance",
    "Claim",
    "Delivery",
    "DeliveryState",
    "Later",
    "Ledger",
    "Limit",
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
            return balance_of(connection, issue_id)

    def claim(
        self,
        issue_id: str,
        worker: Worker,
        *,
        limit: int,
        after: int = 0,
        lease: timedelta = timedelta(minutes=15),
        limits: Sequence[Limit] = (),
        begin: Callable[[int], object] = lambda _: None,
    ) -> Claim | Later | None:
        """Take up to `limit` of those who wait and may be sent to, behind the delivery `after`; None: nobody waits.

        Later where they must wait: they were put off, or as many were handed over as the `limits` allow. Whoever may
        not get mail any more (unsubscribed since the freeze, say) is excluded here. `begin` is told the id of the batch
        before it is one.
        """
        with writing(self._engine) as connection:
            now = datetime.now(UTC)
            found = claiming.claim(
                connection, issue_id, worker, limit=limit, after=after, now=now, lease=lease, limits=limits
            )
            if isinstance(found, Claim):
                begin(found.id)
            return found

    def settle(self, claim: Claim, settlements: Sequence[Settlement]) -> None:
        """Write down what became of a batch; who is not said waits again. A batch that is settled already stays so.

        Where the issue was cancelled meanwhile, whoever would wait is excluded.
        """
        with writing(self._engine) as connection:
            now = datetime.now(UTC)
            if claiming.close(connection, claim, settlements, now):
                exclude_cancelled(connection, claim.issue_id, now, CANCELLED)

    def open_claims(self, issue_id: str) -> list[Claim]:
        """The batches that were claimed and never settled: a worker is busy with them, or died."""
        with reading(self._engine) as connection:
            return claiming.open_claims(connection, issue_id)

    def under_way(self) -> dict[str, Balance]:
        """The balance of each issue that somebody waits for, by its id."""
        with reading(self._engine) as connection:
            issues = connection.scalars(select(sends.c.issue_id)).all()
            balances = {issue: balance_of(connection, issue) for issue in issues}
        return {issue: balance for issue, balance in balances.items() if balance.waiting}

    def knows(self, batch: int, journal_id: str) -> bool:
        """Whether there was ever such a batch, written about in this journal."""
        with reading(self._engine) as connection:
            return connection.scalar(select(batches.c.journal_id).where(batches.c.id == batch)) == journal_id

    def untried(self, issue_id: str) -> int:
        """How many wait of whom nothing was ever written down since they were frozen."""
        with reading(self._engine) as connection:
            written = connection.scalar(select(func.count()).where(of_issue(connection, outcomes, issue_id)))
            return balance_of(connection, issue_id).selected - (written or 0)

    def distrust(self, detail: str, *, issue_id: str | None = None) -> dict[str, int]:
        """Older than what was done, perhaps: all who wait (for one issue) are uncertain, for `detail`.

        Returns how many, by issue.
        """
        waiting = {issue: balance.waiting for issue, balance in self.under_way().items() if issue_id in {None, issue}}
        with writing(self._engine) as connection:
            now = datetime.now(UTC)
            for issue in waiting:
                those = of_issue(connection, recipients, issue)
                end_waiting(connection, those, now, DeliveryState.UNCERTAIN, detail=detail)
                open_ = (batches.c.issue_id == issue) & batches.c.settled_at.is_(None)
                connection.execute(update(batches).where(open_).values(settled_at=now))
        return waiting

    def cancel(self, issue_id: str) -> Balance:
        """Exclude all who wait, for good; a worker's batch is settled as it ends. Raises StoreError if never frozen."""
        with writing(self._engine) as connection:
            if send_of(connection, issue_id) is None:
                raise StoreError(f"the ledger knows nothing of issue {issue_id}", hint="there is nothing to cancel")
            now = datetime.now(UTC)
            connection.execute(
                update(sends)
                .where(sends.c.issue_id == issue_id, sends.c.cancelled_at.is_(None))
                .values(cancelled_at=now)
            )
            exclude_cancelled(connection, issue_id, now, CANCELLED)
            return balance_of(connection, issue_id)

    def put_off(self, issue_id: str) -> tuple[int, datetime | None]:
        """How many wait who were put off, and when the first of them may be tried again."""
        with reading(self._engine) as connection:
            number, first = connection.execute(
                select(func.count(), func.min(outcomes.c.not_before)).where(
                    still(issue_id, DeliveryState.WAITING), outcomes.c.not_before > datetime.now(UTC)
                )
            ).one()
            return number, first

    def uncertain(self, issue_id: str) -> list[Delivery]:
        """Those of whom nobody can know whether they got it, with what is known in `detail`."""
        with reading(self._engine) as connection:
            return settled_ones(connection, still(issue_id, DeliveryState.UNCERTAIN))

    def failed(self, issue_id: str) -> list[Delivery]:
        """Those whom the service refused, with its words in `detail`."""
        with reading(self._engine) as connection:
            failed = outcomes.c.state == DeliveryState.FAILED.value
            return settled_ones(connection, of_issue(connection, outcomes, issue_id) & failed)

    def settle_uncertain(
        self, issue_id: str, state: DeliveryState, detail: str, *, only: Collection[int] | None = None
    ) -> int:
        """An operator decides for the uncertain ones: WAITING sends again, ACCEPTED assumes sent. Returns how many.

        `only`: for these deliveries (their `seq`), and not for all. Raises StoreError where nobody is sent to again.
        """
        those = still(issue_id, DeliveryState.UNCERTAIN)
        if only is not None:
            those &= outcomes.c.seq.in_(only)
        with writing(self._engine) as connection:
            now = datetime.now(UTC)
            known = send_of(connection, issue_id)
            if state is DeliveryState.WAITING and known and known.cancelled_at:
                raise StoreError(
                    "the sending of this issue was cancelled: nobody is sent to again",
                    hint="--assume-sent, or leave them",
                )
            decided = update(outcomes).where(those).values(state=state.value, detail=detail, at=now)
            return connection.execute(decided).rowcount

    def wait_again(self, issue_id: str, keys: Collection[str]) -> None:
        """Of those with these keys, who failed wait: it was not for them that the service refused them."""
        those = select(recipients.c.seq).where(recipients.c.issue_id == issue_id, recipients.c.recipient_key.in_(keys))
        failed = outcomes.c.seq.in_(those) & (outcomes.c.state == DeliveryState.FAILED.value)
        with writing(self._engine) as connection:
            now = datetime.now(UTC)
            connection.execute(update(outcomes).where(failed).values(state=DeliveryState.WAITING.value, at=now))
            exclude_cancelled(connection, issue_id, now, CANCELLED)
