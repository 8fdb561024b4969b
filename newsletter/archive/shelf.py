"""Every issue that was sent, as the site shows it, one after the other. What would come out as the last time is not
compiled again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from newsletter.archive.release import Release, released
from newsletter.compile.edition import Edition, Facts
from newsletter.compile.pipeline import compile_issue
from newsletter.compile.render import Theme
from newsletter.issue.beside import beside
from newsletter.issue.catalogue import Catalogue, IssueEntry
from newsletter.issue.load import load_issue
from newsletter.issue.remembered import Made, Remembered, texts_elsewhere
from newsletter.issue.sent import FILE_NAME
from newsletter.issue.survey import read_catalogue
from newsletter.workspace import Workspace


def releases(workspace: Workspace, facts: Callable[[IssueEntry], Facts]) -> Iterator[Release]:
    """Every issue of `workspace` that was sent; `facts` says what is known when one is compiled.

    Raises ContentError and TemplateError as compiling does.
    """
    catalogue, theme = read_catalogue(workspace), Theme.of(workspace)
    remembered: Remembered[Release | None] = Remembered(workspace, catalogue, "releases", Release | None, theme.digest)
    sent = [(workspace.issues / issue.folder, issue) for issue in catalogue.issues if issue.sent]
    for folder, issue in sent:
        release = _release(workspace, theme, folder, facts(issue), remembered)
        if release:
            yield release
    remembered.sweep(folder for folder, _ in sent)


def _release(
    workspace: Workspace, theme: Theme, folder: Path, facts: Facts, remembered: Remembered[Release | None]
) -> Release | None:
    def made(catalogue: Catalogue) -> Made[Release | None]:
        issue = load_issue(workspace, folder, catalogue)
        edition = compile_issue(issue, theme, facts, workspace.settings)
        written = {asset.written for asset in edition.assets}
        return Made(
            released(issue, edition, theme, workspace.settings),
            read=[folder / FILE_NAME, *sorted(texts_elsewhere(issue) | written)],
            there=sorted(beside(issue) | {asset.source for asset in edition.assets}),
            lasting=not _says_todays(facts, edition),
        )

    return remembered.of(folder, _lasting(facts), made)


def _lasting(facts: Facts) -> str:
    """What an edition goes by of `facts`, but for the number of readers today: whether there is one is enough for those
    that do not say it."""
    known = bool(facts.readers and facts.as_of)
    return repr((known, replace(facts, readers=None, as_of=None, largest=None)))


def _says_todays(facts: Facts, edition: Edition) -> bool:
    """Whether `edition` says the number of readers today, and not only what it said when it was sent."""
    said = dict(facts.sent_before.facts) if facts.sent_before else {}
    return any(name not in said for name, _ in edition.facts_used)
