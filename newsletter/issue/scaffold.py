"""New workspaces and new issues: the files that a writer begins with."""

from __future__ import annotations

import datetime
import os
from pathlib import Path

import yaml

from newsletter.config import FILE_NAME
from newsletter.errors import ConfigError, ContentError
from newsletter.issue.load import new_id, number_of
from newsletter.issue.slug import slugify
from newsletter.workspace import Workspace

_SETTINGS = """\
# What every key means: the README's "Configuration".
[publication]
id = "{id}"                       # permanent: it names the data folder
name = "{name}"
url = "https://news.example.org"        # where the archive will live
language = "en"
from = "Your Name <you@example.org>"    # one address
postal_address = ""                     # the law asks for one in every issue; `newsletter check` too
cadence = "weekly"

[theme]
brand = "#0b7a4b"

[send]
provider = "outbox"                     # writes mail to a folder; nothing leaves this machine
"""

_ISSUE = """\
---
id: {id}
number: {number}
title: {title}
subject: {title}
preheader: ""
date: {date}
---

Hey {{{{ subscriber.first_name | default("there") }}}},

What this issue is about, in two sentences.

<!-- articles -->

See you next time.
"""

_ARTICLE = """\
---
title: A first article
---

This file is one article of the issue. Write **Markdown**. Files 02-….md, 03-….md are further articles; pictures lie in
`images/`.

## A heading

> A quotation, a list, a table, a footnote[^1]: all of it works in email, as text and on the web.

:::cta for=everyone title="Like this one?" button="Subscribe"
One letter a week, and nothing else.
:::

[^1]: Like this.
"""


def new_workspace(folder: Path, today: datetime.date) -> list[Path]:
    """Write newsletter.toml and a first issue to `folder`; raises ConfigError where a newsletter is already."""
    if (folder / FILE_NAME).exists():
        raise ConfigError(f"{folder / FILE_NAME} is there already", hint='`newsletter new "A title"` adds an issue')
    folder.mkdir(parents=True, exist_ok=True)
    name = folder.resolve().name.replace("-", " ").replace("_", " ").title()
    settings = folder / FILE_NAME
    _write_new(settings, _SETTINGS.format(id=new_id(), name=name.replace('"', "").replace("\\", "")))
    issue = _write_issue(folder / "issues", 1, "A first issue", today)
    article = issue.parent / "01-a-first-article.md"
    _write_new(article, _ARTICLE)
    return [settings, issue, article]


def new_issue(workspace: Workspace, title: str, number: int | None, today: datetime.date) -> Path:
    """Write the folder and issue.md of a new issue, numbered after the last one; raises ContentError."""
    if not title.strip():
        raise ContentError("an issue needs a title", hint='newsletter new "A title"')
    taken = {number_of(folder): folder for folder in workspace.issue_folders()}
    chosen = max([0, *taken]) + 1 if number is None else number
    if chosen in taken:
        raise ContentError(f"number {chosen} is {taken[chosen].name}", hint="leave --number out for the next one")
    return _write_issue(workspace.issues, chosen, title.strip(), today)


def _write_issue(issues: Path, number: int, title: str, today: datetime.date) -> Path:
    folder = issues / f"{number}-{slugify(title)}"
    folder.mkdir(parents=True, exist_ok=True)
    quoted = yaml.safe_dump(title, allow_unicode=True, default_style='"', width=10_000).strip()
    path = folder / "issue.md"
    _write_new(path, _ISSUE.format(id=_quoted_id(), number=number, title=quoted, date=today.isoformat()))
    return path


def _quoted_id() -> str:
    """An id in quotes: without them YAML would read some of them as numbers."""
    return f'"{new_id()}"'


def _write_new(path: Path, text: str) -> None:
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "w", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ContentError(f"{path} is there already", hint="choose another title or number") from None
