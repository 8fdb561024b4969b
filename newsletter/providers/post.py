"""What the lines to a relay share: the recipients who wait, the journal, the results, and the wish to end.

Who reads the results is woken for many at once: each time would cost more than a message does. They pile up only so
far, so that no line runs far ahead of who reads, and may want no more.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from newsletter.errors import ProviderError
from newsletter.message import Recipient
from newsletter.providers.base import Journal, Result
from newsletter.providers.dialogue import Letter
from newsletter.providers.wire import Lost

_AT_ONCE = 300_000
"""Bytes that are composed one letter after the other: each letter by itself, between two waits, takes twice as long."""
_PILE = 0.02
"""Seconds that results may wait for others before they are told."""

T = TypeVar("T")


class Ended(Exception):
    """No body may be written any more."""


class Post:
    """The letters of one batch. `compose` makes a recipient's; `journal` is told by one thread at a time; there is room
    for `room` results that nobody has read.
    """

    def __init__(
        self, recipients: Iterable[Recipient], compose: Callable[[Recipient], Letter], journal: Journal, room: int
    ) -> None:
        self._waiting = deque(recipients)
        self._compose = compose
        self._composed: deque[Letter] = deque()
        self._journal = journal
        self._results: deque[Result] = deque()
        self._room = room
        self._lock = threading.Lock()
        self._told = threading.Condition(self._lock)
        self._read = threading.Condition(self._lock)
        self._working = 0
        self._ended = False
        self.error: BaseException | None = None

    def take(self) -> Letter | None:
        """The next letter; none if there is none, or if it is time to end."""
        while not self._ended:
            letter = _next(self._composed)
            if letter or not self._compose_some():
                return letter
        return None

    def put_back(self, letter: Letter) -> None:
        """Let `letter`, which was not handed over, be the next again."""
        self._composed.appendleft(letter)

    def put_off(self, why: Lost | ProviderError) -> Iterator[Result]:
        """Those whose letters nobody took are for later; raises `why` if it is somebody's to see to."""
        left = [*(letter.recipient for letter in self._composed), *self._waiting]
        if isinstance(why, ProviderError):
            if left:
                raise why
            return
        for recipient in left:
            result = why.result(recipient.id)
            self._journal.answer(result)
            yield result

    def _compose_some(self) -> bool:
        """False if nobody waits."""
        composed = 0
        while composed < _AT_ONCE and (recipient := _next(self._waiting)):
            letter = self._compose(recipient)
            self._composed.append(letter)
            composed += len(letter.data)
        return composed > 0

    def intend(self, letter: Letter) -> None:
        """Write down that the body of `letter` comes next; raises Ended, and what the journal raises."""
        with self._lock:
            if self._ended:
                raise Ended
            self._journal.intent([letter.recipient.id])

    def conclude(self, result: Result) -> None:
        """Write the result down, and pass it on, even if it cannot be written."""
        with self._lock:
            try:
                self._journal.answer(result)
            finally:
                self._results.append(result)
                if self._ended or len(self._results) * 2 >= self._room:
                    self._told.notify()
            while len(self._results) >= self._room and not self._ended:
                self._read.wait()

    def open(self, lines: int) -> None:
        """So many lines begin to work."""
        self._working = lines

    def leave(self) -> None:
        """One line works no more."""
        with self._lock:
            self._working -= 1
            self._told.notify()

    def results(self) -> Iterator[Result]:
        """What is concluded, until no line works."""
        working = True
        while working:
            with self._lock:
                self._told.wait_for(lambda: not self._working or len(self._results) * 2 >= self._room, _PILE)
                working = self._working > 0
            while self._results:
                yield self._results.popleft()
            with self._lock:
                self._read.notify_all()

    def settles(self, within: float) -> bool:
        """Wait until no line works; False as soon as none has concluded anything for so many seconds."""
        with self._lock:
            while self._working:
                if not self._told.wait(within):
                    return False
        return True

    def end(self, error: BaseException | None = None) -> None:
        """From now on no body is written. The first `error` is the one that is told."""
        with self._lock:
            self._ended = True
            self.error = self.error or error
            self._read.notify_all()


def _next(waiting: deque[T]) -> T | None:
    try:
        return waiting.popleft()
    except IndexError:
        return None
