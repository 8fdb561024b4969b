"""Newsletters to measure: the one that is shipped, one long issue, one that knows its reader, and many issues."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

from newsletter.workspace import Workspace, shipped_root

ARTICLES, ARTICLE_BYTES = 8, 6_000
FIELDS = ("city", "company", "plan", "member")
"""What the issue of `personal` says of its reader, beside name and address."""
_WORDS = (
    *("battery", "car", "charge", "city", "driver", "factory", "founder", "grid", "kilometre", "market", "motor"),
    *("night", "plant", "price", "range", "road"),
)
_OPENING = """---
id: benchmark001
number: 1
title: "Yours, every week"
subject: "What’s new, and what it means for you"
date: 2026-01-02
---

Dear {{ subscriber.first_name }},

Good morning to {{ subscriber.city }}! At {{ subscriber.company }} you read this, by plan “{{ subscriber.plan }}”."""
_PASSAGES, _PASSAGE_BYTES = 23, 462
_CLOSING = "Written for {{ subscriber.name }}, and sent to {{ subscriber.email }}.\n"


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


def personal(root: Path) -> Workspace:
    """The same newsletter with one issue, 42 KB as mail, in which 62 places are its reader's own: names, what is known
    of them, and links that say who follows them."""
    workspace = sample(root)
    with (root / "newsletter.toml").open("a", encoding="utf-8") as settings:
        settings.writelines(f'\n[subscribers.fields.{field}]\ntype = "text"\n' for field in FIELDS)
    [opening] = workspace.issues.glob("*/issue.md")
    for article in opening.parent.glob("[0-9]*.md"):
        article.unlink()
    chance = random.Random(1)
    passages = [_passage(chance, number) for number in range(_PASSAGES)]
    opening.write_text("\n\n".join([_OPENING, *passages, _CLOSING]), "utf-8")
    return Workspace.open(root)


def _passage(chance: random.Random, number: int) -> str:
    parts = [f"[Read on](https://example.org/{number}?reader={{{{ subscriber.member }}}})."]
    while sum(map(len, parts)) < _PASSAGE_BYTES:
        parts.insert(0, _sentence(chance))
    return " ".join(parts)


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
        record: dict[str, object] = {
            "id": id,
            "hash": "0",
            "content_digest": "0",
            "commit": None,
            "provider": "outbox",
            "balance": {},
        }
        (folder / "sent.json").write_text(json.dumps({**record, "time": f"{day}T07:00:00Z"}), "utf-8")
    return workspace


def _article(slug: str, seed: int) -> str:
    """Prose as newsletters have it: paragraphs with links and emphasis, headings, a list, a quotation."""
    chance = random.Random(seed)
    parts = [f"---\ntitle: The {slug}\nslug: {slug}\n---"]
    while sum(map(len, parts)) < ARTICLE_BYTES:
        parts.append(" ".join(_sentence(chance) for _ in range(4)))
        if len(parts) % 4 == 0:
            parts += ["## A heading", "\n".join(f"- {_sentence(chance)}" for _ in range(3)), f"> {_sentence(chance)}"]
    return "\n\n".join(parts) + "\n"


def _sentence(chance: random.Random) -> str:
    words = chance.choices(_WORDS, k=chance.randint(6, 18))
    words[2] = chance.choice([f"**{words[2]}**", f"*{words[2]}*", f"[{words[2]}](https://example.org/{words[2]})"])
    return " ".join(words).capitalize() + "."
