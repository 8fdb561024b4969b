"""Texts from elsewhere -> a complete article file, with every repair named and no letter lost."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from newsletter.errors import Collected
from newsletter.issue.importing import plaintext
from newsletter.issue.importing.draft import Draft, Form, Repair
from newsletter.issue.importing.marked import KEPT_KEYS
from newsletter.issue.importing.readers import read_draft
from newsletter.issue.markdown import parse_nodes
from newsletter.issue.prose import Heading, plain
from newsletter.issue.slug import slugify
from newsletter.issue.source import Source

_ASKED_FOR = ("title", "author", "date", "source_url")
_PERSONAL = re.compile(r"(?<!\\)\{(?=\{)")


@dataclass(frozen=True, slots=True)
class Imported:
    """An article file's text, the repairs that were made, and the keys of its front matter that nobody gave."""

    slug: str
    markdown: str
    repairs: tuple[Repair, ...]
    missing: tuple[str, ...]
    pictures: Mapping[str, bytes]


def import_article(
    source: Path,
    *,
    title: str | None = None,
    source_url: str | None = None,
    date: datetime.date | None = None,
    author: str | None = None,
) -> Imported:
    """The article in the .txt or .md file `source`; what is given here beats what the file says. Raises ContentError.

    Characters are kept as they are: typographic ones, no-break spaces, emoji.
    """
    given = {"title": title, "author": author, "date": date, "source_url": source_url}
    given = {key: value for key, value in given.items() if value}
    found = read_draft(source)
    draft = _from_text(found.body, given) if found.form is Form.TEXT else _from_markdown(found, given, source)
    front: dict[str, Any] = {**draft.front, **given}
    front["slug"] = slugify(str(front.get("slug") or front.get("title") or source.stem))
    ordered = {key: front[key] for key in KEPT_KEYS if key in front}
    header = yaml.safe_dump(ordered, allow_unicode=True, sort_keys=False, width=10_000)
    missing = tuple(key for key in _ASKED_FOR if not front.get(key))
    repairs = tuple(sorted(draft.repairs, key=lambda repair: repair.line))
    return Imported(front["slug"], f"---\n{header}---\n\n{draft.body}\n", repairs, missing, found.pictures)


def _from_text(text: str, given: Mapping[str, Any]) -> Draft:
    passages, repairs = plaintext.passages(text)
    front: dict[str, Any] = {}
    first = plaintext.title_of(passages)
    if first is not None and given.get("title", first) == first:
        front["title"] = first
        repairs.append(Repair("unmarked-heading", passages[0].number, f"the title: {first}"))
        passages = passages[1:]
    passages, headings = plaintext.with_headings(passages)
    body, escaped = plaintext.to_markdown(passages)
    return Draft(front, body, (*repairs, *headings, *escaped))


def _from_markdown(draft: Draft, given: Mapping[str, Any], source: Path) -> Draft:
    front, body = dict(draft.front), draft.body
    title, rest = _first_heading(body, source)
    if title and title == given.get("title", front.get("title", title)):
        front["title"], body = title, rest
    escaped = _PERSONAL.sub(r"\\{", body)
    first = (draft.first_line or 1) + draft.body.count("\n") - body.count("\n")
    repairs = [
        Repair("escaped", number, "kept from being a personal slot: {{")
        for number, (line, old) in enumerate(zip(escaped.split("\n"), body.split("\n"), strict=True), first)
        if line != old
    ]
    return Draft(front, escaped.strip("\n"), (*draft.repairs, *repairs))


def _first_heading(body: str, source: Path) -> tuple[str, str]:
    """The words of the level-one heading that `body` begins with, and what stands behind it."""
    found = re.match(r"\s*^ {0,3}#[ \t][^\n]*(?:\n|\Z)", body, re.MULTILINE)
    nodes = parse_nodes(Source.of(source, found[0]), Collected()) if found and "{{" not in found[0] else ()
    match nodes:
        case (Heading(level=1, children=children),):
            return plain(children), body[len(found[0]) if found else 0 :]
        case _:
            return "", body
