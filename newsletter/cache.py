"""Values that took long to make, kept in the user's cache folder under a name. Any file there may be lost, broken or
somebody else's: then the value is made again.

A value is JSON, packed by zlib, whose checksum tells a broken file: a pickle would run what a foreign file says, and
pages of text take a fifth of the room. Each name has one file, so that the folder grows with the names and not with
time.
"""

from __future__ import annotations

import hashlib
import sys
import time
import zlib
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter

from newsletter.config import Settings
from newsletter.errors import ConfigError
from newsletter.replacing import write_whole
from newsletter.workspace import cache_folder

LIBRARIES = (
    *("babel", "css-inline", "jinja2", "markupsafe", "mjml-python", "nh3", "pillow", "pydantic", "pyromark", "pyyaml"),
)
"""The libraries by which an issue is read and compiled."""
UNUSED = 24 * 60 * 60
"""So many seconds a file is kept whose name nobody names any more: another process may be writing it."""

T = TypeVar("T")


class Cache(Generic[T]):
    """Values of the type `kind` in the folder `name` of the cache folder of `settings`, which is the user's alone."""

    def __init__(self, settings: Settings, name: str, kind: Any) -> None:
        self._folder = cache_folder(settings) / name
        self._form: TypeAdapter[T] = TypeAdapter(kind)

    def get(self, name: str) -> T | None:
        """The value under `name`; None where there is none that can be read."""
        try:
            return self._form.validate_json(zlib.decompress(self._file(name).read_bytes()))
        except (OSError, zlib.error, ValueError):
            return None

    def put(self, name: str, value: T) -> None:
        """Keep `value` under `name` in the place of the one before; raises ConfigError where it cannot be written."""
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            write_whole(self._file(name), zlib.compress(self._form.dump_json(value), 1))
        except OSError as error:
            raise ConfigError(
                f"the cache {self._folder} cannot be written: {error.strerror}",
                hint="NEWSLETTER_CACHE_DIR names another place",
            ) from error

    def sweep(self, names: Iterable[str]) -> None:
        """Remove what is kept under other names than these."""
        kept = {self._file(name) for name in names}
        old = time.time() - UNUSED
        for path in self._folder.glob("*"):
            with suppress(FileNotFoundError):  # another process sweeps too
                if path not in kept and path.stat().st_mtime < old:
                    path.unlink()

    def _file(self, name: str) -> Path:
        return self._folder / hashlib.sha256(name.encode()).hexdigest()[:32]


@cache
def program() -> str:
    """The digest of what makes values out of texts: our own code, its libraries, and Python."""
    package = Path(__file__).parent
    sources = ((str(path.relative_to(package)), path.read_bytes()) for path in sorted(package.rglob("*.py")))
    made = (sys.version, [(name, version(name)) for name in LIBRARIES], [*sources])
    return hashlib.sha256(repr(made).encode()).hexdigest()
