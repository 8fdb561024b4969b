"""Databases of older versions are upgraded, and never lost: real files, real processes, real kills."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from newsletter.errors import StoreError
from newsletter.store.ledger import Balance, Ledger
from newsletter.store.schema import REVISION, connect, metadata, reading
from newsletter.store.subscribers import Subscribers, SubscriberState
from tests.workspaces import issue_file, workspace

ROOT = Path(__file__).parents[1]
VERSION_1 = (ROOT / "tests" / "data" / "schema_1.sql").read_text("utf-8")
ISSUE = "k3v9q2m8w1zt"
MANY = 50_000

CONNECT = """
import sys
from newsletter.store.schema import connect
connect(sys.argv[1], on_upgrade=print).dispose()
"""

KILLED_AT = """
import os, signal, sys
from sqlalchemy import Engine, event
from newsletter.store.schema import connect

url, left, moment = sys.argv[1], int(sys.argv[2]), sys.argv[3]

@event.listens_for(Engine, moment)
def count(*_):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

connect(url).dispose()
"""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A database as version 1 of the schema left it."""
    path = tmp_path / "news.db"
    with closing(sqlite3.connect(path)) as raw:
        raw.executescript(VERSION_1)
        raw.execute("PRAGMA journal_mode = WAL")
    path.chmod(0o600)
    return path


def _dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as raw:
        return [*raw.iterdump()]


def _kept(old: Path) -> list[Path]:
    return [path for path in old.parent.glob("*.db") if path != old]


def _grow(old: Path) -> None:
    """So that an upgrade takes a while."""
    with closing(sqlite3.connect(old)) as raw, raw:
        rows = ((f"{n:064}", ISSUE, bytes(range(256)) * 4) for n in range(MANY))
        raw.executemany("INSERT INTO editions VALUES (?, ?, ?)", rows)


def _python(program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_database_from_before_alembic_is_upgraded_with_all_that_is_in_it(old: Path) -> None:
    engine = connect(f"sqlite:///{old}")
    ledger, people = Ledger(engine), Subscribers(engine)
    assert ledger.balance(ISSUE) == Balance(selected=4, accepted=1, uncertain=1, waiting=2)
    assert ledger.edition(ISSUE) == b"the edition"
    assert [claim.worker.journal_id for claim in ledger.open_claims(ISSUE)] == ["journal"]
    assert people.count("main")[SubscriberState.ACTIVE] == 4
    found = people.find("cy@example.org", "main")
    assert found
    assert (found.first_name, found.fields) == ("Cy", {"city": "Köln"})


def test_an_upgraded_database_is_as_a_new_one(old: Path) -> None:
    with reading(connect(f"sqlite:///{old}")) as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    connect(f"sqlite:///{old.with_name('new.db')}").dispose()
    version = "SELECT * FROM alembic_version, meta"
    with closing(sqlite3.connect(old)) as upgraded, closing(sqlite3.connect(old.with_name("new.db"))) as new:
        assert upgraded.execute(version).fetchall() == new.execute(version).fetchall()


def test_it_is_kept_as_it_was_under_a_name_that_says_version_and_time(old: Path) -> None:
    before, told = _dump(old), []
    connect(f"sqlite:///{old}", on_upgrade=told.append)
    [kept] = _kept(old)
    assert told == [kept]
    assert re.fullmatch(r"news-0001-\d{8}T\d{6}Z\.db", kept.name)
    assert _dump(kept) == before
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    connect(f"sqlite:///{old}", on_upgrade=told.append)
    assert told == [kept]


def test_a_step_that_fails_leaves_all_as_it_was(old: Path) -> None:
    with closing(sqlite3.connect(old)) as raw:
        raw.execute("ALTER TABLE sends ADD COLUMN settings TEXT")
    before = _dump(old)
    with pytest.raises(StoreError, match=rf"from schema version 0001 to {REVISION}: duplicate column"):
        connect(f"sqlite:///{old}")
    assert _dump(old) == before
    assert _kept(old) == []


def test_without_room_for_a_copy_nothing_is_upgraded(old: Path) -> None:
    before = _dump(old)
    small = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))\n"
    small += "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    process = _python(small + CONNECT, f"sqlite:///{old}")
    _, err = process.communicate(timeout=60)
    assert "StoreError" in err
    assert "cannot be copied" in err
    assert _dump(old) == before
    assert [path.name for path in old.parent.iterdir() if "news" in path.name] == ["news.db"]


