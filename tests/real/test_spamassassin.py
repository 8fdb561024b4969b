"""The sample issue as SpamAssassin sees it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.real.desk import REPOSITORY, Desk

pytestmark = [pytest.mark.real, pytest.mark.slow]


def test_the_sample_issue_scores_under_one_point(sample: Desk, part: Callable[[str], Path]) -> None:
    shutil.copy(REPOSITORY / "newsletter.toml", sample.root)
    sample.newsletter("subscribers", "add", "reader@example.com", "--first-name", "Zoë")
    sample.newsletter("send", "126", "--yes")
    [message] = sample.outbox.glob("new/*.eml")

    # Local rules only, no settings of whoever runs this: the same verdict on every machine.
    command = [str(part("spamassassin")), "-L", "-t", "-x"]
    report = subprocess.run(command, input=message.read_bytes(), capture_output=True, check=True).stdout.decode()
    analysis = report[report.index("Content analysis details:") :]
    print(analysis)
    score = re.search(r"\(([-\d.]+) points", analysis)
    assert score is not None
    assert float(score[1]) < 1.0, analysis
