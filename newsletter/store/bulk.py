"""Many rows at once, by the driver's own executemany: what SQLAlchemy does for each row costs more than the row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.sql.dml import UpdateBase

from newsletter.store.schema import Moment


def write_all(connection: Connection, statement: UpdateBase, rows: Sequence[tuple[Any, ...]]) -> None:
    """Run `statement` for each of `rows`: the values of its parameters, in their order, as the driver takes them."""
    if rows:
        connection.exec_driver_sql(str(statement.compile(dialect=connection.dialect)), [*rows])


def stored(connection: Connection, moment: datetime) -> Any:
    """`moment` as the driver takes it."""
    write = Moment().dialect_impl(connection.dialect).bind_processor(connection.dialect)
    return write(moment) if write else moment
