"""What every provider must do. Subclass it, with fixtures `provider` and `arrived`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from newsletter.message import Recipient
from newsletter.providers.base import Batch, Outcome, Provider, Result
from tests.providers.editions import an_edition

Arrived = Callable[[], Sequence[str]]
"""The addresses that messages have arrived for so far, one element a message."""


class JournalFault(Exception):
    """The journal cannot be written."""


@dataclass
class RecordingJournal:
    """Keeps what it is told; looks at `watch` at each intent; raises at the intent for `fails_at`."""

    watch: Arrived = tuple
    fails_at: str = ""
    intents: list[str] = field(default_factory=list)
    answers: list[Result] = field(default_factory=list)
    arrived_before: dict[str, Sequence[str]] = field(default_factory=dict)

    def intent(self, ids: Sequence[str]) -> None:
        if self.fails_at in ids:
            raise JournalFault
        self.arrived_before |= {id_: [*self.watch()] for id_ in ids}
        self.intents += ids

    def answer(self, result: Result) -> None:
        self.answers.append(result)


def recipients(number: int) -> list[Recipient]:
    return [
        Recipient(
            id=f"{n:032x}",
            address=f"reader{n}@example.org",
            name=f"Zoë {n}",
            values={"links.unsubscribe": f"https://news.example.org/unsubscribe/{n}"},
        )
        for n in range(number)
    ]


def a_batch(people: Sequence[Recipient], *, test: bool = False) -> Batch:
    return Batch(
        edition=an_edition(),
        audience=0,
        subject=0,
        date=datetime(2026, 11, 23, tzinfo=UTC),
        recipients=people,
        test=test,
    )


class ProviderContract:
    """The rules of providers.base, for a service that takes everything."""

    def test_gives_one_result_for_each_recipient(self, provider: Provider) -> None:
        people = recipients(5)
        results = list(provider.send(a_batch(people), RecordingJournal()))
        assert sorted(result.recipient for result in results) == [person.id for person in people]
        assert {result.outcome for result in results} == {Outcome.ACCEPTED}

    def test_hands_over_each_recipient_once(self, provider: Provider, arrived: Arrived) -> None:
        people = recipients(5)
        journal = RecordingJournal()
        results = list(provider.send(a_batch(people), journal))
        assert sorted(arrived()) == [person.address for person in people]
        assert sorted(journal.intents) == [person.id for person in people]
        assert journal.answers == results

    def test_writes_the_intent_before_it_hands_over(self, provider: Provider, arrived: Arrived) -> None:
        people = recipients(3)
        journal = RecordingJournal(watch=arrived)
        list(provider.send(a_batch(people), journal))
        for person in people:
            assert person.address not in journal.arrived_before[person.id]

    def test_hands_over_nothing_whose_intent_could_not_be_written(self, provider: Provider, arrived: Arrived) -> None:
        people = recipients(3)
        journal = RecordingJournal(fails_at=people[1].id)
        with pytest.raises(JournalFault):
            list(provider.send(a_batch(people), journal))
        assert arrived() == [people[0].address]

    def test_can_be_used_again_after_a_batch(self, provider: Provider, arrived: Arrived) -> None:
        first, second = recipients(2)
        for person in (first, second):
            list(provider.send(a_batch([person]), RecordingJournal()))
        assert sorted(arrived()) == [first.address, second.address]

    def test_carries_nothing_of_an_empty_batch(self, provider: Provider, arrived: Arrived) -> None:
        assert list(provider.send(a_batch([]), RecordingJournal())) == []
        assert arrived() == []
