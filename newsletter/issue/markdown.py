"""Markdown with directives -> blocks. The only file that knows the parser (pyromark, bindings to pulldown-cmark).

A directive's fence is replaced by a comment line before parsing, so that one parse sees the whole document and
reference links and footnotes work across fences (CommonMark 0.31.2 section 4.6 lets a comment interrupt a paragraph).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pyromark

from newsletter.errors import Collected, Place
from newsletter.issue.blocks import Block, Divider, Figure
from newsletter.issue.directives import Fence, Opening, close_block
from newsletter.issue.events import Events, NodeBuilder
from newsletter.issue.prose import HtmlBlock, Image, Node, Paragraph, Rule, Text
from newsletter.issue.source import ByteOffsets, Edit, Source, Stretches

_O = pyromark.Options
_OPTIONS = (
    _O.ENABLE_TABLES
    | _O.ENABLE_FOOTNOTES
    | _O.ENABLE_TASKLISTS
    | _O.ENABLE_STRIKETHROUGH
    | _O.ENABLE_HEADING_ATTRIBUTES
)
MAX_DEPTH = 40
"""How deep lists, quotations and marks may stand inside each other (a list counts twice)."""
MAX_OPEN = 8
"""How many directives may be open at once."""
_FENCE = re.compile(r"^ {0,3}(?:> {0,4})*(?P<fence>:::+)(?P<said>[^\n]*)$", re.MULTILINE)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_MARKER = re.compile(r"<!--\s*(articles|more)\s*-->")


@dataclass(frozen=True, slots=True)
class Parsed:
    """A document's blocks, and for each marker (`<!-- more -->`) the index of the first block behind it."""

    blocks: tuple[Block, ...]
    markers: dict[str, int]


def parse(source: Source, problems: Collected) -> Parsed:
    """The blocks of `source`, in which slots are tokens already; faults go to `problems` with their places."""
    fences = _fences(source)
    marked = source.edited(Edit(fence.start, fence.end, f"<!--{n}-->") for n, fence in enumerate(fences))
    return _Assembly(marked, fences, problems).parsed()


def parse_nodes(source: Source, problems: Collected) -> tuple[Node, ...]:
    """The prose of `source`, without directives: what CommonMark says of it."""
    builder = NodeBuilder(Events(_readable(source, problems), source, problems, {}))
    nodes = tuple(node for node in builder.nodes() if not isinstance(node, Fence))
    notes = builder.footnotes()
    return (*nodes, notes) if notes else nodes


def _events(text: str) -> list[tuple[Any, dict[str, int]]]:
    return cast("list[tuple[Any, dict[str, int]]]", list(pyromark.events_with_range(text, options=_OPTIONS)))


def _readable(source: Source, problems: Collected) -> list[tuple[Any, dict[str, int]]]:
    """The events of `source`; none, and a fault, where they nest deeper than anybody reads."""
    events = _events(source.text)
    depth = 0
    for event, span in events:
        if isinstance(event, dict):
            depth += ("Start" in event) - ("End" in event)
        if depth > MAX_DEPTH:
            problems.add(
                f"lists and quotations stand more than {MAX_DEPTH} deep inside each other",
                hint="take some of the > or of the space before the marks away",
                where=source.place(ByteOffsets(source.text).character(span["start"])),
            )
            return []
    return events


def code_spans(text: str) -> list[tuple[int, int]]:
    """Where code and comments stand in `text`, if it has a brace that may open a slot: none opens there."""
    return literal_spans(text) if "{{" in text else []


def literal_spans(text: str) -> list[tuple[int, int]]:
    """Where code and comments stand in `text`: what is written there stands for itself."""
    code = _spans(text, lambda event: "Code" in event or _starts(event, "CodeBlock"))
    html = _spans(text, lambda event: "InlineHtml" in event or _starts(event, "HtmlBlock")) if "<!--" in text else []
    comments = (found.span() for start, end in html for found in _COMMENT.finditer(text, start, end))
    return sorted([*code, *comments])


