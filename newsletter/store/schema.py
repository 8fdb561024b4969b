"""The tables, and what is particular about SQLite. Times are stored in UTC and come back with their zone."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    DateTime,
    Dialect,
    Engine,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    create_engine,
    event,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError

from newsletter.errors import StoreError

REVISION = "0003"
"""The newest step in migrations/versions: what the tables below are, and new databases begin with."""

_FIRST_REVISION = "0001"
_META_KEY = "schema_version"
_BEFORE_ALEMBIC = "1"
_SINCE_ALEMBIC = "2"
_BUSY_MILLISECONDS = 60_000  # as long as the freeze of a very large list may hold the one writer's place

_NO_ROOM = "is the disk full? Once there is room, `newsletter resume` goes on with a send"
_HINTS = {
    "SQLITE_BUSY": "another process is writing into it; try again when that is done",
    "SQLITE_FULL": _NO_ROOM,
    "SQLITE_IOERR": _NO_ROOM,
}


class Moment(TypeDecorator[datetime]):
    """A point in time: aware in Python, UTC in the database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData()

# Of which version the database is; the table is Alembic's own.
alembic_version = Table(
    "alembic_version",
    metadata,
    Column("version_num", String(32), primary_key=True),
)

# Programs from before Alembic look for the version here, and refuse what they find.
meta = Table(
    "meta",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", String, nullable=False),
)

# The few that are looked for are in an index of their own; all would make it as large as the table.
_IS_BARRED = text("barred IS NOT NULL")
IS_OPEN = text("state IN ('uncertain', 'waiting')")

