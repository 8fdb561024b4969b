"""How a folder or a file is made whole or not at all: beside its place under another name, then put there."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from newsletter.errors import ConfigError

MARKER = ".made-by-newsletter"


@contextmanager
def replacing(out: Path) -> Iterator[Path]:
    """A new folder to write to; it takes the place of `out` when the block ends, and is gone if the block fails.

    Raises ConfigError if `out` is a file, or holds files and not the marker that says that we made it.
    """
    out = out.resolve()
    _refuse_what_is_not_ours(out)
    draft, old = (out.with_name(f".{out.name}.{os.getpid()}.{word}") for word in ("new", "old"))
    try:
        draft.mkdir(parents=True)
        (draft / MARKER).write_text("`newsletter` made this folder and replaces it whole.\n", "utf-8")
        yield draft
        _put(draft, out, old)
    except OSError as error:
        raise ConfigError(
            f"{out} cannot be written: {error.strerror or error}", hint="name another folder, or make room"
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        if out.exists():
            shutil.rmtree(old, ignore_errors=True)


def write_whole(path: Path, data: bytes) -> None:
    """Write the file at once: whoever reads it meanwhile has the old one, or none. Raises OSError."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as draft:
        try:
            draft.write(data)
            draft.flush()
            Path(draft.name).replace(path)
        except BaseException:
            Path(draft.name).unlink()
            raise


def _put(draft: Path, out: Path, old: Path) -> None:
    if out.exists():
        out.replace(old)
    try:
        draft.replace(out)
    except OSError:
        if old.exists():
            old.replace(out)
        raise


def _refuse_what_is_not_ours(out: Path) -> None:
    if not out.exists() or (out / MARKER).is_file():
        return
    if not out.is_dir():
        raise ConfigError(f"{out} is a file", hint="name a folder that may be replaced")
    if any(out.iterdir()):
        raise ConfigError(
            f"{out} holds files that `newsletter` did not make, and they would be lost",
            hint="name a folder that is new or empty",
        )
