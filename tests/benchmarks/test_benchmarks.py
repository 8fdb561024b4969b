"""The benchmarks run; how fast, nobody asks here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.benchmarks import compiling, distance, others, remembering, sending, starting, writing

pytestmark = [pytest.mark.real, pytest.mark.slow]


def test_each_figure_is_printed(part: Callable[[str], Path], capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("node", "mjml", "markdown-it", "smtp-sink", "smtp-source"):
        part(name)
    starting.main(rounds=1)
    writing.main(rounds=1, repeats=1, processes=1, issues=4, few=2)
    compiling.main(rounds=1, repeats=1, processes=1)
    sending.main(rounds=1, messages=3)
    distance.main(rounds=1, messages=3)
    remembering.main(recipients=30, few=10)
    printed = capsys.readouterr().out
    for name in (
        "newsletter --help",
        writing.FULL,
        writing.PEER,
        writing.COLD,
        writing.EDITED,
        "4 issues",
        compiling.STEP,
        compiling.NPM_BUILD,
        others.LOOP,
        sending.SOURCE,
        sending.FROZEN,
        sending.DJANGO,
        sending.MAILMERGE,
        distance.ONE,
        remembering.LEDGER,
    ):
        assert f"\n{name}" in printed
