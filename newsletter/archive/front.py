"""The pages that belong to no issue: the front page, and the one for addresses that lead nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from urllib.parse import urlsplit

from newsletter.archive.release import Headline
from newsletter.compile.addresses import INDEX, Site
from newsletter.compile.pages import for_nobody
from newsletter.compile.render import Theme
from newsletter.compile.values import logo_of, values_for
from newsletter.config import Settings


def front_page(issues: Sequence[Headline], theme: Theme, settings: Settings) -> str:
    """The front page; `issues`, the newest first."""
    site = Site(settings, here=INDEX)
    earlier = [(year, list(group)) for year, group in groupby(issues[1:], key=lambda issue: issue.date.year)]
    values = values_for(theme, settings, site, logo_of(theme, settings), settings.publication.language) | {
        "newest": issues[0] if issues else None,
        "earlier": earlier,
        "here": INDEX,
        "list": _list(settings),
    }
    return for_nobody(theme.render("archive/index.html.j2", **values))


def not_found_page(theme: Theme, settings: Settings) -> str:
    """The page for addresses that lead nowhere: its own begin at the site's root, since it stands at any of them."""
    root = settings.publication.model_copy(update={"url": urlsplit(settings.publication.url).path})
    here = settings.model_copy(update={"publication": root})
    values = values_for(theme, here, Site(here), logo_of(theme, settings), root.language)
    return theme.render("archive/404.html.j2", **values, here=None, list=_list(settings))


def _list(settings: Settings) -> str:
    return next(iter(settings.lists), "main")
