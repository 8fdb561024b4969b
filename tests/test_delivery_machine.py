"""Freeze, claim, intent, answer, crash, recover, settle, cancel, join, leave and decide, in every order that hypothesis
thinks of: nobody is lost, and nobody gets it twice.

Ledger, list and journal are real. Beside them stands a copy of the issue for each person: what truly became of it, and
what may therefore be said of it.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from newsletter.delivery.journal import FileJournal
from newsletter.delivery.locking import boot_id
from newsletter.delivery.pacing import Pacing
from newsletter.delivery.recovery import recover, settlements
from newsletter.delivery.stopping import Stop
from newsletter.errors import StoreError
from newsletter.providers.base import Fault, Outcome, Result
from newsletter.store.ledger import (
    CANCELLED,
    Balance,
    Claim,
    Delivery,
    DeliveryState,
    Later,
    Ledger,
    Limit,
    Selected,
    Send,
    Worker,
)
from newsletter.store.schema import connect
from newsletter.store.subscribers import Newcomer, Subscribers
from newsletter.tokens import Keyring
from tests.ledgers import states

pytestmark = pytest.mark.slow

ISSUE = "k3v9q2m8w1zt"
SEND = Send(issue_id=ISSUE, edition_hash="a" * 64, list="main", provider="outbox", settings_digest="s")
KEYRING = Keyring({"a": b"signing"}, b"ledger")
UNSUBSCRIBED, SUPPRESSED = "unsubscribed", "suppressed"
MANY = 20
REFUSAL = st.sampled_from([Outcome.LATER, Outcome.REJECTED])
ANSWER = st.tuples(st.sampled_from(Outcome), st.booleans())
"""What the service says, and whether the sender hears it before it ends."""
SUPPRESSED_OR_NOT = st.sampled_from([False, False, False, True])
AT_ONCE = Pacing(retries=(0,))
ENDED, RUNNING = timedelta(0), timedelta(hours=1)
THIS_BOOT, UNTIL_IT_STOPS = boot_id(), "until the machine stops"
WAITING, CLAIMED, ACCEPTED, FAILED, EXCLUDED, UNCERTAIN = DeliveryState
AFTER = dict(zip(Outcome, (ACCEPTED, FAILED, WAITING, UNCERTAIN), strict=True))


class End(Enum):
    """How a worker's batch ends; what becomes of the journal of one that is killed."""

    SETTLED = auto()
    SETTLED_LAST = auto()
    KILLED = auto()
    JOURNAL_LOST = auto()
    JOURNAL_OF_ANOTHER = auto()
    JOURNAL_OF_BEFORE = auto()


class Killed(Exception):
    """The worker is no more."""


@dataclass(slots=True)
class Copy:
    """One person's copy, where the ledger should say that it stands.

    `out`: a body went out that the service may have kept, and nobody decided otherwise since. `taken`: the service, or
    a person, said that it was accepted. `written`: where it stands once its batch is settled, if its journal can be
    believed. `left`: the person unsubscribed.
    """

    state: DeliveryState
    reason: str = ""
    out: bool = False
    taken: bool = False
    written: DeliveryState = WAITING
    left: bool = False


