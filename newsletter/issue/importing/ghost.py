"""Ghost's export (Settings → Import/Export, docs.ghost.org/migration/custom): its tables, and what its cards become.

A .json file, `{"db": [{"meta", "data"}]}` or `{"meta", "data"}`, or a .zip that holds one beside content/images/. Read
are the tables posts, posts_meta, tags, posts_tags, users and posts_authors. A post's text is its column `html`.

    __GHOST_URL__/a-post/       article:a-post where the archive has that post; else the address of the site, if given
    kg-image-card, kg-gallery-card   figures, the caption at the last one
    kg-button-card, kg-cta-card      button, and the text above it
    kg-callout-card             note
    kg-bookmark-card            a quotation: the linked title, description, author and publisher, without its picture
    kg-embed-card               post (X, Bluesky), or a link to what is embedded
    kg-signup-card              cta
    kg-audio-card, kg-video-card, kg-file-card, kg-toggle-card   links and text
    <!--members-only-->         `:::only subscribers` around what follows; `:::only tag=paid` where the post was for
                                paying members or for tiers. A post for members without the mark is in it whole.

Verified against Ghost's documentation and its editor's published renderers (Koenig); not against an export of every
version: exports before 1.0 name a picture `image` and a page `page`, which is read too. Not read: posts that have
`lexical` or `mobiledoc` but no `html`, which are refused by name; pages; comments, members and statistics.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from newsletter.errors import ContentError, Place
from newsletter.issue.importing.archives import read_one, unpacked
from newsletter.issue.importing.draft import Draft
from newsletter.issue.importing.extras import need
from newsletter.issue.importing.posts import Post, State

if TYPE_CHECKING:
    from bs4 import Tag

    from newsletter.issue.importing.addresses import Addresses

_LARGEST = 250_000_000  # bytes of JSON
_SITE = "__GHOST_URL__"
_STATES = {"sent": State.SENT, "published": State.PUBLISHED}


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)


class _Post(_Row):
    id: str
    slug: str
    title: str | None = ""
    html: str | None = None
    status: str = "draft"
    kind: str | None = Field(default="post", alias="type")
    page: bool | None = False
    visibility: str | None = "public"
    published_at: str | None = None
    custom_excerpt: str | None = None
    feature_image: str | None = None
    image: str | None = None
    author_id: str | None = None


class _Meta(_Row):
    post_id: str
    email_subject: str | None = None
    feature_image_alt: str | None = None
    feature_image_caption: str | None = None


class _Named(_Row):
    id: str
    name: str | None = ""


class _Tagged(_Row):
    post_id: str
    tag_id: str
    sort_order: int | None = 0


class _Written(_Row):
    post_id: str
    author_id: str
    sort_order: int | None = 0


class _Tables(_Row):
    posts: tuple[_Post, ...] = ()
    posts_meta: tuple[_Meta, ...] = ()
    tags: tuple[_Named, ...] = ()
    posts_tags: tuple[_Tagged, ...] = ()
    users: tuple[_Named, ...] = ()
    posts_authors: tuple[_Written, ...] = ()


def read(archive: Path, site: str = "") -> Iterator[Post]:
    """The posts of Ghost's export `archive`, a .json or .zip file; raises ContentError."""
    need("html", "a Ghost export")
    data, pictures = _files(archive)
    tables = _tables(data, archive)
    export = _Export(tables, pictures, site, archive)
    return (export.post(row) for row in tables.posts if _is_post(row))


def _files(archive: Path) -> tuple[bytes, Mapping[str, str]]:
    """The export's JSON, and the names of the pictures beside it by their paths under content/images/."""
    if archive.suffix.lower() != ".zip":
        try:
            if archive.stat().st_size > _LARGEST:
                raise ContentError(f"is larger than {_LARGEST // 1_000_000} MB", where=Place(archive))
            return archive.read_bytes(), {}
        except OSError as error:
            raise ContentError(f"cannot be read: {error.strerror}", where=Place(archive)) from error
    with unpacked(archive) as files:
        found = [name for name in files.names if name.endswith(".json") and "__MACOSX" not in name]
        if not found:
            hint = "Ghost’s export is a file that ends in .json"
            raise ContentError("holds no export of Ghost’s", hint=hint, where=Place(archive))
        named = {name.rpartition("content/images/")[2]: name for name in files.names if "content/images/" in name}
        return files.read(min(found, key=len)), named


def _tables(data: bytes, archive: Path) -> _Tables:
    where = Place(archive)
    try:
        found = json.loads(data)
    except json.JSONDecodeError as error:
        where = Place(archive, error.lineno, error.colno)
        raise ContentError(f"is not JSON: {error.msg}", hint="export it again", where=where) from error
    except (ValueError, RecursionError) as error:
        raise ContentError("is not JSON that can be read", hint="export it again", where=where) from error
    match found:
        case {"db": [{"data": dict(tables)}, *_]} | {"db": {"data": dict(tables)}} | {"data": dict(tables)}:
            pass
        case _:
            hint = 'Ghost’s export begins with {"db":[{"meta":…,"data":…}]}'
            raise ContentError("is no export of Ghost’s", hint=hint, where=where)
    try:
        return _Tables.model_validate(tables)
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(map(str, first["loc"]))
        raise ContentError(f"is no export of Ghost’s: {path}: {first['msg']}", where=where) from error


