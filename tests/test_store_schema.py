from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from newsletter.errors import StoreError
from newsletter.store.schema import connect
from newsletter.store.subscribers import Newcomer, Subscribers


def test_a_database_is_made_for_its_owner_only(tmp_path: Path) -> None:
    connect(f"sqlite:///{tmp_path / 'news.db'}")
    assert stat.S_IMODE((tmp_path / "news.db").stat().st_mode) == 0o600


def test_what_was_written_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'news.db'}"
    Subscribers(connect(url)).add("ana@example.org", source="test")
    assert Subscribers(connect(url)).find("ana@example.org", "main") is not None


def test_writes_are_on_the_disk_when_they_are_committed(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'news.db'}")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_a_database_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'news.db'}"
    connect(url).dispose()
    with sqlite3.connect(tmp_path / "news.db") as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()
    with pytest.raises(StoreError, match="schema version 9999, this program knows version"):
        connect(url)


def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.db") as raw:
        raw.execute("CREATE TABLE bookmarks (url TEXT)")
    raw.close()
    with pytest.raises(StoreError, match="a database of something else"):
        connect(f"sqlite:///{tmp_path / 'other.db'}")


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a database " * 100)
    with pytest.raises(StoreError, match="file is not a database"):
        connect(f"sqlite:///{tmp_path / 'notes.txt'}")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("newsletter.db", "not the address of a database"),
        ("mysql://localhost/news", "not a store that is known"),
        ("sqlite://", "not a store that is known"),
        ("sqlite:////nowhere/at/all/news.db", "No such file or directory"),
    ],
)
def test_an_address_that_cannot_be_used_is_said(url: str, words: str) -> None:
    with pytest.raises(StoreError, match=words):
        connect(url)


def test_a_second_engine_of_the_process_takes_nothing_from_the_first(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'newsletter.db'}"
    first = Subscribers(connect(url))
    first.add_all([Newcomer(email="ann@example.org")], list="main", source="test")
    connect(url)
    program = (
        "import sys; from newsletter.store.schema import connect; from newsletter.store.subscribers import Subscribers;"
        "print(sum(1 for _ in Subscribers(connect(sys.argv[1])).active('main')))"
    )

    def seen_by_another_process() -> int:
        done = subprocess.run([sys.executable, "-c", program, url], capture_output=True, text=True, check=True)
        return int(done.stdout)

    assert seen_by_another_process() == 1  # the last to close would put the log away, if nobody held it
    first.add_all([Newcomer(email="bob@example.org")], list="main", source="test")
    assert seen_by_another_process() == 2
