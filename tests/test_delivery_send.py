from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.delivery.journal import FileJournal
from newsletter.delivery.pacing import Pacing
from newsletter.delivery.plan import Audience
from newsletter.errors import ContentError, ProviderError, StoreError
from newsletter.issue.slots import Slot
from newsletter.providers.base import Batch, Capabilities, Fault, Journal, Outcome, Result
from newsletter.store.ledger import Balance, DeliveryState, Worker
from tests.providers.editions import an_edition
from tests.publication import Publication, Told

EDITION = an_edition()
ISSUE = EDITION.issue_id

ACCEPT, REJECT, LATER, LOSE = Outcome.ACCEPTED, Outcome.REJECTED, Outcome.LATER, Outcome.UNCERTAIN
Answer = Outcome | Exception


class Service:
    """A service whose answers a test writes down by name; it takes everybody else. Keeps who it was handed."""

    def __init__(self, batch_max: int = 2) -> None:
        self.capabilities = Capabilities(batch_max=batch_max)
        self.answers: dict[str, list[Answer]] = {}
        self.handed: list[str] = []
        self.batches: list[Batch] = []
        self.meanwhile: Callable[[], object] = lambda: None

    def send(self, batch: Batch, journal: Journal) -> Iterator[Result]:
        self.batches.append(batch)
        for recipient in batch.recipients:
            name = recipient.address.partition("@")[0]
            written = self.answers.get(name)
            answer = written.pop(0) if written else ACCEPT
            if answer is LATER:
                result = Result(recipient=recipient.id, outcome=LATER, detail="450 wait", fault=Fault.RECIPIENT)
            else:
                journal.intent([recipient.id])
                self.handed.append(name)
                if isinstance(answer, Exception):
                    raise answer
                result = Result(recipient=recipient.id, outcome=answer, provider_id=f"Q-{name}")
            journal.answer(result)
            yield result
            self.meanwhile()

    def close(self) -> None:
        pass


@pytest.fixture
def publication(tmp_path: Path) -> Publication:
    made = Publication.at(tmp_path)
    made.join("ana", "bo", "cy", "di", "el")
    return made


def test_everybody_gets_it_once(publication: Publication) -> None:
    service = Service()
    balance = publication.sender(service).send(publication.plan(EDITION))
    assert sorted(service.handed) == ["ana", "bo", "cy", "di", "el"]
    assert balance == publication.ledger.balance(ISSUE) == Balance(selected=5, accepted=5)


def test_sending_again_sends_to_those_who_joined_since_and_to_nobody_twice(publication: Publication) -> None:
    service = Service()
    publication.sender(service).send(publication.plan(EDITION))
    publication.sender(service).send(publication.plan(EDITION))
    publication.join("flo")
    balance = publication.sender(service).send(publication.plan(EDITION))
    assert Counter(service.handed) == Counter(["ana", "bo", "cy", "di", "el", "flo"])
    assert balance == Balance(selected=6, accepted=6)


def test_resuming_adds_nobody(publication: Publication) -> None:
    service = Service()
    publication.sender(service, limit=2).send(publication.plan(EDITION))
    publication.join("flo")
    assert publication.sender(service).resume(ISSUE) == Balance(selected=5, accepted=5)
    assert "flo" not in service.handed


def test_a_limit_is_for_one_run(publication: Publication) -> None:
    service = Service()
    assert publication.sender(service, limit=3).send(publication.plan(EDITION)) == Balance(
        selected=5, accepted=3, waiting=2
    )
    assert publication.sender(service, limit=0).resume(ISSUE).waiting == 2
    assert publication.sender(service, limit=3).resume(ISSUE) == Balance(selected=5, accepted=5)
    assert len(service.handed) == 5


def test_somebody_who_leaves_between_freeze_and_claim_gets_nothing(publication: Publication) -> None:
    service = Service()
    publication.sender(service, limit=0).send(publication.plan(EDITION))
    publication.subscribers.remove("cy@example.org", list="main")
    told = Told()
    balance = publication.sender(service, witnesses=[told]).resume(ISSUE)
    assert "cy" not in service.handed
    assert balance == told.balances[-1] == Balance(selected=5, accepted=4, excluded={"unsubscribed": 1})


