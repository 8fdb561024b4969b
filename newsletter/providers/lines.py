"""Several connections at once: who carries which letter, and what happens when one of them fails.

Each line is a thread with one connection. Whatever fails, each recipient gets one result, or none and then the journal
says what is known.
"""

from __future__ import annotations

import smtplib
import threading
from collections.abc import Callable, Iterator

from newsletter.errors import ProviderError
from newsletter.providers.base import Result
from newsletter.providers.dialogue import Dialogue, Letter, Refused
from newsletter.providers.post import Ended, Post
from newsletter.providers.wire import Lost, TimedOut, cut

_LOSSES = 3
"""So many connections lost in a row, without a word about a message, and a line gives up."""
_GRACE = 5.0
"""Seconds that a body under way has for its answer when nobody wants the results any more."""
_CUT_AGAIN = 0.1


Connect = Callable[[Callable[[smtplib.SMTP], None]], Dialogue]
"""Makes a connection; shows it as soon as there is something to cut. Raises Lost, ProviderError."""


class Line:
    """One connection after another, carrying letters until none is left or the relay gives no connection."""

    def __init__(self, post: Post, connect: Connect, dialogue: Dialogue | None) -> None:
        self._post = post
        self._connect = connect
        self._losses = 0
        self._connection = dialogue.connection if dialogue else None
        self.dialogue = dialogue
        self.gave_up: Lost | ProviderError | None = None

    def work(self) -> None:
        """Carry letters; never raises. Afterwards `dialogue` is the connection that may be used again, if any."""
        try:
            announced: Letter | None = None
            while letter := announced or self._announced():
                announced = self._carried(letter)
        except Ended:
            self._drop()
        except BaseException as error:  # noqa: BLE001 (told by who reads the results)
            self._drop()
            self._post.end(error)
        finally:
            self._post.leave()

    def _announced(self) -> Letter | None:
        """The next letter, announced on a connection that stands."""
        while not self.gave_up and (letter := self._post.take()):
            try:
                dialogue = self._standing()
            except (Lost, ProviderError) as error:
                self._post.put_back(letter)
                self.gave_up = error
            else:
                if self._is_taken(dialogue, letter):
                    dialogue.announce(letter)
                    return letter
        return None

    def _carried(self, letter: Letter) -> Letter | None:
        """Hand over `letter`, announced before; returns the one that is announced behind it."""
        assert self.dialogue
        dialogue = self.dialogue
        behind = self._behind(dialogue)  # composed while the relay's replies are on their way
        try:
            dialogue.await_permission(letter)
        except Refused as refusal:
            self._concluded(refusal.result(letter.recipient.id))
            if behind and self.dialogue:
                dialogue.announce(behind)
            return self._kept(behind)
        except Lost as error:
            self._lose(error)
            self._kept(behind)
            # Relays end a connection after so many messages: that is no reason to put off the next recipient.
            if dialogue.concluded:
                self._try_again(letter, error)
            else:
                self._post.conclude(error.result(letter.recipient.id))
            return None
        self._post.intend(letter)
        try:
            answer = dialogue.hand_over(letter, behind)
        except Lost as error:
            self._post.conclude(error.unknown(letter.recipient.id))
            self._lose(error)
            if behind:
                self._try_again(behind, error)
            return None
        self._concluded(answer.verdict(letter.recipient.id))
        return self._kept(behind)

    def _behind(self, dialogue: Dialogue) -> Letter | None:
        """A letter to announce with the end of the one before it."""
        while dialogue.takes(2) and (letter := self._post.take()):
            if self._is_taken(dialogue, letter):
                return letter
        return None

    def _kept(self, announced: Letter | None) -> Letter | None:
        """`announced`, if the connection is still there; if not, it waits again."""
        if announced and not self.dialogue:
            self._post.put_back(announced)
            return None
        return announced

    def _try_again(self, letter: Letter, error: Lost) -> None:
        """Over another connection, but not if waiting is all that the relay lets one do."""
        if isinstance(error, TimedOut):
            self._post.conclude(error.result(letter.recipient.id))
        else:
            self._post.put_back(letter)

    def _is_taken(self, dialogue: Dialogue, letter: Letter) -> bool:
        refusal = dialogue.refusal(letter)
        if refusal:
            self._post.conclude(refusal.result(letter.recipient.id))
        return refusal is None

    def _concluded(self, result: Result) -> None:
        self._losses = 0
        if self.dialogue and not self.dialogue.usable:
            self._drop()
        self._post.conclude(result)

    def _standing(self) -> Dialogue:
        """The connection, a new one if there is none or it has carried enough."""
        if self.dialogue and not self.dialogue.takes(1):
            self._drop()
        if self.dialogue is None:
            self.dialogue = self._connect(self._watch)
        return self.dialogue

    def _watch(self, connection: smtplib.SMTP) -> None:
        self._connection = connection

    def cut(self) -> None:
        """End the connection from another thread, whatever is under way."""
        if self._connection:
            cut(self._connection)

    def _lose(self, error: Lost) -> None:
        self._drop()
        self._losses += 1
        if self._losses == _LOSSES:
            self.gave_up = error

    def _drop(self) -> None:
        if self.dialogue:
            self.dialogue.close()
            self.dialogue = None


def carried(post: Post, connect: Connect, idle: list[Dialogue], *, number: int) -> Iterator[Result]:
    """The results of `post`, over `number` connections at most, each in a thread that ends before this does.

    `idle` are the connections that stand; those that can be used again are put back. The relay may allow fewer than
    `number`: that is no fault while one of them works; if none does, the rest is for later. Raises ProviderError, and
    what composing and the journal raise, when all that was under way is concluded.
    """
    try:
        if number and not idle:  # one to begin with: a wrong password is said once, not by every line
            idle.append(connect(lambda _: None))
    except Lost as error:
        yield from post.put_off(error)
        return
    lines = [Line(post, connect, idle.pop() if idle else None) for _ in range(number)]
    try:
        yield from _in_threads(post, lines)
    finally:
        idle += [line.dialogue for line in lines if line.dialogue]
    if post.error:
        raise post.error
    reasons = [line.gave_up for line in lines if line.gave_up]
    if reasons:
        yield from post.put_off(next((fault for fault in reasons if isinstance(fault, ProviderError)), reasons[0]))


def _in_threads(post: Post, lines: list[Line]) -> Iterator[Result]:
    """What comes out of `lines`. When nobody wants it any more, what is under way is concluded, and nothing begins."""
    threads = [threading.Thread(target=line.work, name=f"smtp-{n}", daemon=True) for n, line in enumerate(lines, 1)]
    grace = _GRACE
    post.open(len(lines))
    try:
        for thread in threads:
            thread.start()
        yield from post.results()
    except KeyboardInterrupt:
        grace = 0.0
        raise
    finally:
        post.end()
        started = [thread for thread in threads if thread.ident]
        for _ in range(len(threads) - len(started)):
            post.leave()
        _wait(post, lines, grace)
        for thread in started:
            thread.join()


def _wait(post: Post, lines: list[Line], grace: float) -> None:
    """Until the last line has ended; after `grace` seconds without a result, those that are left are cut."""
    while True:
        try:
            if post.settles(grace):
                return
        except KeyboardInterrupt:  # who closes early ends anyway, and is in a hurry
            pass
        grace = _CUT_AGAIN  # a line that was connecting may have a new one
        for line in lines:
            line.cut()
