"""The issues of a workspace as lists show them: a line for each, and for one that cannot be read what is wrong."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from newsletter.errors import ContentError, Problem
from newsletter.issue.beside import beside
from newsletter.issue.catalogue import Catalogue
from newsletter.issue.load import load_issue
from newsletter.issue.remembered import Made, Remembered, texts_elsewhere
from newsletter.issue.survey import read_catalogue
from newsletter.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Line:
    """What a list says of an issue."""

    number: int | None
    title: str
    lang: str
    date: datetime.date | None


@dataclass(frozen=True, slots=True)
class Listed:
    """An issue's folder, with its line, or the problems for which it has none."""

    folder: Path
    line: Line | None
    problems: tuple[Problem, ...] = ()


def list_issues(workspace: Workspace) -> Iterator[Listed]:
    """Every issue, in the order of the folders; one that has not changed since it was listed is not read again."""
    catalogue, folders = read_catalogue(workspace), workspace.issue_folders()
    remembered: Remembered[Line] = Remembered(workspace, catalogue, "lines", Line)
    for folder in folders:
        yield _listed(workspace, folder, remembered)
    remembered.sweep(folders)


def _listed(workspace: Workspace, folder: Path, remembered: Remembered[Line]) -> Listed:
    def line(catalogue: Catalogue) -> Made[Line]:
        issue = load_issue(workspace, folder, catalogue)
        said = Line(issue.number, issue.title, issue.lang, issue.date)
        return Made(said, read=texts_elsewhere(issue), there=beside(issue))

    try:
        return Listed(folder, remembered.of(folder, "", line))
    except ContentError as error:
        return Listed(folder, None, error.problems)
