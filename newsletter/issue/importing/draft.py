"""What a source says by itself, before anybody adds to it: the seam between the readers and the rest of an import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Form(StrEnum):
    """How the body of a draft is written."""

    MARKDOWN = "markdown"
    TEXT = "text"  # plain text: nothing in it is a mark of Markdown


@dataclass(frozen=True, slots=True)
class Repair:
    """Something that an import changed, or came upon: its name, the line (from 1) and what was done, in words."""

    name: str
    line: int
    said: str


@dataclass(frozen=True, slots=True)
class Draft:
    """The article in a source.

    `front` are keys of an article's front matter (others are dropped); `body` is Markdown that begins, where there is
    one, with the title as a heading of level one; `repairs` are what the reader did. `pictures` are files by the name
    under which they are to lie in the issue's images/ ("a.png"); the body shows them as `images/a.png`.
    `first_line` is the line of the source on which `body` begins; None if the source has no lines of its own, as a Word
    document has none: the lines of its repairs are then those of the article that is written.
    """

    front: Mapping[str, Any]
    body: str
    repairs: tuple[Repair, ...] = ()
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    form: Form = Form.MARKDOWN
    first_line: int | None = None
