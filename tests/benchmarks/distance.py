"""Messages a second over one connection to a relay that is far away: a delaying proxy stands before smtp-sink. What
counts is how often one waits for the other side, not how quick the processor is.

smtplib waits four times a message, and one is the least: with messages that cost nothing to make, four times smtplib is
what nobody exceeds. The loop makes each when it is its turn; who makes it while the replies are on their way may.

As a program (`python -m tests.benchmarks.distance PORT MILLISECONDS`) it is that proxy: it prints the port of loopback
that it listens on, and passes on what it reads half of the round trip later.
"""

from __future__ import annotations

import smtplib
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from queue import Queue
from threading import Thread

from newsletter.message import envelope_sender
from tests.benchmarks.mailing import Mailing
from tests.benchmarks.measuring import Clock, Series, in_rounds, say_table
from tests.benchmarks.others import LOOP, Loop
from tests.parts import PARTS
from tests.real.sink import smtp_sink

MILLISECONDS = 10
SMTPLIB = "smtplib, messages made beforehand"
ONE, FOUR = "newsletter's smtp provider", "the same, four connections"
AIM = 4


def main(rounds: int = 5, messages: int = 300) -> None:
    """Print the table."""
    program = PARTS["smtp-sink"].find()
    if program is None:
        print("\nDistance: smtp-sink is not on this machine (package postfix)")
        return
    with (
        tempfile.TemporaryDirectory(prefix="newsletter-benchmark-") as scratch,
        smtp_sink(str(program)) as sink,
        _far_away(sink.port) as port,
    ):
        mailing = Mailing(Path(scratch), messages, port)
        contenders: dict[str, Callable[[], Clock]] = {
            LOOP: Loop(mailing).send,
            SMTPLIB: partial(_by_smtplib, mailing),
            ONE: partial(mailing.provided, connections=1),
            FOUR: partial(mailing.provided, connections=4),
        }
        found = in_rounds(contenders, rounds)
    rates = {name: Series([messages / clock.wall for clock in clocks]) for name, clocks in found.items()}
    trips = {
        name: Series([clock.wall * 1000 / MILLISECONDS / messages for clock in clocks])
        for name, clocks in found.items()
    }
    rows = [
        [name, rate.said(0), trips[name].said(2), rate.over(rates[LOOP]).said(1), rate.over(rates[SMTPLIB]).said(1)]
        for name, rate in rates.items()
    ]
    say_table(
        f"Distance: {mailing.title}, in each of {rounds} rounds, {MILLISECONDS} ms of round trip before smtp-sink; "
        f"over one connection at least {AIM} times smtplib is aimed at",
        ["", "messages/s", "round trips/message", "x the loop", "x smtplib"],
        rows,
    )


def _by_smtplib(mailing: Mailing) -> Clock:
    sender = envelope_sender(mailing.edition)
    messages = [(recipient.address, mailing.message(recipient)) for recipient in mailing.recipients]
    with Clock() as clock, smtplib.SMTP("127.0.0.1", mailing.port) as connection:
        for address, message in messages:
            connection.sendmail(sender, address, message)
    return clock


@contextmanager
def _far_away(port: int) -> Iterator[int]:
    """The port of a proxy before `port`, in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.distance", str(port), str(MILLISECONDS)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def _serve(port: int, delay: float) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        while True:
            near, _ = server.accept()
            far = socket.create_connection(("127.0.0.1", port))
            for source, target in ((near, far), (far, near)):
                target.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                under_way: Queue[tuple[float, bytes]] = Queue()
                Thread(target=_read, args=(source, under_way, delay), daemon=True).start()
                Thread(target=_deliver, args=(under_way, target), daemon=True).start()


def _read(source: socket.socket, under_way: Queue[tuple[float, bytes]], delay: float) -> None:
    """What comes from `source`, with the time when it is due; nothing at the end."""
    data = b"."
    while data:
        try:
            data = source.recv(1 << 18)
        except ConnectionError:
            data = b""
        under_way.put((time.monotonic() + delay, data))


def _deliver(under_way: Queue[tuple[float, bytes]], target: socket.socket) -> None:
    with suppress(OSError):  # nobody listens there any more
        while True:
            due, data = under_way.get()
            time.sleep(max(0.0, due - time.monotonic()))
            if not data:
                target.shutdown(socket.SHUT_WR)
                return
            target.sendall(data)


if __name__ == "__main__":
    _serve(int(sys.argv[1]), float(sys.argv[2]) / 2000)
