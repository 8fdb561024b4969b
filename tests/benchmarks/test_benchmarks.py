"""The benchmarks run; how fast, nobody asks here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.benchmarks import compiling, distance, sending, starting, writing

pytestmark = [pytest.mark.real, pytest.mark.slow]


def test_each_figure_is_printed(part: Callable[[str], Path], capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("node", "mjml", "markdown-it", "smtp-sink"):
        part(name)
    starting.main(rounds=1)
    writing.main(rounds=1, repeats=1, processes=1, issues=4, few=2)
    compiling.main(rounds=1, repeats=1, processes=1)
    sending.main(rounds=1, messages=3)
    distance.main(rounds=1, messages=3)
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
        sending.LOOP,
        sending.WHOLE,
        distance.ONE,
    ):
        assert f"\n{name}" in printed
