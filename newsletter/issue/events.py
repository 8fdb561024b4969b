"""The parser's flat events -> the prose tree, with the place of everything that a finding may point to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from newsletter.errors import Collected, Place
from newsletter.issue import prose, slots
from newsletter.issue.directives import Fence
from newsletter.issue.prose import plain
from newsletter.issue.source import ByteOffsets, Source

_INLINE_MARKS: dict[str, type[prose.Emphasis | prose.Strong | prose.Strikethrough]] = {
    "Emphasis": prose.Emphasis,
    "Strong": prose.Strong,
    "Strikethrough": prose.Strikethrough,
}
_INLINE_STARTS = {*_INLINE_MARKS, "Link", "Image"}
_BREAKS: dict[str, prose.Inline] = {"SoftBreak": prose.SoftBreak(), "HardBreak": prose.HardBreak()}
_INLINE_LEAVES = {"Text", "Code", "InlineHtml", "FootnoteReference", "TaskListMarker", *_BREAKS}


MAX_HTML_DEPTH = 100
"""How deep raw HTML may nest; what reads it later ends without a word a hundred times deeper."""
_HTML_TAG = re.compile(r"<!--.*?(?:-->|\Z)|<(?P<end>/?)(?P<name>[A-Za-z][A-Za-z0-9:-]*)", re.DOTALL)
_ENDS_BY_ITSELF = {
    *("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"),
    *("colgroup", "dd", "dt", "li", "optgroup", "option", "p", "rp", "rt", "tbody", "td", "tfoot", "th", "thead", "tr"),
}


class Events:
    """A cursor over events as triples (kind, what it carries, offset); knows fences by their offset."""

    def __init__(
        self, events: list[tuple[Any, dict[str, int]]], source: Source, problems: Collected, fences: dict[int, Fence]
    ) -> None:
        self._events = [*(_flat(event, span["start"]) for event, span in events), ("Over", "", None, 0)]
        self._at = 0
        self._bytes = ByteOffsets(source.text)
        self.source = source
        self.problems = problems
        self.fences = fences

    def peek(self) -> tuple[str, str, Any, int]:
        """The next event: ("Start", "Heading", {...}, byte offset), ("End", "Heading", …) or ("Text", "", "words", …);
        "Over" when there is none."""
        return self._events[self._at]

    def take(self) -> tuple[str, str, Any, int]:
        event = self.peek()
        self._at += 1
        return event

    def offset(self, byte: int) -> int:
        return self._bytes.character(byte)

    def place(self, byte: int) -> Place:
        return self.source.place(self.offset(byte))


def _flat(event: Any, byte: int) -> tuple[str, str, Any, int]:
    if isinstance(event, str):
        return event, "", None, byte
    ((kind, carried),) = event.items()
    if kind not in {"Start", "End"}:
        return kind, "", carried, byte
    if isinstance(carried, str):
        return kind, carried, None, byte
    ((name, detail),) = carried.items()
    return kind, name, detail, byte


@dataclass(slots=True)
class _Notes:
    """The document's footnotes while it is read: numbers in the order of first reference."""

    numbers: dict[str, int] = field(default_factory=dict)
    references: dict[str, int] = field(default_factory=dict)
    bodies: dict[str, tuple[prose.Node, ...]] = field(default_factory=dict)

    def number(self, label: str) -> int:
        return self.numbers.setdefault(label, len(self.numbers) + 1)

    def refer(self, label: str) -> prose.FootnoteReference:
        self.references[label] = self.references.get(label, 0) + 1
        return prose.FootnoteReference(self.number(label), self.references[label])


