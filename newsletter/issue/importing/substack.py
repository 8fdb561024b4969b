"""Substack's export (Settings → Exports): a zip with posts.csv and posts/POST_ID.html, and what its widgets become.

posts.csv has the columns post_id ("123.a-slug"), post_date, is_published, email_sent_at, type, audience, title,
subtitle, podcast_url; others are ignored, and all but post_id may be missing. The HTML holds the text alone.

    captioned-image-container   figure, with its caption and link; the picture's own address, not that of the resizer
    image-gallery-embed         figures
    button-wrapper              button; dropped where it only shares, gives, likes or comments at Substack
    subscription-widget-wrap    cta
    subscribe buttons           cta too
    pullquote                   quote
    footnote, footnote-anchor   footnotes
    tweet                       post
    embedded-post-wrap, digest-post-embed   a quotation: linked title, its first words, the publication's name
    youtube-wrap, vimeo-wrap, spotify-wrap  a link
    paywall-jump                `:::only tag=paid` around what follows (audience founding: too; only_free: subscribers)
    type podcast                a link to the sound, above the text; thread and page are left out by name

Substack documents no format. The columns and class names are those that Ghost's own migration tool reads (TryGhost/
migrate, mg-substack) and that Substack's pages carry; other classes stay the text and links that they hold. Not in an
export, and so not read: authors, tags, pictures (they stay at Substack's address unless fetched), comments.
"""

from __future__ import annotations

import csv
import datetime
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from newsletter.errors import ContentError, Place
from newsletter.issue.importing.archives import read_one, unpacked
from newsletter.issue.importing.draft import Draft
from newsletter.issue.importing.extras import need
from newsletter.issue.importing.posts import Post, State

_MOST = 100_000  # rows
_POST_ID = re.compile(r"\d+\.(?P<slug>[\w-]+)")
_LEFT_OUT = ("page", "thread")
_AUDIENCES = {"only_paid": "paid", "founding": "paid", "only_free": "members"}


def read(archive: Path, site: str = "") -> Iterator[Post]:
    """The posts of Substack's export `archive`, a .zip file; raises ContentError."""
    need("html", "a Substack export")
    rows, texts = _index(archive)
    known = [row for row in rows if _slug(row) and (row.get("type") or "newsletter") not in _LEFT_OUT]
    slugs = frozenset(_slug(row) for row in known)
    return (_Row(row, texts.get(row["post_id"], ""), site, slugs, Place(archive)).post() for row in known)


def _index(archive: Path) -> tuple[list[dict[str, str]], dict[str, str]]:
    """The rows of posts.csv, and the name of the file with the HTML of each post by its id."""
    with unpacked(archive) as files:
        table = next((name for name in files.names if name.rpartition("/")[2] == "posts.csv"), None)
        if table is None:
            hint = "Substack’s export is a zip file that holds posts.csv and a folder posts/"
            raise ContentError("holds no posts.csv", hint=hint, where=Place(archive))
        rows = _rows(files.read(table), Place(archive))
        home, names = table.removesuffix("posts.csv"), set(files.names)
        named = {row["post_id"]: f"{home}posts/{row['post_id']}.html" for row in rows}
        return rows, {post: name for post, name in named.items() if name in names}


def _rows(data: bytes, where: Place) -> list[dict[str, str]]:
    try:
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
        if "post_id" not in (reader.fieldnames or ()):
            raise ContentError("its posts.csv has no column post_id", hint="export it again", where=where)
        rows = [{key: value or "" for key, value in row.items() if key} for row in islice(reader, _MOST)]
    except (csv.Error, UnicodeDecodeError) as error:
        raise ContentError("its posts.csv cannot be read", hint="export it again", where=where) from error
    return rows


def _slug(row: dict[str, str]) -> str:
    found = _POST_ID.fullmatch(row["post_id"])
    return found["slug"] if found else ""


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of posts.csv with the name of its file, and what it has to know of the others."""

    row: dict[str, str]
    file: str
    site: str
    slugs: frozenset[str]
    where: Place

    def post(self) -> Post:
        from newsletter.issue.importing.metadata import line

        sent = self._published and self._said("email_sent_at")
        said = [] if self._published else ["was a draft at Substack"]
        if self._audience != "public":
            said.append(f"was for {self._said('audience')} at Substack: see `:::only` in its text")
        return Post(
            _slug(self.row),
            line(self._said("title")) or _slug(self.row),
            self._date,
            State.SENT if sent else State.PUBLISHED if self._published else State.DRAFT,
            self.draft,
            preheader=line(self._said("subtitle")),
            said=tuple(said),
        )

    def draft(self) -> Draft:
        from newsletter.issue.importing.addresses import Addresses
        from newsletter.issue.importing.article_html import converted
        from newsletter.issue.importing.hypertext import parse
        from newsletter.issue.importing.metadata import line
        from newsletter.issue.importing.substack_widgets import rewrite

        sound = self._said("podcast_url")
        html = read_one(self.where.path, self.file).decode("utf-8", "replace") if self.file else ""
        page = parse(f"<body>{html}</body>", self.where)
        body = page.body or page
        if not body.get_text(strip=True) and body.find("img") is None and not sound:
            raise ContentError(f"“{self._said('title') or _slug(self.row)}” has no text in it", where=self.where)
        addresses = Addresses(self.site, known={f"article:{slug}" for slug in self.slugs})
        rewrite(body, self._audience, self.site, self.slugs, sound)
        markdown, lost = converted(body, addresses, self.where)
        front: dict[str, Any] = {
            "date": self._date,
            "hook": line(self._said("subtitle")),
            "source_url": f"{self.site}/p/{_slug(self.row)}" if self.site and self._published else "",
        }
        return Draft({key: value for key, value in front.items() if value}, markdown, lost, addresses.pictures)

    def _said(self, key: str) -> str:
        return self.row.get(key, "")

    @property
    def _published(self) -> bool:
        return self._said("is_published").lower() == "true"

    @property
    def _date(self) -> datetime.date | None:
        from newsletter.issue.importing.metadata import day

        return day(self._said("post_date")) if self._published else None

    @property
    def _audience(self) -> str:
        return _AUDIENCES.get(self._said("audience"), "public")
