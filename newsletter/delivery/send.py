"""Send and resume: claim a batch, hand it to the provider, settle; round by round, until nobody waits.

What is sent is the edition in the ledger, never one that is compiled anew. Whatever ends a run, each recipient is in
a named state afterwards, and `resume` goes on from there.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

from newsletter.compile.edition import Edition, from_bytes
from newsletter.delivery.circuit import Circuit, CircuitOpen
from newsletter.delivery.journal import FileJournal, NoMore, boot_id
from newsletter.delivery.plan import Plan
from newsletter.delivery.recovery import recover, settlements
from newsletter.delivery.stopping import Stop
from newsletter.message import Recipient
from newsletter.providers.base import Batch, Outcome, Provider, Result
from newsletter.store.ledger import Balance, Claim, Delivery, DeliveryState, Ledger, Send, Settlement, Worker

LEASE = timedelta(minutes=15)
PAUSES = (5.0, 30.0)

Progress = Callable[[Balance], None]


class Sender:
    """Sends issues through one provider. `journals` is the folder of the journals, one an issue.

    `limit`: so many recipients in this run at most. `pauses`: seconds before each round in which those are tried again
    whom the provider put off; who is put off in the last round is left waiting. `lease`: how long a batch may take,
    after which others may send the rest of it. `stop`: asked, the run ends behind the message under way. `on_progress`
    is told the balance after every batch.
    """

    def __init__(
        self,
        ledger: Ledger,
        provider: Provider,
        journals: Path,
        *,
        limit: int | None = None,
        pauses: Sequence[float] = PAUSES,
        lease: timedelta = LEASE,
        stop: Stop | None = None,
        on_progress: Progress = lambda _: None,
    ) -> None:
        self._ledger = ledger
        self._provider = provider
        self._journals = journals
        self._limit = sys.maxsize if limit is None else limit
        self._pauses = pauses
        self._lease = lease
        self._stop = stop or Stop()
        self._on_progress = on_progress

    def send(self, plan: Plan) -> Balance:
        """Freeze the plan's edition and audience, and send. Done again, it adds those who joined since.

        Raises ContentError (an empty slot), StoreError (another edition, being sent already), ProviderError.
        """
        with self._journal(plan.edition.issue_id) as journal:
            self._ledger.freeze(plan.send, plan.body, plan.audience)
            return self._run(plan.edition.issue_id, journal)

    def resume(self, issue_id: str, *, reconfigured: Send | None = None) -> Balance:
        """Go on with those who wait; adds nobody. Raises StoreError, ProviderError.

        `reconfigured` says by which provider and options, where they are no longer those that it was begun with.
        """
        with self._journal(issue_id) as journal:
            if reconfigured:
                self._ledger.reconfigure(reconfigured)
            return self._run(issue_id, journal)

    def _journal(self, issue_id: str) -> FileJournal:
        self._journals.mkdir(mode=0o700, parents=True, exist_ok=True)
        return FileJournal(self._journals / f"{issue_id}.journal")

    def _run(self, issue_id: str, journal: FileJournal) -> Balance:
        edition = from_bytes(self._ledger.edition(issue_id))
        recover(self._ledger, issue_id, journal)
        run = _Run(
            ledger=self._ledger,
            provider=self._provider,
            edition=edition,
            journal=journal,
            limit=self._limit,
            lease=self._lease,
            stop=self._stop,
            on_progress=self._on_progress,
        )
        try:
            put_off = run.round()
            for pause in self._pauses:
                if not put_off or self._stop.wait(pause):
                    break
                put_off = run.round()
        finally:
            balance = self._ledger.balance(issue_id)
            self._on_progress(balance)
        return balance


class _Run:
    """One run through those who wait: what is left of the limit, and the balance as it goes."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        provider: Provider,
        edition: Edition,
        journal: FileJournal,
        limit: int,
        lease: timedelta,
        stop: Stop,
        on_progress: Progress,
    ) -> None:
        self._ledger = ledger
        self._provider = provider
        self._edition = edition
        self._journal = journal
        self._left = limit
        self._lease = lease
        self._stop = stop
        self._on_progress = on_progress
        self._worker = Worker(owner=journal.holder, boot_id=boot_id(), journal_id=journal.id)
        self._balance = ledger.balance(edition.issue_id)
        self._circuit = Circuit()

    def round(self) -> bool:
        """Hand over once to everybody who waits; True if the limit allows to try some of them again."""
        after, put_off = 0, 0
        while claim := self._claim(after):
            assert isinstance(claim, Claim)
            after = claim.deliveries[-1].seq
            put_off += self._hand_over(claim)
        return put_off > 0 and self._left > 0

    def _claim(self, after: int) -> Claim | None:
        limit = min(self._left, self._provider.capabilities.batch_max)
        if not limit or self._stop.asked:
            return None
        self._journal.begin(self._lease.total_seconds(), self._stop)
        return self._ledger.claim(self._edition.issue_id, self._worker, limit=limit, after=after, lease=self._lease)

    def _hand_over(self, claim: Claim) -> int:
        """Returns how many of the claim wait again."""
        results: dict[str, Result] = {}
        try:
            for batch in _batches(self._edition, claim.deliveries):
                with closing(self._provider.send(batch, self._journal)) as told:
                    for result in told:
                        results[result.recipient] = result
                        self._circuit.saw(result)
        except NoMore:
            pass  # those who were not handed over wait for the next claim
        except CircuitOpen:
            results = self._circuit.waiting_again(results) | _refused_meanwhile(claim, results, self._journal)
            raise
        finally:
            put_off = self._settle(claim, settlements(claim, results, self._journal))
        return put_off

    def _settle(self, claim: Claim, outcomes: Sequence[Settlement]) -> int:
        self._ledger.settle(claim, outcomes)
        states = Counter(outcome.state for outcome in outcomes)
        put_off = states.pop(DeliveryState.WAITING, 0)
        self._left -= states.total()
        self._balance = self._balance.after(states, claim.excluded)
        self._on_progress(self._balance)
        return put_off


def _refused_meanwhile(claim: Claim, results: Mapping[str, Result], journal: FileJournal) -> dict[str, Result]:
    """Those whom the service refused on other connections while the circuit opened: they wait as well."""
    written = journal.outcomes([delivery.key for delivery in claim.deliveries])
    return {
        id_: Result(recipient=id_, outcome=Outcome.LATER)
        for id_, outcome in written.items()
        if outcome is Outcome.REJECTED and id_ not in results
    }


def _batches(edition: Edition, deliveries: Sequence[Delivery]) -> Iterator[Batch]:
    """One batch for each audience and subject variant."""

    def variants(delivery: Delivery) -> tuple[int, int]:
        return delivery.audience, delivery.subject

    for (audience, subject), group in groupby(sorted(deliveries, key=variants), key=variants):
        yield Batch(
            edition=edition,
            audience=audience,
            subject=subject,
            date=datetime.now(UTC),
            recipients=[
                Recipient(id=each.key, address=each.address, name=each.name, values=each.values) for each in group
            ],
        )
