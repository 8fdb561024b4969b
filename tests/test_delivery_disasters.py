"""What may happen between a kill -9 and the resume: journals and databases that are gone, old or another's, folders and
clones, another version. Real processes; nobody gets it twice, nobody is lost, and what is said.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from newsletter.delivery.journal import FileJournal
from newsletter.delivery.locking import boot_id
from newsletter.delivery.stopping import Stop
from newsletter.message import envelope_sender, message_id
from newsletter.providers.base import Outcome, Result
from newsletter.store.ledger import Balance
from newsletter.store.subscribers import Newcomer
from tests.killing.harness import Running, opened
from tests.killing.newsroom import ARTICLE, Newsroom
from tests.killing.sender import CONNECTIONS, EDITION, Step
from tests.killing.sink import Sink, Trap, Wire, listening

pytestmark = pytest.mark.slow

DATA = Path(__file__).parent / "data"
ISSUE = EDITION.issue_id
READERS = 300
BATCH = 100
LEASE = 1
SEND = ("send", "1", "--yes", "--unverified-unsubscribe")


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[Sink]:
    with listening(tmp_path / "sink.log") as made:
        yield made


@pytest.fixture
def newsroom(tmp_path: Path, sink: Sink) -> Newsroom:
    return Newsroom.at(tmp_path, sink, READERS)


def _nobody_has_it_twice(sink: Sink) -> None:
    assert set(sink.copies().values()) == {1}


# Journals that are not to be believed.


def _gone(journal: Path) -> None:
    journal.unlink()


def _of_another_machine(journal: Path) -> None:
    """It says of others that they were sent to, and of nobody here."""
    with FileJournal(journal.with_name("another")) as another:
        another.begin(1, 60, Stop())
        another.intent(["a" * 32])
        another.answer(Result(recipient="a" * 32, outcome=Outcome.ACCEPTED))
    journal.with_name("another").replace(journal)


def _empty(journal: Path) -> None:
    """Made, and then the machine had no more room."""
    journal.write_bytes(b"")


@pytest.fixture
def running(tmp_path: Path, sink: Sink) -> Running:
    """A send of several batches, to somebody's own publication."""
    with opened(tmp_path) as (people, _):
        newcomers = [Newcomer(email=f"reader{n}@example.org") for n in range(READERS)]
        people.add_all(newcomers, list="main", source="test")
    return Running(tmp_path, sink, BATCH, LEASE)


@pytest.mark.parametrize("disaster", [_gone, _empty])
def test_a_batch_whose_journal_is_not_the_one_is_uncertain_as_a_whole(
    running: Running, sink: Sink, tmp_path: Path, disaster: Callable[[Path], None]
) -> None:
    running.kill(Wire.HALF, after=BATCH + 50)
    in_doubt = running.left_open(READERS)
    disaster(tmp_path / "journals" / f"{ISSUE}.journal")
    time.sleep(LEASE)
    running.finish()
    _all_uncertain(tmp_path, in_doubt, "the journal of it is gone")
    _nobody_has_it_twice(sink)


def test_a_journal_of_batches_that_the_database_does_not_know_makes_all_uncertain(
    running: Running, sink: Sink, tmp_path: Path
) -> None:
    """Of another machine; or it is the database that is not the one which the journal was written beside."""
    running.kill(Wire.HALF, after=BATCH + 50)
    _of_another_machine(tmp_path / "journals" / f"{ISSUE}.journal")
    running.finish()
    with opened(tmp_path) as (_, ledger):
        uncertain, balance = ledger.uncertain(ISSUE), ledger.balance(ISSUE)
    assert balance == Balance(selected=READERS, accepted=BATCH, uncertain=READERS - BATCH)
    assert {delivery.detail for delivery in uncertain} == {
        "the database is older than the journal beside it: perhaps sent since"
    }
    _nobody_has_it_twice(sink)


def test_a_batch_from_before_the_machine_stopped_is_uncertain_as_a_whole(
    running: Running, sink: Sink, tmp_path: Path
) -> None:
    running.kill(Wire.HALF, after=BATCH + 50)
    in_doubt = running.left_open(READERS)
    with closing(sqlite3.connect(tmp_path / "newsletter.db")) as raw, raw:
        assert raw.execute("SELECT DISTINCT boot_id FROM batches").fetchall() == [(boot_id(),)]
        raw.execute("UPDATE batches SET boot_id = 'the one before'")
    running.finish()
    _all_uncertain(tmp_path, in_doubt, "the machine stopped")
    _nobody_has_it_twice(sink)