class Sending(RuleBasedStateMachine):
    """One worker at a time, which may die at any moment: alone, with its journal, or with its machine.

    It is alive while it holds the journal; a claim without that is what a dead one left.
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.engine = connect(f"sqlite:///{self.folder.name}/news.db")
        self.ledger, self.people = Ledger(self.engine), Subscribers(self.engine)
        self.path = Path(self.folder.name) / "journal"
        self.copies: dict[str, Copy] = {}
        self.bodies = 0
        self.cancelled = False
        self.journal: FileJournal | None = None
        self.claim: Claim | None = None
        self.before = b""
        self.believed = self.is_its_own = True
        self.untouched: list[Delivery] = []
        self.in_flight: list[Delivery] = []
        self.results: dict[str, Result] = {}

    def teardown(self) -> None:
        if self.journal:
            self.journal.close()
        self.engine.dispose()
        self.folder.cleanup()

    @property
    def is_at_work(self) -> bool:
        return bool(self.journal and self.claim)

    @initialize(suppressed=st.lists(SUPPRESSED_OR_NOT, min_size=5, max_size=9))
    def freeze(self, suppressed: list[bool]) -> None:
        self.the_list_changes(suppressed, leaves=len(suppressed))

    @precondition(lambda self: len(self.copies) < MANY)
    @rule(suppressed=st.lists(SUPPRESSED_OR_NOT, max_size=4), leaves=st.integers(0, MANY))
    def the_list_changes(self, suppressed: list[bool], leaves: int) -> None:
        """Some join and are added to the issue, the `suppressed` in vain; perhaps somebody leaves."""
        joined = [address_of(len(self.copies) + n) for n in range(len(suppressed))]
        reasons = {address: SUPPRESSED if is_so else "" for address, is_so in zip(joined, suppressed, strict=True)}
        self.people.add_all([Newcomer(email=address) for address in joined], list="main", source="test")
        if self.cancelled:
            with pytest.raises(StoreError, match="cancelled"):
                self.ledger.freeze(SEND, b"the edition", self.everybody(reasons))
        else:
            assert self.ledger.freeze(SEND, b"the edition", self.everybody(reasons)) == len(joined)
            for address, reason in reasons.items():
                self.copies[key_of(address)] = Copy(EXCLUDED if reason else WAITING, reason)
        if copy := self.copies.get(key_of(address_of(leaves))):
            self.people.remove(address_of(leaves), list="main")
            copy.left = True

    @precondition(lambda self: self.bodies > 2 and not self.cancelled)
    @rule()
    def cancel(self) -> None:
        self.cancelled = True
        self.ledger.cancel(ISSUE)
        self.exclude_if_cancelled()

    @precondition(lambda self: any(self.all_in(UNCERTAIN)))
    @rule(again=st.sampled_from([True, True, False]))
    def a_person_decides_about_the_uncertain(self, again: bool) -> None:
        uncertain = self.ledger.uncertain(ISSUE)
        state = WAITING if again else ACCEPTED
        if again and self.cancelled:
            with pytest.raises(StoreError, match="nobody is sent to again"):
                self.ledger.settle_uncertain(ISSUE, state, "decided")
            return
        assert self.ledger.settle_uncertain(ISSUE, state, "decided") == len(uncertain)
        for delivery in uncertain:
            copy = self.copies[delivery.key]
            copy.state, copy.out, copy.taken = state, not again, not again

    @precondition(lambda self: not self.journal and self.bodies > 2)
    @rule()
    def distrust(self) -> None:
        doubtful = [*self.all_in(WAITING, CLAIMED)]
        assert self.ledger.distrust("restored") == ({ISSUE: len(doubtful)} if doubtful else {})
        self.claim = None
        for copy in doubtful:
            copy.state = UNCERTAIN

    @precondition(lambda self: not self.is_at_work and any(self.all_in(WAITING, CLAIMED)))
    @rule(
        limit=st.integers(1, 6),
        boot=st.sampled_from([THIS_BOOT, THIS_BOOT, UNTIL_IT_STOPS]),
        lease=st.sampled_from([ENDED, ENDED, ENDED, ENDED, RUNNING]),
        is_killed=st.sampled_from([False, False, False, False, True]),
    )
    def claim_a_batch(self, limit: int, boot: str, lease: timedelta, is_killed: bool = False) -> None:
        """By the worker that is there, or by a new one that may start; which may be killed before the claim is one."""
        if not (self.journal or self.a_worker_starts()):
            return
        assert self.journal
        journal = self.journal

        def begin(batch: int) -> None:
            journal.begin(batch, 3600, Stop())
            if is_killed:
                raise Killed

        worker = Worker(owner="worker", boot_id=boot, journal_id=journal.id)
        try:
            claim = self.ledger.claim(ISSUE, worker, limit=limit, lease=lease, begin=begin)
        except Killed:
            journal.close()
            self.journal = None
            return
        assert not isinstance(claim, Later)
        gone = [copy for copy in self.all_in(WAITING) if copy.left]
        if claim:
            assert set(claim.excluded) <= {UNSUBSCRIBED}
            gone = gone[: sum(claim.excluded.values())]
        else:
            assert [*self.all_in(WAITING)] == gone, "somebody waits, and is not handed out"
        for copy in gone:
            copy.state, copy.reason = EXCLUDED, UNSUBSCRIBED
        self.claim, self.believed = claim, boot == THIS_BOOT
        self.untouched, self.in_flight, self.results = [*claim.deliveries] if claim else [], [], {}
        for delivery in self.untouched:
            copy = self.copies[delivery.key]
            assert copy.state is WAITING
            assert not copy.left
            copy.state, copy.written = CLAIMED, WAITING

    def a_worker_starts(self) -> bool:
        """It recovers what the one before it left, unless that one must be feared to be alive."""
        journal = FileJournal(self.path)
        if self.claim and not self.is_its_own and self.claim.lease_until > datetime.now(UTC):
            with journal, pytest.raises(StoreError, match="may be sending them"):
                recover(self.ledger, ISSUE, journal)
            return False
        recover(self.ledger, ISSUE, journal)
        for copy in self.all_in(CLAIMED):
            copy.state = copy.written if self.believed else UNCERTAIN
        self.exclude_if_cancelled()
        self.journal, self.claim = journal, None
        return True

    @precondition(lambda self: self.untouched or self.in_flight)
    @rule(refusals=st.lists(REFUSAL, max_size=2), bodies=st.integers(0, 4), answers=st.lists(ANSWER, max_size=4))
    def hand_over(self, refusals: list[Outcome], bodies: int, answers: list[tuple[Outcome, bool]]) -> None:
        """The first are refused before a body; `bodies` go out, over as many connections; some are answered."""
        assert self.journal
        for outcome in refusals[: len(self.untouched)]:
            self.told(self.untouched.pop(0), outcome, is_heard=True)
        for delivery in self.untouched[:bodies]:
            copy = self.copies[delivery.key]
            assert not copy.out, "handed over twice"
            self.journal.intent([delivery.key])
            copy.out, copy.written = True, UNCERTAIN
            self.bodies += 1
        self.in_flight += self.untouched[:bodies]
        del self.untouched[:bodies]
        for outcome, is_heard in answers[: len(self.in_flight)]:
            self.told(self.in_flight.pop(), outcome, is_heard=is_heard)

    def told(self, delivery: Delivery, outcome: Outcome, *, is_heard: bool) -> None:
        """The answer is in the journal; and with the sender, if it `is_heard`."""
        assert self.journal
        result = Result(recipient=delivery.key, outcome=outcome, fault=Fault.RECIPIENT)
        self.journal.answer(result)
        if is_heard:
            self.results[delivery.key] = result
        copy = self.copies[delivery.key]
        copy.taken = outcome is Outcome.ACCEPTED
        copy.out = copy.out and outcome in {Outcome.ACCEPTED, Outcome.UNCERTAIN}
        copy.written = AFTER[outcome]

    @precondition(lambda self: self.is_at_work)
    @rule(end=st.sampled_from(End), unwritten=st.sampled_from([0, 8, 16, 40, 1000]))
    def the_batch_ends(self, end: End, unwritten: int) -> None:
        if end in {End.SETTLED, End.SETTLED_LAST}:
            self.settle()
        if end is not End.SETTLED:
            self.the_worker_ends(unwritten)
        if self.claim:
            self.the_journal_is(end, self.claim)

    def settle(self) -> None:
        assert self.journal
        assert self.claim
        self.ledger.settle(self.claim, settlements(self.claim, self.results, self.journal, AT_ONCE))
        for copy in self.all_in(CLAIMED):
            copy.state = copy.written
        self.exclude_if_cancelled()
        self.claim, self.untouched, self.in_flight = None, [], []
        self.before = self.path.read_bytes()

    def the_worker_ends(self, unwritten: int) -> None:
        """What is in memory is gone; if its machine stops as well, so are the journal's last bytes."""
        assert self.journal
        self.journal.close()
        self.journal, self.untouched, self.in_flight = None, [], []
        if not self.believed:
            os.truncate(self.path, max(0, self.path.stat().st_size - unwritten))

    def the_journal_is(self, end: End, claim: Claim) -> None:
        """What the next worker finds in its place."""
        if end in {End.JOURNAL_LOST, End.JOURNAL_OF_ANOTHER}:
            self.believed = False
            self.path.unlink()
        if end is End.JOURNAL_OF_BEFORE and self.believed and self.before:
            self.believed = False
            self.path.write_bytes(self.before)
        with FileJournal(self.path) as journal:
            self.is_its_own = journal.id == claim.worker.journal_id and journal.is_of(claim.id)
            if end is End.JOURNAL_OF_ANOTHER:
                for key in self.copies:
                    journal.answer(Result(recipient=key, outcome=Outcome.LATER))

    @precondition(lambda self: not self.is_at_work and (self.bodies > 4 or len(self.copies) >= MANY))
    @rule()
    def a_run_without_a_fault(self) -> None:
        """Whatever happened before, it hands over to everybody who waits."""
        self.claim_a_batch(limit=3, boot=THIS_BOOT, lease=ENDED)
        while self.is_at_work:
            self.hand_over([], 3, [(Outcome.ACCEPTED, True)] * 3)
            self.settle()
            self.claim_a_batch(limit=3, boot=THIS_BOOT, lease=ENDED)
        assert not self.journal or self.ledger.balance(ISSUE).waiting == 0

    @invariant()
    def the_ledger_says_where_each_copy_stands(self) -> None:
        assert states(self.engine) == {key: copy.state for key, copy in self.copies.items()}
        counts = Counter((copy.state, copy.reason) for copy in self.copies.values())
        assert self.ledger.balance(ISSUE) == Balance.of(counts)

    @invariant()
    def nobody_who_may_have_it_is_to_get_it_again_or_said_to_have_none(self) -> None:
        assert all(copy.state in {CLAIMED, ACCEPTED, UNCERTAIN} for copy in self.copies.values() if copy.out)

    @invariant()
    def nobody_is_said_to_have_it_without_a_word_from_the_service_or_a_person(self) -> None:
        assert all(copy.taken for copy in self.all_in(ACCEPTED))

    @invariant()
    def what_is_cancelled_stays_cancelled(self) -> None:
        assert not (self.cancelled and any(self.all_in(WAITING)))

    def all_in(self, *states: DeliveryState) -> Iterator[Copy]:
        return (copy for copy in self.copies.values() if copy.state in states)

    def exclude_if_cancelled(self) -> None:
        for copy in self.all_in(WAITING) if self.cancelled else ():
            copy.state, copy.reason = EXCLUDED, CANCELLED

    def everybody(self, reasons: dict[str, str]) -> Sequence[Selected]:
        """All who are on the list, in the order of their addresses; excluded those whom `reasons` says."""
        people = sorted(self.people.active("main"), key=lambda person: person.email)
        return [
            Selected(
                key=key_of(person.email),
                subscriber=person.id,
                address=person.email,
                excluded=reasons.get(person.email, ""),
            )
            for person in people
        ]


