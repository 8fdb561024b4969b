"""Edition: an issue compiled, once, for everyone. Its hash is what a person approves and what is sent.

Facts: what a compile or a check must know of the world outside the folder, handed in by whoever calls.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import Base64Bytes, TypeAdapter

from newsletter.compile.slots import Program


@dataclass(frozen=True, slots=True, kw_only=True)
class SentBefore:
    """What is known of an earlier send of the same issue; what is empty nobody knows, since another service sent it."""

    hash: str
    content_digest: str
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What whoever calls knows of the world: gathered in cli/ and web/, read by compile/ and checks/.

    `readers` is the count of active subscribers on `as_of`. `largest` holds the values of the recipient whose copy is
    the largest. `manages_unsubscribe` says that the provider puts an unsubscribe link of its own into each copy.
    """

    readers: int | None = None
    as_of: date | None = None
    largest: dict[str, str] | None = None
    sent_before: SentBefore | None = None
    provider: str = "outbox"
    manages_unsubscribe: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceVariant:
    """The email for one truth assignment of the conditions that the issue names."""

    conditions: tuple[tuple[str, bool], ...] = ()
    html: Program
    text: Program


@dataclass(frozen=True, slots=True, kw_only=True)
class Headers:
    """What goes into the header of every message. Programs may hold a recipient's values; the rest is the same for all.

    `sender` and `reply_to` are one mailbox each; `list_id` is "Phrase <label.domain>" (RFC 2919 section 2);
    `archive` is where the issue can be read; `feedback_id` is Google's (support.google.com/mail/answer/6254652).
    """

    sender: str
    reply_to: str | None
    list_id: str
    archive: str
    feedback_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A file that the edition refers to: `path` on the site, `source` on disk when it was compiled, made from `origin`.

    `digest` is that of the origin and of what was decided about it; `size` is in bytes.
    """

    path: str
    digest: str
    size: int
    source: Path
    origin: Path | None = None

    @property
    def written(self) -> Path:
        """The file that the writer put there."""
        return self.origin or self.source


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """A picture that travels inside the message. `id` is its Content-ID without brackets, which the HTML names as
    `cid:id` (RFC 2392); `path` is where it is on the site."""

    id: str
    path: str
    media_type: str
    data: Base64Bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A web page: its path on the site (a folder's ends in index.html) and its HTML."""

    path: str
    html: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """A compiled issue. `mjml` is kept for looking at; `hash` covers all that a reader gets (see edition_hash)."""

    issue_id: str
    slug: str
    number: int | None
    title: str
    list: str
    subjects: tuple[Program, ...]
    preheader: Program
    headers: Headers
    variants: tuple[AudienceVariant, ...]
    assets: tuple[Asset, ...]
    enclosed: tuple[Enclosure, ...] = ()
    pages: tuple[Page, ...]
    facts_used: tuple[tuple[str, str], ...]
    content_digest: str
    mjml: str
    hash: str = field(default="")

    def programs(self) -> Iterator[Program]:
        """Every program that a recipient's values go into."""
        yield from self.subjects
        for variant in self.variants:
            yield variant.html
            yield variant.text


def sealed(edition: Edition) -> Edition:
    """`edition` with its hash: SHA-256 over a canonical manifest of what readers get.

    In it: subjects, header templates, HTML and text of every audience variant, assets, the facts that were used.
    Not in it: the git commit, the date of sending, the recipients, the web pages.
    """
    manifest = {
        "issue": edition.issue_id,
        "list": edition.list,
        "subjects": [asdict(subject) for subject in edition.subjects],
        "headers": asdict(edition.headers),
        "variants": [asdict(variant) for variant in edition.variants],
        "assets": [[asset.path, asset.digest] for asset in edition.assets],
        "facts": edition.facts_used,
    }
    return replace(edition, hash=digest(manifest))


def digest(value: Any) -> str:
    """SHA-256, in hexadecimal, of the canonical JSON of `value`."""
    return hashlib.sha256(json_of(value).encode()).hexdigest()


def json_of(value: Any) -> str:
    """The canonical JSON of `value`: the same for the same value, whatever made it."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def to_bytes(edition: Edition) -> bytes:
    """The edition for the store; from_bytes gives it back."""
    return TypeAdapter(Edition).dump_json(edition)


def from_bytes(data: bytes) -> Edition:
    """The edition that to_bytes wrote."""
    return TypeAdapter(Edition).validate_json(data)
