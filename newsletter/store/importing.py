"""A CSV file of people -> the list. Knows what the exports of spreadsheets and other tools look like."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from newsletter.errors import Collected, ContentError, Place, Problem
from newsletter.store.subscribers import Added, Newcomer, Subscribers, SubscriberState, normalise

_ROWS_PER_TRANSACTION = 1_000
_KNOWN = ("email", "name", "first_name", "last_name", "tags")
_ALIASES = {
    "e_mail": "email",
    "email_address": "email",
    "firstname": "first_name",
    "lastname": "last_name",
    "full_name": "name",
}


@dataclass(slots=True, kw_only=True)
class ImportReport:
    """What became of a file's rows. `problems` are those that were not taken, each with its place."""

    added: int = 0
    already: int = 0
    left_alone: Counter[SubscriberState] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)

    @property
    def rejected(self) -> int:
        return len(self.problems)


def import_csv(subscribers: Subscribers, path: Path, *, list: str, source: str) -> ImportReport:
    """Add the people of the CSV file at `path`; doing it twice changes nothing.

    The header names the columns: email, and perhaps name or first_name and last_name, tags (parted by ; or ,), and the
    publication's own fields. Raises ContentError for a file that is no such table; a bad row is one of the report's
    problems.
    """
    report = ImportReport()
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = _rows(file, path)
            columns = _columns(next(rows, (1, []))[1], path)
            newcomers = _newcomers(rows, columns, path, report)
            while chunk := [*islice(newcomers, _ROWS_PER_TRANSACTION)]:
                _count(report, subscribers.add_all(chunk, list=list, source=source))
    except OSError as error:
        raise ContentError(f"cannot be read: {error.strerror}", where=Place(path)) from error
    except UnicodeDecodeError as error:
        raise ContentError("is not UTF-8", hint='save it as "CSV UTF-8"', where=Place(path)) from error
    return report


def _rows(file: Iterator[str], path: Path) -> Iterator[tuple[int, Sequence[str]]]:
    """Each row with the line that it begins on; blank ones are left out."""
    header = next(file, "")
    delimiter = max(",;\t", key=header.count)
    reader = csv.reader(_again(header, file), delimiter=delimiter, strict=True)
    line = 1
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise ContentError(
                f"is not CSV from here on: {error}", hint="a quotation mark is not closed?", where=Place(path, line)
            ) from error
        if row is None:
            return
        if any(cell.strip() for cell in row):
            yield line, row
        line = reader.line_num + 1


def _again(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _columns(header: Sequence[str], path: Path) -> Sequence[str]:
    """The name of each column; one without a name is not looked at."""
    faults = Collected()
    names = [_column(cell) for cell in header]
    for number, (name, cell) in enumerate(zip(names, header, strict=True), 1):
        where = Place(path, 1, number)
        if name and not re.fullmatch(r"[a-z_][a-z0-9_]*", name):
            faults.add(f"`{cell}` is no name for a field", hint="letters a-z, digits and _", where=where)
        elif name and name in names[: number - 1]:
            faults.add(f"there are two columns `{name}`", where=where)
    if "email" not in names:
        faults.add(
            "there is no column `email`", hint="the first row names the columns: email,name,tags", where=Place(path, 1)
        )
    faults.stop_if_any()
    return names


def _column(cell: str) -> str:
    name = re.sub(r"[\W_]+", "_", cell.strip().lower()).strip("_")
    return _ALIASES.get(name, name)


def _newcomers(
    rows: Iterator[tuple[int, Sequence[str]]], columns: Sequence[str], path: Path, report: ImportReport
) -> Iterator[Newcomer]:
    email_column = columns.index("email")
    for line, row in rows:
        if any(cell.strip() for cell in row[len(columns) :]):
            message = f"this row has {len(row)} cells, the header has {len(columns)}"
            hint = "put a cell that holds the delimiter into quotation marks"
            report.problems.append(Problem(message, hint, Place(path, line, len(columns) + 1)))
            continue
        cells = dict(zip(columns, row, strict=False))
        try:
            yield _newcomer(cells, f"{path.name}:{line}")
        except ValueError as error:
            written = cells.get("email", "").strip()
            message = f"`{written}`: {error}" if written else "there is no address"
            report.problems.append(Problem(message, None, Place(path, line, email_column + 1)))


def _newcomer(cells: dict[str, str], detail: str) -> Newcomer:
    first, _, last = cells.get("name", "").strip().partition(" ")
    return Newcomer(
        email=normalise(cells.get("email", "")),
        first_name=cells.get("first_name", "") or first,
        last_name=cells.get("last_name", "") or last,
        tags=tuple(re.split(r"[;,]", cells.get("tags", ""))),
        fields={name: value for name, value in cells.items() if name and name not in _KNOWN and value.strip()},
        detail=detail,
    )


def _count(report: ImportReport, outcomes: Sequence[tuple[Added, SubscriberState]]) -> None:
    for added, state in outcomes:
        match added:
            case Added.ADDED:
                report.added += 1
            case Added.ALREADY:
                report.already += 1
            case Added.LEFT_ALONE:
                report.left_alone[state] += 1