def test_who_was_left_out_of_a_batch_for_a_limit_is_not_uncertain_with_it(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/news.db")
    ledger, people = Ledger(engine), Subscribers(engine)
    addresses = [f"reader{n}@{'crowded' if n % 2 else 'other'}.example" for n in range(20)]
    people.add_all([Newcomer(email=address) for address in addresses], list="main", source="test")
    selected = [
        Selected(key=key_of(person.email), subscriber=person.id, address=person.email)
        for person in sorted(people.active("main"), key=lambda person: addresses.index(person.email))
    ]
    ledger.freeze(SEND, b"the edition", selected)
    worker = Worker(owner="worker", boot_id=THIS_BOOT, journal_id="lost")
    limit = Limit(number=4, window=timedelta(hours=1), domain="crowded.example")
    claim = ledger.claim(ISSUE, worker, limit=20, lease=ENDED, limits=[limit])
    assert isinstance(claim, Claim)
    assert len(claim.deliveries) == 11  # a quarter of the limit at once
    with FileJournal(tmp_path / "journal") as journal:
        recover(ledger, ISSUE, journal)
    assert ledger.balance(ISSUE) == Balance(selected=20, uncertain=11, waiting=9)


def address_of(number: int) -> str:
    return f"reader{number:03}@example.org"


def key_of(address: str) -> str:
    return KEYRING.keyed_hash(address)


TestSending = Sending.TestCase
TestSending.settings = settings(
    max_examples=100, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
