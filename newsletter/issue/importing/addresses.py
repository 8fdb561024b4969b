"""Where the links and pictures of an imported text lead: absolute URLs, and files that come along."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path, PurePosixPath
from urllib.parse import quote, unquote, urljoin, urlsplit

from newsletter.issue.slug import slugify

LARGEST_PICTURE = 20_000_000  # bytes
_ALL_PICTURES = 200_000_000  # bytes
_LONGEST = 8_000  # characters of a URL; what servers take (RFC 9110 section 4.1)
_SCHEMES = {"http", "https", "mailto"}
_UNSAFE = re.compile(r"[\x00-\x20\x7f\"<>\\^`{|}“”„]|%(?![0-9A-Fa-f]{2})")
_BEGINNINGS = ((b"\x89PNG\r\n\x1a\n", ".png"), (b"\xff\xd8\xff", ".jpg"), (b"GIF8", ".gif"))


def find_nothing(_src: str) -> bytes | None:
    """The files beside a source that has none."""
    return None


class Addresses:
    """Makes links absolute and gathers pictures; what could not be had is in `lost`.

    `base` is the URL of the page, if it is known. `find` gives the bytes of a file that a picture's address names in
    the source itself, None for any other. Links in `known` are good as they are.
    """

    def __init__(
        self,
        base: str = "",
        find: Callable[[str], bytes | None] = find_nothing,
        known: Collection[str] = (),
    ) -> None:
        self._base = base if base.startswith(("https://", "http://")) else ""
        self._find = find
        self._known = known
        self._names: dict[str, str | None] = {}
        self._pictures: dict[str, bytes] = {}
        self.lost: list[str] = []

    @property
    def pictures(self) -> Mapping[str, bytes]:
        """The files that came along, by name."""
        return dict(self._pictures)

    def link(self, href: str) -> str:
        """`href` as an absolute URL of a kind that mail may hold; empty where it is none."""
        href = href.strip()
        if href in self._known:
            return href
        if len(href) > _LONGEST:
            return ""
        try:
            url = urljoin(self._base, href) if self._base and href else href
            parts = urlsplit(url)
        except ValueError:
            return ""
        if parts.scheme not in _SCHEMES or not (parts.netloc or parts.scheme == "mailto"):
            return ""
        clean = _UNSAFE.sub(lambda found: quote(found[0], safe=""), url)
        if clean.count("(") != clean.count(")") or clean.find(")") < clean.find("("):
            clean = clean.replace("(", "%28").replace(")", "%29")
        return clean

    def picture(self, src: str) -> str:
        """How an article names the picture at `src`: images/a.png, or its https:// URL; empty where it is lost."""
        src = src.strip()
        if src not in self._names:
            self._names[src] = self._picture(src) or None
            if self._names[src] is None and src:
                self.lost.append(src if len(src) < 80 else f"{src[:79]}…")
        return self._names[src] or ""

    def keep(self, name: str, data: bytes) -> str:
        """Take a picture along, and say how an article names it; empty where it is none, or too large."""
        suffix = suffix_of(data)
        if not suffix or len(data) > LARGEST_PICTURE or sum(map(len, self._pictures.values())) > _ALL_PICTURES:
            return ""
        stem, number = slugify(PurePosixPath(name).stem or "picture"), 1
        while self._pictures.get(f"{stem}{suffix}", data) != data:
            number += 1
            stem = f"{stem.removesuffix(f'-{number - 1}')}-{number}"
        self._pictures[f"{stem}{suffix}"] = data
        return f"images/{stem}{suffix}"

    def _picture(self, src: str) -> str:
        if src.startswith("data:"):
            return self.keep("picture", _inline(src))
        found = self._find(src)
        if found is not None:
            return self.keep(unquote(PurePosixPath(urlsplit(src).path).name), found)
        url = self.link(src)
        if url.startswith("http://"):
            return f"https://{url[7:]}"
        return url if url.startswith("https://") else ""


def suffix_of(data: bytes) -> str:
    """The suffix for a picture by what its bytes say; empty where they are no picture."""
    for beginning, suffix in _BEGINNINGS:
        if data.startswith(beginning):
            return suffix
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return ".webp"
    if data[4:12] in (b"ftypavif", b"ftypavis"):
        return ".avif"
    return ".svg" if b"<svg" in data[:1000].lower() else ""


def beside(page: Path) -> Callable[[str], bytes | None]:
    """Finds the files of the folder that a browser saves beside `page` (“page_files”), and no others."""
    home = page.parent.resolve()

    def find(src: str) -> bytes | None:
        try:
            path = unquote(urlsplit(src).path)
            file = (home / path).resolve()
            inside = file.relative_to(home).parts
            ours = len(inside) > 1 and not path.startswith("/") and inside[0].startswith(page.stem)
            if not ours or not file.is_file() or file.stat().st_size > LARGEST_PICTURE:
                return None
            return file.read_bytes()
        except (ValueError, OSError):
            return None

    return find


def _inline(src: str) -> bytes:
    """The bytes of a data: URL (RFC 2397)."""
    head, _, body = src.partition(",")
    try:
        return base64.b64decode(unquote(body)) if head.endswith(";base64") else unquote(body).encode()
    except (binascii.Error, ValueError):
        return b""