def loose_references(source: Source) -> Iterator[tuple[str, Place]]:
    """What is written like a reference and leads nowhere: `[text][missing]` and `[^missing]`, outside code."""
    text = source.text
    for brackets in _brackets(text):
        open_at: list[int] = []
        ended: dict[int, int] = {}  # where a pair ends, where it begins
        for at in brackets:
            if text[at] == "[":
                open_at.append(at)
                continue
            if not open_at:
                continue
            start = open_at.pop()
            before = ended.get(start - 1)
            if before is not None:
                yield text[before : at + 1], source.place(before)
            elif re.fullmatch(r"\^[^\s^]+", text[start + 1 : at]):
                yield text[start : at + 1], source.place(start)
            elif at - start > 1:
                ended[at] = start


def pictures_in(source: Source) -> Iterator[tuple[int, int, Image]]:
    """The pictures in `source`, each with the offsets at which it begins and ends."""
    offsets = ByteOffsets(source.text)
    open_at: list[tuple[int, Any]] = []
    alt = ""
    for event, span in _events(source.text):
        if _starts(event, "Image"):
            open_at.append((offsets.character(span["start"]), event["Start"]["Image"]))
        elif _ends(event, "Image"):
            start, said = open_at.pop()
            if not open_at:
                place = source.place(start)
                yield start, offsets.character(span["end"]), Image(said["dest_url"], said["title"], alt, place)
                alt = ""
        elif open_at and isinstance(event, dict):
            alt += event.get("Text") or event.get("Code") or ""


def _brackets(text: str) -> Iterator[list[int]]:
    """The offsets of the brackets that stand as text, block by block: none in code, none behind a backslash."""
    if "[" not in text:
        return
    offsets = ByteOffsets(text)
    found: list[int] = []
    end, code = 0, False
    for event, span in _events(text):
        if isinstance(event, dict) and "Text" in event and not code:
            start = offsets.character(span["start"])
            escaped = start > end and text[start - 1] == "\\"
            end = offsets.character(span["end"])
            found += [at for at in range(start + escaped, end) if text[at] in "[]"]
        elif _starts(event, "CodeBlock") or _ends(event, "CodeBlock"):
            code = not code
        elif any(_ends(event, kind) for kind in ("Paragraph", "Heading", "Item", "TableCell")):
            yield found
            found = []
    yield found


def outline(text: str) -> Iterator[tuple[str, int, int]]:
    """What `text` consists of: "Paragraph", "Heading", "CodeBlock" and so on as the parser calls them, or "Fence", each
    with the offsets at which it begins and ends. What stands between two of them is blank, or a link's definition."""
    fences = [(fence.start, fence.end) for fence in _fences(Source.of(Path(), text))]
    begin = 0
    for start, end in [*fences, (len(text), len(text))]:
        offsets = ByteOffsets(text[begin:start])
        depth = 0
        for event, span in _events(text[begin:start]):
            if isinstance(event, dict) and "Start" in event and not depth:
                kind = event["Start"]
                name = kind if isinstance(kind, str) else next(iter(kind))
                yield name, begin + offsets.character(span["start"]), begin + offsets.character(span["end"])
            depth += isinstance(event, dict) and ("Start" in event) - ("End" in event)
        if start < end:
            yield "Fence", start, end
        begin = end


def running_text(text: str) -> list[tuple[int, int]]:
    """Where words stand in `text` as they will be read: not in code, HTML or addresses."""
    code = Stretches(_spans(text, lambda event: _starts(event, "CodeBlock")))
    spans = _spans(text, lambda event: isinstance(event, dict) and "Text" in event)
    return [span for span in spans if span[0] not in code]


def _fences(source: Source) -> list[Fence]:
    """The fences of `source` that do not stand inside code or HTML."""
    candidates = list(_FENCE.finditer(source.text))
    if not candidates:
        return []
    literal = Stretches(_spans(source.text, lambda event: _starts(event, "CodeBlock") or _starts(event, "HtmlBlock")))
    return [
        Fence(found.start("fence"), found.end(), found["said"].strip(" \t"), source.place(found.start("fence")))
        for found in candidates
        if found.start("fence") not in literal
    ]


