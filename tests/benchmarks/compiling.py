"""How long an issue takes to compile, against npm's mjml on the MJML that is made on the way."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from newsletter.compile import mjml
from newsletter.compile.edition import Edition, Facts
from newsletter.compile.pipeline import compile_issue
from newsletter.compile.render import Theme
from newsletter.issue.load import latest_issue, load_issue
from newsletter.workspace import Workspace
from tests.benchmarks import workspaces
from tests.benchmarks.measuring import Clock, Series, in_rounds, say_table
from tests.parts import NODE_MODULES, PARTS

WHOLE, STEP, NPM = "compile_issue", "of it, the MJML step", "npm mjml"
BUILD, NPM_BUILD = "newsletter build, a process", "npm mjml, a process"


def main(rounds: int = 9, repeats: int = 20, processes: int = 5) -> None:
    """Print the tables. `repeats` are the runs measured at once in a round; `processes` the rounds of whole ones."""
    with tempfile.TemporaryDirectory(prefix="newsletter-benchmark-") as scratch:
        issues = {
            "the sample issue": workspaces.sample(Path(scratch) / "sample"),
            f"{workspaces.ARTICLES} articles of {workspaces.ARTICLE_BYTES // 1000} KB": workspaces.long(
                Path(scratch) / "long"
            ),
        }
        for title, workspace in issues.items():
            _measure(title, workspace, rounds, repeats, processes)


def _measure(title: str, workspace: Workspace, rounds: int, repeats: int, processes: int) -> None:
    folder = latest_issue(workspace)
    issue, theme = load_issue(workspace, folder), Theme.of(workspace)
    edition = compile_issue(issue, theme, Facts(), workspace.settings)
    fragments = dict.fromkeys(re.findall(r"nlfrag[0-9a-f]+n\d+z", edition.mjml), "<p>Prose.</p>")
    source = workspace.root / "email.mjml"
    source.write_text(edition.mjml, "utf-8")
    data = workspace.root / "data"
    warm = {
        WHOLE: _each(lambda: compile_issue(issue, theme, Facts(), workspace.settings), repeats),
        STEP: _each(lambda: mjml.to_html(edition.mjml, fragments), repeats),
    }
    whole = {BUILD: _process(data, sys.executable, "-m", "newsletter", "-C", workspace.root, "build", folder.name)}
    with ExitStack() as stack:
        node = PARTS["node"].find()
        if node and (program := PARTS["mjml"].find()):
            warm[NPM] = stack.enter_context(_npm_loop(node, source, repeats))
            whole[NPM_BUILD] = _process(data, node, program, source, "-o", workspace.root / "email.html")
        taken = in_rounds(warm, rounds) | in_rounds(whole, processes)
    found = {name: Series(values) for name, values in taken.items()}
    pairs = {WHOLE: NPM, STEP: NPM, NPM: NPM, BUILD: NPM_BUILD, NPM_BUILD: NPM_BUILD}
    rows = [[name, found[name].said(1), _times_faster(found, name, pairs[name])] for name in pairs if name in found]
    say_table(f"Compile: {title}: {_sizes(edition)}", ["", "ms", "times faster than npm mjml"], rows)


def _times_faster(found: dict[str, Series], name: str, other: str) -> str:
    return found[other].over(found[name]).said(1) if other in found else "(not installed: tests/run installs it)"


def _sizes(edition: Edition) -> str:
    html = sum(len(literal.encode()) for literal in edition.variants[0].html.literals)
    return f"{len(edition.mjml.encode()) / 1000:.0f} KB of MJML, {html / 1000:.0f} KB of HTML"


def _each(run: Callable[[], object], repeats: int) -> Callable[[], float]:
    def milliseconds() -> float:
        with Clock() as clock:
            for _ in range(repeats):
                run()
        return clock.wall * 1000 / repeats

    return milliseconds


@contextmanager
def _npm_loop(node: Path, source: Path, repeats: int) -> Iterator[Callable[[], float]]:
    """npm's mjml in one process that has done it `repeats` times already."""
    command = [node, Path(__file__).with_name("mjml.mjs"), NODE_MODULES, source]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as loop:
        asked, answered = loop.stdin, loop.stdout
        assert asked
        assert answered

        def milliseconds() -> float:
            asked.write(f"{repeats}\n")
            asked.flush()
            return float(answered.readline()) / repeats

        milliseconds()
        yield milliseconds


def _process(data: Path, *command: object) -> Callable[[], float]:
    environment = os.environ | {"NEWSLETTER_DATA_DIR": str(data)}  # not that of whoever measures

    def milliseconds() -> float:
        with Clock() as clock:
            subprocess.run([*map(str, command)], check=True, stdout=subprocess.DEVNULL, env=environment)
        return clock.wall * 1000

    return milliseconds