def test_a_batch_whose_journal_is_an_older_copy_of_its_own_is_uncertain_as_a_whole(
    running: Running, sink: Sink, tmp_path: Path
) -> None:
    journal = tmp_path / "journals" / f"{ISSUE}.journal"
    running.kill(Step.CLAIMED, after=1)
    shutil.copy(journal, tmp_path / "older")
    running.kill(Wire.HALF, after=BATCH + 50)
    in_doubt = running.left_open(READERS)
    shutil.copy(tmp_path / "older", journal)
    time.sleep(LEASE)
    running.finish()
    _nobody_has_it_twice(sink)
    _all_uncertain(tmp_path, in_doubt, "the journal of it is gone")


def _all_uncertain(folder: Path, keys: list[str], why: str) -> None:
    with opened(folder) as (_, ledger):
        uncertain = ledger.uncertain(ISSUE)
        balance = ledger.balance(ISSUE)
    assert {delivery.key for delivery in uncertain} == set(keys)
    assert all(why in delivery.detail for delivery in uncertain)
    assert balance == Balance(selected=READERS, accepted=READERS - BATCH, uncertain=BATCH)


def test_while_another_worker_may_be_alive_nothing_is_sent_and_it_is_said(newsroom: Newsroom, sink: Sink) -> None:
    newsroom.killed(*SEND, after=50)
    [journal] = (newsroom.data / "journals").iterdir()
    journal.unlink()
    before = sink.taken
    said = newsroom.says("resume", "1", code=4)
    assert "copies of this issue are with process" in said
    assert "if that process is dead, try again after" in said
    assert (sink.taken, newsroom.balance) == (before, Balance(selected=READERS, waiting=READERS))


# Databases of yesterday.


def test_a_backup_of_yesterday_sends_to_nobody_again(newsroom: Newsroom, sink: Sink, tmp_path: Path) -> None:
    newsroom.says(*SEND, "--limit", "100")
    newsroom.says("backup", str(tmp_path / "yesterday.zip"))
    newsroom.killed("resume", "1", after=100)
    said = newsroom.says("restore", str(tmp_path / "yesterday.zip"), "--replace")
    assert "200 recipients uncertain; `newsletter uncertain issue0000001` decides" in said
    assert newsroom.balance == Balance(selected=READERS, accepted=100, uncertain=200)
    _nobody_has_it_twice(sink)
    newsroom.says("uncertain", "1", "--assume-sent")
    assert newsroom.balance == Balance(selected=READERS, accepted=READERS)


@pytest.mark.parametrize("again", [SEND, ("resume", "1")])
def test_a_bare_copy_of_the_database_of_yesterday_sends_to_nobody_again(
    newsroom: Newsroom, sink: Sink, tmp_path: Path, again: tuple[str, ...]
) -> None:
    newsroom.says(*SEND, "--limit", "100")
    shutil.copy(newsroom.data / "newsletter.db", tmp_path / "yesterday.db")
    newsroom.killed("resume", "1", after=100)
    for old in newsroom.data.glob("newsletter.db*"):
        old.unlink()
    shutil.copy(tmp_path / "yesterday.db", newsroom.data / "newsletter.db")
    newsroom.says(*again, code=5)
    _nobody_has_it_twice(sink)
    assert newsroom.balance == Balance(selected=READERS, accepted=100, uncertain=200)


def test_who_is_held_for_an_older_database_gets_it_when_somebody_says_so(
    newsroom: Newsroom, sink: Sink, tmp_path: Path
) -> None:
    newsroom.says(*SEND, "--limit", "100")
    shutil.copy(newsroom.data / "newsletter.db", tmp_path / "yesterday.db")
    newsroom.killed("resume", "1", after=100)
    for old in newsroom.data.glob("newsletter.db*"):
        old.unlink()
    shutil.copy(tmp_path / "yesterday.db", newsroom.data / "newsletter.db")
    newsroom.says("resume", "1", code=5)
    assert newsroom.balance == Balance(selected=READERS, accepted=100, uncertain=200)
    newsroom.says("uncertain", "1", "--resend")
    newsroom.says("resume", "1", "--limit", "150")
    newsroom.says("resume", "1")
    assert newsroom.balance == Balance(selected=READERS, accepted=READERS)


def test_a_data_folder_of_yesterday_sends_to_nobody_again(newsroom: Newsroom, sink: Sink, tmp_path: Path) -> None:
    newsroom.says(*SEND, "--limit", "100")
    shutil.copytree(newsroom.data, tmp_path / "yesterday")
    newsroom.says("resume", "1")
    here = replace(newsroom, data=tmp_path / "yesterday")
    for again in (SEND, ("resume", "1")):
        assert "older than sent.json, which says 300 accepted" in here.says(*again, code=4)
    _nobody_has_it_twice(sink)


# Folders and clones.


def test_a_folder_of_another_name_is_the_same_issue(newsroom: Newsroom, sink: Sink) -> None:
    newsroom.killed(*SEND, after=150)
    newsroom.issue.rename(newsroom.issue.with_name("7-seven"))
    newsroom.says("resume", "7-seven", code=5)
    _everybody_once(newsroom, sink)


