"""The process that sends, as it is, but for one thing: it dies of kill -9 at a given step.

python -m tests.killing.sender FOLDER PORT BATCH LEASE [STEP AFTER]: sends the edition of tests.killing.harness from the
publication in FOLDER to the relay at PORT, or goes on with it, BATCH recipients at a time.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event

from newsletter.delivery.journal import FileJournal
from newsletter.delivery.pacing import Pacing
from newsletter.delivery.send import Sender
from newsletter.providers.base import Capabilities, Result
from newsletter.providers.smtp import Security, Smtp, SmtpOptions
from newsletter.store.ledger import Ledger, Selected, Send
from newsletter.store.schema import connect
from tests.providers.editions import an_edition
from tests.publication import Publication

EDITION = an_edition("What happened this week. " * 40)
CONNECTIONS = 4


class Step(StrEnum):
    """What the sending process is about to do, or has just done."""

    FREEZING = "freezing, half of the audience written"
    FREEZE = "the freeze written, not committed"
    FROZEN = "the freeze committed"
    CLAIM = "a claim written, not committed"
    CLAIMED = "a claim committed"
    INTENDING = "before an intent"
    INTENDED = "an intent written, no body"
    ANSWERING = "reply read, answer not written"
    TOLD = "answer written"
    SETTLING = "before a settle"
    SETTLE = "a settle written, not committed"
    SETTLED = "settled, journal not emptied"
    EMPTIED = "journal emptied, nothing claimed"
    RECOVERING = "recovering, before its settle"
    RECOVERY = "recovering, settle not committed"
    RECOVERED = "recovered"


class Death:
    """Comes when `step` is reached for the `after`-th time; of itself never."""

    def __init__(self, step: Step | None = None, after: int = 0) -> None:
        self._step = step
        self._after = after
        self._committing: Step | None = None
        event.listen(Engine, "commit", self._before_commit)

    def at(self, step: Step) -> None:
        if step is self._step:
            self._after -= 1
            if not self._after:
                os.kill(os.getpid(), signal.SIGKILL)

    @contextmanager
    def around(self, before: Step | None, within: Step, after: Step) -> Iterator[None]:
        """A transaction: before it begins, before its COMMIT, and behind it."""
        if before:
            self.at(before)
        self._committing = within
        yield
        self._committing = None
        self.at(after)

    def _before_commit(self, connection: Connection) -> None:
        if self._committing and connection.get_execution_options().get("writes"):
            self.at(self._committing)


class MortalLedger(Ledger):
    """The ledger of one who dies."""

    def __init__(self, engine: Engine, death: Death) -> None:
        super().__init__(engine)
        self._death = death
        self._recovered = False

    def freeze(self, send: Send, body: bytes, selected: Iterable[Selected]) -> int:
        with self._death.around(None, Step.FREEZE, Step.FROZEN):
            return super().freeze(send, body, self._written(selected))

    def claim(self, *arguments: Any, **options: Any) -> Any:
        self._recovered = True
        with self._death.around(None, Step.CLAIM, Step.CLAIMED):
            return super().claim(*arguments, **options)

    def settle(self, *arguments: Any) -> None:
        steps = (Step.SETTLING, Step.SETTLE, Step.SETTLED)
        if not self._recovered:
            steps = (Step.RECOVERING, Step.RECOVERY, Step.RECOVERED)
        with self._death.around(*steps):
            super().settle(*arguments)

    def _written(self, selected: Iterable[Selected]) -> Iterator[Selected]:
        for person in selected:
            yield person
            self._death.at(Step.FREEZING)


class MortalJournal(FileJournal):
    """The journal of one who dies."""

    def __init__(self, path: Path, death: Death) -> None:
        super().__init__(path)
        self._death = death

    def begin(self, *arguments: Any) -> None:
        super().begin(*arguments)
        self._death.at(Step.EMPTIED)

    def intent(self, ids: Sequence[str]) -> None:
        self._death.at(Step.INTENDING)
        super().intent(ids)
        self._death.at(Step.INTENDED)

    def answer(self, result: Result) -> None:
        self._death.at(Step.ANSWERING)
        super().answer(result)
        self._death.at(Step.TOLD)


@dataclass(frozen=True, slots=True, kw_only=True)
class MortalSender(Sender):
    """Sends with the journal of one who dies."""

    death: Death

    def journal(self, issue_id: str) -> FileJournal:
        self.journals.mkdir(mode=0o700, exist_ok=True)
        return MortalJournal(self.journals / f"{issue_id}.journal", self.death)


def main(folder: Path, port: int, batch: int, lease: timedelta, death: Death) -> None:
    """Send or go on, until everybody has it or death comes."""
    ledger = MortalLedger(connect(f"sqlite:///{folder / 'newsletter.db'}"), death)
    provider = Smtp(SmtpOptions(host="127.0.0.1", port=port, security=Security.NONE, connections=CONNECTIONS))
    provider.capabilities = Capabilities(batch_max=batch)
    pacing = Pacing(patience=0)
    sender = MortalSender(ledger, provider, folder / "journals", pacing=pacing, lease=lease, death=death)
    if ledger.send(EDITION.issue_id):
        sender.resume(EDITION.issue_id)
    else:
        sender.send(replace(Publication.at(folder), ledger=ledger).plan(EDITION))
    provider.close()


if __name__ == "__main__":
    place, relay, number, seconds, *at = sys.argv[1:]
    death = Death(Step(at[0]), int(at[1])) if at else Death()
    main(Path(place), int(relay), int(number), timedelta(seconds=int(seconds)), death)
