"""A picture of the writer's, ready for readers: what it becomes is remembered, and what it is called on the site.

A picture's name on the site holds a hash of its source's bytes and of what was decided about it (format, size, version
of the rules), not of the bytes that were made: those differ with the machine's Pillow, and the edition's hash must not.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from newsletter.compile.darkroom import VERSION, Developed, Unpublishable, develop
from newsletter.compile.edition import Asset
from newsletter.compile.formats import format_of, suffixes_of
from newsletter.config import Settings
from newsletter.errors import ConfigError, ContentError, Place
from newsletter.replacing import write_whole
from newsletter.workspace import cache_folder

RETINA = 2
"""So many pixels are published for one of the column: more are not seen."""


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


def published(path: Path, where: Place, settings: Settings) -> Picture:
    """The picture in the file `path`, at most twice as wide as the theme; raises ContentError where it is none."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ContentError(f"{path.name} cannot be read: {error.strerror}", where=where) from error
    try:
        _refuse_another_suffix(path, data)
        source = hashlib.sha256(data).hexdigest()
        record, file = _Cache.of(settings).developed(path, data, source, RETINA * settings.theme.width)
    except Unpublishable as error:
        raise ContentError(f"{path.name} {error.reason}", hint=error.hint, where=where) from error
    decided = f"{source} {VERSION} {record.kind} {record.width}x{record.height}"
    digest = hashlib.sha256(decided.encode()).hexdigest()
    name = f"images/{stem_of(path)}-{digest[:12]}{suffixes_of(record.kind)[0]}"
    asset = Asset(path=name, digest=digest, size=record.size, source=file, origin=path)
    return Picture(asset, name, record.width, record.height)


def stem_of(path: Path) -> str:
    """What the name of a published file begins with: its own, in characters that need no escape in an address."""
    return re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-") or "file"


def _refuse_another_suffix(path: Path, data: bytes) -> None:
    kind = format_of(data)
    if kind and path.suffix.lower() not in suffixes_of(kind):
        better = f"{path.stem}{suffixes_of(kind)[0]}"
        raise Unpublishable(f"is not what its name says, but {kind.upper()}", f"name it {better}")


@dataclass(frozen=True, slots=True)
class _Record:
    """What is known of a picture once it was developed; `made` where its bytes are not those of its source."""

    kind: str
    width: int
    height: int
    size: int
    made: bool


@dataclass(frozen=True, slots=True)
class _Cache:
    """Pictures developed before, by the digest of their source and what was wanted. Any file in it may be lost."""

    folder: Path

    @classmethod
    def of(cls, settings: Settings) -> _Cache:
        return cls(cache_folder(settings) / "images")

    def developed(self, path: Path, data: bytes, source: str, widest: int) -> tuple[_Record, Path]:
        """What became of `data`, the file at `path` with the digest `source`, and the file that is published.

        Raises Unpublishable.
        """
        key = f"{source}-{VERSION}-{widest}"
        record = self._recorded(key)
        if record is None or (record.made and not self._is_whole(key, record)):
            record = self._record(key, data, develop(data, widest))
        return record, self._file(key, record) if record.made else path

    def _recorded(self, key: str) -> _Record | None:
        try:
            return _Record(**json.loads((self.folder / f"{key}.json").read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def _is_whole(self, key: str, record: _Record) -> bool:
        file = self._file(key, record)
        return file.is_file() and file.stat().st_size == record.size

    def _record(self, key: str, data: bytes, made: Developed) -> _Record:
        record = _Record(made.kind, made.width, made.height, len(made.data), made.data != data)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if record.made:
                write_whole(self._file(key, record), made.data)
            write_whole(self.folder / f"{key}.json", json.dumps(asdict(record)).encode())
        except OSError as error:
            raise ConfigError(
                f"the cache {self.folder} cannot be written: {error.strerror}",
                hint="NEWSLETTER_CACHE_DIR names another place",
            ) from error
        return record

    def _file(self, key: str, record: _Record) -> Path:
        return self.folder / f"{key}{suffixes_of(record.kind)[0]}"
