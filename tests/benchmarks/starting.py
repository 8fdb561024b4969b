"""How long `newsletter --help` takes, against a Python that does nothing: whole processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from tests.benchmarks.measuring import Clock, Series, in_rounds, say_table

NOTHING = "python -c pass"


def main(rounds: int = 20) -> None:
    """Print the table."""
    contenders = {NOTHING: _process("-c", "pass"), "newsletter --help": _process("-m", "newsletter", "--help")}
    found = {name: Series(taken) for name, taken in in_rounds(contenders, rounds).items()}
    rows = [[name, taken.said(0), taken.over(found[NOTHING]).said(1)] for name, taken in found.items()]
    say_table(f"Start: {rounds} processes each", ["", "ms", f"x {NOTHING}"], rows)


def _process(*arguments: str) -> Callable[[], float]:
    def milliseconds() -> float:
        with Clock() as clock:
            subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        return clock.wall * 1000

    return milliseconds
