"""The reader whose copy the preview shows. Their links lead nowhere: looking must not unsubscribe anybody."""

from __future__ import annotations

from newsletter.compile.edition import Edition

_READER = {
    "subscriber.email": "ada@example.org",
    "subscriber.first_name": "Ada",
    "subscriber.last_name": "Lovelace",
    "subscriber.name": "Ada Lovelace",
}


def sample_values(edition: Edition) -> dict[str, str]:
    """A value for every slot of `edition`: the sample reader's, `#` for links, the slot's default or its name."""
    slots = {slot for program in (*edition.programs(), edition.preheader) for slot in program.slots}
    return {slot.name: _value(slot.name, slot.default) for slot in slots}


def _value(name: str, default: str | None) -> str:
    if name.startswith("links."):
        return "#"
    return _READER.get(name) or default or f"[{name.rpartition('.')[2].replace('_', ' ')}]"
