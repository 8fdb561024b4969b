"""Prose as a tree: what CommonMark with tables, footnotes, task lists and strikethrough can say, and nothing else.

Built by markdown.py, rendered by compile/; frozen values without behaviour.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from newsletter.errors import Place


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Code:
    text: str


@dataclass(frozen=True, slots=True)
class SoftBreak:
    pass


@dataclass(frozen=True, slots=True)
class HardBreak:
    pass


@dataclass(frozen=True, slots=True)
class InlineHtml:
    html: str
    place: Place


@dataclass(frozen=True, slots=True)
class Emphasis:
    children: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Strong:
    children: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Strikethrough:
    children: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Link:
    url: str
    title: str
    children: tuple[Inline, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Image:
    """A picture in running text; one that stands alone in a paragraph becomes a Figure block instead."""

    src: str
    title: str
    alt: str
    place: Place


@dataclass(frozen=True, slots=True)
class FootnoteReference:
    """A reference to the article's footnote `number`, counted from 1; `nth` tells repeated references apart."""

    number: int
    nth: int


@dataclass(frozen=True, slots=True)
class TaskMarker:
    done: bool


Inline = (
    Text
    | Code
    | SoftBreak
    | HardBreak
    | InlineHtml
    | Emphasis
    | Strong
    | Strikethrough
    | Link
    | Image
    | FootnoteReference
    | TaskMarker
)


@dataclass(frozen=True, slots=True)
class Paragraph:
    children: tuple[Inline, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Heading:
    level: int
    children: tuple[Inline, ...]
    place: Place
    id: str | None = None


@dataclass(frozen=True, slots=True)
class CodeBlock:
    text: str
    language: str


@dataclass(frozen=True, slots=True)
class HtmlBlock:
    html: str
    place: Place


@dataclass(frozen=True, slots=True)
class Rule:
    place: Place


@dataclass(frozen=True, slots=True)
class BlockQuote:
    children: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """A list's item. In a tight list its text stands bare, as Tight; in a loose one it is in paragraphs."""

    children: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Tight:
    """Running text without a paragraph around it."""

    children: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """A list; `start` is None for bullets."""

    start: int | None
    items: tuple[Item, ...]
    tight: bool


@dataclass(frozen=True, slots=True)
class Cell:
    children: tuple[Inline, ...]
    align: str | None


@dataclass(frozen=True, slots=True)
class Table:
    head: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Footnote:
    number: int
    references: int
    children: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Footnotes:
    items: tuple[Footnote, ...]


Node = Paragraph | Tight | Heading | CodeBlock | HtmlBlock | Rule | BlockQuote | Listing | Table | Footnotes


def inlines_of(nodes: tuple[Node, ...]) -> Iterator[Inline]:
    """Every piece of running text in `nodes`, those inside others too, in reading order."""
    found: list[Inline] = []
    _add_all(found, nodes)
    return iter(found)


def _add_all(found: list[Inline], nodes: Iterable[Node | Item | Footnote]) -> None:
    for node in nodes:
        match node:
            case Paragraph() | Tight() | Heading():
                _add(found, node.children)
            case BlockQuote() | Item() | Footnote():
                _add_all(found, node.children)
            case Listing(items=items) | Footnotes(items):
                _add_all(found, items)
            case Table(head, rows):
                for cell in (*head, *(cell for row in rows for cell in row)):
                    _add(found, cell.children)
            case _:
                pass


def _add(found: list[Inline], children: tuple[Inline, ...]) -> None:
    for child in children:
        found.append(child)
        if isinstance(child, (Emphasis, Strong, Strikethrough, Link)):
            _add(found, child.children)


def plain(children: tuple[Inline, ...]) -> str:
    """The words of running text, without marks."""
    return "".join(_plain(child) for child in children)


def _plain(child: Inline) -> str:
    match child:
        case Text(text) | Code(text):
            return text
        case SoftBreak() | HardBreak():
            return " "
        case Emphasis() | Strong() | Strikethrough() | Link():
            return plain(child.children)
        case Image():
            return child.alt
        case _:
            return ""


def rewritten(children: tuple[Inline, ...], change: Callable[[Inline], Inline]) -> tuple[Inline, ...]:
    """Running text with `change` made to each piece of it, in reading order; to what is inside others before these."""
    return tuple(_rewritten(child, change) for child in children)


def _rewritten(child: Inline, change: Callable[[Inline], Inline]) -> Inline:
    if isinstance(child, (Emphasis, Strong, Strikethrough, Link)):
        return change(replace(child, children=rewritten(child.children, change)))
    return change(child)


def rewritten_nodes(nodes: tuple[Node, ...], change: Callable[[Inline], Inline]) -> tuple[Node, ...]:
    """`nodes` with `change` made to all running text in them."""
    return tuple(_rewritten_node(node, change) for node in nodes)


def _rewritten_node(node: Node, change: Callable[[Inline], Inline]) -> Node:
    match node:
        case Paragraph(children) | Tight(children) | Heading(_, children):
            return replace(node, children=rewritten(children, change))
        case BlockQuote(children):
            return replace(node, children=rewritten_nodes(children, change))
        case Listing(_, items):
            return replace(node, items=tuple(Item(rewritten_nodes(item.children, change)) for item in items))
        case Footnotes(notes):
            return Footnotes(tuple(replace(note, children=rewritten_nodes(note.children, change)) for note in notes))
        case Table(head, rows):
            return Table(_rewritten_row(head, change), tuple(_rewritten_row(row, change) for row in rows))
        case _:
            return node


def _rewritten_row(row: tuple[Cell, ...], change: Callable[[Inline], Inline]) -> tuple[Cell, ...]:
    return tuple(replace(cell, children=rewritten(cell.children, change)) for cell in row)
