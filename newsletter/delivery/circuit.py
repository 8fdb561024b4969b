"""When a service refuses everybody for a reason that is ours, the send pauses, and nobody is failed for it.

One refusal is taken for the recipient's, whatever is said; a row of them is not, unless each says that it is the
recipient's (providers.base.Fault).
"""

from __future__ import annotations

from dataclasses import replace

from newsletter.errors import ProviderError
from newsletter.providers.base import Fault, Outcome, Result

FIRST = 5
"""So many refusals in a row open the circuit while nobody was accepted yet."""
LATER = 20
"""So many open it afterwards, if each says that it is the sender's fault, or all say the same to the letter."""


class CircuitOpen(ProviderError):
    """The service refuses everybody."""


class Circuit:
    """The refusals of one run that came in a row, and whether anybody was `accepted` before."""

    def __init__(self, *, accepted: bool = False) -> None:
        self._row: dict[str, Result] = {}
        self._accepted = accepted

    @property
    def row(self) -> list[str]:
        """The ids of those who were refused in a row."""
        return [*self._row]

    def saw(self, result: Result) -> None:
        """Take note of a result; raises CircuitOpen when it is one too many."""
        if result.outcome is Outcome.ACCEPTED:
            self._accepted = True
            self._row.clear()
        elif result.outcome is Outcome.REJECTED and result.fault is not Fault.RECIPIENT:
            self._row[result.recipient] = result
            if self._is_open():
                raise CircuitOpen(
                    f"the service refuses everybody: {result.detail}",
                    hint="those it refused in a row wait: see to the reason, then `newsletter resume`",
                )

    def waiting_again(self, results: dict[str, Result]) -> dict[str, Result]:
        """`results` with those of the row put off instead of refused: others come before them the next time."""
        return results | {
            id: replace(result, outcome=Outcome.LATER, fault=Fault.SENDER)
            for id, result in self._row.items()
            if id in results
        }

    def _is_open(self) -> bool:
        if not self._accepted:
            return len(self._row) >= FIRST
        row = self._row.values()
        ours = all(result.fault is Fault.SENDER for result in row)
        return len(row) >= LATER and (ours or len({result.detail for result in row}) == 1)
