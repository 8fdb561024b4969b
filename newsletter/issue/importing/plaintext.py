"""Plain text: all of it is the body, and nothing in it is a mark."""

from __future__ import annotations

from pathlib import Path

from newsletter.errors import ContentError, Place
from newsletter.issue.front import read_text
from newsletter.issue.importing.draft import Draft, Form


def read(source: Path) -> Draft:
    """The text in `source`; raises ContentError."""
    return Draft({}, words_in(source), form=Form.TEXT, first_line=1)


def words_in(source: Path) -> str:
    """The text of a file that holds some; raises ContentError."""
    text = read_text(source)
    if "\0" in text:
        raise ContentError("is not text", hint="save the file as UTF-8 text", where=Place(source))
    if not text.strip():
        raise ContentError("holds no text", where=Place(source))
    return text
