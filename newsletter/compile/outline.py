"""Headings in order: whatever levels a writer chose, those of an article stand below its title and none is skipped."""

from __future__ import annotations

import dataclasses
from typing import TypeVar

from newsletter.issue.blocks import Block, Comments, Container, Prose
from newsletter.issue.prose import BlockQuote, Footnote, Footnotes, Heading, Item, Listing, Node

Part = TypeVar("Part", Node, Item, Footnote)


def outlined(blocks: tuple[Block, ...], top: int) -> tuple[Block, ...]:
    """`blocks` with their headings' levels from `top` (1 to 6) downwards, each at most one below the one before it."""
    return _Outline(top).blocks(blocks)


class _Outline:
    """The headings that are open while blocks are read in their order."""

    def __init__(self, top: int) -> None:
        self._top = top
        self._open: list[int] = []

    def blocks(self, blocks: tuple[Block, ...]) -> tuple[Block, ...]:
        return tuple(self._block(block) for block in blocks)

    def _block(self, block: Block) -> Block:
        if isinstance(block, Prose):
            return block.model_copy(update={"nodes": self._parts(block.nodes)})
        if isinstance(block, Container):
            return block.model_copy(update={"children": self.blocks(block.children)})
        if isinstance(block, Comments):
            return block.model_copy(update={"level": self._level(block.level)})
        return block

    def _parts(self, parts: tuple[Part, ...]) -> tuple[Part, ...]:
        return tuple(self._part(part) for part in parts)

    def _part(self, part: Part) -> Part:
        match part:
            case Heading(level):
                return dataclasses.replace(part, level=self._level(level))
            case BlockQuote() | Item() | Footnote():
                return dataclasses.replace(part, children=self._parts(part.children))
            case Listing():
                return dataclasses.replace(part, items=self._parts(part.items))
            case Footnotes():
                return dataclasses.replace(part, items=self._parts(part.items))
            case _:
                return part

    def _level(self, written: int) -> int:
        while self._open and self._open[-1] >= written:
            self._open.pop()
        self._open.append(written)
        return min(self._top + len(self._open) - 1, 6)
