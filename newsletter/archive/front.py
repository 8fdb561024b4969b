"""The pages that belong to no issue: the front page, and the one for addresses that lead nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from urllib.parse import urlsplit

from newsletter.archive.release import Release
from newsletter.compile.addresses import INDEX, Site
from newsletter.compile.channels import Surface
from newsletter.compile.images import Shown
from newsletter.compile.material import gather
from newsletter.compile.pages import for_nobody
from newsletter.compile.render import Theme
from newsletter.compile.values import logo_of, values_for
from newsletter.config import Settings


def front_page(releases: Sequence[Release], theme: Theme, settings: Settings) -> str:
    """The front page; `releases`, the newest first."""
    site = Site(settings, here=INDEX)
    newest = releases[0] if releases else None
    earlier = [(year, list(group)) for year, group in groupby(releases[1:], key=lambda release: release.date.year)]
    values = values_for(theme, settings, site, logo_of(theme, settings), settings.publication.language) | {
        "newest": newest,
        "image": _picture(newest, theme, site) if newest else None,
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


def _picture(release: Release, theme: Theme, site: Site) -> tuple[Shown, str] | None:
    """The first article's picture that leads one, and what is to be seen on it."""
    leads = [article.lead for article in release.issue.articles if article.lead]
    if not leads:
        return None
    lead = leads[0]
    return Surface(theme, site, gather(release.issue, site.settings), {}).shown(lead.src, lead.place, 800), lead.alt


def _list(settings: Settings) -> str:
    return next(iter(settings.lists), "main")
