"""How patiently an issue is sent: who is put off waits alone, a failing service is backed off from, limits are kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.config import Send
from newsletter.delivery.pacing import Pacing
from newsletter.delivery.stopping import Stop
from newsletter.errors import ProviderError
from newsletter.providers.base import Batch, Capabilities, Fault, Journal, Outcome, Result
from newsletter.store.ledger import Balance, Limit
from tests.providers.editions import an_edition
from tests.publication import Publication, Told

EDITION = an_edition()
NAMES = [f"reader{n:02}" for n in range(10)]


class Moody:
    """A service that says what `moods` say, message by message, and takes everything afterwards."""

    capabilities = Capabilities(batch_max=4)

    def __init__(self, *moods: Result) -> None:
        self._moods = [*moods]
        self.handed: list[tuple[float, str]] = []

    def send(self, batch: Batch, journal: Journal) -> Generator[Result, None, None]:
        for recipient in batch.recipients:
            if self._moods:
                result = replace(self._moods.pop(0), recipient=recipient.id)
            else:
                journal.intent([recipient.id])
                self.handed.append((time.monotonic(), recipient.address))
                result = Result(recipient=recipient.id, outcome=Outcome.ACCEPTED)
            journal.answer(result)
            yield result

    def close(self) -> None:
        pass


def _later(fault: Fault, detail: str = "451 not now", retry_after: float | None = None) -> Result:
    return Result(recipient="", outcome=Outcome.LATER, detail=detail, fault=fault, retry_after=retry_after)


@pytest.fixture
def publication(tmp_path: Path) -> Publication:
    made = Publication.at(tmp_path)
    made.join(*NAMES)
    return made


def _send(publication: Publication, service: Moody, pacing: Pacing, **options: Stop | Told) -> tuple[Balance, Told]:
    told = Told()
    sender = publication.sender(service, pacing=pacing, witnesses=[told], **options)
    return sender.send(publication.plan(EDITION)), told


def test_a_service_that_is_busy_for_a_while_is_backed_off_from_and_nobody_is_consumed(publication: Publication) -> None:
    service = Moody(*[_later(Fault.SERVICE, "421 too busy")] * 9)
    balance, _ = _send(publication, service, Pacing(back_off=0.05))
    assert balance == Balance(selected=10, accepted=10)
    assert len({address for _, address in service.handed}) == 10


def test_a_service_that_stays_busy_is_left_alone_in_the_end(publication: Publication) -> None:
    service = Moody(*[_later(Fault.SERVICE, "421 too busy")] * 100)
    with pytest.raises(ProviderError, match="the service takes nothing at the moment: 421 too busy"):
        _send(publication, service, Pacing(back_off=0.01, failures=4))
    assert publication.ledger.balance(EDITION.issue_id) == Balance(selected=10, waiting=10)
    assert service.handed == []
    assert publication.ledger.put_off(EDITION.issue_id) == (0, None)


def test_the_waits_are_told_with_the_services_words(publication: Publication) -> None:
    service = Moody(*[_later(Fault.SERVICE, "421 too busy")] * 4)
    _, told = _send(publication, service, Pacing(back_off=2.5, longest=2.5))
    [(seconds, why)] = told.waited
    assert 1 <= seconds <= 2.5
    assert why == "421 too busy"


def test_greylisting_holds_up_nobody_else(publication: Publication) -> None:
    service = Moody(_later(Fault.RECIPIENT, "450 4.2.0 greylisted"))
    balance, _ = _send(publication, service, Pacing(retries=(0.8,)))
    assert balance == Balance(selected=10, accepted=10)
    first, *_, before, last = (moment for moment, _ in service.handed)
    assert last - before > 0.3
    assert before - first < last - before


def test_the_services_own_word_for_how_long_counts_if_it_is_longer(publication: Publication) -> None:
    service = Moody(_later(Fault.RECIPIENT, retry_after=1_000))
    balance, _ = _send(publication, service, Pacing(retries=(0.1,), patience=5))
    assert balance == Balance(selected=10, accepted=9, waiting=1)
    number, until = publication.ledger.put_off(EDITION.issue_id)
    assert number == 1
    assert until
    assert until - datetime.now(UTC) > timedelta(seconds=900)


def test_a_service_that_finds_us_too_fast_slows_everybody_down(publication: Publication) -> None:
    service = Moody(_later(Fault.SENDER, "450 4.7.28 rate limit"))
    balance, told = _send(publication, service, Pacing(retries=(0.1,), back_off=2.4, longest=2.4))
    assert balance.accepted == 10
    assert [why for _, why in told.waited] == ["450 4.7.28 rate limit"]


def test_a_limit_is_waited_for_whatever_the_patience(publication: Publication) -> None:
    service = Moody()
    limit = Limit(number=4, window=timedelta(seconds=1))
    balance, told = _send(publication, service, Pacing(limits=(limit,), patience=0))
    assert balance == Balance(selected=10, accepted=10)
    moments = [moment for moment, _ in service.handed]
    assert all(later - earlier >= 0.95 for earlier, later in zip(moments, moments[4:], strict=False))
    assert told.balances[-1] == balance


def test_who_asks_to_stop_need_not_wait(publication: Publication) -> None:
    stop = Stop()
    limit = Limit(number=4, window=timedelta(hours=1))
    threading.Timer(0.5, stop.ask).start()
    began = time.monotonic()
    balance, told = _send(publication, Moody(), Pacing(limits=(limit,)), stop=stop)
    assert time.monotonic() - began < 30
    assert balance == Balance(selected=10, accepted=4, waiting=6)
    assert [why for _, why in told.waited] == ["the limit of 4 within an hour is reached"]


def test_a_service_that_says_how_long_it_is_away_is_not_asked_before(publication: Publication) -> None:
    service = Moody(*[_later(Fault.SERVICE, "421 come back in 2 seconds", retry_after=2)] * 4)
    balance, told = _send(publication, service, Pacing(back_off=0.01))
    assert balance.accepted == 10
    assert told.waited == [(2, "421 come back in 2 seconds")]


def test_who_waits_for_a_limit_sees_that_it_was_cancelled(publication: Publication) -> None:
    threading.Timer(1, publication.ledger.cancel, [EDITION.issue_id]).start()
    began = time.monotonic()
    balance, _ = _send(publication, Moody(), Pacing(limits=(Limit(number=4, window=timedelta(hours=1)),)))
    assert time.monotonic() - began < 60
    assert balance == Balance(selected=10, accepted=4, excluded={"cancelled": 6})


def test_the_configuration_says_the_limits() -> None:
    said = Send.model_validate(
        {
            "patience": "2m",
            "limits": {"per_second": 14, "per_day": 50_000, "domains": {"Big.example": {"per_hour": 900}}},
        }
    )
    pacing = Pacing.of(said)
    assert pacing.patience == 120
    assert [str(limit) for limit in pacing.limits] == [
        "the limit of 14 within a second is reached",
        "the limit of 50,000 within a day is reached",
        "the limit of 900 to big.example within an hour is reached",
    ]


@given(failures=st.integers(1, 500))
def test_a_pause_is_drawn_at_random_and_is_never_longer_than_the_longest(failures: int) -> None:
    pacing = Pacing()
    pauses = [pacing.pause(failures) for _ in range(20)]
    assert all(0 < pause <= pacing.longest for pause in pauses)
    assert len(set(pauses)) > 1


@given(tries=st.integers(0, 500), asked=st.one_of(st.none(), st.floats(0, 100_000)))
def test_nobody_is_tried_again_before_the_time(tries: int, asked: float | None) -> None:
    now = datetime.now(UTC)
    waits = (Pacing().not_before(_later(Fault.RECIPIENT, retry_after=asked), tries, now) - now).total_seconds()
    wanted = min(asked or 0, 86_400)
    assert max(60, wanted) - 0.001 <= waits <= max(1.2 * 3_600, wanted) + 1
