"""`newsletter add`: what it prints, what may be switched off, and that the result is an issue that may go out."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from newsletter.cli import run
from newsletter.issue.importing.repairs import MENDINGS

SAMPLE = Path(__file__).parent / "data" / "importing" / "the-lamp-that-outlived-us.txt"
FOLDER = Path("issues/1-a-first-issue")


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new newsletter, with an issue that has no article; it is the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NEWSLETTER_DATA_DIR", str(tmp_path / "data"))
    assert run(["init"]) == 0
    settings = tmp_path / "newsletter.toml"
    settings.write_text(settings.read_text().replace('postal_address = ""', 'postal_address = "1 Road, Town"'))
    for article in (tmp_path / FOLDER).glob("0*.md"):
        article.unlink()
    return tmp_path


def test_what_is_added_is_an_issue_that_may_go_out(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sample = SAMPLE.read_text("utf-8").replace(
        "{{ name }}", "nothing"
    )  # braces that are meant: a check asks about them
    (workspace / "sample.txt").write_text(sample, "utf-8")
    assert run(["add", "1", "sample.txt"]) == 0
    assert run(["build", "1"]) == 0
    capsys.readouterr()
    run(["check", "1"])
    assert "\n0 errors, " in capsys.readouterr().out
    said = (workspace / "build" / "1-a-first-issue" / "email.txt").read_text("utf-8")
    assert "MIND YOUR EYES! 💡" in said
    assert not re.search(
        r"or to comment|our list yet|readers|:::|\\", said, re.IGNORECASE
    )  # neither leftovers nor marks


def test_each_repair_is_printed_with_file_line_and_name(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (workspace / "a.txt").write_text("A title\n\nHold on!\n\nMake 2019 the year of walks.\n")
    capsys.readouterr()
    assert run(["add", "1", "a.txt"]) == 0
    assert capsys.readouterr().out == (
        f"wrote {FOLDER}/01-a-title.md\n"
        "  a.txt:1: unmarked-heading: the title: A title\n"
        "  a.txt:3: hook: the hook: Hold on!\n"
        "  a.txt:5: stale-year: bound to a year, see whether it still holds: Make 2019\n"
        "  not given: author, date, source_url\n"
    )


def test_repairs_are_switched_off_by_name(workspace: Path) -> None:
    (workspace / "a.txt").write_text("A title\n\nHold on!\n\n- It's “so”.\n")
    assert run(["add", "1", "a.txt", "--keep", "hook", "--keep", "mixed-quotes"]) == 0
    assert (workspace / FOLDER / "01-a-title.md").read_text().endswith("---\n\nHold on!\n\n\\- It's “so”.\n")


def test_a_repair_that_there_is_not(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["add", "1", "a.txt", "--keep", "speakers"]) == 2
    assert "did you mean `speaker`?" in capsys.readouterr().err


def test_the_repairs_are_listed(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["add", "--repairs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [mending.name for mending in MENDINGS]


def test_quotation_marks_are_those_of_the_issues_language(workspace: Path) -> None:
    issue = workspace / FOLDER / "issue.md"
    issue.write_text(issue.read_text().replace("---\n", "---\nlang: de\n", 1))
    (workspace / "a.txt").write_text('Ein Titel\n\nDas ist "so" und „so“.\n')
    assert run(["add", "1", "a.txt"]) == 0
    assert (workspace / FOLDER / "01-ein-titel.md").read_text("utf-8").endswith("Das ist „so“ und „so“.\n")


@pytest.mark.parametrize(("typed", "name"), [("A title", "01-a-title.md"), ("", "01-a.md")])
def test_on_a_terminal_a_missing_title_is_asked_for(workspace: Path, typed: str, name: str) -> None:
    (workspace / "a.txt").write_text("All of it is one sentence, and it ends with a full stop.\n")
    terminal, theirs = pty.openpty()
    command = [sys.executable, "-m", "newsletter", "add", "1", "a.txt"]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        said = b""
        while b"title of a.txt" not in said:
            said += os.read(terminal, 4096)
        os.write(terminal, typed.encode() + b"\n")
        with contextlib.suppress(OSError):  # the end of a terminal is an error on Linux
            while os.read(terminal, 4096):
                pass
    os.close(terminal)
    assert process.returncode == 0
    assert [path.name for path in (workspace / FOLDER).glob("0*")] == [name]
