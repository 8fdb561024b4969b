"""Limits, and those who were put off: who may be claimed now is what the ledger says, whoever asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event, update

from newsletter.errors import StoreError
from newsletter.store.ledger import Claim, DeliveryState, Later, Ledger, Limit, Selected, Send, Settlement, Worker
from newsletter.store.schema import connect, handovers, outcomes, writing
from newsletter.store.subscribers import Newcomer, Subscribers

ISSUE = "k3v9q2m8w1zt"
WORKER = Worker(owner="process 1", boot_id="boot", journal_id="journal")
HOUR = timedelta(hours=1)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = connect(f"sqlite:///{tmp_path / 'news.db'}")
    yield engine
    engine.dispose()


def _frozen(engine: Engine, *addresses: str, issue: str = ISSUE) -> Ledger:
    people = Subscribers(engine)
    people.add_all([Newcomer(email=address) for address in addresses], list="main", source="test")
    known = {person.email: person.id for person in people.subscribed("main")}
    ledger = Ledger(engine)
    send = Send(issue_id=issue, edition_hash=issue * 5, list="main", provider="outbox", settings_digest="s")
    selected = [Selected(key=each.encode().hex()[:32], subscriber=known[each], address=each) for each in addresses]
    ledger.freeze(send, b"", selected)
    return ledger


def _claim(ledger: Ledger, *limits: Limit, limit: int = 100, issue: str = ISSUE) -> Claim | Later | None:
    return ledger.claim(issue, WORKER, limit=limit, limits=limits)


def _accept(ledger: Ledger, claim: Claim) -> int:
    ledger.settle(claim, [Settlement(seq=each.seq, state=DeliveryState.ACCEPTED) for each in claim.deliveries])
    return len(claim.deliveries)


def _pass_time(engine: Engine, by: timedelta) -> None:
    """As if all that the ledger knows were so much longer ago."""
    with writing(engine) as connection:
        for table, column in ((handovers, handovers.c.at), (outcomes, outcomes.c.not_before)):
            for [found] in connection.execute(column.table.select().with_only_columns(column).distinct()).all():
                if found:
                    connection.execute(update(table).where(column == found).values({column.name: found - by}))


def _all_that_may_go(ledger: Ledger, *limits: Limit, issue: str = ISSUE) -> tuple[list[str], Later | None]:
    gone = []
    while isinstance(claim := _claim(ledger, *limits, issue=issue), Claim):
        gone += [each.address for each in claim.deliveries]
        _accept(ledger, claim)
    return gone, claim


def test_no_more_than_the_limit_in_an_hour_and_then_the_rest(engine: Engine) -> None:
    ledger = _frozen(engine, *(f"reader{n}@example.org" for n in range(12)))
    limit = Limit(number=8, window=HOUR)
    first, later = _all_that_may_go(ledger, limit)
    assert len(first) == 8
    assert later
    assert later.limit == limit
    assert timedelta(minutes=59) < later.until - datetime.now(UTC) < timedelta(minutes=61)
    assert str(limit) == "the limit of 8 within an hour is reached"
    _pass_time(engine, HOUR)
    rest, later = _all_that_may_go(ledger, limit)
    assert len(rest) == 4
    assert later is None


def test_a_restart_does_not_forget_what_was_handed_over(engine: Engine, tmp_path: Path) -> None:
    ledger = _frozen(engine, *(f"reader{n}@example.org" for n in range(12)))
    limit = Limit(number=8, window=HOUR)
    assert len(_all_that_may_go(ledger, limit)[0]) == 8
    again = Ledger(connect(f"sqlite:///{tmp_path / 'news.db'}"))
    assert isinstance(_claim(again, limit), Later)


def test_where_nobody_waits_no_limit_is_waited_for(engine: Engine) -> None:
    ledger = _frozen(engine, *(f"reader{n}@example.org" for n in range(8)))
    gone, later = _all_that_may_go(ledger, Limit(number=8, window=HOUR))
    assert (len(gone), later) == (8, None)


def test_the_limit_is_one_for_all_issues(engine: Engine) -> None:
    limit = Limit(number=8, window=HOUR)
    assert len(_all_that_may_go(_frozen(engine, *(f"a{n}@example.org" for n in range(6))), limit)[0]) == 6
    other = _frozen(engine, *(f"b{n}@example.org" for n in range(6)), issue="another1")
    assert len(_all_that_may_go(other, limit, issue="another1")[0]) == 2


def test_a_domain_with_a_limit_does_not_hold_up_the_others(engine: Engine) -> None:
    big, other = [f"a{n}@Big.example" for n in range(9)], [f"b{n}@other.example" for n in range(9)]
    ledger = _frozen(engine, *big, *other)
    limit = Limit(number=4, window=HOUR, domain="big.example")
    gone, later = _all_that_may_go(ledger, limit)
    assert Counter(address.partition("@")[2].lower() for address in gone) == {"big.example": 4, "other.example": 9}
    assert later
    assert later.limit == limit
    _pass_time(engine, HOUR)
    assert len(_all_that_may_go(ledger, limit)[0]) == 4


def test_what_a_living_worker_may_hand_over_counts_and_what_it_did_not_is_given_back(engine: Engine) -> None:
    ledger = _frozen(engine, *(f"reader{n}@example.org" for n in range(12)))
    limit = Limit(number=4, window=HOUR)
    claims = [_claim(ledger, limit) for _ in range(4)]
    assert isinstance(_claim(ledger, limit), Later)
    for claim in claims:
        assert isinstance(claim, Claim)
        ledger.settle(claim, [])
    assert isinstance(_claim(ledger, limit), Claim)


def test_a_batch_takes_a_part_of_the_limit_only(engine: Engine) -> None:
    ledger = _frozen(engine, *(f"reader{n}@example.org" for n in range(50)))
    claim = _claim(ledger, Limit(number=40, window=HOUR), Limit(number=20, window=timedelta(minutes=1)))
    assert isinstance(claim, Claim)
    assert len(claim.deliveries) == 5


def test_who_was_put_off_waits_for_his_time(engine: Engine) -> None:
    ledger = _frozen(engine, "ana@example.org", "bo@example.org")
    claim = _claim(ledger)
    assert isinstance(claim, Claim)
    until = datetime.now(UTC) + timedelta(minutes=5)
    ana, bo = claim.deliveries
    off = Settlement(seq=ana.seq, state=DeliveryState.WAITING, detail="450 greylisted", tries=1, not_before=until)
    ledger.settle(claim, [off, Settlement(seq=bo.seq, state=DeliveryState.ACCEPTED)])
    assert ledger.put_off(ISSUE) == (1, until)
    assert _claim(ledger) == Later(until=until)
    _pass_time(engine, timedelta(minutes=5))
    claim = _claim(ledger)
    assert isinstance(claim, Claim)
    assert [(each.address, each.tries) for each in claim.deliveries] == [("ana@example.org", 1)]
    _accept(ledger, claim)
    assert _claim(ledger) is None
    assert ledger.balance(ISSUE).accepted == 2


def test_the_put_off_are_excluded_when_the_issue_is_cancelled(engine: Engine) -> None:
    ledger = _frozen(engine, "ana@example.org", "bo@example.org")
    claim = _claim(ledger, limit=1)
    assert isinstance(claim, Claim)
    until = datetime.now(UTC) + HOUR
    ledger.settle(claim, [Settlement(seq=claim.deliveries[0].seq, state=DeliveryState.WAITING, not_before=until)])
    assert dict(ledger.cancel(ISSUE).excluded) == {"cancelled": 2}
    assert _claim(ledger) is None
    assert ledger.put_off(ISSUE) == (0, None)


def test_a_batch_is_of_those_whom_it_claimed_though_others_lie_between(engine: Engine) -> None:
    big, other = [f"a{n}@big.example" for n in range(30)], [f"b{n}@other.example" for n in range(30)]
    ledger = _frozen(engine, *(each for pair in zip(big, other, strict=True) for each in pair))
    claim = _claim(ledger, Limit(number=4, window=HOUR, domain="big.example"))
    assert isinstance(claim, Claim)
    assert len(claim.deliveries) == 31
    [found] = ledger.open_claims(ISSUE)
    assert found.deliveries == claim.deliveries


def test_what_was_handed_over_by_a_clock_that_was_wrong_holds_up_nobody(engine: Engine) -> None:
    ledger = _frozen(engine, *(f"reader{n}@example.org" for n in range(12)))
    limit = Limit(number=8, window=timedelta(seconds=1))
    _all_that_may_go(ledger, limit)
    _pass_time(engine, -timedelta(days=1))
    assert isinstance(_claim(ledger, limit), Claim)


def test_nobody_is_sent_to_again_of_what_was_cancelled(engine: Engine) -> None:
    ledger = _frozen(engine, "ana@example.org")
    claim = _claim(ledger)
    assert isinstance(claim, Claim)
    ledger.settle(claim, [Settlement(seq=claim.deliveries[0].seq, state=DeliveryState.UNCERTAIN)])
    ledger.cancel(ISSUE)
    with pytest.raises(StoreError, match="cancelled: nobody is sent to again"):
        ledger.settle_uncertain(ISSUE, DeliveryState.WAITING, "sent again")
    assert ledger.balance(ISSUE).uncertain == 1
    assert ledger.settle_uncertain(ISSUE, DeliveryState.ACCEPTED, "assumed sent") == 1


def test_the_few_that_are_looked_for_are_found_by_their_index(engine: Engine) -> None:
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda _c, _k, statement, *_: seen.append(statement))
    ledger = _frozen(engine, "ana@example.org")
    seen.clear()
    ledger.uncertain(ISSUE)
    ledger.put_off(ISSUE)
    ledger.settle_uncertain(ISSUE, DeliveryState.ACCEPTED, "")
    with engine.connect() as connection:
        for statement in [*seen]:
            if "outcomes" in statement:
                asked = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", ("x",) * statement.count("?"))
                assert any("outcomes_open" in row[3] for row in asked.all()), statement


@pytest.mark.parametrize("barred", ["bounced", "complained"])
def test_who_was_barred_since_is_excluded(engine: Engine, barred: str) -> None:
    ledger = _frozen(engine, *(f"reader{n}@example.org" for n in range(3)))
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE subscribers SET barred = ? WHERE email LIKE 'reader1@%'", (barred,))
    claim = _claim(ledger)
    assert isinstance(claim, Claim)
    assert sorted(each.address for each in claim.deliveries) == ["reader0@example.org", "reader2@example.org"]
    assert dict(ledger.balance(ISSUE).excluded) == {barred: 1}


def test_two_issues_frozen_in_turns_do_not_mix(engine: Engine) -> None:
    for names in (("ana",), ("bo", "cy")):
        for issue in (ISSUE, "another1"):
            _frozen(engine, *(f"{name}@example.org" for name in names), issue=issue)
    ledger = Ledger(engine)
    for issue in (ISSUE, "another1"):
        claim = _claim(ledger, issue=issue)
        assert isinstance(claim, Claim)
        assert len(claim.deliveries) == 3
        assert _accept(ledger, claim) == 3
        balance = ledger.balance(issue)
        assert (balance.selected, balance.accepted) == (3, 3)


@settings(max_examples=25, deadline=None)
@given(
    number=st.integers(1, 12),
    batch=st.integers(1, 9),
    pauses=st.lists(st.integers(0, 30), min_size=1, max_size=12),
)
def test_in_no_window_more_than_the_limit(
    tmp_path_factory: pytest.TempPathFactory, number: int, batch: int, pauses: list[int]
) -> None:
    engine = connect(f"sqlite:///{tmp_path_factory.mktemp('limits') / 'news.db'}")
    ledger = _frozen(engine, *(f"reader{n}@example.org" for n in range(40)))
    limit = Limit(number=number, window=timedelta(minutes=1))
    clock, gone = 0, []
    for pause in pauses:
        while isinstance(claim := _claim(ledger, limit, limit=batch), Claim):
            gone += [clock] * _accept(ledger, claim)
        _pass_time(engine, timedelta(seconds=pause))
        clock += pause
    engine.dispose()
    for start in gone:
        assert sum(start <= moment < start + 60 for moment in gone) <= number
