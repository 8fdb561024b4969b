"""Issue and Article: what was written, as frozen values. No I/O."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from newsletter.errors import Place
from newsletter.issue.blocks import Block, Figure
from newsletter.issue.catalogue import Catalogue


class EmailForm(StrEnum):
    """How much of an article the email holds."""

    FULL = "full"
    EXCERPT = "excerpt"
    LINK = "link"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One article. `blocks` is all of it; `excerpt` what stands before its `<!-- more -->`, if it has one;
    `translations` are the same in other languages, with pages of their own."""

    slug: str
    title: str
    author: str
    hook: str
    date: datetime.date | None
    original_date: datetime.date | None
    source_url: str | None
    licence: str
    tags: tuple[str, ...]
    lang: str
    email: EmailForm
    lead: Figure | None
    blocks: tuple[Block, ...]
    excerpt: tuple[Block, ...] | None
    translations: tuple[Article, ...] = ()
    place: Place


@dataclass(frozen=True, slots=True)
class Erratum:
    """A correction made after the issue was sent."""

    date: datetime.date
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One issue. `subjects` and `preheader` may hold slot tokens (issue/slots.py); `id` never changes; `catalogue` is
    what else there is in the workspace."""

    id: str
    slug: str
    number: int | None
    title: str
    subjects: tuple[str, ...]
    preheader: str
    date: datetime.date | None
    hook: str
    sender: str | None
    lang: str
    list: str
    audience: str | None
    errata: tuple[Erratum, ...]
    opening: tuple[Block, ...]
    articles: tuple[Article, ...]
    closing: tuple[Block, ...]
    catalogue: Catalogue
    folder: Path
    place: Place
