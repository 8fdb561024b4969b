"""HTML -> its words, links, pictures and tags, as a mail client would read them."""

from __future__ import annotations

from dataclasses import dataclass
from html.parser import HTMLParser

_UNSEEN = {"style", "script", "title"}
_LITERAL = {"code", "pre"}


@dataclass(frozen=True, slots=True)
class Markup:
    """`words` leave out code; `links` are pairs (href, text); `unnamed` the addresses of pictures without alt."""

    words: str
    links: tuple[tuple[str, str], ...]
    unnamed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tag:
    """A start tag: its element, its attributes with their values, and the first line of how it is written."""

    name: str
    attributes: tuple[tuple[str, str], ...]
    written: str


def tags_of(html: str) -> tuple[Tag, ...]:
    """The start tags in `html`, in their order."""
    reader = _Tags()
    reader.feed(html)
    reader.close()
    return tuple(reader.found)


def read_markup(html: str) -> Markup:
    """The parts of `html` that rules look at."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return Markup(" ".join(reader.words), tuple(reader.links), tuple(reader.unnamed))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self.links: list[tuple[str, str]] = []
        self.unnamed: list[str] = []
        self._open: list[str] = []
        self._link: tuple[str, list[str]] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag in _UNSEEN | _LITERAL:
            self._open.append(tag)
        elif tag == "a" and "href" in said:
            self._link = (said["href"] or "", [])
        elif tag == "img" and "alt" not in said:
            self.unnamed.append(said.get("src") or "")

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1] == tag:
            self._open.pop()
        elif tag == "a" and self._link:
            href, parts = self._link
            self.links.append((href, " ".join(" ".join(parts).split())))
            self._link = None

    def handle_data(self, data: str) -> None:
        if self._link:
            self._link[1].append(data)
        if not self._open:
            self.words.append(data)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Tag] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = tuple((name, value or "") for name, value in attrs)
        self.found.append(Tag(tag, said, (self.get_starttag_text() or "").split("\n")[0]))