# A person; `barred` (bounced, complained, suppressed, erased) holds for every list, whatever a subscription says.
subscribers = Table(
    "subscribers",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("address_key", String, nullable=False, unique=True),
    Column("email", String, nullable=False),
    Column("first_name", String, nullable=False),
    Column("last_name", String, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("fields", JSON, nullable=False),
    Column("barred", String),
    Index(
        "subscribers_barred", "id", sqlite_where=text("barred IS NOT NULL"), postgresql_where=text("barred IS NOT NULL")
    ),
)

# A person on a list: pending, active or unsubscribed.
subscriptions = Table(
    "subscriptions",
    metadata,
    Column("list", String, primary_key=True),
    Column("subscriber_id", ForeignKey(subscribers.c.id), primary_key=True),
    Column("state", String, nullable=False),
    Column("joined", Moment, nullable=False),
    sqlite_with_rowid=False,
)

# Who agreed to what, when and how. Rows are only ever added.
consents = Table(
    "consents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subscriber_id", ForeignKey(subscribers.c.id), nullable=False, index=True),
    Column("list", String, nullable=False),
    Column("at", Moment, nullable=False),
    Column("event", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("detail", Text, nullable=False),
)

editions = Table(
    "editions",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("issue_id", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

# Of a send's recipients there are `selected`, between `first` and `last`, with others among them perhaps.
sends = Table(
    "sends",
    metadata,
    Column("issue_id", String, primary_key=True),
    Column("edition_hash", ForeignKey(editions.c.hash), nullable=False),
    Column("list", String, nullable=False),
    Column("provider", String, nullable=False),
    Column("audience_digest", String(64), nullable=False),
    Column("settings_digest", String(64), nullable=False),
    Column("frozen_at", Moment, nullable=False),
    Column("cancelled_at", Moment),
    Column("settings", JSON),
    Column("first", Integer, nullable=False, server_default="0"),
    Column("last", Integer, nullable=False, server_default="0"),
    Column("selected", Integer, nullable=False, server_default="0"),
)

# One person's copy of one issue, as it was frozen; never changed. `subscriber_id` is no foreign key: a person may be
# erased, the copy stays counted.
recipients = Table(
    "recipients",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("issue_id", ForeignKey(sends.c.issue_id), nullable=False),
    Column("recipient_key", String(32), nullable=False),
    Column("subscriber_id", String(16), nullable=False),
    Column("address", String, nullable=False),
    Column("name", String, nullable=False),
    Column("values", JSON, nullable=False),
    Column("audience", Integer, nullable=False),
    Column("subject", Integer, nullable=False),
    UniqueConstraint("recipient_key", "issue_id"),  # the other way round, SQLite would look for those of an issue here
)

# What became of a copy. Without a row it waits; with the state "waiting" it was tried `tries` times, and is not to be
# tried again before `not_before`.
outcomes = Table(
    "outcomes",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("issue_id", String, nullable=False),
    Column("state", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("detail", Text, nullable=False),
    Column("provider_id", String, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("not_before", Moment),
    Column("at", Moment, nullable=False),
    Index("outcomes_open", "issue_id", "state", sqlite_where=IS_OPEN, postgresql_where=IS_OPEN),
)

# What a worker has taken to send: those who wait from `first` to `last`, or of them only `seqs`; settled when their
# outcomes are written down.
batches = Table(
    "batches",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("issue_id", ForeignKey(sends.c.issue_id), nullable=False),
    Column("owner", String, nullable=False),
    Column("boot_id", String, nullable=False),
    Column("journal_id", String, nullable=False),
    Column("claimed_at", Moment, nullable=False),
    Column("lease_until", Moment, nullable=False),
    Column("settled_at", Moment),
    Column("first", Integer, nullable=False, server_default="0"),
    Column("last", Integer, nullable=False, server_default="0"),
    Column("seqs", JSON(none_as_null=True)),
    Index("batches_open", "issue_id", "settled_at"),
)

# How many of a batch were handed over, and when; while it is open, how many may be, and until when. In all (domain ""),
# and for the domains that have a limit of their own.
handovers = Table(
    "handovers",
    metadata,
    Column("batch_id", ForeignKey(batches.c.id), primary_key=True),
    Column("domain", String, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("at", Moment, nullable=False),
    Index("handovers_recent", "domain", "at"),
)


def connect(url: str, on_upgrade: Callable[[Path], None] = lambda _: None) -> Engine:
    """The database at `url` ("sqlite:////path/newsletter.db"), made there on first use; raises StoreError.

    One of an older version is upgraded; `on_upgrade` is told where it is kept as it was before.
    """
    where = database_path(url)
    _create_private(where)
    engine = _sqlite(where)
    with reading(engine) as connection:
        found = revision_of(connection, where)
    if found is None:
        _create_tables(engine, where)
    elif found != REVISION:
        from newsletter.store.upgrading import upgrade

        if kept := upgrade(engine, where):
            on_upgrade(kept)
    return engine


def database_path(url: str) -> Path:
    """The file that `url` names; raises StoreError where it names none."""
    try:
        where = make_url(url)
    except ArgumentError as error:
        raise StoreError(f"`{url}` is not the address of a database", hint="such as sqlite:////path/to.db") from error
    if where.get_backend_name() != "sqlite" or not where.database:
        raise StoreError(f"`{where.get_backend_name()}` is not a store that is known", hint="sqlite:////path/to.db")
    return Path(where.database)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One consistent view of the database; raises StoreError where it cannot be used."""
    with _in_words(), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that may write, committed durably at its end; raises StoreError where it cannot be used."""
    with _in_words(), engine.execution_options(writes=True).begin() as connection:
        yield connection


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        if type(error) not in {DatabaseError, OperationalError}:
            raise  # a bug of ours, such as a broken constraint
        name = getattr(error.orig, "sqlite_errorname", "")
        hint = next((hint for start, hint in _HINTS.items() if name.startswith(start)), None)
        raise StoreError(f"the database could not be used: {error.orig}", hint=hint) from error


def revision_of(connection: Connection, where: Path) -> str | None:
    """The version of the schema, perhaps one that is not known here; None where there are no tables yet.

    Raises StoreError if the tables in the file `where` are none of ours.
    """
    tables = inspect(connection).get_table_names()
    if not tables:
        return None
    if alembic_version.name in tables:
        return connection.scalar(select(alembic_version.c.version_num))
    if meta.name in tables:
        said = connection.scalar(select(meta.c.value).where(meta.c.key == _META_KEY))
        return _FIRST_REVISION if said == _BEFORE_ALEMBIC else str(said)
    raise StoreError(f"{where} is a database of something else", hint="name another file in [store] url")


def _create_tables(engine: Engine, where: Path) -> None:
    with writing(engine) as connection:
        if revision_of(connection, where) is None:  # another process may have been quicker
            metadata.create_all(connection)
            connection.execute(insert(alembic_version).values(version_num=REVISION))
            connection.execute(insert(meta).values(key=_META_KEY, value=_SINCE_ALEMBIC))


def _create_private(path: Path) -> None:
    """An empty file for its owner only, where there is none.

    One that is there must not be opened past SQLite: to close it would drop the locks that another connection of this
    process holds on it (sqlite.org/howtocorrupt.html section 2.2), and what that one writes later would be lost.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise StoreError(f"the database {path} cannot be opened: {error.strerror}") from error


def _sqlite(where: Path) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(where)), hide_parameters=True
    )  # an address belongs in no log

    @event.listens_for(engine, "connect")
    def set_up(raw: Any, _: Any) -> None:
        raw.isolation_level = None  # the driver's own guesses about transactions are replaced by `begin`
        for pragma in (
            f"busy_timeout = {_BUSY_MILLISECONDS}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
        ):
            raw.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    weakref.finalize(engine, engine.pool.dispose)  # nobody else closes what the pool keeps open
    return engine
