"""Pictures: measured, and named by their content so that a changed picture has a new address."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from newsletter.compile.edition import Asset
from newsletter.errors import Collected, ContentError, Place
from newsletter.issue.load import pictures
from newsletter.issue.model import Issue


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of an issue: its file on the site and its size in pixels. A remote one has an address and no asset."""

    asset: Asset | None
    address: str
    width: int | None
    height: int | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture as a template shows it: its address from here and whole, its size in CSS pixels where that is known."""

    url: str
    absolute: str
    width: int | None
    height: int | None


Name = tuple[Path, str]
"""What names a picture: the folder of the file that shows it, and the address in that file, which begins there."""


def name_of(src: str, place: Place) -> Name:
    """The name of the picture that is shown at `place` as `src`."""
    return place.path.parent, src


def gather(issue: Issue) -> dict[Name, Picture]:
    """Every picture that the issue shows; raises ContentError."""
    problems = Collected()
    found: dict[Name, Picture] = {}
    leads = [article.lead for article in issue.articles if article.lead]
    shown = [issue.opening, *(article.blocks for article in issue.articles), issue.closing, tuple(leads)]
    for src, where in (pair for blocks in shown for pair in pictures(blocks)):
        name = name_of(src, where)
        if name not in found:
            try:
                found[name] = _picture(*name, where)
            except ContentError as error:
                problems.extend(error.problems)
    problems.stop_if_any()
    return found


def measured(path: Path, where: Place) -> Picture:
    """The picture in the file `path`; raises ContentError when it is not one."""
    from PIL import Image, UnidentifiedImageError

    try:
        data = path.read_bytes()
        with Image.open(path) as image:
            width, height = image.size
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise ContentError(
            f"{path.name} is not a picture that can be read", hint="JPEG, PNG and GIF go into mail", where=where
        ) from error
    digest = hashlib.sha256(data).hexdigest()
    stem = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-") or "picture"
    name = f"images/{stem}-{digest[:8]}{path.suffix.lower()}"
    return Picture(Asset(path=name, digest=digest, size=len(data), source=path), name, width, height)


def _picture(folder: Path, src: str, where: Place) -> Picture:
    if src.startswith("https://"):
        return Picture(None, src, None, None)
    return measured(folder / src, where)
