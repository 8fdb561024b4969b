"""A copy of an SQLite database, taken while others read and write it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from newsletter.errors import StoreError


def copy_database(source: Path, target: Path) -> None:
    """Write to `target` what `source` holds at one moment: for its owner only, on the disk, whole or not at all.

    Who writes to `source` meanwhile is not held up, and not in the copy. Raises StoreError.
    """
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        os.close(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        _copy(source, draft)
        to_disk(draft)
        draft.replace(target)
        to_disk(target.parent)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"{source} cannot be copied to {target}: {error}") from error
    finally:
        draft.unlink(missing_ok=True)


def refuse_while_open(database: Path) -> None:
    """Raise StoreError if another process has `database` open; otherwise all of it is in this one file afterwards.

    One that is not there, or is broken, nobody has open.
    """
    if not database.exists():
        return
    try:
        with closing(sqlite3.connect(database, timeout=0)) as alone:
            alone.execute("PRAGMA journal_mode = DELETE")  # no WAL: that is only left by the last who has it open
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            raise StoreError(
                f"{database} is in use by another process",
                hint="end what works with it, such as `newsletter serve` or a send, and try again",
            ) from error


def _copy(source: Path, target: Path) -> None:
    uri = f"{source.absolute().as_uri()}?mode=rw"  # only one that may write can open a database in WAL mode anywhere
    with closing(sqlite3.connect(uri, uri=True)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)  # all pages in one step: one moment, for readers do not wait for writers in WAL mode
        new.execute("PRAGMA journal_mode = DELETE")  # a single file, until it is used


def to_disk(path: Path) -> None:
    """Return when the file or folder at `path` is on the disk, as it is now; Windows knows no such thing for folders.

    Raises OSError.
    """
    if os.name == "nt" and path.is_dir():
        return
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
