"""A relay that writes down whose message it takes before it says so, and that kills its client at a given moment.

It is as plain as it may be, so that what is measured is the sender: it takes everybody, and answers all that it has
read in one write.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

_ID = b"\r\nMessage-ID: "
_PIECE = 256


class Wire(StrEnum):
    """Moments in the dialogue, as the relay sees them."""

    CONNECTED = "connected, not greeted"
    MAIL = "MAIL read, not answered"
    RCPT = "RCPT read, not answered"
    DATA = "DATA read, not answered"
    PERMITTED = "354 said, not read"
    HALF = "in mid-body"
    UNTAKEN = "body complete, not taken"
    TAKEN = "body taken, not answered"
    ANSWERED = "body taken, answer not read"


@dataclass
class Trap:
    """Kills `victim` (its process id) when the moment `at` comes for the `after`-th time."""

    at: Wire
    after: int
    victim: Future[int] = field(default_factory=Future)

    def hold(self) -> None:
        """From now on the victim does nothing; returns when it has stopped."""
        pid = self.victim.result()
        os.kill(pid, signal.SIGSTOP)
        os.waitid(os.P_PID, pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def kill(self) -> None:
        os.kill(self.victim.result(), signal.SIGKILL)


class Sink:
    """`port` of 127.0.0.1; the ids of the messages it took are in the file `log`, one a line, as they came.

    `taken` is their number, and `last` the body of the last one.
    """

    def __init__(self, log: Path) -> None:
        self._log = log
        self._written = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._talking: list[threading.Thread] = []
        self._trap: Trap | None = None
        self.port: int = self._listening.getsockname()[1]
        self.taken = 0
        self.last = b""

    def set(self, trap: Trap | None) -> None:
        """Kill by `trap`, in the place of any other that was set."""
        with self._lock:
            self._trap = trap

    def drain(self) -> None:
        """Until all is read that clients, who are dead, have written."""
        for thread in self._talking:
            thread.join()

    def copies(self) -> Counter[str]:
        """How often the message of each id was taken."""
        return Counter(self._log.read_text("ascii").split())

    def due(self, at: Wire) -> Trap | None:
        """The trap, if it is time for it."""
        if self._trap is None or self._trap.at is not at:
            return None
        with self._lock:
            trap = self._trap
            if trap is None:
                return None
            trap.after -= 1
            if trap.after:
                return None
            self._trap = None
            return trap

    def take(self, body: bytes) -> None:
        """Write down whose message it is: in the page cache when this returns, whoever dies then."""
        start = body.index(_ID) + len(_ID)
        os.write(self._written, body[start : body.index(b"\r\n", start)] + b"\n")
        with self._lock:
            self.taken += 1
            self.last = body

    def accept(self) -> None:
        """Talk to whoever comes, until the sink is closed."""
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                thread = threading.Thread(target=_Conversation(self, connection).hold)
                thread.start()
                self._talking.append(thread)

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.drain()
        os.close(self._written)


@contextmanager
def listening(log: Path) -> Iterator[Sink]:
    """A sink, until the end of the block; its clients must have ended by then."""
    sink = Sink(log)
    accepting = threading.Thread(target=sink.accept)
    accepting.start()
    try:
        yield sink
    finally:
        sink.close()
        accepting.join()


class _Conversation:
    """With one client, from the greeting to the end."""

    def __init__(self, sink: Sink, connection: socket.socket) -> None:
        self._sink = sink
        self._socket = connection
        self._read = b""
        self._said: list[bytes] = []

    def hold(self) -> None:
        with self._socket, suppress(EOFError, OSError):
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._die_at(Wire.CONNECTED)
            self._said.append(b"220 sink.example\r\n")
            while True:
                self._answer(self._until(b"\r\n")[:4].upper())

    def _answer(self, verb: bytes) -> None:
        if verb == b"EHLO":
            self._said.append(b"250-sink.example\r\n250 PIPELINING\r\n")
        elif verb == b"MAIL":
            self._die_at(Wire.MAIL)
            self._said.append(b"250 2.1.0 Ok\r\n")
        elif verb == b"RCPT":
            self._die_at(Wire.RCPT)
            self._said.append(b"250 2.1.5 Ok\r\n")
        elif verb == b"DATA":
            self._die_at(Wire.DATA)
            self._take()
        elif verb == b"QUIT":
            self._said.append(b"221 2.0.0 Bye\r\n")
            self._say()
            raise EOFError
        else:
            self._said.append(b"250 2.0.0 Ok\r\n")

    def _take(self) -> None:
        self._say_and_die_at(Wire.PERMITTED, b"354 go on\r\n")
        if trap := self._sink.due(Wire.HALF):
            self._more(_PIECE)
            trap.kill()
            raise EOFError
        body = self._until(b"\r\n.\r\n")
        self._die_at(Wire.UNTAKEN)
        self._sink.take(body)
        self._die_at(Wire.TAKEN)
        self._say_and_die_at(Wire.ANSWERED, b"250 2.0.0 Ok\r\n")

    def _die_at(self, moment: Wire) -> None:
        if trap := self._sink.due(moment):
            trap.kill()
            raise EOFError

    def _say_and_die_at(self, moment: Wire, said: bytes) -> None:
        self._said.append(said)
        if trap := self._sink.due(moment):
            trap.hold()
            self._say()
            trap.kill()
            raise EOFError

    def _say(self) -> None:
        if self._said:
            self._socket.sendall(b"".join(self._said))
            self._said.clear()

    def _until(self, mark: bytes) -> bytes:
        while (end := self._read.find(mark)) < 0:
            self._more()
        end += len(mark)
        found, self._read = self._read[:end], self._read[end:]
        return found

    def _more(self, most: int = 65_536) -> None:
        self._say()
        data = self._socket.recv(most)
        if not data:
            raise EOFError
        self._read += data
