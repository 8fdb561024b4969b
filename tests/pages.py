"""A page as the tests read it: its elements in order, with what stands around each."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

INLINE = {"a", "abbr", "b", "code", "del", "em", "i", "img", "span", "strong", "sub", "sup", "time"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


@dataclass(eq=False)
class Element:
    """An element: `text` is all that is written in it; `around` its ancestors, the nearest last."""

    tag: str
    attributes: dict[str, str | None]
    around: tuple[Element, ...] = field(repr=False)
    text: str = ""
    twice: list[str] = field(default_factory=list)

    def __getitem__(self, name: str) -> str:
        return self.attributes.get(name) or ""

    @property
    def classes(self) -> set[str]:
        return set(self["class"].split())


class Read(HTMLParser):
    """`markup`, read: `elements`, `text` in lines, and `unclosed`, the tags that were not closed or not opened."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.text = ""
        self.unclosed: list[str] = []
        self._open: list[Element] = []
        self.feed(markup)
        self.close()
        self.unclosed += [element.tag for element in self._open]

    def all(self, *tags: str) -> list[Element]:
        return [element for element in self.elements if element.tag in tags]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        twice = sorted({name for name in names if names.count(name) > 1})
        element = Element(tag, dict(attrs), tuple(self._open), twice=twice)
        self.elements.append(element)
        self._apart(tag)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        self._apart(tag)
        if self._open and self._open[-1].tag == tag:
            self._open.pop()
        else:
            self.unclosed.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data
        if not any(element.tag in {"style", "title"} for element in self._open):
            self.text += data

    def _apart(self, tag: str) -> None:
        if tag not in INLINE:
            self.text += "\n"
