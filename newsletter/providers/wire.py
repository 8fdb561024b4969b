"""The bytes of one connection to a relay: commands go out in groups as large as it allows, its replies come in.

Where the relay offers PIPELINING (RFC 2920), all that is to be said goes out in one write; where it does not, each
command waits for the reply to the one before it.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import struct
from collections import deque
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache

from newsletter.providers.base import Fault, Outcome, Result
from newsletter.providers.replies import Reply

Command = tuple[bytes, ...]
"""What gets one reply, in pieces: a line, or a body with its final dot."""

_TIME = struct.Struct("ll")  # struct timeval, but on Windows and on 32 bits
_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*))?", re.DOTALL)
_CODES = frozenset(b"%d" % code for code in range(200, 600))
_NONSENSE = 0
_REPLY_BYTES = 65_536


class Lost(Exception):
    """There is no connection, or it is of no use any more: in words of ours, or of the relay."""

    def __init__(self, why: Reply | str) -> None:
        self._reply = why if isinstance(why, Reply) else Reply(0)
        super().__init__(str(why))

    def unknown(self, recipient: str) -> Result:
        """What it means for `recipient`, who has been handed over."""
        return replace(self.result(recipient), outcome=Outcome.UNCERTAIN, detail=f"no answer: {self}")

    def result(self, recipient: str) -> Result:
        """What it means for `recipient`, who has not been handed over, and whose fault it is not."""
        return Result(
            recipient=recipient,
            outcome=Outcome.LATER,
            detail=str(self),
            fault=Fault.SENDER if self._reply.fault is Fault.SENDER else Fault.SERVICE,
            retry_after=self._reply.retry_after,
        )


class TimedOut(Lost):
    """The relay does not answer."""


class Wire:
    """What is said and heard over `connection`; `together` says whether commands may go out before their replies."""

    def __init__(self, connection: smtplib.SMTP) -> None:
        assert connection.sock is not None
        self._socket = connection.sock
        # Nagle would keep the end of a body back until all before it is acknowledged: a round trip for nothing.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._together = connection.has_extn("pipelining")
        self._plain = not isinstance(self._socket, ssl.SSLSocket) and _TIME.size == 16
        self._patience = self._socket.gettimeout() or 0.0
        self.wait(self._patience)
        self._unsaid: deque[Command] = deque()
        self._heard: deque[Reply] = deque()
        self._begun: list[bytes] = []
        self._rest = b""
        self.unanswered = 0

    def say(self, *commands: Command) -> None:
        """Let `commands` go out with the next `hear`."""
        self._unsaid.extend(commands)

    def keep_quiet(self) -> None:
        """Let nothing go out of what was to be said."""
        self._unsaid.clear()

    @property
    def idle(self) -> bool:
        """Whether nothing is to be said, and no reply expected."""
        return not self._unsaid and not self.unanswered

    @property
    def talkative(self) -> bool:
        """Whether the relay has said more than it was asked."""
        return bool(self._heard or self._begun or self._rest)

    def hear(self) -> Reply:
        """The next reply, once all has been said that may be; raises Lost."""
        if self._unsaid or not self._heard:
            self._exchange()
        reply = self._heard.popleft()
        if reply.code == _NONSENSE:
            raise Lost(f"the relay says what is no SMTP: {reply.text[:80]!r}")
        self.unanswered -= 1
        return reply

    def wait(self, seconds: float) -> None:
        """Wait so long for anything, 0 for ever."""
        self._patience = seconds
        if self._plain:  # the system keeps the time: Python would ask it before each write and read
            time = _TIME.pack(int(seconds), int(seconds % 1 * 1e6))
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, time)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, time)
            self._socket.settimeout(None)
        else:
            self._socket.settimeout(seconds or None)

    def _exchange(self) -> None:
        try:
            if self._unsaid:
                self._write()
            while not self._heard:
                self._receive()
        except (TimeoutError, BlockingIOError) as error:
            raise TimedOut(f"the relay said nothing for {self._patience:g} seconds") from error
        except OSError as error:
            raise Lost(f"the connection was lost: {error.strerror or error}") from error

    def _write(self) -> None:
        if self._together:
            pieces = [piece for command in self._unsaid for piece in command]
            self.unanswered += len(self._unsaid)
            self._unsaid.clear()
        elif not self.unanswered:
            pieces = [*self._unsaid.popleft()]
            self.unanswered = 1
        else:
            return
        # Bodies are large: they are not copied once more, only to be written in one piece.
        written = self._socket.sendmsg(pieces) if self._plain else 0
        if written < sum(map(len, pieces)):
            self._socket.sendall(memoryview(b"".join(pieces))[written:])

    def _receive(self) -> None:
        data = self._socket.recv(_REPLY_BYTES)
        if not data:
            raise Lost("the relay closed the connection")
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            reply = None if self._begun else _whole(line)
            if reply:
                self._heard.append(reply)
            else:
                self._continue(line.removesuffix(b"\r"))
        if len(self._rest) + sum(map(len, self._begun)) > _REPLY_BYTES:
            raise Lost("the relay does not stop talking")

    def _continue(self, line: bytes) -> None:
        """A line of a reply of several."""
        found = _LINE.fullmatch(line)
        if not found:
            self._heard.append(Reply(_NONSENSE, line))
            return
        code, more, text = found.groups(b"")
        self._begun.append(text)
        if more != b"-":
            self._heard.append(Reply(int(code), b" ".join(self._begun)))
            self._begun = []


@lru_cache(64)
def _whole(line: bytes) -> Reply | None:
    """The reply that `line` is by itself. A relay says the same over and over."""
    return Reply(int(line[:3]), line[4:]) if line[3:4] == b" " and line[:3] in _CODES else None


def cut(connection: smtplib.SMTP) -> None:
    """End `connection` from another thread, whatever is under way; the one that waits for a reply is told."""
    if connection.sock:
        with suppress(OSError):  # the plain socket's own: that of TLS would let what is under way go on unencrypted
            socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)
