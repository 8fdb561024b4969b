"""Which file a reader is for. A reader is a module with `read(source: Path) -> Draft`, imported when it is needed.

It raises ContentError for what it cannot read, and knows nothing of what the user adds. A new one is a line here.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import cast

from newsletter.errors import ContentError, Place
from newsletter.issue.importing.draft import Draft

READERS = {
    ".txt": "newsletter.issue.importing.plaintext",
    ".md": "newsletter.issue.importing.marked",
    ".html": "newsletter.issue.importing.webpage",
    ".htm": "newsletter.issue.importing.webpage",
    ".docx": "newsletter.issue.importing.word",
}


def read_draft(source: Path) -> Draft:
    """The draft in `source`, by the reader for its suffix; raises ContentError."""
    reader = READERS.get(source.suffix.lower())
    if reader is None:
        raise ContentError(
            "is of a kind that cannot be imported", hint=f"these can: {', '.join(READERS)}", where=Place(source)
        )
    if not source.is_file():
        raise ContentError("cannot be read: there is no such file", where=Place(source))
    return cast(Draft, import_module(reader).read(source))
