"""The ledger, the journal and recovery under every order of events that hypothesis thinks of."""

from __future__ import annotations

import tempfile
from collections import Counter
from datetime import timedelta
from enum import Enum, auto
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from newsletter.delivery.journal import FileJournal
from newsletter.delivery.locking import boot_id
from newsletter.delivery.recovery import recover, settlements
from newsletter.delivery.stopping import Stop
from newsletter.providers.base import Outcome, Result
from newsletter.store.ledger import Claim, Delivery, DeliveryState, Ledger, Selected, Send, Worker
from newsletter.store.schema import connect
from newsletter.store.subscribers import Newcomer, Subscribers
from newsletter.tokens import Keyring
from tests.ledgers import states

pytestmark = pytest.mark.slow

ISSUE = "k3v9q2m8w1zt"
SEND = Send(issue_id=ISSUE, edition_hash="a" * 64, list="main", provider="outbox", settings_digest="s")
KEYRING = Keyring({"a": b"signing"}, b"ledger")
FATES = st.tuples(st.sampled_from(Outcome), st.booleans())
"""What the service says of a copy; and, where it says nothing, whether it arrived."""


class End(Enum):
    """How a worker's batch ends; one that dies does so while it hands over a copy, if any is left."""

    SETTLES = auto()
    DIES = auto()
    DIES_WITH_ITS_JOURNAL = auto()


class Sending(RuleBasedStateMachine):
    """One worker that may die at any moment, with or without its journal, with or without its machine.

    `arrived` is the truth that no program knows: how often each person's copy reached the service.
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.engine = connect(f"sqlite:///{self.folder.name}/news.db")
        self.ledger, self.people = Ledger(self.engine), Subscribers(self.engine)
        self.journal_path = Path(self.folder.name) / "journal"
        self.journal: FileJournal | None = None
        self.claim: Claim | None = None
        self.left: list[Delivery] = []
        self.results: dict[str, Result] = {}
        self.arrived: Counter[str] = Counter()
        self.sent_again: set[str] = set()
        self.joined = 0
        self.cancelled = False

    def teardown(self) -> None:
        if self.journal:
            self.journal.close()
        self.engine.dispose()
        self.folder.cleanup()

    @initialize(number=st.integers(3, 9))
    def it_begins(self, number: int) -> None:
        self.people_join(number)
        self.freeze()

    @rule(number=st.integers(0, 4), leaves=st.integers(0, 20))
    def the_list_changes(self, number: int, leaves: int) -> None:
        """Some join, and perhaps one leaves; whoever is new is added to the issue."""
        self.people_join(number)
        self.people.remove(f"reader{leaves}@example.org", list="main")
        if not self.cancelled:
            self.freeze()

    @precondition(lambda self: not self.journal)
    @rule(limit=st.integers(1, 5), same_boot=st.booleans(), fates=st.lists(FATES, min_size=1, max_size=5))
    def a_worker_takes_a_batch(self, limit: int, same_boot: bool, fates: list[tuple[Outcome, bool]]) -> None:
        """It has handed over as many as there are `fates`, and is at work on the rest."""
        self.journal = FileJournal(self.journal_path)
        recover(self.ledger, ISSUE, self.journal)
        begin = partial(self.journal.begin, lease=60, stop=Stop())
        boot = boot_id() if same_boot else "the boot before"
        worker = Worker(owner="worker", boot_id=boot, journal_id=self.journal.id)
        self.claim = self.ledger.claim(ISSUE, worker, limit=limit, lease=timedelta(0), begin=begin)
        if not self.claim:
            self.journal.close()
            self.journal = None
            return
        self.left, self.results = [*self.claim.deliveries], {}
        for outcome, arrives in fates[: len(self.left)]:
            delivery = self._intend()
            self.arrived[delivery.key] += {Outcome.ACCEPTED: True, Outcome.UNCERTAIN: arrives}.get(outcome, False)
            result = Result(recipient=delivery.key, outcome=outcome)
            self.journal.answer(result)
            self.results[delivery.key] = result

    @precondition(lambda self: self.journal)
    @rule(end=st.sampled_from(End), arrives=st.booleans())
    def it_ends(self, end: End, arrives: bool) -> None:
        assert self.journal
        assert self.claim
        if end is End.SETTLES:
            self.ledger.settle(self.claim, settlements(self.claim, self.results, self.journal))
        elif self.left:
            self.arrived[self._intend().key] += arrives
        self.journal.close()
        self.journal = None
        if end is End.DIES_WITH_ITS_JOURNAL:
            self.journal_path.unlink()

    @precondition(lambda self: self.arrived.total() > 2)
    @rule()
    def cancel(self) -> None:
        self.ledger.cancel(ISSUE)
        self.cancelled = True

    @precondition(lambda self: len(self.ledger.uncertain(ISSUE)) > 1)
    @rule(again=st.booleans())
    def the_operator_decides_about_the_uncertain(self, again: bool) -> None:
        uncertain = self.ledger.uncertain(ISSUE)
        state = DeliveryState.WAITING if again else DeliveryState.ACCEPTED
        assert self.ledger.settle_uncertain(ISSUE, state, "decided") == len(uncertain)
        self.sent_again |= {delivery.key for delivery in uncertain}

    def people_join(self, number: int) -> None:
        newcomers = [Newcomer(email=f"reader{self.joined + n}@example.org") for n in range(number)]
        self.people.add_all(newcomers, list="main", source="test")
        self.joined += number

    def freeze(self) -> None:
        everybody = [
            Selected(key=KEYRING.keyed_hash(person.email), subscriber=person.id, address=person.email)
            for person in sorted(self.people.active("main"), key=lambda person: person.email)
        ]
        self.ledger.freeze(SEND, b"the edition", everybody)

    @invariant()
    def everybody_is_accounted_for(self) -> None:
        assert self.ledger.balance(ISSUE).selected == len(states(self.engine))

    @invariant()
    def nobody_gets_it_twice_unless_the_operator_says_so(self) -> None:
        twice = {key for key, number in self.arrived.items() if number > 1}
        assert twice <= self.sent_again

    @invariant()
    def what_the_ledger_says_is_true(self) -> None:
        for key, state in states(self.engine).items():
            if key in self.sent_again:
                continue
            if state in {DeliveryState.WAITING, DeliveryState.FAILED, DeliveryState.EXCLUDED}:
                assert self.arrived[key] == 0
            if state == DeliveryState.ACCEPTED:
                assert self.arrived[key] == 1

    def _intend(self) -> Delivery:
        assert self.journal
        delivery = self.left.pop(0)
        self.journal.intent([delivery.key])
        return delivery


TestSending = Sending.TestCase
TestSending.settings = settings(
    max_examples=50, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
