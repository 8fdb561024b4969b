"""The Atom feed (RFC 4287): the newest issues, whole, under ids that no rename and no move changes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from uuid import NAMESPACE_OID, uuid5

from newsletter.archive.release import Release
from newsletter.compile.addresses import FEED, INDEX, Site
from newsletter.compile.pages import for_nobody
from newsletter.compile.render import Theme
from newsletter.compile.values import values_for
from newsletter.config import Settings

ENTRIES = 20
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def feed(releases: Sequence[Release], theme: Theme, settings: Settings) -> str:
    """The feed of `releases`, at most ENTRIES, the newest first."""
    values = values_for(theme, settings, Site(settings), None, settings.publication.language) | {
        "entries": [(release.headline, release.entry) for release in releases],
        "changed": max((release.headline.changed for release in releases), default=None),
        "name_of": lambda *parts: uuid5(NAMESPACE_OID, "/".join((settings.publication.id, *parts))).urn,
        "home": INDEX,
        "itself": FEED,
    }
    return _NOT_XML.sub("", for_nobody(theme.render("archive/feed.xml.j2", **values)))
