"""A draft and what its importer says -> a complete article file, with every repair named and no letter lost."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from newsletter.errors import Collected
from newsletter.issue.front import ArticleFront
from newsletter.issue.importing.draft import Draft, Form, Repair
from newsletter.issue.importing.manuscript import Kind, Manuscript, words_of
from newsletter.issue.importing.readers import read_draft
from newsletter.issue.importing.repairs import mend
from newsletter.issue.markdown import parse_nodes
from newsletter.issue.prose import Heading
from newsletter.issue.slug import slugify
from newsletter.issue.source import Source

_ASKED_FOR = ("title", "author", "date", "source_url")


@dataclass(frozen=True, slots=True)
class Imported:
    """An article file's text, the repairs that were made, the keys of its front matter that nobody gave, and pictures.

    `in_source`: whether the lines of the repairs are those of the source; otherwise they are those of the article.
    """

    slug: str
    markdown: str
    repairs: tuple[Repair, ...] = ()
    missing: tuple[str, ...] = ()
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    in_source: bool = True


def import_article(
    source: Path,
    *,
    title: str | None = None,
    source_url: str | None = None,
    date: datetime.date | None = None,
    author: str | None = None,
    lang: str = "en",
    keep: Collection[str] = (),
) -> Imported:
    """The article in the file `source`; what is given here beats what the file says. Raises ContentError.

    `keep` names the repairs that are not to be made; `lang` is the language of a text that does not say its own.
    """
    given = {"title": title, "author": author, "date": date, "source_url": source_url}
    return imported(read_draft(source), {key: value for key, value in given.items() if value}, source.stem, lang, keep)


def imported(
    draft: Draft, given: Mapping[str, Any], name: str, lang: str = "en", keep: Collection[str] = ()
) -> Imported:
    """The article of a `draft` with what is `given` beside it; `name` makes the slug where there is no title."""
    manuscript, repairs = mend(_titled(Manuscript.of(draft, given, lang)), keep)
    front = dict(manuscript.front)
    front["slug"] = slugify(str(front.get("slug") or front.get("title") or name))
    ordered = {key: front[key] for key in ArticleFront.model_fields if front.get(key)}
    header = yaml.safe_dump(ordered, allow_unicode=True, sort_keys=False, width=10_000)
    above = f"---\n{header}---\n\n"
    made: Iterable[Repair] = (*draft.repairs, *repairs)
    if draft.first_line is None:
        made = [replace(repair, line=_written_line(manuscript, above, repair.line)) for repair in made]
    return Imported(
        front["slug"],
        f"{above}{manuscript.body}\n",
        tuple(sorted(made, key=lambda repair: repair.line)),
        tuple(key for key in _ASKED_FOR if not front.get(key)),
        draft.pictures,
        draft.first_line is not None,
    )


def _written_line(manuscript: Manuscript, above: str, line: int) -> int:
    """The line of the article below `above` on which that stands which stood on `line` of the draft's body."""
    at, found = above.count("\n") + 1, 1
    for n, passage in enumerate(manuscript.passages):
        at += passage.before.count("\n") if n else 0
        found = at if passage.line <= line else found
        at += passage.markdown.count("\n")
    return found


def _titled(manuscript: Manuscript) -> Manuscript:
    """The level-one heading at the start of Markdown is the title, unless another one is given."""
    first = manuscript.passages[0] if manuscript.passages else None
    if manuscript.form is Form.TEXT or first is None or first.kind is not Kind.HEADING:
        return manuscript
    match parse_nodes(Source.of(Path(), first.text), Collected()):
        case (Heading(level=1),) if words := manuscript.bare_words(first):
            title = str(manuscript.front.get("title") or words)
            if words_of(title) == words_of(words):
                return manuscript.with_front("title", title).with_passages(manuscript.passages[1:])
    return manuscript