class Pause(Trap):
    """It stops its victim, and lets it live."""

    def kill(self) -> None:
        self.hold()


def test_a_second_clone_with_the_same_data_goes_on_once_the_first_is_dead(
    newsroom: Newsroom, sink: Sink, tmp_path: Path
) -> None:
    shutil.copytree(newsroom.root, tmp_path / "clone")
    clone = replace(newsroom, root=tmp_path / "clone")
    trap = Pause(Wire.HALF, after=100)
    sink.set(trap)
    with newsroom.running(*SEND) as first:
        trap.victim.set_result(first.pid)
        os.waitid(os.P_PID, first.pid, os.WSTOPPED | os.WNOWAIT)
        for again in (SEND, ("resume", "1")):
            assert f"this issue is being sent already, by process {first.pid}" in clone.says(*again, code=4)
        first.kill()
    sink.drain()
    clone.says("resume", "1", code=5)
    _everybody_once(clone, sink)


def test_a_second_clone_with_other_data_sends_to_nobody(newsroom: Newsroom, sink: Sink, tmp_path: Path) -> None:
    newsroom.says(*SEND, "--limit", "100")
    newsroom.killed("resume", "1", after=100)
    shutil.copytree(newsroom.root, tmp_path / "clone")
    (tmp_path / "other").mkdir()
    clone = replace(newsroom, root=tmp_path / "clone", data=tmp_path / "other").joined(READERS)
    assert "the ledger on this machine knows nothing of it: everybody would get it again" in clone.says(*SEND, code=4)
    assert "was never sent from here" in clone.says("resume", "1", code=4)
    _nobody_has_it_twice(sink)


def test_a_clone_of_one_that_was_killed_the_first_time_sends_to_nobody(
    newsroom: Newsroom, sink: Sink, tmp_path: Path
) -> None:
    newsroom.killed(*SEND, after=150)
    shutil.copytree(newsroom.root, tmp_path / "clone")
    (tmp_path / "other").mkdir()
    clone = replace(newsroom, root=tmp_path / "clone", data=tmp_path / "other").joined(READERS)
    assert "knows nothing of it: everybody would get it again" in clone.says(*SEND, code=4)


def _everybody_once(newsroom: Newsroom, sink: Sink) -> None:
    """But for those whose message was under way."""
    balance = newsroom.balance
    assert balance == Balance(selected=READERS, accepted=balance.accepted, uncertain=balance.uncertain)
    assert balance.uncertain <= CONNECTIONS
    assert balance.accepted <= sink.copies().total() <= READERS
    _nobody_has_it_twice(sink)


# Another version.


def test_what_is_resumed_is_what_was_approved_though_the_folder_cannot_even_be_compiled(
    newsroom: Newsroom, sink: Sink
) -> None:
    newsroom.killed(*SEND, after=150)
    (newsroom.issue / "1.md").write_text("Other words, and no front matter.")
    front, _, _ = (newsroom.issue / "issue.md").read_text().partition("Hello.")
    (newsroom.issue / "issue.md").write_text(f"{front}:::nonsense")
    theme = newsroom.root / "templates" / "email"
    theme.mkdir(parents=True)
    (theme / "issue.mjml.j2").write_text("{% broken")
    newsroom.says("build", "1", code=1)
    newsroom.says("resume", "1", code=5)
    _everybody_once(newsroom, sink)
    assert ARTICLE.encode() in sink.last


def test_a_send_that_an_older_version_began_is_gone_on_with(sink: Sink, tmp_path: Path) -> None:
    """Killed when the database was of revision 0002: `taken` had arrived, as its journal says, but for two."""
    old = DATA / "killed_2"
    with closing(sqlite3.connect(tmp_path / "newsletter.db")) as raw:
        raw.executescript((old / "newsletter.sql").read_text("utf-8"))
        with raw:
            raw.execute("UPDATE batches SET boot_id = ?", [boot_id()])
    (tmp_path / "journals").mkdir()
    shutil.copy(old / "issue.journal", tmp_path / "journals" / f"{ISSUE}.journal")
    Running(tmp_path, sink, BATCH).finish()
    with opened(tmp_path) as (_, ledger):
        balance = ledger.balance(ISSUE)
        uncertain = {delivery.key for delivery in ledger.uncertain(ISSUE)}
    assert balance == Balance(selected=24, accepted=22, uncertain=2)
    before, copies = (old / "taken.txt").read_text("ascii").split(), sink.copies()
    domain = envelope_sender(EDITION).partition("@")[2]
    in_doubt = {message_id(ISSUE, key, domain) for key in uncertain}
    assert set(copies.values()) == {1}
    assert not copies.keys() & {*before, *in_doubt}
    assert len({*copies, *before, *in_doubt}) == 24