@pytest.mark.parametrize("said", ["7", "nonsense"])
def test_a_version_from_before_alembic_that_is_not_known_is_refused(old: Path, said: str) -> None:
    with closing(sqlite3.connect(old)) as raw, raw:
        raw.execute("UPDATE meta SET value = ?", [said])
    before = _dump(old)
    with pytest.raises(StoreError, match=f"has schema version {said}, this program knows version {REVISION}"):
        connect(f"sqlite:///{old}")
    assert _dump(old) == before
    assert _kept(old) == []


def test_a_program_from_before_alembic_refuses_what_was_upgraded(old: Path) -> None:
    connect(f"sqlite:///{old}").dispose()
    with closing(sqlite3.connect(old)) as raw:
        [[found]] = raw.execute("SELECT value FROM meta WHERE key = 'schema_version'")
    assert found != "1"


@pytest.mark.slow
def test_of_two_that_upgrade_at_once_one_waits(old: Path) -> None:
    _grow(old)
    processes = [_python(CONNECT, f"sqlite:///{old}") for _ in range(3)]
    told = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sorted(map(bool, told)) == [False, False, True]
    [kept] = _kept(old)
    assert Ledger(connect(f"sqlite:///{old}")).balance(ISSUE).selected == 4
    with closing(sqlite3.connect(kept)) as raw:
        assert raw.execute("SELECT count(*) FROM editions").fetchone() == (MANY + 1,)


def _moments() -> Iterator[tuple[str, int]]:
    yield from (("before_cursor_execute", n) for n in range(1, 40, 6))
    yield from (("after_cursor_execute", n) for n in range(3, 40, 6))
    yield from (("begin", n) for n in (1, 2))
    yield ("commit", 1)


@pytest.mark.slow
def test_killed_at_any_statement_it_is_the_old_one_or_the_new_one(old: Path) -> None:
    before, kills = _dump(old), 0
    for moment, number in _moments():
        process = _python(KILLED_AT, f"sqlite:///{old}", str(number), moment)
        _, err = process.communicate(timeout=60)
        assert process.returncode in {0, -signal.SIGKILL}, err
        if process.returncode:
            kills += 1
            assert _dump(old) == before
        for path in old.parent.iterdir():  # as if nothing had been tried
            path.unlink()
        with closing(sqlite3.connect(old)) as raw:
            raw.executescript(VERSION_1)
    assert kills > 6


@pytest.mark.slow
def test_killed_at_any_time_it_can_be_upgraded_afterwards(old: Path) -> None:
    _grow(old)
    process = _python(CONNECT, f"sqlite:///{old}")
    while not [*old.parent.glob(".news-0001-*")] and process.poll() is None:
        time.sleep(0.001)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert _kept(old) == []
    assert Ledger(connect(f"sqlite:///{old}")).balance(ISSUE).selected == 4
    assert len(_kept(old)) == 1


def test_a_command_says_where_the_old_one_is_and_the_next_one_knows_nothing_of_alembic(old: Path) -> None:
    root = old.parent / "workspace"
    root.mkdir()
    workspace(root, {"1-one/issue.md": issue_file(1, "Hello.")})
    old.rename(old.parent / "newsletter.db")
    environment = os.environ | {"NEWSLETTER_DATA_DIR": str(old.parent), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-X", "importtime", "-m", "newsletter", "-C", str(root), "build", "1"]
    first, second = (
        subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stderr for _ in range(2)
    )
    assert f"is kept as {old.parent}/newsletter-0001-" in first
    assert "| alembic" in first.replace("  ", "")
    assert "sqlalchemy" in second
    assert "alembic" not in second.replace("alembic_version", "")
