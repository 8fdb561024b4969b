"""How a database of an older version becomes one of this: a copy is put aside, then every step, in one transaction."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, insert, select
from sqlalchemy.exc import DatabaseError

from newsletter.errors import StoreError
from newsletter.store.copying import copy_database
from newsletter.store.schema import REVISION, alembic_version, revision_of, writing


def upgrade(engine: Engine, database: Path) -> Path | None:
    """Bring the file `database`, that `engine` opens, to REVISION; returns where it is kept as it was before.

    None if another process did so while this one waited for it. Raises StoreError, and leaves the database as it was,
    if a step fails, or if the database is of a version that is not known here.
    """
    kept: Path | None = None
    try:
        with writing(engine) as connection:
            found = revision_of(connection, database)
            if found is None or found == REVISION:
                return None
            _refuse_unknown(database, found)
            copy_database(database, kept := _beside(database, found))
            _run_steps(connection, database, found)
    except BaseException:
        if kept:
            kept.unlink(missing_ok=True)  # the database is still what was copied
        raise
    return kept


def _refuse_unknown(database: Path, found: str) -> None:
    if found not in {step.revision for step in ScriptDirectory.from_config(_config()).walk_revisions()}:
        raise StoreError(
            f"{database} has schema version {found}, this program knows version {REVISION}",
            hint="use the version of newsletter that wrote it, or a newer one",
        )


def _beside(database: Path, found: str) -> Path:
    return database.with_name(f"{database.stem}-{found}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}{database.suffix}")


def _run_steps(connection: Connection, database: Path, found: str) -> None:
    config = _config()
    config.attributes["connection"] = connection
    try:
        _mark(connection, found)
        command.upgrade(config, REVISION)
    except DatabaseError as error:
        raise StoreError(
            f"{database} could not be upgraded from schema version {found} to {REVISION}: {error.orig}",
            hint="nothing was changed in it; the version of newsletter that wrote it can still be used",
        ) from error


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "newsletter.store:migrations")
    config.set_main_option(
        "path_separator", "os"
    )  # said, so that Alembic does not warn of what it takes for an old file
    return config


def _mark(connection: Connection, found: str) -> None:
    """Say in Alembic's words what a database from before it says in `meta`."""
    alembic_version.create(connection, checkfirst=True)
    if connection.scalar(select(alembic_version.c.version_num)) is None:
        connection.execute(insert(alembic_version).values(version_num=found))
