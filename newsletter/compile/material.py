"""What an issue shows and hands out beside its words: each picture and file, by where it is written of."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from newsletter.compile.edition import Asset
from newsletter.compile.images import Picture, published, stem_of
from newsletter.config import Settings
from newsletter.errors import Collected, ContentError, Place
from newsletter.issue.beside import REMOTE, file_of, files, picture_of, pictures, texts_of
from newsletter.issue.blocks import FILES
from newsletter.issue.model import Issue

Made = TypeVar("Made")
Name = tuple[Path, str]
"""What names a picture or a file: the folder of its text, and the address in that text, which begins there."""


@dataclass(frozen=True, slots=True)
class Material:
    """The pictures that an issue shows and the files that it links to."""

    pictures: Mapping[Name, Picture]
    files: Mapping[Name, Asset]

    @property
    def assets(self) -> list[Asset]:
        """All that is published of it."""
        return [*(picture.asset for picture in self.pictures.values() if picture.asset), *self.files.values()]

    def picture(self, src: str, place: Place) -> Picture:
        """The picture that is shown as `src` in the text at `place`."""
        return self.pictures[place.path.parent, src]

    def file(self, target: str, place: Place) -> Asset:
        """The file that the link `target` in the text at `place` leads to."""
        return self.files[place.path.parent, target]


def gather(issue: Issue, settings: Settings) -> Material:
    """What `issue` shows and hands out; raises ContentError with all that cannot be published.

    The work tree is only read; pictures that had to be changed lie in the cache folder.
    """
    problems = Collected()
    texts = list(texts_of(issue))
    shown = (pair for blocks in texts for pair in pictures(blocks))
    linked = (pair for blocks in texts for pair in files(blocks))
    material = Material(
        _each(shown, lambda src, where: _picture(src, where, settings), problems), _each(linked, _file, problems)
    )
    problems.stop_if_any()
    return material


def _each(
    written: Iterable[tuple[str, Place]], make: Callable[[str, Place], Made], problems: Collected
) -> dict[Name, Made]:
    first: dict[Name, Place] = {}
    for said, where in written:
        first.setdefault((where.path.parent, said), where)
    made: dict[Name, Made] = {}
    for name, where in first.items():
        try:
            made[name] = make(name[1], where)
        except ContentError as error:
            problems.extend(error.problems)
    return made


def _picture(src: str, where: Place, settings: Settings) -> Picture:
    if src.startswith(REMOTE):
        return Picture(None, src, None, None)
    return published(picture_of(src, where), where, settings)


def _file(target: str, where: Place) -> Asset:
    """A file as it is: whoever made it decided what it holds."""
    path = file_of(target, where)
    try:
        with path.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        size = path.stat().st_size
    except OSError as error:
        raise ContentError(f"{path.name} cannot be read: {error.strerror}", where=where) from error
    name = f"{FILES}{stem_of(path)}-{digest[:12]}{path.suffix.lower()}"
    return Asset(path=name, digest=digest, size=size, source=path)
