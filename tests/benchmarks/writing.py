"""How long it takes from the files of an issue to its email, text and web pages, and of hundreds of issues to a site;
against npm's markdown-it and mjml in one warm process, which make the email's HTML of the same files and nothing else.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

from newsletter.compile.edition import Facts
from newsletter.compile.pipeline import compile_issue
from newsletter.compile.render import Theme
from newsletter.issue.load import latest_issue, load_issue
from newsletter.workspace import Workspace
from tests.benchmarks import workspaces
from tests.benchmarks.measuring import Clock, Series, in_rounds, peak, say_table
from tests.parts import NODE_MODULES, PARTS

FULL, PEER = "newsletter: email, text, web", "npm markdown-it + mjml: email"
COLD, EDITED = "archive build, cold", "after a change of one line"
MISSING = "(not installed: tests/run installs it)"
Peer = Callable[[list[Path], int, Path | None], float]


def main(rounds: int = 9, repeats: int = 20, processes: int = 3, issues: int = 500, few: int = 50) -> None:
    """Print the tables: of one issue, in `rounds` of `repeats`; of `issues` issues, in `processes` rounds; and the
    memory that these take beside that of a `few`."""
    with tempfile.TemporaryDirectory(prefix="newsletter-benchmark-") as name, ExitStack() as stack:
        scratch = Path(name)
        node = PARTS["node"].find()
        there = node and PARTS["mjml"].find() and PARTS["markdown-it"].find()
        peer = stack.enter_context(_peer(node)) if node and there else None
        for title, workspace in (
            ("the sample issue", workspaces.sample(scratch / "sample")),
            (
                f"{workspaces.ARTICLES} articles of {workspaces.ARTICLE_BYTES // 1000} KB",
                workspaces.long(scratch / "long"),
            ),
        ):
            _one(title, workspace, peer, rounds, repeats)
        _all(workspaces.many(scratch / "many", issues), workspaces.many(scratch / "few", few), peer, processes)


def _one(title: str, workspace: Workspace, peer: Peer | None, rounds: int, repeats: int) -> None:
    """One issue, read from its files each time."""
    folder, theme = latest_issue(workspace), Theme.of(workspace)

    def full() -> float:
        with Clock() as clock:
            for _ in range(repeats):
                compile_issue(load_issue(workspace, folder), theme, Facts(), workspace.settings)
        return clock.wall * 1000 / repeats

    contenders = {FULL: full}
    if peer:
        contenders[PEER] = lambda: peer([folder], repeats, None) / repeats
        peer([folder], repeats, None)
    full()
    found = {name: Series(values) for name, values in in_rounds(contenders, rounds).items()}
    rows = [[name, series.said(1), _times_npms(found, name)] for name, series in found.items()]
    say_table(f"Write: {title}, from its files", ["", "ms", "x npm"], rows)


def _all(workspace: Workspace, fewer: Workspace, peer: Peer | None, rounds: int) -> None:
    """All issues of a workspace: whole processes, and for npm the time within one."""
    many, few, edits = _Archive(workspace), _Archive(fewer), count(1)
    folders = workspace.issue_folders()
    changed = folders[len(folders) // 2] / "01-article.md"
    text = changed.read_text("utf-8")

    def edited() -> float:
        changed.write_text(f"{text}\nOne line more: {next(edits)}.\n", "utf-8")
        return many.built()

    contenders = {COLD: many.built_cold, EDITED: edited}
    if peer:
        (workspace.root / "peer").mkdir()
        contenders[PEER] = lambda: peer(folders, 1, workspace.root / "peer") / 1000
    taken = {name: list[float]() for name in contenders}
    for _ in range(rounds):  # always in this order: what a change costs is asked of a site that was just built
        for name, run in contenders.items():
            taken[name].append(run())
        few.built_cold()
    found = {name: Series(values) for name, values in taken.items()}
    rows = [
        [name, series.said(2), series.over(found[COLD]).said(2), _times_npms(found, name)]
        for name, series in found.items()
    ]
    head = ["", "s", "x cold", "x npm"]
    say_table(f"Write: {len(folders)} issues of two articles of {workspaces.ARTICLE_BYTES // 1000} KB", head, rows)
    peaks = {f"{each.issues} issues": Series(each.peaks) for each in (few, many)}
    base = peaks[f"{few.issues} issues"]
    memory = [[name, series.said(1), series.over(base).said(2)] for name, series in peaks.items()]
    say_table("Memory: the most that a cold build takes", ["", "MB", f"x {few.issues} issues"], memory)


class _Archive:
    """The command `newsletter archive build` in a workspace, with a data and a cache folder of its own; `peaks` are the
    megabytes that it held at most, each time that it began with nothing."""

    def __init__(self, workspace: Workspace) -> None:
        self.issues = len(workspace.issue_folders())
        self.peaks: list[float] = []
        self._root = workspace.root
        self._cache = self._root / "cache"
        self._command = [sys.executable, "-m", "newsletter", "-C", str(self._root), "archive", "build"]
        places = {"NEWSLETTER_DATA_DIR": str(self._root / "data"), "NEWSLETTER_CACHE_DIR": str(self._cache)}
        self._environment = os.environ | places

    def built_cold(self) -> float:
        """The seconds that it takes where nothing is remembered."""
        shutil.rmtree(self._cache, ignore_errors=True)
        shutil.rmtree(self._root / "build", ignore_errors=True)
        with Clock() as clock:
            held = peak(*self._command, environment=self._environment)
        self.peaks.append(held / 1e6)
        return clock.wall

    def built(self) -> float:
        """The seconds that it takes now."""
        with Clock() as clock:
            subprocess.run(self._command, check=True, stdout=subprocess.DEVNULL, env=self._environment)
        return clock.wall


def _times_npms(found: dict[str, Series], name: str) -> str:
    return found[name].over(found[PEER]).said(1) if PEER in found else MISSING


@contextmanager
def _peer(node: Path) -> Iterator[Peer]:
    """npm's markdown-it and mjml in one process: milliseconds for folders of issues, done so often, written there."""
    command = [node, Path(__file__).with_name("issue.mjs"), NODE_MODULES]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as loop:
        asked, answered = loop.stdin, loop.stdout
        assert asked
        assert answered

        def milliseconds(folders: list[Path], repeats: int, out: Path | None) -> float:
            asked.write(
                json.dumps({"folders": [*map(str, folders)], "repeats": repeats, "out": out and str(out)}) + "\n"
            )
            asked.flush()
            return float(answered.readline())

        yield milliseconds
