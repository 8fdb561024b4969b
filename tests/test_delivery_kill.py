"""A real process is killed with kill -9 while it sends, again and again; nobody gets it twice, nobody is lost."""

from __future__ import annotations

import email
import email.policy
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from newsletter.compile.edition import Enclosure
from newsletter.store.ledger import Balance
from tests.benchmarks.measuring import say_table
from tests.killing.harness import AT_A_BATCH, AT_A_MESSAGE, FREEZING, HEAD, RANDOM, RECOVERING, killed
from tests.killing.sender import Step
from tests.killing.sink import Wire
from tests.providers.editions import an_edition
from tests.publication import Publication

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
READERS = 1_500
PICTURE = Enclosure(id="1@news.example.org", path="images/a.png", media_type="image/png", data=bytes(range(256)) * 40)
EDITION = replace(an_edition(f'<img src="cid:{PICTURE.id}">'), enclosed=(PICTURE,))

RESUME = """
import sys
from pathlib import Path
from newsletter.delivery.pacing import Pacing
from newsletter.delivery.send import Sender
from newsletter.providers.outbox import Outbox, OutboxOptions
from newsletter.store.ledger import Ledger
from newsletter.store.schema import connect

folder, issue = Path(sys.argv[1]), sys.argv[2]
ledger = Ledger(connect(f"sqlite:///{folder}/newsletter.db"))
outbox = Outbox(OutboxOptions(path=folder / "outbox"))
Sender(ledger, outbox, folder / "journals", pacing=Pacing(patience=0)).resume(issue)
"""


def test_killed_at_every_step_and_at_random_moments(tmp_path: Path) -> None:
    moments = [*FREEZING, *AT_A_MESSAGE, *AT_A_BATCH, RANDOM, RANDOM, RANDOM, *RECOVERING]
    report = killed(tmp_path, READERS, moments, batch=50)
    say_table("Killed", HEAD, report.table())
    total, rows = report.total, report.rows
    assert (total.lost, total.doubled, report.strangers) == (0, 0, 0)
    assert report.balance == Balance(selected=READERS, accepted=READERS - total.uncertain, uncertain=total.uncertain)
    assert total.uncertain == sum(row.uncertain for row in rows.values())
    assert all(row.uncertain <= row.bound for row in rows.values())
    assert not any(rows[step].uncertain for step in (*FREEZING, *AT_A_BATCH, *RECOVERING[1:]))
    for arrived in (Wire.TAKEN, Wire.ANSWERED, Step.ANSWERING):
        assert rows[arrived].arrived
    for not_arrived in (Wire.HALF, Wire.UNTAKEN, Step.INTENDED):
        assert rows[not_arrived].uncertain > rows[not_arrived].arrived


@contextmanager
def _resuming(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", RESUME, str(folder), EDITION.issue_id], cwd=ROOT) as process:
        try:
            yield process
        finally:
            process.kill()


def test_killed_while_it_fills_the_outbox(tmp_path: Path) -> None:
    readers, kills = 600, 6
    publication = Publication.at(tmp_path)
    publication.join(*(f"reader{n}" for n in range(readers)))
    plan = publication.plan(EDITION)
    publication.ledger.freeze(plan.send, plan.body, plan.audience)
    new, read = tmp_path / "outbox" / "new", tmp_path / "read"
    new.mkdir(parents=True)
    read.mkdir()
    times: Counter[str] = Counter()

    def read_the_mail() -> None:
        for path in [*new.iterdir()]:
            times[path.name] += 1
            path.rename(read / path.name)

    for _ in range(kills):
        until = random.randrange(1, readers // kills // 2)
        with _resuming(tmp_path) as process:
            while sum(1 for _ in new.iterdir()) < until and process.poll() is None:
                time.sleep(0.0005)
            process.kill()
        read_the_mail()
    with _resuming(tmp_path) as process:
        assert process.wait(timeout=60) == 0
    read_the_mail()

    balance = publication.ledger.balance(EDITION.issue_id)
    assert balance == Balance(selected=readers, accepted=balance.accepted, uncertain=balance.uncertain)
    assert balance.uncertain <= kills
    assert set(times.values()) == {1}
    assert balance.accepted <= len(times) <= balance.accepted + balance.uncertain
    mails = (email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in read.iterdir())
    assert all(PICTURE.data in [part.get_content() for part in mail.walk() if part["Content-ID"]] for mail in mails)
