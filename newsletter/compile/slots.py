"""Programs: compiled text with the places of personal values cut out, so that a template is compiled once and a
recipient's copy is joined from pieces.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote

from newsletter.issue.slots import TOKEN, Encoding, Slot, of_token

_QUERY = Encoding.QUERY  # an enumeration is slow to ask
_IN_QUERY = [quote(bytes([byte]), safe="") for byte in range(256)]


@dataclass(frozen=True, slots=True)
class Program:
    """Text in pieces: `literals` has one element more than `slots`, which stand between them."""

    literals: tuple[str, ...]
    slots: tuple[Slot, ...] = ()

    def fill(self, value: Callable[[Slot], str]) -> str:
        """The text with `value(slot)` in the place of each slot, behind what leads to it."""
        parts = [self.literals[0]]
        for slot, literal in zip(self.slots, self.literals[1:], strict=True):
            parts += (slot.led(value(slot)), literal)
        return "".join(parts)


def cut(text: str) -> Program:
    """The program of `text` in which slots stand as tokens."""
    literals, slots, end = [], [], 0
    for found in TOKEN.finditer(text):
        slot, literal = of_token(found), text[end : found.start()]
        if slot.default == "" and literal.endswith((" ", "\n")):
            literal, slot = literal[:-1], replace(slot, lead=literal[-1])
        literals.append(literal)
        slots.append(slot)
        end = found.end()
    return Program((*literals, text[end:]), tuple(slots))


class MissingValue(LookupError):
    """A recipient has no value for a slot that has no default."""

    def __init__(self, slot: Slot) -> None:
        self.slot = slot
        super().__init__(slot.name)


def value_of(slot: Slot, values: Mapping[str, str]) -> str:
    """The value that stands in `slot`: a blank one counts as missing, and the slot's own default stands in for it.

    `values` are one recipient's, with the configured defaults already among them under the slot's name and
    a leading `?`: they stand in where the slot has no default of its own. Raises MissingValue.
    """
    value = values.get(slot.name, "").strip()
    if not value:
        fallback = slot.default if slot.default is not None else values.get(f"?{slot.name}")
        if fallback is None:
            raise MissingValue(slot)
        value = fallback
    return in_place(slot, value)


def in_place(slot: Slot, value: str) -> str:
    """`value` as it is written where `slot` stands: percent-encoded in an address."""
    if slot.encoding is not _QUERY:
        return value
    return value.encode("utf-8", "replace").decode("latin-1").translate(_IN_QUERY)


def as_html(values: Mapping[str, str]) -> Callable[[Slot], str]:
    """For Program.fill: values escaped for HTML text and attributes."""
    return lambda slot: in_html(value_of(slot, values))


def as_text(values: Mapping[str, str]) -> Callable[[Slot], str]:
    """For Program.fill: values as they are, on one line."""
    return lambda slot: in_text(value_of(slot, values))


def in_html(value: str) -> str:
    """`value` as HTML text and attributes have it."""
    return html.escape(value)


def in_text(value: str) -> str:
    """`value` as text has it: on one line."""
    return " ".join(value.split())


def specimen_text(slot: Slot) -> str:
    """For Program.fill: what stands in a copy that is nobody's: `#` for links, the default, or the slot's name."""
    if slot.name.startswith("links."):
        return "#"
    return in_place(slot, slot.default if slot.default is not None else f"[{slot.name}]")


def specimen_html(slot: Slot) -> str:
    """The same, for HTML."""
    return html.escape(specimen_text(slot))


def missing(programs: Iterator[Program], values: Mapping[str, str]) -> list[str]:
    """The names of the slots that would stand empty for a recipient with `values`."""
    found: dict[str, None] = {}
    for program in programs:
        for slot in program.slots:
            try:
                value_of(slot, values)
            except MissingValue:
                found[slot.name] = None
    return list(found)