class NodeBuilder:
    """Reads a whole document from its events."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._notes = _Notes()
        self._html_depth = 0

    def nodes(self) -> Iterator[prose.Node | Fence]:
        """The document's top-level nodes and fences in order; footnote definitions are kept for `footnotes`."""
        while self._events.peek()[0] != "Over":
            yield from self._node(top=True)

    def footnotes(self) -> prose.Footnotes | None:
        """The footnotes that nodes() met, numbered by first reference; those nobody refers to stand last."""
        notes = self._notes
        for label in notes.bodies:
            notes.number(label)
        items = [
            prose.Footnote(number, notes.references.get(label, 0), notes.bodies[label])
            for label, number in sorted(notes.numbers.items(), key=lambda pair: pair[1])
            if label in notes.bodies
        ]
        return prose.Footnotes(tuple(items)) if items else None

    def _node(self, *, top: bool) -> Iterator[prose.Node | Fence]:
        kind, name, detail, byte = self._events.take()
        if kind == "Rule":
            yield prose.Rule(self._events.place(byte))
        elif kind in _INLINE_LEAVES or name in _INLINE_STARTS:
            raise AssertionError(f"running text outside a paragraph: {kind} {name}")
        elif name == "HtmlBlock":
            yield from self._html_block(top=top)
        elif name == "FootnoteDefinition":
            self._notes.bodies[detail] = self._children("FootnoteDefinition")
        else:
            yield self._block(name, detail, byte)

    def _block(self, name: str, detail: Any, byte: int) -> prose.Node:
        place = self._events.place(byte)
        match name:
            case "Paragraph":
                return prose.Paragraph(self._inlines(), place)
            case "Heading":
                children = self._inlines()
                return prose.Heading(int(detail["level"][1]), children, place, detail["id"])
            case "CodeBlock":
                return self._code_block(detail)
            case "BlockQuote":
                return prose.BlockQuote(self._children(name))
            case "List":
                return self._listing(detail)
            case "Table":
                return self._table(detail)
            case _:
                raise AssertionError(f"an event that this reader does not know: {name}")

    def _children(self, until: str) -> tuple[prose.Node, ...]:
        found: list[prose.Node] = []
        while not self._at_end(until):
            kind, name, _, _ = self._events.peek()
            if kind in _INLINE_LEAVES or name in _INLINE_STARTS:
                found.append(prose.Tight(self._run()))
            else:
                found += [node for node in self._node(top=False) if not isinstance(node, Fence)]
        self._events.take()
        return tuple(found)

    def _at_end(self, until: str) -> bool:
        kind, name, _, _ = self._events.peek()
        return kind == "End" and name == until

    def _code_block(self, detail: Any) -> prose.CodeBlock:
        language = detail["Fenced"].split(" ")[0] if isinstance(detail, dict) else ""
        text = ""
        while not self._at_end("CodeBlock"):
            text += self._events.take()[2]
        self._events.take()
        return prose.CodeBlock(text, language)

    def _listing(self, start: int | None) -> prose.Listing:
        items = []
        while not self._at_end("List"):
            self._events.take()
            items.append(prose.Item(self._children("Item")))
        self._events.take()
        tight = not any(isinstance(child, prose.Paragraph) for item in items for child in item.children)
        return prose.Listing(start, tuple(items), tight)

    def _table(self, alignments: tuple[str, ...]) -> prose.Table:
        aligns = [None if align == "None" else align.lower() for align in alignments]
        rows: list[tuple[prose.Cell, ...]] = []
        while not self._at_end("Table"):
            row = self._events.take()[1]
            cells: list[prose.Cell] = []
            while not self._at_end(row):
                self._events.take()
                cells.append(prose.Cell(self._inlines(), aligns[len(cells)] if len(cells) < len(aligns) else None))
            self._events.take()
            rows.append(tuple(cells))
        self._events.take()
        return prose.Table(rows[0], tuple(rows[1:]))

    def _html_block(self, *, top: bool) -> Iterator[prose.Node | Fence]:
        html, begin = "", self._events.peek()[3]
        while not self._at_end("HtmlBlock"):
            _, _, text, byte = self._events.take()
            fence = self._events.fences.get(self._events.offset(byte + len(text) - len(text.lstrip())))
            if fence is None:
                begin = begin if html else byte
                html += text
                continue
            if html:
                yield self._html(html, begin)
                html = ""
            if top:
                yield fence
            else:
                self._events.problems.add(
                    "a directive cannot stand inside a list, a `>` quotation or a footnote",
                    hint="begin the line with ::: and leave the list before it",
                    where=fence.place,
                )
        self._events.take()
        if html:
            yield self._html(html, begin)

    def _html(self, html: str, byte: int) -> prose.HtmlBlock:
        if html.lstrip().startswith("<!--") and "-->" not in html:
            self._events.problems.add(
                "this comment is never closed: what is behind it would be part of it",
                hint="--> closes it",
                where=self._events.place(byte),
            )
        return prose.HtmlBlock(self._markup(html, byte), self._events.place(byte))

    def _inlines(self) -> tuple[prose.Inline, ...]:
        found = self._run()
        self._events.take()  # the end of what holds it
        return found

    def _run(self) -> tuple[prose.Inline, ...]:
        """Running text up to the end of what holds it, or to the next block in a tight list's item."""
        found: list[prose.Inline] = []
        while True:
            kind, name, detail, byte = self._events.peek()
            if kind == "Text":
                found.append(prose.Text(self._text()))
            elif kind in _INLINE_LEAVES:
                self._events.take()
                found.append(self._leaf(kind, detail, byte))
            elif kind == "Start" and name in _INLINE_STARTS:
                self._events.take()
                found.append(self._mark(name, detail, byte))
            else:
                return tuple(found)

    def _text(self) -> str:
        """The words up to what is no words: the parser parts them at every sign that might have been a mark."""
        parts: list[str] = []
        while self._events.peek()[0] == "Text":
            parts.append(self._events.take()[2])
        return "".join(parts)

    def _leaf(self, kind: str, detail: Any, byte: int) -> prose.Inline:
        if kind in _BREAKS:
            return _BREAKS[kind]
        match kind:
            case "Code":
                return prose.Code(detail)
            case "InlineHtml":
                return prose.InlineHtml(self._markup(detail, byte), self._events.place(byte))
            case "TaskListMarker":
                return prose.TaskMarker(detail)
            case _:
                return self._notes.refer(detail)

    def _mark(self, name: str, detail: Any, byte: int) -> prose.Inline:
        place = self._events.place(byte)
        children = self._inlines()
        if name in _INLINE_MARKS:
            return _INLINE_MARKS[name](children)
        url = detail["dest_url"]
        title = self._without_slots(detail["title"], "a title", place)
        if name == "Image":
            alt = self._without_slots(plain(children), "a picture’s alt text", place)
            return prose.Image(self._without_slots(url, "a picture’s address", place), title, alt, place)
        prefix = "mailto:" if detail["link_type"] == "Email" and not url.startswith("mailto:") else ""
        return prose.Link(prefix + self._query(url, place), title, children, place)

    def _query(self, url: str, place: Place) -> str:
        try:
            return slots.in_query(url)
        except ValueError as error:
            self._events.problems.add(str(error), hint="…/page?name={{ subscriber.first_name }}", where=place)
            return slots.restore(url)

    def _without_slots(self, text: str, what: str, place: Place) -> str:
        if slots.TOKEN.search(text):
            self._events.problems.add(
                f"a personal slot cannot stand in {what}", hint="put it into the running text", where=place
            )
        return slots.restore(text)

    def _markup(self, html: str, byte: int) -> str:
        """Raw HTML as it stands; slots may stand between its tags and not inside one."""
        self._measure(html, byte)
        if not slots.TOKEN.search(html):
            return html
        return re.sub(
            r"<[^>]*>",
            lambda tag: self._without_slots(tag[0], "an HTML tag", self._events.place(byte)),
            html,
        )

    def _measure(self, html: str, byte: int) -> None:
        for tag in _HTML_TAG.finditer(html):
            if not tag["name"] or tag["name"].lower() in _ENDS_BY_ITSELF:
                continue
            self._html_depth = max(self._html_depth + (-1 if tag["end"] else 1), 0)
            if self._html_depth == MAX_HTML_DEPTH + 1 and not tag["end"]:
                self._events.problems.add(
                    f"more than {MAX_HTML_DEPTH} elements of raw HTML stand inside each other",
                    hint="close them, or say it in Markdown",
                    where=self._events.place(byte),
                )
