from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from newsletter.errors import ContentError, StoreError
from newsletter.store.ledger import Balance, Claim, DeliveryState, Ledger, Selected, Send, Settlement, Worker
from newsletter.store.schema import connect
from newsletter.store.subscribers import Subscribers
from tests.ledgers import states

ISSUE = "k3v9q2m8w1zt"
WORKER = Worker(owner="process 1", boot_id="boot", journal_id="journal")


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return connect(f"sqlite:///{tmp_path / 'news.db'}")


@pytest.fixture
def ledger(engine: Engine) -> Ledger:
    return Ledger(engine)


@pytest.fixture
def people(engine: Engine) -> Subscribers:
    return Subscribers(engine)


def _send(edition_hash: str = "a" * 64) -> Send:
    return Send(issue_id=ISSUE, edition_hash=edition_hash, list="main", provider="outbox", settings_digest="s")


def _selected(people: Subscribers, *names: str) -> list[Selected]:
    for name in names:
        people.add(f"{name}@example.org", source="test")
    return [
        Selected(key=person.email.encode().hex(), subscriber=person.id, address=person.email)
        for person in people.subscribed("main")
    ]


def _claim(ledger: Ledger, limit: int = 100, after: int = 0) -> Claim:
    claim = ledger.claim(ISSUE, WORKER, limit=limit, after=after)
    assert claim
    return claim


def _settle_all(ledger: Ledger, claim: Claim, state: DeliveryState) -> None:
    ledger.settle(claim, [Settlement(seq=delivery.seq, state=state) for delivery in claim.deliveries])


def test_freezing_writes_down_edition_and_people(ledger: Ledger, people: Subscribers) -> None:
    assert ledger.freeze(_send(), b"the edition", _selected(people, "ana", "bo")) == 2
    assert ledger.edition(ISSUE) == b"the edition"
    assert ledger.balance(ISSUE) == Balance(selected=2, waiting=2)


def test_freezing_again_adds_only_those_who_joined(ledger: Ledger, people: Subscribers) -> None:
    ledger.freeze(_send(), b"", _selected(people, "ana"))
    first = ledger.send(ISSUE)
    _settle_all(ledger, _claim(ledger), DeliveryState.ACCEPTED)
    assert ledger.freeze(_send(), b"", _selected(people)) == 0
    assert ledger.send(ISSUE) == first
    assert ledger.freeze(_send(), b"", _selected(people, "bo")) == 1
    assert [delivery.address for delivery in _claim(ledger).deliveries] == ["bo@example.org"]
    assert ledger.balance(ISSUE) == Balance(selected=2, accepted=1, waiting=1)


def test_the_same_audience_has_the_same_digest(tmp_path: Path) -> None:
    digests = set()
    for name in ("one.db", "two.db"):
        ledger = Ledger(connect(f"sqlite:///{tmp_path / name}"))
        ledger.freeze(_send(), b"", [Selected(key="1", subscriber="x", address="a@example.org", values={"b": "c"})])
        send = ledger.send(ISSUE)
        assert send
        digests.add(send.audience_digest)
    assert len(digests) == 1


def test_another_edition_of_the_same_issue_is_refused(ledger: Ledger, people: Subscribers) -> None:
    ledger.freeze(_send(), b"the first", _selected(people, "ana"))
    with pytest.raises(StoreError, match=r"(?s)aaaaaaaaaaaa; this one is bbbbbbbbbbbb.*resume.*its own id"):
        ledger.freeze(_send("b" * 64), b"the second", _selected(people, "bo"))
    assert ledger.edition(ISSUE) == b"the first"
    assert ledger.balance(ISSUE).selected == 1


def test_a_freeze_that_fails_on_the_way_leaves_nothing(ledger: Ledger, people: Subscribers) -> None:
    ana = _selected(people, "ana")

    def selected() -> Iterator[Selected]:
        yield from ana
        raise ContentError("somebody lacks a value")

    with pytest.raises(ContentError):
        ledger.freeze(_send(), b"", selected())
    assert ledger.send(ISSUE) is None
    assert ledger.balance(ISSUE) == Balance()


def test_a_large_list_is_frozen_without_holding_it(ledger: Ledger, engine: Engine) -> None:
    def selected() -> Iterator[Selected]:
        for n in range(5_000):
            yield Selected(key=f"{n:032x}", subscriber=f"{n}", address=f"{n}@example.org", excluded="bounced" * (n % 2))

    ledger.freeze(_send(), b"", selected())
    assert ledger.balance(ISSUE) == Balance(selected=5_000, waiting=2_500, excluded={"bounced": 2_500})


def test_what_one_claims_no_other_gets(ledger: Ledger, people: Subscribers) -> None:
    ledger.freeze(_send(), b"", _selected(people, "ana", "bo", "cy"))
    first, second = _claim(ledger, limit=2), _claim(ledger, limit=2)
    assert (len(first.deliveries), len(second.deliveries)) == (2, 1)
    assert not {each.key for each in first.deliveries} & {each.key for each in second.deliveries}
    assert ledger.claim(ISSUE, WORKER, limit=2) is None
    assert ledger.balance(ISSUE).waiting == 3


