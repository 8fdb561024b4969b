"""Send and resume: claim a batch, hand it to the provider, settle; until nobody waits who may be sent to.

What is sent is the edition in the ledger, never one that is compiled anew. Whatever ends a run, each recipient is in
a named state afterwards, and `resume` goes on from there.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

from newsletter.compile.edition import Edition, from_bytes
from newsletter.delivery.circuit import Circuit, CircuitOpen
from newsletter.delivery.journal import FileJournal, NoMore
from newsletter.delivery.locking import boot_id, tells_boots_apart
from newsletter.delivery.log import Witness
from newsletter.delivery.pacing import Pacing, failing
from newsletter.delivery.plan import Plan
from newsletter.delivery.recovery import recover, settlements
from newsletter.delivery.stopping import Stop
from newsletter.errors import ProviderError
from newsletter.message import Recipient
from newsletter.providers.base import Batch, Outcome, Provider, Result
from newsletter.store.ledger import Balance, Claim, Delivery, Later, Ledger, Send, Worker

LEASE = timedelta(minutes=15)
_FIRST_BATCH = 100
"""Recipients. Batches grow until one takes a second, or is as large as the provider takes: so much is uncertain after
a power loss. Where nobody knows of one, it is so after every kill, and they do not grow."""
_SECOND = 1.0
_LOOK_AGAIN = 5.0


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends issues through one provider. `journals` is the folder of the journals, one an issue.

    `limit`: so many recipients in this run at most. `pacing`: how fast and how patiently. `lease`: how long a batch may
    take, after which others may send the rest of it. `stop`: asked, the run ends behind the message under way.
    `witnesses` are told what happens.
    """

    ledger: Ledger
    provider: Provider
    journals: Path
    _: KW_ONLY
    limit: int | None = None
    pacing: Pacing = field(default_factory=Pacing)
    lease: timedelta = LEASE
    stop: Stop = field(default_factory=Stop)
    witnesses: Sequence[Witness] = ()

    def send(self, plan: Plan) -> Balance:
        """Freeze the plan's edition and audience, and send. Done again, it adds those who joined since.

        Raises ContentError (an empty slot), StoreError (another edition, being sent already), ProviderError.
        """
        with self.journal(plan.edition.issue_id) as journal:
            self.ledger.freeze(plan.send, plan.body, plan.audience)
            return self._run(plan.edition.issue_id, journal)

    def resume(self, issue_id: str, *, reconfigured: Send | None = None) -> Balance:
        """Go on with those who wait; adds nobody. Raises StoreError, ProviderError.

        `reconfigured` says by which provider and options, where they are no longer those that it was begun with.
        """
        with self.journal(issue_id) as journal:
            if reconfigured:
                self.ledger.reconfigure(reconfigured)
            return self._run(issue_id, journal)

    def journal(self, issue_id: str) -> FileJournal:
        """The journal of the issue, held; raises StoreError if another process holds it."""
        self.journals.mkdir(mode=0o700, parents=True, exist_ok=True)
        return FileJournal(self.journals / f"{issue_id}.journal")

    def _run(self, issue_id: str, journal: FileJournal) -> Balance:
        run = _Run(self, issue_id, journal)
        try:
            run.recover()
            run.go_on()
        except BaseException as error:
            run.broke(error)
            raise
        finally:
            balance = run.ended()
        return balance


