"""Each issue as it stands: compiled at most once after a change, and only when somebody looks. What compiled last stays
while the present text does not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from newsletter.checks import CheckReport, check
from newsletter.compile.edition import Edition, Facts
from newsletter.compile.pipeline import compile_issue
from newsletter.compile.render import Theme
from newsletter.compile.values import stylesheet
from newsletter.errors import NewsletterError, Problem
from newsletter.issue.listing import Listed, list_issues
from newsletter.issue.load import load_issue
from newsletter.issue.model import Issue
from newsletter.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Sheet:
    """What compiled: the issue, its edition, what the checks say of it, and the site's style sheet and address."""

    issue: Issue
    edition: Edition
    report: CheckReport
    style: str
    site: str


@dataclass(frozen=True, slots=True)
class Look:
    """An issue at one `generation` of the files: the last `sheet`, and the `problems` because of which it is old."""

    generation: int
    sheet: Sheet | None = None
    problems: tuple[Problem, ...] = ()


class Desk:
    """The workspace at `root` while it is written in."""

    def __init__(self, root: Path, facts: Callable[[Issue], Facts]) -> None:
        self.root = root
        self.generation = 1
        self._facts = facts
        self._looks: dict[str, Look] = {}
        self._lock = threading.Lock()

    def touched(self) -> None:
        """A file has changed: whoever looks next sees it."""
        self.generation += 1

    def issues(self) -> list[Listed]:
        """The issues, newest first by number; raises ConfigError."""
        listed = list_issues(Workspace.open(self.root))
        return sorted(listed, key=lambda issue: (issue.line and issue.line.number) or 0, reverse=True)

    def look(self, name: str) -> Look:
        """The issue in the folder `name`; raises KeyError when there is none and never was."""
        with self._lock:
            look = self._looks.get(name, Look(0))
            if look.generation != self.generation:
                look = self._looks[name] = self._renewed(look, name)
            return look

    def _renewed(self, old: Look, name: str) -> Look:
        generation = self.generation
        try:
            workspace = Workspace.open(self.root)
            folders = {folder.name: folder for folder in workspace.issue_folders()}
            return Look(generation, self._sheet(workspace, folders[name]))
        except NewsletterError as error:
            return replace(old, generation=generation, problems=error.problems)

    def _sheet(self, workspace: Workspace, folder: Path) -> Sheet:
        settings, theme = workspace.settings, Theme.of(workspace)
        issue = load_issue(workspace, folder)
        facts = self._facts(issue)
        edition = compile_issue(issue, theme, facts, settings)
        report = check(issue, edition, facts, settings)
        return Sheet(issue, edition, report, stylesheet(theme, settings), settings.publication.url)
