"""Backup and restore: what of a publication cannot be made again, in one file; and what an old one cannot know.

A backup is a zip: manifest.json, the database at one moment, and the keys. Journals are not in it: they are worth
something to the very database that they were written beside. What was sent after the moment of the backup is not in it
either, so that whoever waited then is uncertain once it is restored: nobody gets an issue twice for a restore.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from newsletter import __version__
from newsletter.errors import StoreError
from newsletter.store.copying import copy_database, refuse_while_open, to_disk
from newsletter.store.ledger import Ledger
from newsletter.store.schema import REVISION, connect
from newsletter.tokens import Keyring

DATABASE = "newsletter.db"
KEYS = "keys.json"
_MANIFEST = "manifest.json"
_MEMBERS = (DATABASE, KEYS)


class Manifest(BaseModel):
    """What a backup says of itself. `under_way`: the balance of each issue that somebody waited for, by its id."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    publication: str
    made: AwareDatetime
    newsletter: str
    schema_version: str
    under_way: dict[str, dict[str, Any]]
    sha256: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a publication keeps what is backed up: its data folder, keys in it, a database that may lie elsewhere."""

    data: Path
    database: Path
    keys: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restore did: from which backup, what of before it kept aside, and how many of each issue are uncertain."""

    manifest: Manifest
    kept: tuple[Path, ...]
    uncertain: Mapping[str, int]


def back_up(file: Path, publication: str, places: Places) -> Manifest:
    """Write the backup of `publication` to `file`, which is new; for its owner only, whole or not at all.

    A send may be under way: it is not held up. Raises StoreError.
    """
    if file.exists():
        raise StoreError(f"{file} is there already", hint="name a new file: a backup replaces nothing")
    with _in_words(f"the backup {file} cannot be written"), _draft_folder(file) as draft:
        copy_database(places.database, draft / DATABASE)
        shutil.copyfile(places.keys, draft / KEYS)
        manifest = Manifest(
            publication=publication,
            made=datetime.now(UTC).replace(microsecond=0),
            newsletter=__version__,
            schema_version=REVISION,
            under_way=_under_way(draft / DATABASE),
            sha256={name: _sha256(draft / name) for name in _MEMBERS},
        )
        archive = draft / file.name
        with _private(archive) as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
            packed.writestr(_MANIFEST, manifest.model_dump_json(indent=2))
            for name in _MEMBERS:
                packed.write(draft / name, name)
        archive.rename(file)
        to_disk(file.parent)
    return manifest


def restore(file: Path, publication: str, places: Places, *, replace: bool) -> Restored:
    """Put what is in the backup `file` into `places`; whoever waited for an issue when it was made is uncertain.

    Refused with StoreError: a backup of another publication, of a newer program, or damaged; a data folder that is not
    empty, unless it may `replace` that, which is then kept aside; and to replace what another process has open. Whole
    or not at all; a kill between the two renames of `replace` leaves nothing in place, and what was there kept aside.
    """
    with _in_words(f"{file} cannot be restored"), zipfile.ZipFile(file) as packed:
        manifest = _manifest(packed, file)
        if manifest.publication != publication:
            raise StoreError(
                f"{file} is a backup of the publication {manifest.publication}; this one is {publication}",
                hint="[publication] id in newsletter.toml says which one it is",
            )
        _refuse_to_overwrite(places, replace=replace)
        with ExitStack() as drafts:
            moves = {places.data: drafts.enter_context(_draft_folder(places.data))}
            if not places.database.is_relative_to(places.data):
                moves[places.database] = drafts.enter_context(_draft_folder(places.database)) / DATABASE
            database, keys = _drafted(moves, places.database), _drafted(moves, places.keys)
            _unpack(packed, manifest, {DATABASE: database, KEYS: keys})
            Keyring.open(keys)
            uncertain = _distrusted(database, manifest.made)
            refuse_while_open(places.database)
            return Restored(manifest=manifest, kept=_put(moves), uncertain=uncertain)


def _under_way(database: Path) -> dict[str, dict[str, Any]]:
    engine = connect(f"sqlite:///{database}")
    try:
        return {issue: balance.as_json() for issue, balance in Ledger(engine).under_way().items()}
    finally:
        engine.dispose()


def _distrusted(database: Path, made: datetime) -> dict[str, int]:
    """The ledger of a backup says of nobody that they wait: they may have been sent to since it was made."""
    engine = connect(f"sqlite:///{database}", on_upgrade=Path.unlink)  # as it was before, it is in the backup
    try:
        return Ledger(engine).distrust(f"restored from a backup of {made:%Y-%m-%d %H:%M} UTC, and perhaps sent since")
    finally:
        engine.dispose()


def _manifest(packed: zipfile.ZipFile, file: Path) -> Manifest:
    try:
        return Manifest.model_validate_json(packed.read(_MANIFEST))
    except (KeyError, ValidationError) as error:
        raise StoreError(
            f"{file} is no backup that this program knows", hint="was it made by a newer version of newsletter?"
        ) from error


def _drafted(moves: Mapping[Path, Path], place: Path) -> Path:
    """Where in the drafts of `moves` lies what will be at `place`."""
    return next(draft / place.relative_to(whole) for whole, draft in moves.items() if place.is_relative_to(whole))


def _unpack(packed: zipfile.ZipFile, manifest: Manifest, targets: Mapping[str, Path]) -> None:
    for name, target in targets.items():
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with packed.open(name) as source, _private(target) as copy:
            shutil.copyfileobj(source, copy)
        if _sha256(target) != manifest.sha256.get(name):
            raise StoreError(f"{name} in the backup is damaged", hint="restore another one")


def _refuse_to_overwrite(places: Places, *, replace: bool) -> None:
    if not replace and (_holds_something(places.data) or places.database.exists()):
        raise StoreError(
            f"the data folder {places.data} is not empty",
            hint="--replace puts the backup in its place, and keeps what is there now aside",
        )


def _put(moves: Mapping[Path, Path]) -> tuple[Path, ...]:
    """Move to each place its draft; returns what was there, kept aside. What cannot be moved undoes the rest."""
    aside = f"replaced-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    kept: list[Path] = []
    done: list[tuple[Path, Path]] = []
    try:
        for place, draft in moves.items():
            if _holds_something(place):
                kept.append(place.with_name(f"{place.name}-{aside}"))
                place.rename(kept[-1])
                done.append((kept[-1], place))
            draft.rename(place)
            done.append((place, draft))
            to_disk(place.parent)
    except OSError:
        for there, before in reversed(done):
            there.rename(before)
        raise
    return tuple(kept)


def _holds_something(place: Path) -> bool:
    return any(place.iterdir()) if place.is_dir() else place.exists()


@contextmanager
def _draft_folder(beside: Path) -> Iterator[Path]:
    """A folder on the same disk, for its owner only; gone at the end, unless it was moved to its place."""
    folder = Path(tempfile.mkdtemp(dir=beside.parent, prefix=f".{beside.name}."))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _private(path: Path) -> Iterator[IO[bytes]]:
    """A new file for its owner only, on the disk when it is closed."""
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as stream:
        yield stream
        stream.flush()
        os.fsync(stream.fileno())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _in_words(what: str) -> Iterator[None]:
    try:
        yield
    except (OSError, zipfile.BadZipFile, zlib.error) as error:
        raise StoreError(f"{what}: {getattr(error, 'strerror', None) or error}") from error
