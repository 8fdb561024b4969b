"""Which services' archives can be brought in, and who reads them. A new one is a line here and a module.

A reader is a module with `read(archive: Path, site: str) -> Iterable[Post]`, imported when it is needed; `site` is the
address where the posts were published, empty where nobody says. It raises ContentError where the archive is none.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

from newsletter.errors import ContentError, Place

if TYPE_CHECKING:
    from newsletter.issue.importing.posts import Post

SOURCES = {
    "ghost": "newsletter.issue.importing.ghost",
    "jekyll": "newsletter.issue.importing.jekyll",
    "substack": "newsletter.issue.importing.substack",
}


def read_posts(source: str, archive: Path, site: str = "") -> Iterable[Post]:
    """The posts in `archive`, an export of the service `source` (a key of SOURCES); raises ContentError."""
    if not archive.exists():
        raise ContentError("cannot be read: there is no such file", where=Place(archive))
    return cast("Iterable[Post]", import_module(SOURCES[source]).read(archive, site.rstrip("/")))