def test_another_edition_of_the_issue_is_refused(publication: Publication) -> None:
    service = Service()
    publication.sender(service, limit=1).send(publication.plan(EDITION))
    with pytest.raises(StoreError, match="is being sent, or was, as edition"):
        publication.sender(service).send(publication.plan(an_edition("Other words")))
    assert len(service.handed) == 1


def test_what_is_resumed_is_the_stored_edition(publication: Publication) -> None:
    service = Service()
    publication.sender(service, limit=1).send(publication.plan(EDITION))
    publication.sender(service).resume(ISSUE)
    assert {batch.edition.hash for batch in service.batches} == {EDITION.hash}
    assert service.batches[-1].edition == EDITION


def test_each_outcome_has_its_place_in_the_balance(publication: Publication) -> None:
    service = Service(batch_max=100)
    service.answers = {"ana": [REJECT], "bo": [LOSE], "cy": [LATER]}
    balance = publication.sender(service).send(publication.plan(EDITION))
    assert balance == Balance(selected=5, accepted=2, failed=1, uncertain=1, waiting=1)


def test_those_put_off_are_tried_again_as_long_as_patience_lasts(publication: Publication) -> None:
    service = Service()
    service.answers = {"ana": [LATER], "bo": [LATER, LATER], "cy": [LATER, LATER, LATER]}
    pacing = Pacing(retries=(0.1, 0.2, 2), patience=1)
    balance = publication.sender(service, pacing=pacing).send(publication.plan(EDITION))
    assert balance == Balance(selected=5, accepted=4, waiting=1)
    assert sorted(service.handed) == ["ana", "bo", "di", "el"]
    number, until = publication.ledger.put_off(ISSUE)
    assert number == 1
    assert until
    assert publication.sender(service, pacing=Pacing()).resume(ISSUE) == Balance(selected=5, accepted=5)
    assert datetime.now(UTC) >= until


def test_the_uncertain_are_never_sent_to_again_by_themselves(publication: Publication) -> None:
    service = Service()
    service.answers = {"ana": [LOSE]}
    publication.sender(service).send(publication.plan(EDITION))
    assert publication.sender(service).resume(ISSUE).uncertain == 1
    assert service.handed.count("ana") == 1
    publication.ledger.settle_uncertain(ISSUE, DeliveryState.WAITING, "sent again")
    assert publication.sender(service).resume(ISSUE) == Balance(selected=5, accepted=5)
    assert service.handed.count("ana") == 2


@pytest.mark.parametrize("fault", [ProviderError("the service is gone"), RuntimeError("a bug")])
def test_a_fault_on_the_way_settles_what_is_known(publication: Publication, fault: Exception) -> None:
    service = Service(batch_max=100)
    addresses = [person.email.partition("@")[0] for person in publication.subscribers.active("main")]
    service.answers = {addresses[2]: [fault]}
    told = Told()
    with pytest.raises(type(fault), match=str(fault)):
        publication.sender(service, witnesses=[told]).send(publication.plan(EDITION))
    assert told.balances[-1] == Balance(selected=5, accepted=2, uncertain=1, waiting=2)
    assert publication.sender(service).resume(ISSUE) == Balance(selected=5, accepted=4, uncertain=1)
    assert Counter(service.handed) == Counter(addresses)


def test_an_interruption_settles_what_is_known(publication: Publication) -> None:
    service = Service(batch_max=100)

    def press_control_c() -> None:
        raise KeyboardInterrupt

    service.meanwhile = press_control_c
    with pytest.raises(KeyboardInterrupt):
        publication.sender(service).send(publication.plan(EDITION))
    assert publication.ledger.balance(ISSUE) == Balance(selected=5, accepted=1, waiting=4)


def test_cancelling_meanwhile_stops_after_the_batch(publication: Publication) -> None:
    service = Service(batch_max=2)
    service.meanwhile = lambda: publication.ledger.cancel(ISSUE)
    balance = publication.sender(service).send(publication.plan(EDITION))
    assert balance == Balance(selected=5, accepted=2, excluded={"cancelled": 3})
    assert publication.sender(service).resume(ISSUE) == balance


