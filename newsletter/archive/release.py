"""Release: an issue that is public, with all that the site shows of it. It knows nothing of blocks, so that it can be
kept and written without the issue that it was made of.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from newsletter.compile.addresses import INDEX, Site
from newsletter.compile.channels import Surface
from newsletter.compile.edition import Asset, Edition, Page
from newsletter.compile.facts import Known
from newsletter.compile.images import Shown
from newsletter.compile.material import Material, gather
from newsletter.compile.pages import reading_copy
from newsletter.compile.render import Theme
from newsletter.compile.words import Words
from newsletter.config import Settings
from newsletter.issue.model import Issue
from newsletter.issue.sent import read_sent

FRONT_PICTURE = 800
"""The most of pixels that the front page has for a picture’s width."""


@dataclass(frozen=True, slots=True)
class Piece:
    """An article as a list names it."""

    slug: str
    title: str
    lang: str
    author: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """What the front page and the feed say of an issue.

    `date` is its own, or the day when it was sent; `changed` the day of the last change that readers were told of;
    `updated` says that its words are others than those that were sent. `image` is the picture that leads its first
    article that has one, with what is to be seen on it; its address is as seen from the front page.
    """

    id: str
    slug: str
    number: int | None
    title: str
    lang: str
    preheader: str
    date: datetime.date
    changed: datetime.date
    updated: bool
    articles: tuple[Piece, ...]
    image: tuple[Shown, str] | None

    @property
    def order(self) -> tuple[datetime.date, int, str]:
        """By this, the oldest comes first: by date, then by number."""
        return self.date, -1 if self.number is None else self.number, self.slug


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A public issue: its headline, pages and files, and the whole of it as HTML for the feed."""

    headline: Headline
    pages: tuple[Page, ...]
    assets: tuple[Asset, ...]
    entry: str


def released(issue: Issue, edition: Edition, theme: Theme, settings: Settings) -> Release | None:
    """`issue`, compiled as `edition`, as the site shows it; None for a draft, whose folder does not say that it was
    sent. Raises ContentError if one cannot tell."""
    record = read_sent(issue.folder)
    if record is None or record.id != issue.id:
        return None
    material = gather(issue, settings)
    date = issue.date or record.time.date()
    headline = Headline(
        id=issue.id,
        slug=issue.slug,
        number=issue.number,
        title=issue.title,
        lang=issue.lang,
        preheader=edition.preheader.fill(lambda slot: slot.default or ""),
        date=date,
        changed=max([date, *(erratum.date for erratum in issue.errata)]),
        updated=record.says_otherwise(edition.content_digest),
        articles=tuple(Piece(one.slug, one.title, one.lang, one.author) for one in issue.articles),
        image=_image(issue, material, theme, settings),
    )
    known = Known(dict(edition.facts_used), Words.of(issue.lang, theme.folders))
    entry = reading_copy(issue, material, theme, known, settings)
    return Release(headline=headline, pages=edition.pages, assets=edition.assets, entry=entry)


def _image(issue: Issue, material: Material, theme: Theme, settings: Settings) -> tuple[Shown, str] | None:
    lead = next((article.lead for article in issue.articles if article.lead and article.lead.src), None)
    surface = Surface(theme, Site(settings, here=INDEX), material, {})
    return (surface.shown(lead.src, lead.place, FRONT_PICTURE), lead.alt) if lead else None
