"""Fences -> blocks: reads a directive's arguments and closes it over its body."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Self

from pydantic import ValidationError

from newsletter.errors import Collected, Place, did_you_mean, problems_of
from newsletter.issue import slots
from newsletter.issue.blocks import DIRECTIVES, Block, Body, Prose
from newsletter.issue.prose import Inline, Node, Paragraph
from newsletter.issue.source import Source

_OWN_FIELDS = {"place", "children", "line", "nodes", "entries", "level"}
_ARGUMENT = re.compile(r"""(?P<key>[\w-]+)=(?:"(?P<quoted>[^"]*)"|(?P<bare>[^\s"“”„]+))(?=\s|$)|(?P<other>\S+)""")

_WORD = re.compile(r"[\w-]+")


@dataclass(frozen=True, slots=True)
class Fence:
    """A `:::` line: its offsets in the text, and what it says behind the colons (nothing: it closes)."""

    start: int
    end: int
    said: str
    place: Place

    def moved(self, shift: int) -> Fence:
        return Fence(self.start + shift, self.end + shift, self.said, self.place)


@dataclass(slots=True)
class Opening:
    """An open directive, or the document itself, while its body is gathered."""

    name: str
    place: Place
    kind: type[Block] | None = None
    arguments: dict[str, str] = field(default_factory=dict)
    valid: bool = True
    _blocks: list[Block] = field(default_factory=list)
    _run: list[Node] = field(default_factory=list)
    _run_place: Place | None = None

    @classmethod
    def document(cls, source: Source) -> Self:
        return cls("", source.place(0))

    @classmethod
    def of(cls, fence: Fence, problems: Collected) -> Self:
        """The opening that `fence` says; an unknown one is reported and still closed by its fence."""
        name, _, rest = fence.said.partition(" ")
        kind = DIRECTIVES.get(name)
        if kind is None:
            problems.add(
                f"there is no directive `:::{name}`", hint=did_you_mean(name, list(DIRECTIVES)), where=fence.place
            )
        arguments = _arguments(rest, kind.bare if kind else None, fence.place, problems)
        return cls(name, fence.place, kind, arguments or {}, valid=kind is not None and arguments is not None)

    @property
    def takes_body(self) -> bool:
        return self.kind is None or self.kind.body is not Body.NONE

    def add_block(self, block: Block) -> None:
        self._end_run()
        self._blocks.append(block)

    def add_node(self, node: Node) -> None:
        if not self._run:
            self._run_place = getattr(node, "place", None)
        self._run.append(node)

    def count(self) -> int:
        """How many blocks there are so far; what comes next is not part of them."""
        self._end_run()
        return len(self._blocks)

    def blocks(self) -> tuple[Block, ...]:
        self._end_run()
        return tuple(self._blocks)

    def _end_run(self) -> None:
        if self._run:
            self._blocks.append(Prose(nodes=tuple(self._run), place=self._run_place or self.place))
            self._run.clear()


def close_block(opening: Opening, problems: Collected) -> Block | None:
    """The block of a closed directive; None, with its faults in `problems`, when it cannot be made."""
    kind = opening.kind
    body = opening.blocks()
    if kind is None or not opening.valid:
        return None
    fields: dict[str, Any] = {**opening.arguments, "place": opening.place}
    if kind.body is Body.LINE:
        line = _one_line(opening, body, problems)
        if line is None:
            return None
        fields["line"] = line
    elif kind.body is Body.BLOCKS:
        fields["children"] = body
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        faults = problems_of(error.errors(), lambda _: _known(kind), lambda _: opening.place, add="write {}=…")
        problems.extend(faults)
        return None


def _one_line(opening: Opening, body: tuple[Block, ...], problems: Collected) -> tuple[Inline, ...] | None:
    match body:
        case ():
            return ()
        case (Prose(nodes=(Paragraph(children),)),):
            return children
        case _:
            problems.add(
                f"`:::{opening.name}` holds one paragraph",
                hint="join the lines, or put the rest behind its closing :::",
                where=opening.place,
            )
            return None


def _known(kind: type[Block]) -> list[str]:
    return [field.alias or name for name, field in kind.model_fields.items() if name not in _OWN_FIELDS]


def _arguments(text: str, bare: str | None, place: Place, problems: Collected) -> dict[str, str] | None:
    """The arguments of a fence; None, with what is wrong in `problems`. `bare` is the one that needs no `key=`."""
    found: dict[str, str] = {}
    for match in _ARGUMENT.finditer(text):
        said = match[0]
        if bare and match["other"] and _WORD.fullmatch(said) and bare not in found:
            found[bare] = said
            continue
        if match["other"] is not None:
            problems.add(
                f"`{said}` is not an argument",
                hint='arguments look like key=value or key="several words", with straight quotes',
                where=place,
            )
            return None
        key, value = match["key"], match["quoted"] if match["quoted"] is not None else match["bare"]
        if key in _OWN_FIELDS or key in found:
            reason = "stands twice" if key in found else "is not an argument"
            problems.add(f"`{key}` {reason}", hint="remove it", where=place)
            return None
        if slots.TOKEN.search(value):
            problems.add(
                f"a personal slot cannot stand in the argument `{key}`",
                hint="put it into the text between the fences",
                where=place,
            )
            return None
        found[key] = value
    return found
