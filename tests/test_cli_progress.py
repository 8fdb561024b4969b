"""What a person sees while a send is under way: on a terminal, wide and narrow, and in a log."""

from __future__ import annotations

import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from dataclasses import replace
from fcntl import ioctl
from pathlib import Path

import pytest
from rich.console import Console

from newsletter.cli.progress import LINE_EVERY, Bar, InLog, OnTerminal, Words, duration
from newsletter.delivery.stopping import Stop
from newsletter.store.ledger import Balance
from tests.workspaces import SETTINGS, issue_file, workspace

ROOT = Path(__file__).parents[1]
START = Balance(selected=50_000, accepted=2_000, excluded={"unsubscribed": 3}, waiting=47_997)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def _begun(clock: Clock, start: Balance = START, *, stop: Stop | None = None, limit: int | None = None) -> Words:
    words = Words(start, stop or Stop(), limit, clock)
    words.begin(start)
    return words


def _goes_on(clock: Clock, each: int, seconds: float) -> Iterator[Balance]:
    """The balance, `seconds` after one another, with so many more accepted each time."""
    balance = START
    while True:
        yield balance
        clock.now += seconds
        balance = replace(balance, accepted=balance.accepted + each, waiting=balance.waiting - each)


def _drawn(words: Words, columns: int) -> list[str]:
    console = Console(width=columns, file=io.StringIO(), record=True)
    console.print(Bar(words), end="")
    return console.export_text().rstrip("\n").split("\n")


def test_it_says_how_many_how_fast_how_long_and_the_balance(clock: Clock) -> None:
    words, going = _begun(clock), _goes_on(clock, each=500, seconds=0.125)
    for _ in range(41):
        words.saw(next(going))
    [line] = _drawn(words, 120)
    assert re.fullmatch(r"sending ━+[╸╺]? +22,003/50,000 · 4,000/s · 7 s left · accepted 22,000 · excluded 3", line)


@pytest.mark.parametrize("columns", [40, 60, 80, 200])
def test_no_line_is_wider_than_the_terminal(clock: Clock, columns: int) -> None:
    words = _begun(clock, replace(START, failed=9, uncertain=2, selected=50_011))
    words.waits(30, "421 4.7.0 too many connections from your address; try again later, or ask your host" * 2)
    lines = _drawn(words, columns)
    assert all(len(line) <= columns for line in lines)
    assert "2,014/50,011" in lines[0]
    assert any(line.lstrip().startswith("waiting 30 s: 421 4.7.0 too many") for line in lines)


def test_the_rate_is_that_of_the_last_seconds_and_of_this_run_alone(clock: Clock) -> None:
    words = _begun(clock)
    going = _goes_on(clock, each=10, seconds=1)
    for _ in range(100):
        words.saw(next(going))
    assert "/s" in words.counts
    assert " 10/s " in words.counts
    balance = next(going)
    for _ in range(20):
        clock.now += 1
        balance = replace(balance, accepted=balance.accepted + 100, waiting=balance.waiting - 100)
        words.saw(balance)
    assert " 100/s " in words.counts


def test_what_a_limit_makes_it_wait_for_is_a_part_of_its_pace(clock: Clock) -> None:
    words = _begun(clock)
    going = _goes_on(clock, each=100, seconds=60)  # 100 at once, and then nothing for a minute
    for _ in range(30):
        words.saw(next(going))
    assert words.counts.endswith("1.7/s · 7 h 31 min left")


def test_a_limit_is_what_it_goes_towards(clock: Clock) -> None:
    words = _begun(clock, limit=100)
    words.saw(replace(START, accepted=2_050, waiting=47_947))
    assert (words.done, words.goal) == (2_053, 2_103)


def test_while_it_waits_it_says_for_how_long_and_why_until_it_goes_on(clock: Clock) -> None:
    words = _begun(clock)
    shows = OnTerminal(words)
    shows.waits(30, "421 too busy")
    clock.now += 10
    assert words.waiting == "waiting 20 s: 421 too busy"
    shows.progress(START)
    assert words.waiting == ""


def test_before_the_first_batch_it_says_that_it_prepares(clock: Clock) -> None:
    words = Words(START, Stop(), None, clock)
    assert words.doing == "preparing"
    clock.now += 60
    words.begin(START)
    assert words.doing == "sending"
    clock.now += 10
    words.saw(replace(START, accepted=START.selected - 3, waiting=0))
    words.end()
    assert (words.doing, words.counts) == ("sent", "50,000/50,000 · 4,800/s · in 10 s")


def test_asked_to_stop_it_says_that_it_stops(clock: Clock) -> None:
    stop = Stop()
    words = _begun(clock, stop=stop)
    stop.ask()
    assert words.doing == "stopping"
    words.end()
    assert words.doing == "stopped"


def test_in_a_log_there_is_a_line_a_minute(clock: Clock) -> None:
    said: list[str] = []
    log, going = InLog(_begun(clock), said.append, clock), _goes_on(clock, each=10, seconds=1)
    for _ in range(int(LINE_EVERY) * 3):
        log.progress(next(going))
    assert said == [
        "sending 2,603/50,000 · 10/s · 1 h 19 min left · accepted 2,600 · excluded 3",
        "sending 3,203/50,000 · 10/s · 1 h 18 min left · accepted 3,200 · excluded 3",
    ]


def test_in_a_log_a_long_wait_is_said_when_it_begins_and_a_short_one_is_not(clock: Clock) -> None:
    said: list[str] = []
    log = InLog(_begun(clock), said.append, clock)
    log.waits(5, "421 too busy")
    assert said == []
    log.waits(900, "450 greylisted")
    assert said == ["sending 2,003/50,000 · accepted 2,000 · excluded 3 · waiting 15 min: 450 greylisted"]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "0 s"), (8.4, "8 s"), (99, "99 s"), (119, "2 min"), (3599, "1 h 0 min"), (4800, "1 h 20 min")],
)
def test_durations_are_as_precise_as_one_reads_them(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.slow
@pytest.mark.parametrize("columns", [60, 110])
def test_a_real_send_on_a_real_terminal(tmp_path: Path, columns: int) -> None:
    workspace(tmp_path, {"1-one/issue.md": issue_file(1, "Hello.")}, SETTINGS)
    (tmp_path / "people.csv").write_text("email\n" + "".join(f"reader{n}@example.org\n" for n in range(7)))
    said = _on_terminal(tmp_path, columns, "subscribers", "import", str(tmp_path / "people.csv"))
    said = _on_terminal(tmp_path, columns, "send", "1", "--yes")
    drawn = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", said)
    last = [line for line in re.split(r"[\r\n]+", drawn) if line.startswith("sent ")][-1]
    assert " 7/7 · " in last
    assert "accepted 7" in drawn
    assert len(last) <= columns, said


def _on_terminal(root: Path, columns: int, *arguments: str) -> str:
    """What `newsletter` writes to a terminal that is so wide."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = os.environ | {"NEWSLETTER_DATA_DIR": str(root / "data"), "PYTHONPATH": str(ROOT), "TERM": "xterm"}
    environment.pop("COLUMNS", None)
    command = [sys.executable, "-m", "newsletter", "-C", str(root), *arguments]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        said = b""
        try:
            while more := os.read(ours, 4096):
                said += more
        except OSError:  # the end of a terminal is an error on Linux
            pass
    os.close(ours)
    assert process.returncode == 0, said.decode()
    return said.decode()
