"""How fast and how patiently an issue is sent: its limits, how long who was put off waits, when a run backs off.

Waits are drawn at random around their length (jitter), so that those who were put off together do not come together.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.config import Rate, Send
from newsletter.providers.base import Fault, Outcome, Result
from newsletter.store.ledger import Limit

_LONGEST_ASKED = 86_400
"""Seconds; a service that says more is not believed."""
_WINDOWS = {"per_second": 1, "per_minute": 60, "per_hour": 3_600, "per_day": 86_400}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacing:
    """`limits` as the ledger keeps them; the rest in seconds.

    `retries`: how long a recipient waits who was put off the first time, the second, and so on; the last for ever.
    Greylisting asks for five minutes mostly. `patience`: so long at once a run waits for such recipients; if it would
    be longer it ends, and they wait for `resume`. `back_off`: how long the run waits when the service fails it, doubled
    each time up to `longest`; after `failures` in a row without anything done it ends.
    """

    limits: tuple[Limit, ...] = ()
    retries: tuple[float, ...] = (60, 300, 300, 900, 1_800, 3_600)
    patience: float = 600
    back_off: float = 1
    longest: float = 60
    failures: int = 8

    @classmethod
    def of(cls, send: Send) -> Pacing:
        """As newsletter.toml says."""
        overall = _limits(send.limits)
        by_domain = (limit for domain, rate in send.limits.domains.items() for limit in _limits(rate, domain.lower()))
        return cls(limits=(*overall, *by_domain), patience=send.patience)

    def not_before(self, result: Result, tries: int, now: datetime) -> datetime:
        """When a recipient who was put off, and before that `tries` times, may be tried again at the earliest."""
        usual = self.retries[min(tries, len(self.retries) - 1)] * random.uniform(1, 1.2)
        asked = min(result.retry_after or 0, _LONGEST_ASKED)
        return now + timedelta(seconds=max(usual, asked))

    def pause(self, failures: int, results: Iterable[Result] = ()) -> float:
        """Seconds to wait behind so many failures in a row, or behind one of some only; as the service asks in its
        `results`, if that is longer, and within our patience.
        """
        asked = (each.retry_after or 0 for each in results if each.fault is Fault.SERVICE)
        usual = min(self.longest, self.back_off * 2.0 ** max(0, failures - 1)) * random.uniform(0.5, 1)
        return max(usual, min(self.patience, max(asked, default=0)))


def is_put_off(result: Result) -> bool:
    """Whether one recipient is to wait, rather than everybody."""
    return result.outcome is Outcome.LATER and result.fault is not Fault.SERVICE


def failing(results: Iterable[Result]) -> str:
    """The last words of a service that wants nothing at the moment, or less; none where it is content."""
    found = [each for each in results if each.outcome is Outcome.LATER and each.fault is not Fault.RECIPIENT]
    return found[-1].detail or "the service wants to wait" if found else ""


def _limits(rate: Rate, domain: str = "") -> Iterator[Limit]:
    for name, seconds in _WINDOWS.items():
        if (number := getattr(rate, name)) is not None:
            yield Limit(number=number, window=timedelta(seconds=seconds), domain=domain)
