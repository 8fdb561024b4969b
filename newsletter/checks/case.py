"""What a rule looks at: everything that was written with its place, and the compiled parts filled for one reader."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from newsletter.checks import writing
from newsletter.checks.writing import Linked, Shown, Words
from newsletter.compile.edition import Asset, Edition, Facts
from newsletter.compile.slots import Program, as_html, as_text, cut
from newsletter.config import Settings
from newsletter.errors import ContentError, Place
from newsletter.issue.beside import picture_of, pictures, texts_of
from newsletter.issue.front import Document, read_document
from newsletter.issue.model import Issue
from newsletter.issue.source import Source
from newsletter.message import Composer, Recipient

if TYPE_CHECKING:
    from newsletter.checks.markup_reader import Markup

_SOME_DAY = datetime(2000, 1, 1, tzinfo=UTC)
_TYPICAL_VALUE = "Bartholomew"
_TYPICAL_TOKEN = "t" * 80


@dataclass(frozen=True)
class Case:
    """One issue, what it was compiled to, and what is known of the world."""

    issue: Issue
    edition: Edition
    facts: Facts
    settings: Settings

    # What was written

    @cached_property
    def words(self) -> tuple[Words, ...]:
        """Every piece of text, code left out, front matter before the rest."""
        return (*self._front_words(), *writing.words_of(self.issue))

    @cached_property
    def code(self) -> str:
        """All that was set as code: what looks like a fault there is none."""
        return "\n".join(writing.code_of(self.issue))

    @cached_property
    def pictures(self) -> tuple[Shown, ...]:
        return tuple(writing.pictures_of(self.issue))

    @cached_property
    def links(self) -> tuple[Linked, ...]:
        """Every link: those that were written, then those that only the compiled HTML has (theme, raw HTML)."""
        written = tuple(writing.links_of(self.issue))
        sources = ((article, article.source_url) for article in self.issue.articles)
        credited = tuple(
            Linked(url, "", self.key(article.place.path, "source_url"), labelled=False)
            for article, url in sources
            if url
        )
        known = {comparable(self._filled(link.url)) for link in (*written, *credited)}
        others = {url: text for page in self.pages for url, text in page.links if comparable(url) not in known}
        rest = tuple(Linked(url, text, self.find(url), labelled=False) for url, text in others.items())
        return (*written, *credited, *rest)

    @property
    def bodies(self) -> tuple[Source, ...]:
        """The Markdown of every file of the issue, as it is written."""
        return tuple(document.body for document in self._documents.values())

    # What it became

    @cached_property
    def html(self) -> tuple[str, ...]:
        """The HTML of every audience variant, filled with the largest reader's values."""
        return tuple(variant.html.fill(as_html(self._values)) for variant in self.edition.variants)

    @cached_property
    def pages(self) -> tuple[Markup, ...]:
        """`html`, read."""
        from newsletter.checks.markup_reader import read_markup

        return tuple(read_markup(html) for html in self.html)

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The text part of every audience variant, filled with the largest reader's values."""
        return tuple(self.as_text(variant.text) for variant in self.edition.variants)

    def as_text(self, program: Program) -> str:
        """`program` filled with the largest reader's values."""
        return program.fill(as_text(self._values))

    def assets(self) -> Iterator[tuple[Asset, Place]]:
        """Every file that readers load, with the place where it is shown first."""
        shown = (pair for blocks in texts_of(self.issue) for pair in pictures(blocks))
        places: dict[Path, Place] = {}
        for src, where in shown:
            places.setdefault(picture_of(src, where).resolve(), where)
        for asset in self.edition.assets:
            yield asset, places.get(asset.written.resolve(), Place(asset.written))

    @cached_property
    def weight(self) -> int:
        """The bytes of the largest message, with the largest reader's values."""
        reader = Recipient(id="largest", address="largest@reader.example", values=self._values)
        composers = (Composer(self.edition, audience=n, subject=0) for n in range(len(self.edition.variants)))
        return max((len(composer.message(reader, _SOME_DAY)) for composer in composers), default=0)

    # Where it stands

    def key(self, path: Path, name: str) -> Place:
        """The place of a key's value in the front matter of `path`; the file where the key is not there."""
        document = self._documents.get(path)
        return document.place(name) if document else Place(path)

    def subject_place(self, text: str) -> Place:
        """The place of the subject `text`."""
        return self.near(self.key(self.issue.place.path, "subject"), text)

    def near(self, place: Place, words: str) -> Place:
        """The place of `words` at `place` or behind it in the same file; `place` where they are written otherwise."""
        document = self._documents.get(place.path)
        if document is None or place.line is None:
            return place
        text = document.whole.text
        above = sum(len(line) + 1 for line in text.split("\n")[: place.line - 1])
        at = text.find(words, above + (place.column or 1) - 1)
        return place if at < 0 else document.whole.place(at)

    def find(self, words: str) -> Place | None:
        """The place where `words` are written first, in any file of the issue."""
        for document in self._documents.values():
            at = document.whole.text.find(words)
            if at >= 0:
                return document.whole.place(at)
        return None

    @cached_property
    def _documents(self) -> dict[Path, Document]:
        paths = [self.issue.place.path, *(article.place.path for article in self.issue.articles)]
        found: dict[Path, Document] = {}
        for path in paths:
            try:
                found[path] = read_document(path)
            except ContentError:  # written over since it was loaded: places are then as near as the loader said
                continue
        return found

    def _front_words(self) -> Iterator[Words]:
        path = self.issue.place.path
        yield from (Words(subject, self.subject_place(subject)) for subject in self.issue.subjects)
        for key, value in (("title", self.issue.title), ("preheader", self.issue.preheader), ("hook", self.issue.hook)):
            yield Words(value, self.key(path, key))
        for article in self.issue.articles:
            for key, value in (("title", article.title), ("hook", article.hook), ("author", article.author)):
                yield Words(value, self.key(article.place.path, key))

    @cached_property
    def _values(self) -> dict[str, str]:
        programs = (*self.edition.programs(), self.edition.preheader)
        names = {slot.name for program in programs for slot in program.slots}
        typical = {name: self._typical(name) for name in names}
        fallbacks = {f"?{name}": value for name, value in typical.items()}
        return {**fallbacks, **(typical if self.facts.largest is None else self.facts.largest)}

    def _typical(self, name: str) -> str:
        kind, _, rest = name.partition(".")
        return f"{self.settings.public_url}/{rest}/{_TYPICAL_TOKEN}" if kind == "links" else _TYPICAL_VALUE

    def _filled(self, url: str) -> str:
        values = {**{slot.name: _TYPICAL_VALUE for slot in cut(url).slots}, **self._values}
        return cut(url).fill(as_text(values))


def comparable(url: str) -> str:
    """`url` such that two ways to write one address are equal."""
    return unquote(url).rstrip("/")
