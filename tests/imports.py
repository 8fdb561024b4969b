"""What an imported text says once it is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from newsletter.issue.blocks import Prose, walk
from newsletter.issue.prose import (
    BlockQuote,
    CodeBlock,
    Footnotes,
    Heading,
    Listing,
    Node,
    Paragraph,
    Table,
    Tight,
    plain,
)


def words_of_blocks(blocks: Any) -> list[str]:
    """The words of `blocks`, those of their names and captions too; commas and upright strokes part words."""
    said = " ".join(_texts(walk(blocks)))
    return said.replace(",", " ").replace("|", " ").split()


def _texts(blocks: Iterable[Any]) -> Iterator[str]:
    for block in blocks:
        if isinstance(block, Prose):
            yield from _prose(block.nodes)
        for field in ("by", "role", "author", "handle", "title"):
            yield getattr(block, field, "") or ""
        yield plain(getattr(block, "line", ()))


def _prose(nodes: Iterable[Node]) -> Iterator[str]:
    for node in nodes:
        match node:
            case Paragraph() | Tight() | Heading():
                yield plain(node.children)
            case CodeBlock(text=text):
                yield text
            case BlockQuote(children):
                yield from _prose(children)
            case Listing(items=items) | Footnotes(items):
                for item in items:
                    yield from _prose(item.children)
            case Table(head, rows):
                for cell in (*head, *(cell for row in rows for cell in row)):
                    yield plain(cell.children)
            case _:
                pass