def _spans(text: str, wanted: Callable[[Any], bool]) -> list[tuple[int, int]]:
    offsets = ByteOffsets(text)
    return [
        (offsets.character(span["start"]), offsets.character(span["end"]))
        for event, span in _events(text)
        if wanted(event)
    ]


def _starts(event: Any, kind: str) -> bool:
    return isinstance(event, dict) and kind in (event.get("Start") or ())


def _ends(event: Any, kind: str) -> bool:
    return isinstance(event, dict) and kind in (event.get("End") or ())


class _Assembly:
    """Puts nodes and fences together into blocks; owns the stack of open directives."""

    def __init__(self, marked: Source, fences: list[Fence], problems: Collected) -> None:
        self._problems = problems
        moved = {fence.start: fence for fence in self._moved(fences)}
        self._builder = NodeBuilder(Events(_readable(marked, problems), marked, problems, moved))
        self._markers: dict[str, int] = {}
        self._stack = [Opening.document(marked)]

    @staticmethod
    def _moved(fences: list[Fence]) -> Iterator[Fence]:
        shift = 0
        for n, fence in enumerate(fences):
            yield fence.moved(shift)
            shift += len(f"<!--{n}-->") - (fence.end - fence.start)

    def parsed(self) -> Parsed:
        for node in self._builder.nodes():
            if isinstance(node, Fence):
                self._fence(node)
            else:
                self._node(node)
        for opening in reversed(self._stack[1:]):
            self._problems.add(
                f"`:::{opening.name}` is never closed",
                hint="a line with only ::: closes it",
                where=opening.place,
            )
        if notes := self._builder.footnotes():
            self._stack[0].add_node(notes)
        return Parsed(self._stack[0].blocks(), self._markers)

    def _fence(self, fence: Fence) -> None:
        if fence.said:
            opening = Opening.of(fence, self._problems)
            if opening.takes_body:
                self._push(opening)
            else:
                self._close(opening)
        elif len(self._stack) == 1:
            self._problems.add("this `:::` closes nothing", hint="remove it", where=fence.place)
        else:
            self._close(self._stack.pop())

    def _push(self, opening: Opening) -> None:
        self._stack.append(opening)
        if len(self._stack) == MAX_OPEN + 2:  # beside the document itself
            self._problems.add(
                f"more than {MAX_OPEN} directives stand inside each other",
                hint="close some with ::: before it",
                where=opening.place,
            )
        opening.valid &= len(self._stack) <= MAX_OPEN + 1

    def _close(self, opening: Opening) -> None:
        block = close_block(opening, self._problems)
        if block is not None:
            self._stack[-1].add_block(block)

    def _node(self, node: Node) -> None:
        top = self._stack[-1]
        match node:
            case HtmlBlock(html, place) if marker := _MARKER.fullmatch(html.strip()):
                self._marker(marker[1], place)
            case HtmlBlock(html) if _COMMENT.fullmatch(html.strip()):
                pass  # the writer's own note: no reader gets it
            case Rule(place):
                top.add_block(Divider(place=place))
            case Paragraph((Image() as image,), place) if image.src or image.title:
                top.add_block(_figure(image, place))
            case _:
                top.add_node(node)

    def _marker(self, name: str, place: Place) -> None:
        if len(self._stack) > 1:
            self._problems.add(
                f"`<!-- {name} -->` stands inside `:::{self._stack[-1].name}`",
                hint="close the directive before it",
                where=place,
            )
        elif name in self._markers:
            self._problems.add(f"`<!-- {name} -->` stands here a second time", hint="remove one", where=place)
        else:
            self._markers[name] = self._stack[0].count()


def _figure(image: Image, place: Place) -> Figure:
    caption = (Text(image.title),) if image.title else ()
    return Figure(src=image.src, alt=image.alt, line=caption, place=place)
