"""A relay of bare sockets that answers word for word what a test has written down, and says what it was told."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

CUT = "cut"
"""Instead of a reply: the connection is ended."""
HUSH = "hush"
"""Instead of a reply: none, ever."""
CUT_WITHIN = "cut within"
"""Instead of an answer to the body: the connection is ended when the first bytes of it have come."""

HUSH_WITHIN = "hush within"
"""Instead of an answer to the body: no more of it is read than the first bytes."""

PIPELINING = "250-relay.example\r\n250-PIPELINING\r\n250 SIZE 1000000"


class _Over(Exception):
    """The connection has ended."""


@dataclass
class Script:
    """What is answered, one after the other; what is not written down is a friendly relay's answer.

    `at` has the replies by ("connect", n) for the n-th connection, ("mail", n) for the n-th MAIL, ("rcpt", address),
    ("data", address) and ("dot", address). `pieces` cuts what goes out into the packets it goes out in. `ahead` counts
    the commands and bodies behind which more was said before they were answered. With `tls` it speaks TLS from the
    first byte.
    """

    at: dict[tuple[str, object], list[str]] = field(default_factory=dict)
    ehlo: str = PIPELINING
    pieces: Callable[[bytes], list[bytes]] = lambda said: [said]
    tls: ssl.SSLContext | None = None
    connections: int = 0
    mails: int = 0
    open: int = 0
    most: int = 0
    ahead: int = 0
    lines: list[str] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)
    port: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self, verb: str, key: object, otherwise: str) -> str:
        with self.lock:
            written = self.at.get((verb, key))
            return written.pop(0) if written else otherwise

    def count(self, name: str, by: int = 1) -> int:
        with self.lock:
            number = getattr(self, name) + by
            setattr(self, name, number)
            self.most = max(self.most, self.open)
            return int(number)


@contextmanager
def playing(script: Script) -> Iterator[Script]:
    """`script`, on a free port of 127.0.0.1 until the end of the block, when all connections are ended."""
    listening = socket.create_server(("127.0.0.1", 0))
    script.port = listening.getsockname()[1]
    ended = threading.Event()
    threads: list[threading.Thread] = []
    connections: list[socket.socket] = []

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                connections.append(connection)
                threads.append(threading.Thread(target=_Connection(script, connection, ended).play))
                threads[-1].start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield script
    finally:
        ended.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in (accepting, *threads):
            thread.join()


class _Connection:
    def __init__(self, script: Script, connection: socket.socket, ended: threading.Event) -> None:
        self._script = script
        self._socket = connection
        self._ended = ended
        self._read = b""
        self._recipient = ""
        self._taken = False

    def play(self) -> None:
        script = self._script
        number = script.count("connections")
        script.count("open")
        self._socket.settimeout(20)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if script.tls:
            self._socket = script.tls.wrap_socket(self._socket, server_side=True)
        with self._socket:
            try:
                self._say(script.next("connect", number, "220 relay.example"))
                while True:
                    self._answer(self._until(b"\r\n").decode())
            except (_Over, OSError):
                pass
            finally:
                script.count("open", -1)

    def _answer(self, line: str) -> None:
        script = self._script
        with script.lock:
            script.lines.append(line)
            script.ahead += bool(self._read)
        verb = line[:4].upper()
        if verb == "EHLO":
            self._say(script.ehlo)
        elif verb == "MAIL":
            self._taken = False
            self._say(script.next("mail", script.count("mails"), "250 2.1.0 Ok"))
        elif verb == "RCPT":
            self._recipient = line.partition("<")[2].partition(">")[0]
            said = script.next("rcpt", self._recipient, "250 2.1.5 Ok")
            self._taken = said.startswith("25")
            self._say(said)
        elif verb == "DATA":
            said = script.next("data", self._recipient, "354 go on" if self._taken else "554 5.5.1 no valid recipients")
            self._say(said)
            if said.startswith("354"):
                self._take_body()
        elif verb == "QUIT":
            self._say("221 bye")
            raise _Over
        else:
            self._say(script.next(verb.lower(), None, "250 2.0.0 Ok"))

    def _take_body(self) -> None:
        script, recipient = self._script, self._recipient
        self._need(3)
        if self._read.startswith(b".\r\n"):
            self._until(b".\r\n")
            self._say("554 5.5.1 no valid recipients" if not self._taken else "250 an empty message")
            return
        with script.lock:
            script.bodies.append(recipient)
        said = script.next("dot", recipient, "250 2.0.0 Ok: queued as Q1")
        if said == CUT_WITHIN:
            raise _Over
        if said == HUSH_WITHIN:
            self._ended.wait()
            raise _Over
        self._until(b"\r\n.\r\n")
        if said.startswith("250"):
            with script.lock:
                script.accepted.append(recipient)
        with script.lock:
            script.ahead += bool(self._read)
        self._say(said)

    def _say(self, said: str) -> None:
        if said == CUT:
            raise _Over
        if said == HUSH:
            while not self._ended.is_set() and self._socket.recv(65536):
                pass
            raise _Over
        for piece in self._script.pieces(f"{said}\r\n".encode()):
            self._socket.sendall(piece)
            if len(piece) < len(said):
                time.sleep(0.001)
        if said.startswith("421"):
            raise _Over

    def _need(self, number: int) -> None:
        while len(self._read) < number:
            data = self._socket.recv(65536)
            if not data:
                raise _Over
            self._read += data

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._read:
            self._need(len(self._read) + 1)
        found, _, self._read = self._read.partition(mark)
        return found
