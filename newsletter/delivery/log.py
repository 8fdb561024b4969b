"""The log of a send: what happened when, for somebody who was not there, with nobody's address or name in it.

One line an event: the time (UTC), a word for what it was, and values by their names. It is appended to from one run to
the next. What services say is shown as discreet.py lets it pass.
"""

from __future__ import annotations

import json
import os
import platform
import re
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from newsletter import __version__
from newsletter.delivery.discreet import discreet
from newsletter.errors import NewsletterError
from newsletter.store.ledger import Balance, Claim, Delivery, DeliveryState, Send, Settlement, Worker

_REASONS = 5
"""So many different reasons are told of each batch and outcome; the others are counted."""
_PLAIN = re.compile(r"[\w.+-]+")
_TO_BE_EXPLAINED = {
    DeliveryState.FAILED: "failed",
    DeliveryState.WAITING: "put-off",
    DeliveryState.UNCERTAIN: "uncertain",
    DeliveryState.EXCLUDED: "excluded",
}


class Witness:
    """Who is told what a send does, as it does it; this one keeps nothing. It takes little time, and raises nothing;
    but for `begun`: then nothing is sent."""

    def begun(self, send: Send, worker: Worker, balance: Balance) -> None:
        """A run begins, and so it stands."""

    def recovered(self, claim: Claim, settled: Sequence[Settlement]) -> None:
        """A batch that another run left behind was settled."""

    def claimed(self, claim: Claim) -> None:
        """A batch is about to be handed over."""

    def settled(self, claim: Claim, settled: Sequence[Settlement]) -> None:
        """It is written down what became of a batch."""

    def progress(self, balance: Balance) -> None:
        """So it stands now."""

    def waits(self, seconds: float, why: str) -> None:
        """Nothing is sent for so long, a second at least."""

    def broke(self, error: BaseException) -> None:
        """The run ends before its time."""

    def ended(self, balance: Balance, *, stopped: bool) -> None:
        """The run is over; `stopped` if somebody asked for it."""


class SendLog(Witness):
    """The log at `path`, for its owner only. That it cannot be written is no reason to stop a send."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._began = self._claimed = time.monotonic()

    def begun(self, send: Send, worker: Worker, balance: Balance) -> None:
        self._began = time.monotonic()
        self._write(
            "begun",
            newsletter=__version__,
            system=platform.system(),
            python=platform.python_version(),
            pid=os.getpid(),
            issue=send.issue_id,
            edition=send.edition_hash[:12],
            provider=send.provider,
            settings=send.settings_digest[:12],
            journal=worker.journal_id[:12],
            **_said(balance),
        )

    def recovered(self, claim: Claim, settled: Sequence[Settlement]) -> None:
        self._write("recovered", batch=claim.id, recipients=len(claim.deliveries), **_counted(claim, settled))
        self._explain(claim, settled)

    def claimed(self, claim: Claim) -> None:
        self._claimed = time.monotonic()
        self._write("claimed", batch=claim.id, recipients=len(claim.deliveries), **_by_reason(claim.excluded))

    def settled(self, claim: Claim, settled: Sequence[Settlement]) -> None:
        seconds = round(time.monotonic() - self._claimed, 3)
        self._write("settled", batch=claim.id, seconds=seconds, **_counted(claim, settled))
        self._explain(claim, settled)

    def waits(self, seconds: float, why: str) -> None:
        self._write("waits", seconds=round(seconds, 1), said=discreet(why))

    def broke(self, error: BaseException) -> None:
        messages = [problem.message for problem in error.problems] if isinstance(error, NewsletterError) else [""]
        for message in messages:
            self._write("broke", error=type(error).__name__, said=discreet(message))

    def ended(self, balance: Balance, *, stopped: bool) -> None:
        seconds = round(time.monotonic() - self._began, 1)
        self._write("stopped" if stopped else "ended", seconds=seconds, **_said(balance))

    def decided(self, recipients: int, state: DeliveryState) -> None:
        """Somebody decided about so many who were uncertain."""
        self._write("decided", recipients=recipients, now=state.value)

    def cancelled(self, balance: Balance) -> None:
        """Somebody cancelled the issue."""
        self._write("cancelled", **_said(balance))

    def _explain(self, claim: Claim, settled: Sequence[Settlement]) -> None:
        """Why those of a batch were not accepted, in the service's words, and how many there were of each."""
        who = {delivery.seq: delivery for delivery in claim.deliveries}
        reasons = Counter(
            (each.state, discreet(each.detail, _personal(who[each.seq])))
            for each in settled
            if each.state in _TO_BE_EXPLAINED and each.detail
        )
        for state, event in _TO_BE_EXPLAINED.items():
            of_state = [(said, number) for (one, said), number in reasons.most_common() if one is state]
            for said, number in of_state[:_REASONS]:
                self._write(event, batch=claim.id, recipients=number, said=said)
            if others := of_state[_REASONS:]:
                others_in_all = sum(number for _, number in others)
                self._write(event, batch=claim.id, recipients=others_in_all, said=f"in {len(others)} other ways")

    def _write(self, event: str, **values: object) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = " ".join([now, event, *(f"{name}={_value(value)}" for name, value in values.items())])
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(self._path, "a", encoding="utf-8", opener=_private) as file:
                file.write(f"{line}\n")
        except OSError:
            pass


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _value(value: object) -> str:
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _personal(delivery: Delivery) -> Iterable[str]:
    return (delivery.address, delivery.name, *delivery.values.values())


def _said(balance: Balance) -> dict[str, int]:
    """A balance; those excluded by a word for why, which is never about one person."""
    numbers = balance.as_json()
    return numbers | {"excluded": sum(balance.excluded.values())} | _by_reason(balance.excluded)


def _by_reason(excluded: Mapping[str, int]) -> dict[str, int]:
    return {f"excluded.{reason}": number for reason, number in excluded.items()}


def _counted(claim: Claim, settled: Sequence[Settlement]) -> dict[str, int]:
    """How many of a batch are in which state now; of whom nothing is said, they wait."""
    states = Counter(each.state.value for each in settled)
    states[DeliveryState.WAITING.value] += len(claim.deliveries) - len(settled)
    return {DeliveryState.ACCEPTED.value: 0, **states}
