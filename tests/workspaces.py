"""Workspaces made of a few texts, and issues in them compiled: what the tests of writing start from."""

from __future__ import annotations

from pathlib import Path

from newsletter.compile.edition import Edition, Facts
from newsletter.compile.pipeline import compile_issue
from newsletter.compile.render import Theme
from newsletter.compile.slots import specimen_html, specimen_text
from newsletter.issue.load import find_issue, load_issue
from newsletter.workspace import Workspace

SETTINGS = """
[publication]
id = "testpubli001"
name = "Test"
url = "https://test.example.org"
from = "Jo <jo@test.example.org>"
postal_address = "1 Road"
"""


def workspace(root: Path, files: dict[str, str | bytes], settings: str = SETTINGS) -> Workspace:
    """The workspace at `root` with `files` by their paths below issues/."""
    (root / "newsletter.toml").write_text(settings)
    for name, content in files.items():
        path = root / "issues" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Workspace.open(root)


def issue_file(number: int, body: str = "<!-- articles -->", **front: str) -> str:
    """An issue.md with an id of its own."""
    keys = {"id": f"issue{number:07}", "number": str(number), "title": f"Issue {number}", "subject": "S", **front}
    return "---\n" + "".join(f"{key}: {value}\n" for key, value in keys.items()) + f"---\n{body}\n"


def article_file(body: str, **front: str) -> str:
    """An article's file."""
    return "---\n" + "".join(f"{key}: {value}\n" for key, value in {"title": "T", **front}.items()) + f"---\n{body}\n"


def compiled(ws: Workspace, name: str, facts: Facts | None = None) -> Edition:
    """The issue `name`, compiled."""
    issue = load_issue(ws, find_issue(ws, name))
    return compile_issue(issue, Theme.of(ws), facts or Facts(), ws.settings)


def mail(edition: Edition, variant: int = 0) -> tuple[str, str]:
    """HTML and text of the mail to a specimen reader."""
    one = edition.variants[variant]
    return one.html.fill(specimen_html), one.text.fill(specimen_text)


def page(edition: Edition, path: str) -> str:
    """The HTML of the edition's page at `path`, a folder."""
    return next(page.html for page in edition.pages if page.path == f"{path}/index.html")
