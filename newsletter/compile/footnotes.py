"""Which footnotes a reader gets: those that lead from what the reader sees, numbered as they are met.

Notes stand behind the whole text, whoever the part of it is for that refers to them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from newsletter.issue.blocks import Block, Container, Prose
from newsletter.issue.prose import Footnote, FootnoteReference, Footnotes, Inline, Node, rewritten, rewritten_nodes


def parted(blocks: tuple[Block, ...]) -> tuple[tuple[Block, ...], Prose | None]:
    """`blocks` without the footnotes at their end, and these as a block of their own."""
    match blocks:
        case (*before, Prose(nodes=(*nodes, Footnotes() as notes)) as last):
            text = (last.model_copy(update={"nodes": tuple(nodes)}),) if nodes else ()
            return (*before, *text), Prose(nodes=(notes,), place=last.place)
        case _:
            return blocks, None


def noted(passages: Sequence[tuple[Block, ...]], notes: Sequence[Prose | None]) -> tuple[tuple[Block, ...], ...]:
    """`passages`, read one after the other, with what belongs to them of the `notes` that stood behind each: what they
    refer to, what those notes refer to in turn, and last what no reference ever led to."""
    if not any(notes):
        return tuple(passages)
    numbering = _Numbering([note for block in notes if block for note in _notes_in(block)])
    texts = [numbering.blocks(blocks) for blocks in passages]
    met = numbering.met()
    return tuple(_behind(text, met, block) if block else text for text, block in zip(texts, notes, strict=True))


def _notes_in(block: Prose) -> Iterator[Footnote]:
    for node in block.nodes:
        if isinstance(node, Footnotes):
            yield from node.items


def _behind(blocks: tuple[Block, ...], met: tuple[Footnote, ...], notes: Prose) -> tuple[Block, ...]:
    match blocks:
        case _ if not met:
            return blocks
        case (*before, Prose(nodes=nodes) as last):
            return (*before, last.model_copy(update={"nodes": (*nodes, Footnotes(met))}))
        case _:
            return (*blocks, notes.model_copy(update={"nodes": (Footnotes(met),)}))


class _Numbering:
    """The notes met so far, by the numbers that they have in the writer's whole text."""

    def __init__(self, notes: list[Footnote]) -> None:
        self._notes = {note.number: note for note in notes}
        self._numbers: dict[int, int] = {}
        self._references: Counter[int] = Counter()

    def blocks(self, blocks: tuple[Block, ...]) -> tuple[Block, ...]:
        return tuple(self._block(block) for block in blocks)

    def met(self) -> tuple[Footnote, ...]:
        """The notes under their new numbers."""
        bodies: dict[int, tuple[Node, ...]] = {}
        self._read_into(bodies)
        for note in self._notes.values():
            if not note.references:
                self._numbers.setdefault(note.number, len(self._numbers) + 1)
        self._read_into(bodies)
        return tuple(Footnote(new, self._references[old], bodies[old]) for old, new in self._numbers.items())

    def _read_into(self, bodies: dict[int, tuple[Node, ...]]) -> None:
        """Read the notes that were met, which may refer to others."""
        while unread := [old for old in self._numbers if old not in bodies]:
            for old in unread:
                bodies[old] = rewritten_nodes(self._notes[old].children, self._renumbered)

    def _block(self, block: Block) -> Block:
        if isinstance(block, Prose):
            return block.model_copy(update={"nodes": rewritten_nodes(block.nodes, self._renumbered)})
        if isinstance(block, Container):
            return block.model_copy(update={"children": self.blocks(block.children)})
        line: tuple[Inline, ...] = getattr(block, "line", ())
        return block.model_copy(update={"line": rewritten(line, self._renumbered)}) if line else block

    def _renumbered(self, child: Inline) -> Inline:
        if not isinstance(child, FootnoteReference) or child.number not in self._notes:
            return child
        self._references[child.number] += 1
        return replace(
            child,
            number=self._numbers.setdefault(child.number, len(self._numbers) + 1),
            nth=self._references[child.number],
        )
