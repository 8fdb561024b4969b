"""Measuring contenders side by side: in rounds, one after the other in each, so that a busy machine is busy for all."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Self, TypeVar

T = TypeVar("T")
_PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@dataclass(slots=True)
class Clock(AbstractContextManager["Clock"]):
    """Seconds on the wall and of this process's CPU, within its block; entered again, it goes on."""

    wall: float = 0.0
    cpu: float = 0.0

    def __enter__(self) -> Self:
        self.wall -= time.perf_counter()
        self.cpu -= time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall += time.perf_counter()
        self.cpu += time.process_time()

    def without(self, other: Clock) -> Clock:
        """What is left when `other` is taken off, such as what it takes to start."""
        return Clock(self.wall - other.wall, self.cpu - other.cpu)


def timed(*command: object) -> Clock:
    """A whole process, and its CPU; raises CalledProcessError if it fails."""
    began = time.perf_counter()
    with subprocess.Popen([*map(str, command)], stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return Clock(wall, usage.ru_utime + usage.ru_stime)


def peak(*command: object, environment: Mapping[str, str] | None = None) -> int:
    """The bytes that a process holds at most.

    It is started by a small one: Linux counts the memory of whoever starts a process as its own.
    """
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, *map(str, command)], check=True, stdout=subprocess.PIPE, env=environment
    )
    return int(done.stdout.split()[-1]) * 1024


@dataclass(frozen=True, slots=True)
class Series:
    """The same measured in every round."""

    values: Sequence[float]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def said(self, digits: int) -> str:
        """median (min–max)"""
        low, high = min(self.values), max(self.values)
        return f"{self.median:,.{digits}f} ({low:,.{digits}f}–{high:,.{digits}f})"

    def over(self, other: Series) -> Series:
        """The ratio to `other`, round by round."""
        return Series([mine / theirs for mine, theirs in zip(self.values, other.values, strict=True)])


def in_rounds(contenders: Mapping[str, Callable[[], T]], rounds: int) -> dict[str, list[T]]:
    """What each contender gives, round by round; in every round another one begins."""
    found: dict[str, list[T]] = {name: [] for name in contenders}
    names = [*contenders]
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            found[name].append(contenders[name]())
    return found


def say_table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: the first column to the left, the numbers to the right."""
    widths = [max(len(row[n]) for row in (head, *rows)) for n in range(len(head))]
    print(f"\n{title}")
    for row in (head, ["-" * width for width in widths], *rows):
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        print("  ".join(cells).rstrip())
