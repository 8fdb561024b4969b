"""How far a send is, while it is under way: a bar on a terminal, a plain line a minute in a log."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from newsletter.delivery.log import Witness

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from newsletter.delivery.stopping import Stop
    from newsletter.store.ledger import Balance, Send, Worker

LINE_EVERY = 60.0
_FRAMES = 8  # a second; a send tells of itself oftener than that
_WINDOW, _STEPS, _APART = 15.0, 8, 0.5
_NARROWEST_BAR = 12

Clock = Callable[[], float]


class Pace:
    """How fast it goes: who was handed over in the last 15 seconds, or in 8 steps where those take longer.

    Pauses count: what a limit makes it wait for is a part of how fast it goes.
    """

    def __init__(self) -> None:
        self._steps: deque[tuple[float, int]] = deque()
        self._last = (0.0, 0)

    def saw(self, now: float, handed: int) -> None:
        """Take note of how many were handed over until now."""
        self._last = (now, handed)
        if not self._steps or now - self._steps[-1][0] >= _APART:
            self._steps.append(self._last)
        while len(self._steps) > _STEPS and now - self._steps[1][0] >= _WINDOW:
            self._steps.popleft()

    def rate(self) -> float:
        """Recipients a second; 0 while nothing can be said."""
        if not self._steps:
            return 0.0
        seconds, handed = (last - first for last, first in zip(self._last, self._steps[0], strict=True))
        return handed / seconds if seconds >= _APART else 0.0


class Words:
    """What there is to say of a send from the balance `start` on, with so many recipients in this run at most."""

    def __init__(self, start: Balance, stop: Stop, limit: int | None, clock: Clock = time.monotonic) -> None:
        self._start, self._balance = start, start
        self._goal = _settled(start) + min(start.waiting, start.waiting if limit is None else limit)
        self._stop = stop
        self._clock = clock
        self._pace = Pace()
        self._began: float | None = None
        self._over: float | None = None
        self._waits_until, self._why = 0.0, ""

    def begin(self, balance: Balance) -> None:
        self._began = self._clock()
        self.saw(balance)

    def saw(self, balance: Balance) -> None:
        self._waits_until = 0.0
        self._balance = balance
        self._pace.saw(self._clock(), _handed(balance))

    def waits(self, seconds: float, why: str) -> None:
        self._waits_until, self._why = self._clock() + seconds, why

    def end(self) -> None:
        self._over = self._clock()

    @property
    def done(self) -> int:
        return _settled(self._balance)

    @property
    def goal(self) -> int:
        return max(self._goal, self.done)

    @property
    def doing(self) -> str:
        """In one word."""
        if self._over is not None:
            return "sent" if self.done == self.goal else "stopped"
        if self._stop.asked:
            return "stopping"
        return "sending" if self._began else "preparing"

    @property
    def counts(self) -> str:
        """12,400/50,000 · 4,812/s · 8 s left"""
        if self._over is not None:
            seconds = self._over - (self._began or self._over)
            rate = (_handed(self._balance) - _handed(self._start)) / max(seconds, _APART)
            then = f"in {duration(seconds)}"
        else:
            rate = self._pace.rate()
            then = f"{duration((self.goal - self.done) / rate)} left" if rate and not self.waiting else ""
        speed = f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s" if rate else ""
        return " · ".join(part for part in (f"{self.done:,}/{self.goal:,}", speed, then) if part)

    @property
    def balance(self) -> str:
        """accepted 12,391 · failed 9"""
        now = self._balance
        others = {"failed": now.failed, "uncertain": now.uncertain, "excluded": sum(now.excluded.values())}
        return " · ".join([f"accepted {now.accepted:,}", *(f"{name} {n:,}" for name, n in others.items() if n)])

    @property
    def waiting(self) -> str:
        """waiting 30 s: 421 too many connections; empty while it does not wait."""
        left = self._waits_until - self._clock()
        return f"waiting {duration(left)}: {self._why}" if left > 0 and self._over is None else ""


class Bar:
    """The words as a line with a bar, as two where the terminal is narrow, and one more for what it waits for."""

    def __init__(self, words: Words) -> None:
        self._words = words

    def __rich_console__(self, console: Console, _: object) -> Iterator[RenderableType]:
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        words = self._words
        both = f"{words.counts} · {words.balance}"
        fits = len(words.doing) + _NARROWEST_BAR + len(both) + 2 <= console.width
        line = Table.grid(padding=(0, 1), expand=True)
        line.add_column(no_wrap=True)
        line.add_column(ratio=1)
        line.add_column(no_wrap=True)
        line.add_row(
            words.doing,
            ProgressBar(total=max(words.goal, 1), completed=words.done, complete_style="cyan", finished_style="green"),
            Text(both if fits else words.counts, overflow="ellipsis"),
        )
        yield line
        if not fits:
            yield Text(f"  {words.balance}", no_wrap=True, overflow="ellipsis")
        if words.waiting:
            yield Text(f"  {words.waiting}", style="yellow", no_wrap=True, overflow="ellipsis")


class OnTerminal(Witness):
    """Keeps the words true; they are drawn several times a second, whenever that is."""

    def __init__(self, words: Words) -> None:
        self._words = words

    def begun(self, send: Send, worker: Worker, balance: Balance) -> None:
        self._words.begin(balance)

    def progress(self, balance: Balance) -> None:
        self._words.saw(balance)

    def waits(self, seconds: float, why: str) -> None:
        self._words.waits(seconds, why)


class InLog(Witness):
    """A line a minute, or before it falls silent for longer than that; a send that is over sooner says nothing."""

    def __init__(self, words: Words, say: Callable[[str], None], clock: Clock = time.monotonic) -> None:
        self._words, self._say, self._clock = words, say, clock
        self._due = clock() + LINE_EVERY

    def begun(self, send: Send, worker: Worker, balance: Balance) -> None:
        self._words.begin(balance)

    def progress(self, balance: Balance) -> None:
        self._words.saw(balance)
        self._say_before(self._clock())

    def waits(self, seconds: float, why: str) -> None:
        self._words.waits(seconds, why)
        self._say_before(self._clock() + seconds)

    def _say_before(self, silence_ends: float) -> None:
        if silence_ends >= self._due:
            words = self._words
            said = (f"{words.doing} {words.counts}", words.balance, words.waiting)
            self._say(" · ".join(part for part in said if part))
            self._due = self._clock() + LINE_EVERY


@contextmanager
def showing_progress(start: Balance, stop: Stop, limit: int | None) -> Iterator[Witness]:
    """Show how far a send is that begins at the balance `start`, to whom it is told."""
    words = Words(start, stop, limit)
    console = _terminal()
    if console is None:
        yield InLog(words, lambda line: typer.echo(line, err=True))
        return
    from rich.live import Live

    with Live(Bar(words), console=console, refresh_per_second=_FRAMES):
        try:
            yield OnTerminal(words)
        finally:
            words.end()


def _terminal() -> Console | None:
    """Standard error, if a bar can be drawn on it."""
    if not sys.stderr.isatty():
        return None
    from rich.console import Console

    console = Console(stderr=True)
    return None if console.is_dumb_terminal else console


def duration(seconds: float) -> str:
    """Seconds as one wants to read them: 8 s, 3 min, 1 h 20 min."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _settled(balance: Balance) -> int:
    return balance.selected - balance.waiting


def _handed(balance: Balance) -> int:
    return balance.accepted + balance.failed + balance.uncertain
