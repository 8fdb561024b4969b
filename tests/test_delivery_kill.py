"""A real process is killed with kill -9 while it sends, again and again; nobody gets it twice, nobody is lost."""

from __future__ import annotations

import email
import email.policy
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from newsletter.compile.edition import Enclosure
from newsletter.store.ledger import Balance
from tests.providers.editions import an_edition
from tests.providers.relay import Relay, serving
from tests.publication import Publication

ROOT = Path(__file__).parents[1]
READERS = 1_500
KILLS = 6
CONNECTIONS = 4
PICTURE = Enclosure(id="1@news.example.org", path="images/a.png", media_type="image/png", data=bytes(range(256)) * 40)
EDITION = replace(an_edition(f'<img src="cid:{PICTURE.id}">'), enclosed=(PICTURE,))

RESUME = """
import sys
from pathlib import Path
from newsletter.delivery.send import Sender
from newsletter.errors import Place
from newsletter.providers import open_provider
from newsletter.store.ledger import Ledger
from newsletter.store.schema import connect

folder, issue, name, key, value = sys.argv[1:]
smtp = {"host": "127.0.0.1", "security": "none", "connections": 4}
options = {key: value} if name == "outbox" else smtp | {key: value}
provider = open_provider(name, options, Place(Path("newsletter.toml")))
ledger = Ledger(connect(f"sqlite:///{folder}/newsletter.db"))
Sender(ledger, provider, Path(folder) / "journals", pauses=()).resume(issue)
"""


@pytest.fixture
def publication(tmp_path: Path) -> Publication:
    made = Publication.at(tmp_path)
    made.join(*(f"reader{n}" for n in range(READERS)))
    plan = made.plan(EDITION)
    made.ledger.freeze(plan.send, plan.body, plan.audience)
    return made


@contextmanager
def _resuming(folder: Path, *provider: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", RESUME, str(folder), EDITION.issue_id, *provider]
    with subprocess.Popen(command, cwd=ROOT) as process:
        try:
            yield process
        finally:
            process.kill()


def _kill_on_the_way(folder: Path, arrived: Callable[[], int], *provider: str) -> None:
    until = arrived() + random.randrange(1, READERS // KILLS // 2)
    with _resuming(folder, *provider) as process:
        while arrived() < until and process.poll() is None:
            time.sleep(0.0005)
        process.kill()


def _finish(folder: Path, *provider: str) -> None:
    with _resuming(folder, *provider) as process:
        assert process.wait(timeout=60) == 0


def _hold(balance: Balance, under_way: int) -> None:
    """`under_way` messages at most at each kill."""
    assert balance.selected == READERS
    assert balance.waiting == balance.failed == 0
    assert balance.uncertain <= KILLS * under_way


@pytest.mark.slow
def test_killed_while_it_fills_the_outbox(publication: Publication, tmp_path: Path) -> None:
    new, read = tmp_path / "outbox" / "new", tmp_path / "read"
    new.mkdir(parents=True)
    read.mkdir()
    times: Counter[str] = Counter()

    def read_the_mail() -> None:
        for path in [*new.iterdir()]:
            times[path.name] += 1
            path.rename(read / path.name)

    for _ in range(KILLS):
        _kill_on_the_way(tmp_path, lambda: sum(1 for _ in new.iterdir()), "outbox", "path", str(tmp_path / "outbox"))
        read_the_mail()
    _finish(tmp_path, "outbox", "path", str(tmp_path / "outbox"))
    read_the_mail()

    balance = publication.ledger.balance(EDITION.issue_id)
    _hold(balance, under_way=1)
    assert set(times.values()) == {1}
    assert balance.accepted <= len(times) <= balance.accepted + balance.uncertain
    mails = (email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in read.iterdir())
    assert all(PICTURE.data in [part.get_content() for part in mail.walk() if part["Content-ID"]] for mail in mails)


@pytest.mark.slow
def test_killed_while_it_talks_to_a_relay(publication: Publication, tmp_path: Path) -> None:
    with serving(Relay()) as relay:
        for _ in range(KILLS):
            _kill_on_the_way(tmp_path, lambda: len(relay.messages), "smtp", "port", str(relay.port))
        _finish(tmp_path, "smtp", "port", str(relay.port))
        times = Counter(address for _, address, _ in relay.messages)

    balance = publication.ledger.balance(EDITION.issue_id)
    _hold(balance, under_way=CONNECTIONS)
    assert set(times.values()) == {1}
    assert balance.accepted <= len(times) <= balance.accepted + balance.uncertain