def test_a_second_send_at_the_same_time_is_told_who_is_sending(publication: Publication) -> None:
    service, other = Service(), Service()
    refusals: list[str] = []

    def send_too() -> None:
        with pytest.raises(StoreError) as caught:
            publication.sender(other).resume(ISSUE)
        refusals.append(str(caught.value))

    service.meanwhile = send_too
    publication.sender(service).send(publication.plan(EDITION))
    assert len(refusals) == 5
    assert "sent already, by process" in refusals[0]
    assert other.handed == []


def test_progress_is_a_balance_after_every_batch(publication: Publication) -> None:
    told = Told()
    publication.sender(Service(), witnesses=[told]).send(publication.plan(EDITION))
    assert [balance.accepted for balance in told.balances] == [2, 4, 5, 5]


def test_an_empty_slot_stops_before_the_first_byte(publication: Publication) -> None:
    service = Service()
    publication.join("flo", city="Rome")
    plan = publication.plan(EDITION)
    edition = an_edition(Slot("subscriber.city").token)
    audience = Audience(
        edition,
        subscribers=publication.subscribers,
        ledger=publication.ledger,
        settings=publication.settings,
        keyring=publication.keyring,
    )
    with pytest.raises(ContentError, match=r"5 subscribers have no value for `subscriber\.city`"):
        publication.sender(service).send(replace(plan, edition=edition, audience=audience))
    assert service.handed == []
    assert publication.ledger.send(ISSUE) is None


def test_resuming_what_was_never_begun_is_said(publication: Publication) -> None:
    with pytest.raises(StoreError, match="the ledger knows nothing of issue"):
        publication.sender(Service()).resume(ISSUE)


def test_each_subject_goes_out_in_batches_of_its_own(publication: Publication) -> None:
    service = Service(batch_max=100)
    publication.join(*(f"reader{n}" for n in range(20)))
    edition = an_edition(subjects=("One", "Two"))
    assert publication.sender(service).send(publication.plan(edition)).accepted == 25
    assert sorted(batch.subject for batch in service.batches) == [0, 1]


def test_a_batch_that_takes_longer_than_its_lease_is_handed_over_no_further(publication: Publication) -> None:
    service = Service()
    sender = publication.sender(service, lease=timedelta(0))
    with pytest.raises(ProviderError, match="nothing was handed over in time"):
        sender.send(publication.plan(EDITION))
    assert publication.ledger.balance(ISSUE) == Balance(selected=5, waiting=5)
    assert service.handed == []


def test_a_batch_of_a_living_worker_elsewhere_is_left_to_it(publication: Publication) -> None:
    service = Service()
    publication.sender(service, limit=0).send(publication.plan(EDITION))
    elsewhere = Worker(owner="process 7 on elsewhere", boot_id="x", journal_id="y")
    publication.ledger.claim(ISSUE, elsewhere, limit=2, lease=timedelta(minutes=1))
    with pytest.raises(StoreError, match="2 copies of this issue are with process 7 on elsewhere"):
        publication.sender(service).resume(ISSUE)
    assert service.handed == []


def test_a_batch_whose_journal_is_gone_is_uncertain_as_a_whole(publication: Publication) -> None:
    service = Service()
    publication.sender(service, limit=0).send(publication.plan(EDITION))
    gone = Worker(owner="process 7", boot_id="x", journal_id="y")
    publication.ledger.claim(ISSUE, gone, limit=2, lease=timedelta(0))
    assert publication.sender(service).resume(ISSUE) == Balance(selected=5, accepted=3, uncertain=2)
    assert "the journal of it is gone" in publication.ledger.uncertain(ISSUE)[0].detail


def test_a_batch_of_before_the_machine_stopped_is_uncertain_as_a_whole(publication: Publication) -> None:
    service = Service()
    publication.sender(service, limit=0).send(publication.plan(EDITION))
    with FileJournal(publication.journals / f"{ISSUE}.journal") as journal:
        before = Worker(owner="process 7", boot_id="before", journal_id=journal.id)
        publication.ledger.claim(ISSUE, before, limit=2)
    assert publication.sender(service).resume(ISSUE) == Balance(selected=5, accepted=3, uncertain=2)
    assert "the machine stopped" in publication.ledger.uncertain(ISSUE)[0].detail
