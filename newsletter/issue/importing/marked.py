"""Markdown from elsewhere: which keys of its front matter an article has too."""

from __future__ import annotations

from pathlib import Path

from newsletter.issue.front import read_document
from newsletter.issue.importing.draft import Draft, Repair
from newsletter.issue.importing.plaintext import words_in

KEPT_KEYS = ("title", "slug", "author", "hook", "date", "original_date", "source_url", "tags", "lang")


def read(source: Path) -> Draft:
    """The Markdown in `source`; raises ContentError."""
    text = words_in(source)
    if not text.startswith("---\n"):
        return Draft({}, text, first_line=1)
    document = read_document(source)
    front = {key: value for key, value in document.values.items() if key in KEPT_KEYS and value is not None}
    dropped = tuple(
        Repair("dropped-key", document.place(key).line or 1, f"front matter that is not imported: {key}")
        for key in document.values
        if key not in front
    )
    above = text.count("\n") - document.body.text.count("\n")
    return Draft(front, document.body.text, dropped, first_line=above + 1)
