"""Newsletters to measure: the one that is shipped, one long issue, and many issues."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

from newsletter.workspace import Workspace, shipped_root

ARTICLES, ARTICLE_BYTES = 8, 6_000
_WORDS = (
    *("battery", "car", "charge", "city", "driver", "factory", "founder", "grid", "kilometre", "market", "motor"),
    *("night", "plant", "price", "range", "road"),
)


def sample(root: Path) -> Workspace:
    """A copy of the newsletter that is shipped."""
    root.mkdir()
    shutil.copy(shipped_root() / "newsletter.toml", root)
    shutil.copytree(shipped_root() / "issues", root / "issues", ignore=shutil.ignore_patterns("sent.json"))
    return Workspace.open(root)


def long(root: Path) -> Workspace:
    """The same newsletter with one issue of long articles."""
    workspace = sample(root)
    [opening] = workspace.issues.glob("*/issue.md")
    for article in opening.parent.glob("[0-9]*.md"):
        article.unlink()
    for number in range(1, ARTICLES + 1):
        (opening.parent / f"{number:02}-article.md").write_text(_article(f"article-{number}", number), "utf-8")
    return workspace


def many(root: Path, count: int) -> Workspace:
    """The same newsletter with `count` issues that were sent, of two articles each; each links to the one before."""
    workspace = sample(root)
    for folder in workspace.issue_folders():
        shutil.rmtree(folder)
    for number in range(1, count + 1):
        folder = workspace.issues / f"{number}-issue"
        folder.mkdir(parents=True)
        id, day = f"benchmark{number:03}", f"20{10 + number // 48:02}-{number // 4 % 12 + 1:02}-{number % 4 * 7 + 1:02}"
        front = (
            f'---\nid: {id}\nnumber: {number}\ntitle: "Issue {number}"\nsubject: "Issue {number}"\ndate: {day}\n---\n'
        )
        before = f"\n\nBefore it came [](issue:{number - 1})." if number > 1 else ""
        (folder / "issue.md").write_text(f"{front}\nHello,{before}\n\n<!-- articles -->\n\nUntil then.\n", "utf-8")
        for nth in (1, 2):
            text = _article(f"article-{number}-{nth}", 2 * number + nth)
            (folder / f"{nth:02}-article.md").write_text(text, "utf-8")
        record = {"id": id, "hash": "0", "content_digest": "0", "commit": None, "provider": "outbox", "balance": {}}
        (folder / "sent.json").write_text(json.dumps({**record, "time": f"{day}T07:00:00Z"}), "utf-8")
    return workspace


def _article(slug: str, seed: int) -> str:
    """Prose as newsletters have it: paragraphs with links and emphasis, headings, a list, a quotation."""
    chance = random.Random(seed)

    def sentence() -> str:
        words = chance.choices(_WORDS, k=chance.randint(6, 18))
        words[2] = chance.choice([f"**{words[2]}**", f"*{words[2]}*", f"[{words[2]}](https://example.org/{words[2]})"])
        return " ".join(words).capitalize() + "."

    parts = [f"---\ntitle: The {slug}\nslug: {slug}\n---"]
    while sum(map(len, parts)) < ARTICLE_BYTES:
        parts.append(" ".join(sentence() for _ in range(4)))
        if len(parts) % 4 == 0:
            parts += ["## A heading", "\n".join(f"- {sentence()}" for _ in range(3)), f"> {sentence()}"]
    return "\n\n".join(parts) + "\n"
