"""Postfix's smtp-sink, a relay that takes everything: on a free port of loopback, ended by who started it."""

from __future__ import annotations

import getpass
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Arrived:
    """One message as it came in: the envelope's bare addresses, and the content with CRLF line ends."""

    sender: str
    recipient: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Sink:
    """A running smtp-sink. `dumps` is the folder where each message is kept, if any is."""

    port: int
    dumps: Path | None

    def arrived(self) -> list[Arrived]:
        """Every message that it has taken."""
        assert self.dumps is not None
        return [_read(path) for path in sorted(self.dumps.iterdir())]


@contextmanager
def smtp_sink(program: str, dumps: Path | None = None, *, faults: Sequence[str] = ()) -> Iterator[Sink]:
    """smtp-sink, listening until the end of the block. `faults` are options of its own: see smtp-sink(1)."""
    port, name = free_port(), f"sink-{secrets.token_hex(8)}"
    keep = ["-d", f"{dumps}/message."] if dumps else []
    # As root it wants to be told who to be; it is told to stay, since tests' folders are private.
    user = ["-u", getpass.getuser()] if os.geteuid() == 0 else []
    command = [program, *user, "-h", name, *keep, *faults, f"127.0.0.1:{port}", "100"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        # Two sinks share a port without a word (SO_REUSEPORT): this one must be ours.
        assert name in _greeting(port, process)
        yield Sink(port, dumps)
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _greeting(port: int, process: subprocess.Popen[bytes]) -> str:
    for _ in range(500):
        assert process.poll() is None, "smtp-sink ended before it began"
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                return connection.recv(200).decode("ascii")
        except ConnectionRefusedError:
            time.sleep(0.01)
    raise TimeoutError("smtp-sink does not listen")


def _read(path: Path) -> Arrived:
    """A dump (smtp-sink(1), "DUMP FILE FORMAT"): headers of its own up to a Received of three lines, the message, and
    an empty line."""
    head, _, rest = path.read_bytes().partition(b"\nReceived: ")
    _, _, message = rest.split(b"\n", 2)[2].partition(b"\n")
    own = dict(line.split(": ", 1) for line in head.decode("ascii").splitlines())
    return Arrived(
        own["X-Mail-Args"].partition(">")[0].strip("<>"),
        own["X-Rcpt-Args"].strip("<>"),
        message.removesuffix(b"\n").replace(b"\n", b"\r\n"),
    )
