"""Edition + Recipient -> MIME bytes."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """One person as a message needs them.

    `id` is opaque and the same in every send of an issue (a keyed hash of the address). `values` are what slots are
    filled with, by slot name ("subscriber.first_name", "links.unsubscribe"), configured defaults under "?name".
    """

    id: str
    address: str
    name: str = ""
    values: dict[str, str] = field(default_factory=dict)
