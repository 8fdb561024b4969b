"""Three issues that refer to each other, all of them sent; and what is made of them, with a cache and without."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from PIL import Image

from newsletter.archive import build_archive, releases
from newsletter.compile.edition import Facts, SentBefore
from newsletter.errors import NewsletterError
from newsletter.issue.catalogue import IssueEntry
from newsletter.issue.listing import list_issues
from newsletter.issue.sent import read_sent
from newsletter.workspace import Workspace
from tests.workspaces import article_file, issue_file, workspace

FILES = {
    "1-one/issue.md": issue_file(1, title='"The first: a start"', date="2026-01-05"),
    "1-one/01-deep-dive.md": article_file("Deep words. [](article:short)", title="The deep dive", image="images/a.png"),
    "1-one/01-deep-dive.de.md": article_file("Tiefe Worte.", title="Tief"),
    "1-one/02-short.md": article_file("Short words, and [a file](files/list.csv)."),
    "1-one/files/list.csv": "a,b\n",
    "2-two/issue.md": issue_file(2, "Hello\n\n<!-- articles -->\n\nBye", date="2026-02-05"),
    "2-two/01-again.md": "---\narticle: deep-dive\n---\n",
    "2-two/02-new.md": article_file("See [](article:deep-dive.de), [](issue:1). ![A dot](images/b.png) in a line."),
    "3-three/issue.md": issue_file(3, "We are {{ subscribers.count | default('some') }}.", title="Three"),
    "3-three/01-third.md": article_file(":::also\n\nThird words.", title="Third"),
}


def three_issues(tmp_path: Path) -> Workspace:
    """The workspace; it stands still long enough to be remembered."""
    root = tmp_path / "workspace"
    root.mkdir()
    made = workspace(root, FILES)
    for folder, name in (("1-one", "a"), ("2-two", "b")):
        picture(root / "issues" / folder / "images" / f"{name}.png", "red")
    for folder in made.issue_folders():
        sent(folder)
    settle()
    return made


def picture(path: Path, colour: str, width: int = 40) -> None:
    path.parent.mkdir(exist_ok=True)
    Image.new("RGB", (width, 20), colour).save(path)


def sent(folder: Path, **other: object) -> None:
    record = {"id": f"issue{int(folder.name[0]):07}", "hash": "0", "content_digest": "0", "commit": None}
    record |= {"time": "2026-03-01T00:00:00Z", "provider": "outbox", "balance": {"waiting": 0}, "facts": {}, **other}
    (folder / "sent.json").write_text(json.dumps(record))


def settle() -> None:
    """What was written just now may have been written while it was read, and is not remembered."""
    time.sleep(0.15)


def site(root: Path, cache: Path, readers: int | None = None) -> dict[str, bytes] | str:
    """The files of the archive, or why there is none."""
    opened = Workspace.open(root)
    ws = Workspace(opened.root, opened.settings.model_copy(update={"cache_dir": cache}))
    out = root.parent / "public"

    def facts(issue: IssueEntry) -> Facts:
        record = read_sent(ws.issues / issue.folder)
        said = record and SentBefore(hash="0", content_digest=record.content_digest, facts=(*record.facts.items(),))
        return Facts(readers=readers, as_of=date.today(), sent_before=said)

    try:
        build_archive(ws, releases(ws, facts), out)
    except NewsletterError as error:
        return re.sub('"[0-9a-z]{12}"', '"another"', str(error))
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


def lines(root: Path, cache: Path) -> list[Any]:
    """The list of issues; for one that cannot be read, how many faults it has."""
    opened = Workspace.open(root)
    listed = list_issues(Workspace(opened.root, opened.settings.model_copy(update={"cache_dir": cache})))
    return [one if one.line else (one.folder, len(one.problems)) for one in listed]


def kept(cache: Path, kind: str = "releases") -> dict[str, int]:
    """The files of the cache, each with what changes when it is written."""
    return {path.name: path.stat().st_ino for path in (cache / kind).iterdir()}


def changed(path: Path, old: str, new: str) -> Callable[[], object]:
    text = path.read_text("utf-8")
    assert old in text
    return lambda: path.write_text(text.replace(old, new), "utf-8")


def append(root: Path, name: str, words: str) -> None:
    path = root / "issues" / name
    path.write_text(f"{path.read_text('utf-8')}\n{words}\n", "utf-8")
