"""Zip files from elsewhere: how much may come out of one. Nothing is ever written under a name that stands in one."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from newsletter.errors import ContentError, Place

_MOST = 50_000  # files
_LARGEST_FILE = 250_000_000  # bytes, unpacked
_LARGEST = 2_000_000_000  # bytes of all files, unpacked
_THINNEST = 200  # times that a large file may have been packed; text and pictures stay far below
_LARGE = 10_000_000  # bytes: below it nobody needs to look


class Archive:
    """An open zip file, whose declared sizes are in bounds; zipfile hands out no more than was declared."""

    def __init__(self, file: zipfile.ZipFile, path: Path) -> None:
        self._file = file
        self._path = path
        self._entries = {entry.filename: entry for entry in file.infolist() if _is_plain(entry.filename)}

    @property
    def names(self) -> list[str]:
        """The names of the files, in their order; what climbs out of the archive is not among them."""
        return list(self._entries)

    def read(self, name: str) -> bytes:
        """The bytes of a file; raises ContentError where it is damaged or locked, KeyError where there is none."""
        where = Place(self._path)
        try:
            return self._file.read(self._entries[name])
        except RuntimeError as error:
            raise ContentError(f"{name} in it is locked with a password", where=where) from error
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
            raise ContentError(f"{name} in it is damaged", hint="export it again", where=where) from error


@contextmanager
def unpacked(path: Path) -> Iterator[Archive]:
    """The zip file at `path`; raises ContentError where it is none, or holds more than one may unpack."""
    try:
        file = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is no zip file, or damaged"
        raise ContentError(f"cannot be unpacked: {reason}", where=Place(path)) from error
    with file:
        _refuse_bomb(file, path)
        yield Archive(file, path)


def read_one(path: Path, name: str) -> bytes:
    """The bytes of the file `name` in the zip file at `path`, so that nobody has to hold all of them at once."""
    with unpacked(path) as archive:
        return archive.read(name)


def _refuse_bomb(file: zipfile.ZipFile, path: Path) -> None:
    entries = file.infolist()
    total = sum(entry.file_size for entry in entries)
    packed = path.stat().st_size
    worst = max((entry.file_size for entry in entries), default=0)
    thin = total > _LARGE and total > _THINNEST * packed
    if len(entries) > _MOST or worst > _LARGEST_FILE or total > _LARGEST or thin:
        raise ContentError(
            f"would unpack to {total / 1e6:,.0f} MB in {len(entries):,} files",
            hint="an export of a newsletter is far smaller; unpack it by hand if you trust it, and pack what you need",
            where=Place(path),
        )


def _is_plain(name: str) -> bool:
    path = PurePosixPath(name)
    return not name.endswith("/") and not path.is_absolute() and ".." not in path.parts and "\\" not in name