class _Run:
    """One run of a sender through those who wait: what is left of its limit, and the balance as it goes."""

    def __init__(self, sender: Sender, issue_id: str, journal: FileJournal) -> None:
        self._sender = sender
        self._ledger = sender.ledger
        self._issue = issue_id
        self._journal = journal
        self._edition = from_bytes(sender.ledger.edition(issue_id))
        self._worker = Worker(owner=journal.holder, boot_id=boot_id(), journal_id=journal.id)
        self._balance = sender.ledger.balance(issue_id)
        self._left = sys.maxsize if sender.limit is None else sender.limit
        self._size = _FIRST_BATCH
        self._after = 0
        self._failures = 0
        self._circuit = Circuit(accepted=self._balance.accepted > 0)
        self._waits_until = 0.0
        send = sender.ledger.send(issue_id)
        assert send
        for witness in sender.witnesses:
            witness.begun(send, self._worker, self._balance)

    def recover(self) -> None:
        """Settle what a run before left behind."""
        for claim, settled in recover(self._ledger, self._issue, self._journal):
            for witness in self._sender.witnesses:
                witness.recovered(claim, settled)
            self._balance = self._ledger.balance(self._issue)

    def go_on(self) -> None:
        """Send to all who wait, and wait for those who are to be sent to later, as far as patience goes."""
        while not self._sender.stop.asked and self._left:
            match self._claimed():
                case Claim() as claim:
                    self._send(claim)
                case Later() as later if later.limit or _seconds_until(later) <= self._sender.pacing.patience:
                    self._wait_for(later)
                case _:
                    break

    def broke(self, error: BaseException) -> None:
        """Tell that the run ends before its time."""
        for witness in self._sender.witnesses:
            witness.broke(error)

    def ended(self) -> Balance:
        """Tell that it is over; the balance as the ledger has it."""
        balance = self._ledger.balance(self._issue)
        for witness in self._sender.witnesses:
            witness.progress(balance)
            witness.ended(balance, stopped=self._sender.stop.asked)
        return balance

    def _claimed(self) -> Claim | Later | None:
        """The next batch. Whoever waits again comes when all have had their turn."""
        found = self._claim()
        full = isinstance(found, Later) and found.limit and not found.limit.domain
        if self._after and not isinstance(found, Claim) and not full:
            self._after = 0
            found = self._claim()
        return found

    def _claim(self) -> Claim | Later | None:
        return self._ledger.claim(
            self._issue,
            self._worker,
            limit=min(self._left, self._size, self._sender.provider.capabilities.batch_max),
            after=self._after,
            lease=self._sender.lease,
            limits=self._sender.pacing.limits,
            begin=self._begin,
        )

    def _begin(self, batch: int) -> None:
        self._journal.begin(batch, self._sender.lease.total_seconds(), self._sender.stop)

    def _send(self, claim: Claim) -> None:
        self._after = claim.deliveries[-1].seq
        for witness in self._sender.witnesses:
            witness.claimed(claim)
        began = time.monotonic()
        results = self._hand_over(claim)
        self._fit_size(len(claim.deliveries), time.monotonic() - began)
        trouble = failing(results.values()) if results else "nothing was handed over in time"
        in_vain = trouble and not any(result.outcome is Outcome.ACCEPTED for result in results.values())
        self._failures = self._failures + 1 if in_vain else 0
        if self._sender.stop.asked:
            return
        if self._failures >= self._sender.pacing.failures:
            raise ProviderError(
                f"the service takes nothing at the moment: {trouble}",
                hint="`newsletter resume` goes on with those who wait",
            )
        if trouble:
            pause = self._sender.pacing.pause(self._failures, results.values())
            self._tell_of_a_wait(pause, trouble)
            self._sender.stop.wait(pause)

    def _hand_over(self, claim: Claim) -> dict[str, Result]:
        results: dict[str, Result] = {}
        try:
            for batch in _batches(self._edition, claim.deliveries):
                with closing(self._sender.provider.send(batch, self._journal)) as told:
                    for result in told:
                        results[result.recipient] = result
                        self._circuit.saw(result)
        except NoMore:
            pass  # those who were not handed over wait for the next claim
        except CircuitOpen:
            self._ledger.wait_again(self._issue, self._circuit.row)
            results = self._circuit.waiting_again(results) | _refused_meanwhile(claim, results, self._journal)
            raise
        finally:
            self._settle(claim, results)
        return results

    def _settle(self, claim: Claim, results: Mapping[str, Result]) -> None:
        outcomes = settlements(claim, results, self._journal, self._sender.pacing)
        self._ledger.settle(claim, outcomes)
        states = Counter(outcome.state for outcome in outcomes if outcome.not_before is None)
        self._left -= states.total()
        self._balance = self._balance.after(states, claim.excluded)
        for witness in self._sender.witnesses:
            witness.settled(claim, outcomes)
            witness.progress(self._balance)

    def _fit_size(self, number: int, seconds: float) -> None:
        if seconds > 2 * _SECOND:
            self._size = max(_FIRST_BATCH, self._size // 2)
        elif seconds < _SECOND and number == self._size and tells_boots_apart():
            self._size *= 2

    def _wait_for(self, later: Later) -> None:
        """A while: others may cancel, decide or hand over meanwhile, and clocks may be set."""
        seconds = max(_seconds_until(later), 0)
        self._tell_of_a_wait(seconds, str(later.limit or "those who were put off are tried again then"))
        self._sender.stop.wait(min(seconds, _LOOK_AGAIN))

    def _tell_of_a_wait(self, seconds: float, why: str) -> None:
        """Once, though it be waited for in turns."""
        until = time.monotonic() + seconds
        if seconds >= _SECOND and abs(until - self._waits_until) > _SECOND:
            self._waits_until = until
            for witness in self._sender.witnesses:
                witness.waits(seconds, why)


def _seconds_until(later: Later) -> float:
    return (later.until - datetime.now(UTC)).total_seconds()


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