def test_somebody_who_left_after_the_freeze_is_not_claimed(ledger: Ledger, people: Subscribers) -> None:
    ledger.freeze(_send(), b"", _selected(people, "ana", "bo"))
    people.remove("ana@example.org", list="main")
    claim = _claim(ledger, limit=2)
    assert [delivery.address for delivery in claim.deliveries] == ["bo@example.org"]
    assert ledger.balance(ISSUE) == Balance(selected=2, waiting=1, excluded={"unsubscribed": 1})


def test_all_who_left_are_excluded_even_if_nobody_is_claimed(ledger: Ledger, people: Subscribers) -> None:
    ledger.freeze(_send(), b"", _selected(people, "ana", "bo", "cy"))
    for name in ("ana", "bo", "cy"):
        people.remove(f"{name}@example.org", list="main")
    assert ledger.claim(ISSUE, WORKER, limit=1) is None
    assert ledger.balance(ISSUE) == Balance(selected=3, excluded={"unsubscribed": 3})


def test_settling_writes_down_what_became_of_each(ledger: Ledger, people: Subscribers, engine: Engine) -> None:
    ledger.freeze(_send(), b"", _selected(people, "ana", "bo", "cy", "di", "el"))
    claim = _claim(ledger)
    states = [DeliveryState.ACCEPTED, DeliveryState.FAILED, DeliveryState.UNCERTAIN, DeliveryState.WAITING]
    ledger.settle(
        claim,
        [
            Settlement(seq=delivery.seq, state=state, detail=f"said {state}", provider_id="Q")
            for delivery, state in zip(claim.deliveries, states, strict=False)
        ],
    )
    assert ledger.balance(ISSUE) == Balance(selected=5, accepted=1, failed=1, uncertain=1, waiting=2)
    assert [delivery.detail for delivery in ledger.uncertain(ISSUE)] == ["said uncertain"]
    assert ledger.open_claims(ISSUE) == []


def test_settling_a_batch_twice_changes_nothing(ledger: Ledger, people: Subscribers) -> None:
    ledger.freeze(_send(), b"", _selected(people, "ana"))
    claim = _claim(ledger)
    _settle_all(ledger, claim, DeliveryState.ACCEPTED)
    _settle_all(ledger, claim, DeliveryState.UNCERTAIN)
    assert ledger.balance(ISSUE) == Balance(selected=1, accepted=1)


def test_an_open_claim_says_who_holds_it(ledger: Ledger, people: Subscribers) -> None:
    ledger.freeze(_send(), b"", _selected(people, "ana"))
    claim = _claim(ledger)
    [found] = ledger.open_claims(ISSUE)
    assert (found.id, found.worker, found.deliveries) == (claim.id, WORKER, claim.deliveries)
    assert found.lease_until == claim.lease_until


def test_cancelling_excludes_those_who_wait_and_those_who_would_wait_again(ledger: Ledger, people: Subscribers) -> None:
    ledger.freeze(_send(), b"", _selected(people, "ana", "bo"))
    claim = _claim(ledger, limit=1)
    assert ledger.cancel(ISSUE) == Balance(selected=2, waiting=1, excluded={"cancelled": 1})
    _settle_all(ledger, claim, DeliveryState.WAITING)
    assert ledger.balance(ISSUE) == Balance(selected=2, excluded={"cancelled": 2})
    assert ledger.cancel(ISSUE) == ledger.balance(ISSUE)
    with pytest.raises(StoreError, match="was cancelled on"):
        ledger.freeze(_send(), b"", _selected(people, "cy"))


def test_an_operator_decides_about_the_uncertain(ledger: Ledger, people: Subscribers) -> None:
    ledger.freeze(_send(), b"", _selected(people, "ana", "bo"))
    _settle_all(ledger, _claim(ledger, limit=1), DeliveryState.UNCERTAIN)
    assert ledger.settle_uncertain(ISSUE, DeliveryState.ACCEPTED, "assumed sent") == 1
    _settle_all(ledger, _claim(ledger), DeliveryState.UNCERTAIN)
    assert ledger.settle_uncertain(ISSUE, DeliveryState.WAITING, "sent again") == 1
    assert ledger.balance(ISSUE) == Balance(selected=2, accepted=1, waiting=1)


def test_what_was_never_frozen_is_said(ledger: Ledger) -> None:
    for ask in (ledger.edition, ledger.cancel):
        with pytest.raises(StoreError, match="the ledger knows nothing of issue nothing"):
            ask("nothing")
    assert ledger.balance("nothing") == Balance()
    assert ledger.claim("nothing", WORKER, limit=1) is None


def test_nobody_is_twice_in_an_issue(ledger: Ledger, engine: Engine) -> None:
    ledger.freeze(_send(), b"", [Selected(key="1", subscriber="x", address=address) for address in ("a@a.a", "b@b.b")])
    assert [*states(engine)] == ["1"]


def test_a_balance_that_loses_somebody_cannot_be_made() -> None:
    with pytest.raises(AssertionError):
        Balance(selected=2, accepted=1)