def _is_post(row: _Post) -> bool:
    return (row.kind or "post") == "post" and not row.page


class _Export:
    """The tables joined: what belongs to a post, by the post's id."""

    def __init__(self, tables: _Tables, pictures: Mapping[str, str], site: str, archive: Path) -> None:
        self._pictures, self._site, self._archive = pictures, site, archive
        self._slugs = {row.slug for row in tables.posts if _is_post(row) and row.html}
        self._meta = {row.post_id: row for row in tables.posts_meta}
        self._names = {row.id: row.name or "" for row in (*tables.tags, *tables.users)}
        self._tags: dict[str, list[str]] = defaultdict(list)
        for tagged in sorted(tables.posts_tags, key=lambda row: row.sort_order or 0):
            self._tags[tagged.post_id].append(self._names.get(tagged.tag_id, ""))
        self._authors: dict[str, list[str]] = defaultdict(list)
        for written in sorted(tables.posts_authors, key=lambda row: row.sort_order or 0):
            self._authors[written.post_id].append(self._names.get(written.author_id, ""))

    def post(self, row: _Post) -> Post:
        from newsletter.issue.importing.metadata import day, line

        meta = self._meta.get(row.id)
        state = _STATES.get(row.status, State.DRAFT)
        said = {"draft": ["was a draft at Ghost"], "scheduled": ["was scheduled at Ghost"]}.get(row.status, [])
        if (row.visibility or "public") != "public":
            said = [*said, f"was for {row.visibility} at Ghost: see `:::only` in its text"]
        return Post(
            row.slug,
            line(row.title or "") or row.slug,
            day(row.published_at or ""),
            state,
            partial(self._draft, row),
            subject=line(meta.email_subject or "") if meta else "",
            preheader=line(row.custom_excerpt or ""),
            said=tuple(said),
        )

    def _draft(self, row: _Post) -> Draft:
        from newsletter.issue.importing.addresses import Addresses
        from newsletter.issue.importing.article_html import converted
        from newsletter.issue.importing.ghost_cards import rewrite
        from newsletter.issue.importing.hypertext import parse
        from newsletter.issue.importing.metadata import day

        if not (row.html or "").strip():
            hint = "open it in Ghost’s editor, change a word and export again: that writes its HTML"
            raise ContentError(f"“{row.title or row.slug}” has no HTML in it", hint=hint, where=Place(self._archive))
        page = parse(f"<body>{row.html}</body>", Place(self._archive))
        body = page.body or page
        self._place(body)
        rewrite(body, row.visibility or "public")
        addresses = Addresses(self._site, self._finder(), {f"article:{slug}" for slug in self._slugs})
        front: dict[str, Any] = {
            "date": day(row.published_at or ""),
            "author": ", ".join(name for name in self._author_names(row) if name),
            "hook": row.custom_excerpt or "",
            "source_url": f"{self._site}/{row.slug}/" if self._site and row.status == "published" else "",
            "tags": [name for name in self._tags[row.id] if name and not name.startswith("#")],
            **self._lead(row, addresses),
        }
        markdown, lost = converted(body, addresses, Place(self._archive))
        kept = {key: _one_line(value) for key, value in front.items() if value}
        return Draft(kept, markdown, lost, addresses.pictures)

    def _author_names(self, row: _Post) -> list[str]:
        return self._authors[row.id] or [self._names.get(row.author_id or "", "")]

    def _lead(self, row: _Post, addresses: Addresses) -> dict[str, str]:
        src = addresses.picture((row.feature_image or row.image or "").replace(_SITE, self._site))
        if not src:
            return {}
        from newsletter.issue.importing.hypertext import parse, words

        meta = self._meta.get(row.id)
        caption = parse(f"<p>{(meta.feature_image_caption if meta else '') or ''}</p>", Place(self._archive))
        return {"image": src, "alt": (meta.feature_image_alt if meta else "") or "", "caption": words(caption)}

    def _place(self, body: Tag) -> None:
        """Write the export's own addresses in `body` as what they are outside Ghost."""
        from newsletter.issue.importing.hypertext import attribute

        for element in body.find_all(["a", "img", "audio", "video", "source", "iframe"]):
            for name in ("href", "src"):
                address = attribute(element, name)
                own = re.fullmatch(rf"(?:{_SITE}|{re.escape(self._site)})/([\w-]+)/?", address)
                if own and own[1] in self._slugs:
                    element[name] = f"article:{own[1]}"
                elif _SITE in address:
                    element[name] = address.replace(_SITE, self._site)

    def _finder(self) -> Callable[[str], bytes | None]:
        def find(src: str) -> bytes | None:
            inside = unquote(src.partition("content/images/")[2].partition("?")[0])
            plain = re.sub(r"^size/w\d+(?:h\d+)?/", "", inside)
            name = self._pictures.get(plain) or self._pictures.get(inside)
            return read_one(self._archive, name) if name else None

        return find


def _one_line(value: Any) -> Any:
    from newsletter.issue.importing.metadata import line

    return line(value) if isinstance(value, str) else value
