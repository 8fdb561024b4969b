"""A full disk and a database that another process keeps locked, at each step of a send: it is said in one message; and
once there is room, or the lock is gone, going on loses nobody and sends to nobody twice."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest
from sqlalchemy import event
from sqlalchemy.pool import Pool

from newsletter.cli import run
from newsletter.delivery.log import Witness
from newsletter.errors import StoreError
from newsletter.store.ledger import Balance
from tests.providers.editions import an_edition
from tests.publication import Publication
from tests.test_delivery_send import Service
from tests.workspaces import issue_file, workspace

EDITION = an_edition()
ISSUE = EDITION.issue_id
READERS = [f"reader{n}" for n in range(30)]
BATCH = 10
PATIENCE = 300
"""Milliseconds that a locked database is waited for in these tests."""

LOCKED = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


class Trouble(Protocol):
    """What keeps the ledger from being written."""

    says: str

    def begin(self) -> None: ...

    def end(self) -> None: ...


class FullDisk:
    """No file may be longer than the longest in `folder`: SQLite only ever appends to its log, which is that one."""

    says = "disk I/O error"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def begin(self) -> None:
        self.leave(max(path.stat().st_size for path in self._folder.iterdir()))

    def leave(self, size: int) -> None:
        """Room for files of `size`. Python ignores the signal for those who want more: they are told."""
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, self._before[1]))

    def end(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self._before)


class Locked:
    """Another process is writing into the database in `folder`."""

    says = "database is locked"

    def __init__(self, folder: Path) -> None:
        self._database = folder / "newsletter.db"
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        command = [sys.executable, "-c", LOCKED, str(self._database)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout
        assert self._process.stdout.readline() == b"locked\n"

    def end(self) -> None:
        if self._process:
            self._process.communicate()
            self._process = None


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[FullDisk]:
    disk = FullDisk(tmp_path)
    yield disk
    disk.end()


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[Locked]:
    lock = Locked(tmp_path)
    yield lock
    lock.end()


@pytest.fixture
def impatient() -> Iterator[None]:
    def set_up(raw: object, *_: object) -> None:
        raw.execute(f"PRAGMA busy_timeout = {PATIENCE}")  # type: ignore[attr-defined]

    event.listen(Pool, "checkout", set_up)
    yield
    event.remove(Pool, "checkout", set_up)


@pytest.fixture
def publication(tmp_path: Path) -> Publication:
    made = Publication.at(tmp_path)
    made.join(*READERS)
    return made


class At(Witness):
    """Does something when so many are accepted."""

    def __init__(self, accepted: int, then: Callable[[], None]) -> None:
        self._accepted = accepted
        self._then = then

    def progress(self, balance: Balance) -> None:
        if balance.accepted == self._accepted:
            self._accepted = -1
            self._then()


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("trouble", ["disk", "lock"])
@pytest.mark.parametrize(("step", "accepted"), [("freeze", 0), ("claim", BATCH), ("settle", BATCH)])
def test_whenever_the_ledger_cannot_be_written(
    publication: Publication, request: pytest.FixtureRequest, trouble: str, step: str, accepted: int
) -> None:
    found: Trouble = request.getfixturevalue(trouble)
    service = Service(batch_max=BATCH)
    plan = publication.plan(EDITION)
    if step == "freeze":
        found.begin()
    if step == "settle":
        service.meanwhile = lambda: found.begin() if len(service.handed) == BATCH + 5 else None
    witness = At(BATCH if step == "claim" else -1, found.begin)
    with pytest.raises(StoreError, match=f"the database could not be used: {found.says}"):
        publication.sender(service, witnesses=(witness,)).send(plan)
    found.end()

    frozen = 0 if step == "freeze" else len(READERS)
    assert publication.ledger.balance(ISSUE) == Balance(selected=frozen, accepted=accepted, waiting=frozen - accepted)
    assert len(service.handed) == (accepted if step != "settle" else 2 * BATCH)

    service.meanwhile = lambda: None
    sender = publication.sender(service)
    done = sender.send(plan) if step == "freeze" else sender.resume(ISSUE)
    assert done == Balance(selected=len(READERS), accepted=len(READERS))
    assert Counter(service.handed) == Counter(READERS)


@pytest.mark.parametrize(("room_for", "handed"), [(0, 5), (1, 6)])
def test_a_disk_without_room_for_the_journal(
    publication: Publication, disk: FullDisk, room_for: int, handed: int
) -> None:
    """An intent that cannot be written is nobody handed over; an answer that cannot leaves one uncertain."""
    service = Service(batch_max=BATCH)
    journal = publication.journals / f"{ISSUE}.journal"

    def fill() -> None:
        if len(service.handed) == 5:
            disk.leave(journal.stat().st_size + 16 * room_for)

    service.meanwhile = fill
    with pytest.raises(StoreError, match="the database could not be used") as caught:
        publication.sender(service).send(publication.plan(EDITION))
    assert any(f"the journal {journal} cannot be written" in said for said in _said_before(caught.value))
    disk.end()
    assert len(service.handed) == handed

    service.meanwhile = lambda: None
    done = publication.sender(service).resume(ISSUE)
    assert done == Balance(selected=len(READERS), accepted=len(READERS) - room_for, uncertain=room_for)
    assert Counter(service.handed) == Counter(READERS)


def _said_before(error: BaseException) -> Iterator[str]:
    """The ledger has no room either, and has the last word."""
    while before := error.__context__:
        yield str(before)
        error = before


def test_a_lock_that_is_gone_soon_is_waited_for(publication: Publication, lock: Locked) -> None:
    service = Service(batch_max=BATCH)
    plan = publication.plan(EDITION)
    lock.begin()
    soon = threading.Timer(0.5, lock.end)
    soon.start()
    try:
        assert publication.sender(service).send(plan) == Balance(selected=len(READERS), accepted=len(READERS))
    finally:
        soon.join()


@pytest.fixture
def newsletter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """newsletter("send", "1"): its exit code, with an issue, and readers who may get it."""
    monkeypatch.setenv("NEWSLETTER_DATA_DIR", str(tmp_path))
    root = tmp_path / "workspace"
    root.mkdir()
    workspace(root, {"1-one/issue.md": issue_file(1, "Hello.")})
    (root / "people.csv").write_text("\n".join(["email", *(f"{name}@example.org" for name in READERS)]))

    def run_(*arguments: str) -> int:
        return run(["-C", str(root), *arguments])

    assert run_("subscribers", "import", str(root / "people.csv")) == 0
    return run_


@pytest.mark.slow
@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("trouble", ["disk", "lock"])
def test_the_person_is_told_what_to_do(
    newsletter: Callable[..., int], request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str], trouble: str
) -> None:
    found: Trouble = request.getfixturevalue(trouble)
    found.begin()
    assert newsletter("send", "1", "--yes") == 4
    found.end()
    said = capsys.readouterr().err
    assert said.startswith(f"error: the database could not be used: {found.says}\n")
    assert newsletter("send", "1", "--yes", "--json") == 0
    assert json.loads(capsys.readouterr().out)["accepted"] == len(READERS)


@pytest.mark.slow
def test_where_sent_json_cannot_be_written_nobody_is_sent_to_before_it_can(
    newsletter: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    issue = tmp_path / "workspace" / "issues" / "1-one"
    in_its_way = issue / f".sent.json.{os.getpid()}"
    in_its_way.mkdir()
    assert newsletter("send", "1", "--yes") == 4
    assert f"error: {issue / 'sent.json'} cannot be written: " in capsys.readouterr().err
    assert not (tmp_path / "outbox").exists()
    in_its_way.rmdir()
    assert newsletter("resume", "1", "--json") == 0
    assert json.loads(capsys.readouterr().out)["accepted"] == len(READERS)
    assert json.loads((issue / "sent.json").read_text())["balance"]["accepted"] == len(READERS)
