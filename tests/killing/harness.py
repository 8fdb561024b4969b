"""Kills a process that sends, again and again, and compares what the relay wrote down with what the ledger says."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path

from newsletter.message import envelope_sender, message_id
from newsletter.store.ledger import Balance, Ledger
from newsletter.store.schema import connect
from newsletter.store.subscribers import Newcomer, Subscribers, address_key
from newsletter.tokens import Keyring
from tests.killing.sender import CONNECTIONS, EDITION, Step
from tests.killing.sink import Sink, Trap, Wire, listening

ROOT = Path(__file__).parents[2]
Moment = Wire | Step | str

RANDOM = "at a random moment"
END = "then to the end"
FREEZING = (Step.FREEZING, Step.FREEZE, Step.FROZEN)
RECOVERING = (Wire.HALF, Step.RECOVERING, Step.RECOVERY, Step.RECOVERED)
"""In mid-body, and then each time it recovers from that."""
AT_A_BATCH = (Step.CLAIM, Step.CLAIMED, Step.SETTLING, Step.SETTLE, Step.SETTLED, Step.EMPTIED)
"""When no message is under way."""
AT_A_MESSAGE = [moment for moment in (*Wire, *Step) if moment not in {*FREEZING, *RECOVERING, *AT_A_BATCH}]

HEAD = ["killed", "kills", "delivered", "lost", "doubled", "uncertain", "of which arrived"]
_LONG = 300


@dataclass(slots=True)
class Row:
    """What came of the kills at one moment: `delivered` messages were taken by the relay in those runs.

    The others count people in the batches that those kills left open: `lost` have no copy though the ledger says so,
    `doubled` have several, `uncertain` are so in the ledger, and `arrived` of them have a copy in truth.
    """

    kills: int = 0
    delivered: int = 0
    lost: int = 0
    doubled: int = 0
    uncertain: int = 0
    arrived: int = 0

    def count(self, copies: int, *, uncertain: bool) -> None:
        """One person more."""
        self.lost += not copies and not uncertain
        self.doubled += copies > 1
        self.uncertain += uncertain
        self.arrived += copies > 0 and uncertain

    @property
    def bound(self) -> int:
        """So many may be uncertain: those whose messages were under way."""
        return CONNECTIONS * self.kills


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The rows by the moment of the kill; `total` is over everybody. `strangers` have a copy and are on no list."""

    rows: Mapping[Moment, Row]
    total: Row
    balance: Balance
    strangers: int

    def table(self) -> list[list[str]]:
        """The lines under HEAD."""
        return [
            [str(name), *(f"{number:,}" for number in astuple(row))]
            for name, row in [*self.rows.items(), ("in all", self.total)]
        ]


def killed(folder: Path, readers: int, moments: Sequence[Moment], *, batch: int) -> Report:
    """Send to `readers` from `folder`, killed at each of `moments` one after the other, and then to the end."""
    with opened(folder) as (people, _):
        newcomers = [Newcomer(email=f"reader{n}@example.org", first_name=f"Zoë {n}") for n in range(readers)]
        people.add_all(newcomers, list="main", source="test")
    rows: defaultdict[Moment, Row] = defaultdict(Row)
    left: dict[str, Moment] = {}
    with listening(folder / "sink.log") as sink:
        running = Running(folder, sink, batch)
        for moment in moments:
            rows[moment].kills += 1
            rows[moment].delivered += running.kill(moment, _after(moment, readers, len(moments), batch))
            left |= dict.fromkeys(running.left_open(readers), moment)
        rows[END].delivered = running.finish()
        copies = sink.copies()
    return _compared(folder, copies, rows, left)


class Running:
    """The process that sends from `folder` to `sink`, run again and again."""

    def __init__(self, folder: Path, sink: Sink, batch: int, lease: int = 900) -> None:
        self._folder = folder
        self._sink = sink
        self._arguments = [str(folder), str(sink.port), str(batch), str(lease)]
        self._seen: set[int] = set()

    def kill(self, moment: Moment, after: int) -> int:
        """Let it run until `moment` comes for the `after`-th time (after so many messages, where it is a random one).

        Returns how many messages were taken till then.
        """
        before = self._sink.taken
        trap = Trap(moment, after) if isinstance(moment, Wire) else None
        self._sink.set(trap)
        with self._process(*((moment, str(after)) if isinstance(moment, Step) else ())) as process:
            if trap:
                trap.victim.set_result(process.pid)
            elif moment == RANDOM:
                while self._sink.taken < before + after and process.poll() is None:
                    time.sleep(0.001)
                time.sleep(random.random() / 100)
                process.kill()
            code = process.wait(_LONG)
        assert code == -signal.SIGKILL, f"not killed {moment}: it ended with {code}"
        self._sink.drain()
        return self._sink.taken - before

    def left_open(self, readers: int) -> list[str]:
        """The keys of those whose batch was left open by the last kill; everybody or nobody is in the ledger."""
        with opened(self._folder) as (_, ledger):
            assert ledger.balance(EDITION.issue_id).selected in {0, readers}
            claims = [claim for claim in ledger.open_claims(EDITION.issue_id) if claim.id not in self._seen]
        self._seen |= {claim.id for claim in claims}
        return [delivery.key for claim in claims for delivery in claim.deliveries]

    def finish(self) -> int:
        """Let it run to its end; returns how many messages were taken."""
        before = self._sink.taken
        with self._process() as process:
            assert process.wait(_LONG) == 0
        return self._sink.taken - before

    @contextmanager
    def _process(self, *death: str) -> Iterator[subprocess.Popen[bytes]]:
        command = [sys.executable, "-m", "tests.killing.sender", *self._arguments, *death]
        with subprocess.Popen(command, cwd=ROOT) as process:
            try:
                yield process
            finally:
                process.kill()


def _after(moment: Moment, readers: int, kills: int, batch: int) -> int:
    """How often `moment` is to come before the kill: by chance, and so that not all are sent before the last kill."""
    messages = random.randint(1, max(1, readers * 7 // (kills * 5)))
    if moment is Step.FREEZING:
        return readers // 2
    if moment is Wire.CONNECTED:
        return random.randint(1, CONNECTIONS)
    if moment in {*FREEZING, *RECOVERING} - {Wire.HALF}:
        return 1
    return 1 + messages // batch if moment in AT_A_BATCH else messages


@contextmanager
def opened(folder: Path) -> Iterator[tuple[Subscribers, Ledger]]:
    """The store, open only within: who comes after a kill finds it as the dead left it."""
    engine = connect(f"sqlite:///{folder / 'newsletter.db'}")
    try:
        yield Subscribers(engine), Ledger(engine)
    finally:
        engine.dispose()


def _compared(folder: Path, copies: Counter[str], rows: defaultdict[Moment, Row], left: Mapping[str, Moment]) -> Report:
    total = Row(sum(row.kills for row in rows.values()), copies.total())
    keyring, domain = Keyring.open(folder / "keys.json"), envelope_sender(EDITION).partition("@")[2]
    strangers = set(copies)
    with opened(folder) as (people, ledger):
        uncertain = {delivery.key for delivery in ledger.uncertain(EDITION.issue_id)}
        for person in people.active("main"):
            key = keyring.keyed_hash(address_key(person.email))
            id_ = message_id(EDITION.issue_id, key, domain)
            strangers.discard(id_)
            for row in (total, rows[left[key]]) if key in left else (total,):
                row.count(copies[id_], uncertain=key in uncertain)
        balance = ledger.balance(EDITION.issue_id)
    return Report(rows=rows, total=total, balance=balance, strangers=len(strangers))
