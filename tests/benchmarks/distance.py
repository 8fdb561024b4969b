"""Messages a second over one connection to a relay that is far away: a delaying proxy stands before smtp-sink. What
counts is how often one waits for the other side, not how quick the processor is; smtplib waits four times a message.

As a program (`python -m tests.benchmarks.distance PORT MILLISECONDS`) it is that proxy: it prints the port of loopback
that it listens on, and passes on what it reads half of the round trip later.
"""

from __future__ import annotations

import asyncio
import smtplib
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from newsletter.compile.edition import Facts
from newsletter.compile.pipeline import compile_issue
from newsletter.compile.render import Theme
from newsletter.issue.load import latest_issue, load_issue
from newsletter.message import envelope_sender
from newsletter.providers.base import Batch
from newsletter.providers.smtp import Security, Smtp, SmtpOptions
from newsletter.workspace import Workspace, shipped_root
from tests.benchmarks.measuring import Clock, Series, in_rounds, say_table
from tests.benchmarks.sending import NOW, Mailing, NoJournal
from tests.parts import PARTS
from tests.real.sink import smtp_sink

MILLISECONDS = 10
SMTPLIB = "smtplib, one connection"
ONE, FOUR = "newsletter's smtp provider, one connection", "the same, four connections"


def main(rounds: int = 5, messages: int = 100) -> None:
    """Print the table."""
    program = PARTS["smtp-sink"].find()
    if program is None:
        print("\nDistance: smtp-sink is not on this machine (package postfix)")
        return
    workspace = Workspace.open(shipped_root())
    issue = load_issue(workspace, latest_issue(workspace))
    edition = compile_issue(issue, Theme.of(workspace), Facts(), workspace.settings)
    with (
        tempfile.TemporaryDirectory(prefix="newsletter-benchmark-") as scratch,
        smtp_sink(str(program)) as sink,
        _far_away(sink.port) as port,
    ):
        mailing = Mailing(Path(scratch), edition, workspace.settings, messages, port)
        contenders: dict[str, Callable[[], Clock]] = {
            SMTPLIB: partial(_by_smtplib, mailing, port),
            ONE: partial(_by_provider, mailing, port, 1),
            FOUR: partial(_by_provider, mailing, port, 4),
        }
        found = in_rounds(contenders, rounds)
    rates = {name: Series([messages / clock.wall for clock in clocks]) for name, clocks in found.items()}
    rows = [[name, rate.said(0), rate.over(rates[SMTPLIB]).said(1)] for name, rate in rates.items()]
    size = len(mailing.message(mailing.recipients[0]))
    title = (
        f"Distance: {messages:,} messages of {size / 1000:.0f} KB in each of {rounds} rounds, "
        f"{MILLISECONDS} ms of round trip before smtp-sink"
    )
    say_table(title, ["", "messages/s", "x smtplib"], rows)


def _by_smtplib(mailing: Mailing, port: int) -> Clock:
    sender = envelope_sender(mailing.edition)
    messages = [(recipient.address, mailing.message(recipient)) for recipient in mailing.recipients]
    with Clock() as clock, smtplib.SMTP("127.0.0.1", port) as connection:
        for address, message in messages:
            connection.sendmail(sender, address, message)
    return clock


def _by_provider(mailing: Mailing, port: int, connections: int) -> Clock:
    batch = Batch(edition=mailing.edition, audience=0, subject=0, date=NOW, recipients=mailing.recipients)
    options = SmtpOptions(host="127.0.0.1", port=port, security=Security.NONE, connections=connections)
    with Clock() as clock, closing(Smtp(options)) as provider:
        assert len([*provider.send(batch, NoJournal())]) == len(mailing.recipients)
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


async def _serve(port: int, delay: float) -> None:
    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_pass_on(reader, there[1], delay), _pass_on(there[0], writer, delay))

    server = await asyncio.start_server(join, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    """What is read, `delay` seconds after it was."""
    clock = asyncio.get_running_loop().time
    read: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def deliver() -> None:
        while True:
            due, data = await read.get()
            await asyncio.sleep(due - clock())
            if not data:
                return
            writer.write(data)

    delivering = asyncio.create_task(deliver())
    try:
        while data := await reader.read(1 << 18):
            read.put_nowait((clock() + delay, data))
    except ConnectionError:
        pass
    read.put_nowait((clock() + delay, b""))
    await delivering
    writer.close()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2]) / 2000))
