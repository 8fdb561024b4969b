"""Texts from elsewhere -> a complete article file, with every repair named and no letter lost."""

from __future__ import annotations

import datetime
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from newsletter.errors import Collected, ContentError, Place
from newsletter.issue import plaintext
from newsletter.issue.front import read_document, read_text
from newsletter.issue.markdown import parse_nodes
from newsletter.issue.plaintext import Repair
from newsletter.issue.prose import Heading, plain
from newsletter.issue.slug import slugify
from newsletter.issue.source import Source

_ASKED_FOR = ("title", "author", "date", "source_url")
_KEPT_KEYS = ("title", "slug", "author", "hook", "date", "original_date", "source_url", "tags", "lang")
_LATER = {".docx": "Word documents (.docx)", ".html": "web pages (.html)", ".htm": "web pages (.htm)"}
_PERSONAL = re.compile(r"(?<!\\)\{(?=\{)")


@dataclass(frozen=True, slots=True)
class Imported:
    """An article file's text, the repairs that were made, and the keys of its front matter that nobody gave."""

    slug: str
    markdown: str
    repairs: tuple[Repair, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Draft:
    """What a source says by itself: front matter and a Markdown body."""

    front: Mapping[str, Any]
    body: str
    repairs: tuple[Repair, ...]


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
    text = _read(source)
    draft = _from_markdown(text, given, source) if source.suffix.lower() == ".md" else _from_text(text, given)
    front: dict[str, Any] = {**draft.front, **given}
    front["slug"] = slugify(str(front.get("slug") or front.get("title") or source.stem))
    ordered = {key: front[key] for key in _KEPT_KEYS if key in front}
    header = yaml.safe_dump(ordered, allow_unicode=True, sort_keys=False, width=10_000)
    missing = tuple(key for key in _ASKED_FOR if not front.get(key))
    repairs = tuple(sorted(draft.repairs, key=lambda repair: repair.line))
    return Imported(front["slug"], f"---\n{header}---\n\n{draft.body}\n", repairs, missing)


def write_article(folder: Path, imported: Imported) -> Path:
    """Write `imported` into the issue `folder` as its next article, NN-slug.md, and give its path.

    Nothing is overwritten, and nothing half written stays. Raises ContentError, also when the issue has an article with
    that slug already.
    """
    if not folder.is_dir():
        raise ContentError(f"there is no folder {folder}", hint="`newsletter new` makes a new issue")
    draft = folder / f".import-{secrets.token_hex(8)}"
    try:
        draft.write_text(imported.markdown, "utf-8", newline="\n")
        return _named(folder, draft, imported.slug)
    except OSError as error:
        raise ContentError(f"the article cannot be written: {error.strerror}", where=Place(folder)) from error
    finally:
        draft.unlink(missing_ok=True)


def _named(folder: Path, draft: Path, slug: str) -> Path:
    while True:
        taken = [found for path in folder.iterdir() if (found := re.fullmatch(r"(\d+)-(.+)\.md", path.name))]
        twin = next((found[0] for found in taken if found[2] == slug), None)
        if twin is not None:
            raise ContentError(
                f"this issue has an article with the slug `{slug}` already",
                hint="give the new one another title (--title), or remove the old one",
                where=Place(folder / twin),
            )
        path = folder / f"{max((int(found[1]) for found in taken), default=0) + 1:02}-{slug}.md"
        try:
            os.link(draft, path)  # unlike a rename, it fails if another process was quicker
        except FileExistsError:
            continue
        return path


def _read(source: Path) -> str:
    suffix = source.suffix.lower()
    if suffix in _LATER:
        raise ContentError(
            f"{_LATER[suffix]} cannot be imported yet",
            hint="save it as plain text (.txt) or as Markdown (.md)",
            where=Place(source),
        )
    if suffix not in {".txt", ".md"}:
        raise ContentError(
            "is of a kind that cannot be imported", hint="plain text (.txt) and Markdown (.md) can", where=Place(source)
        )
    text = read_text(source)
    if "\0" in text:
        raise ContentError("is not text", hint="save the file as UTF-8 text", where=Place(source))
    if not text.strip():
        raise ContentError("holds no text", where=Place(source))
    return text


def _from_text(text: str, given: Mapping[str, Any]) -> _Draft:
    passages, repairs = plaintext.passages(text)
    front: dict[str, Any] = {}
    first = plaintext.title_of(passages)
    if first is not None and given.get("title", first) == first:
        front["title"] = first
        repairs.append(Repair("unmarked-heading", passages[0].number, f"the title: {first}"))
        passages = passages[1:]
    passages, headings = plaintext.with_headings(passages)
    body, escaped = plaintext.to_markdown(passages)
    return _Draft(front, body, (*repairs, *headings, *escaped))


def _from_markdown(text: str, given: Mapping[str, Any], source: Path) -> _Draft:
    document = read_document(source) if text.startswith("---\n") else None
    values = dict(document.values) if document else {}
    front = {key: value for key, value in values.items() if key in _KEPT_KEYS and value is not None}
    dropped = [
        Repair("dropped-key", document.place(key).line or 1, f"front matter that is not imported: {key}")
        for key in values
        if document and key not in front
    ]
    body = document.body.text if document else text
    title, rest = _first_heading(body, source)
    if title and title == given.get("title", front.get("title", title)):
        front["title"], body = title, rest
    escaped = _PERSONAL.sub(r"\\{", body)
    above = text.count("\n") - body.count("\n")
    repairs = [
        Repair("escaped", number, "kept from being a personal slot: {{")
        for number, (line, old) in enumerate(zip(escaped.split("\n"), body.split("\n"), strict=True), above + 1)
        if line != old
    ]
    return _Draft(front, escaped.strip("\n"), (*dropped, *repairs))


def _first_heading(body: str, source: Path) -> tuple[str, str]:
    """The words of the level-one heading that `body` begins with, and what stands behind it."""
    found = re.match(r"\s*^ {0,3}#[ \t][^\n]*(?:\n|\Z)", body, re.MULTILINE)
    nodes = parse_nodes(Source.of(source, found[0]), Collected()) if found and "{{" not in found[0] else ()
    match nodes:
        case (Heading(level=1, children=children),):
            return plain(children), body[len(found[0]) if found else 0 :]
        case _:
            return "", body
