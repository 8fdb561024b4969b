"""An imported article -> files of an issue: nothing is overwritten, nothing half written stays."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path, PurePosixPath

from newsletter.errors import ContentError, Place
from newsletter.issue.importing.article import Imported
from newsletter.issue.slug import slugify


def write_article(folder: Path, imported: Imported) -> Path:
    """Write `imported` into the issue `folder` as its next article, NN-slug.md, and its pictures into images/.

    Gives the article's path. A picture whose name is taken by another gets a new name, in the text too. Raises
    ContentError, also when the
    issue has an article with that slug already.
    """
    if not folder.is_dir():
        raise ContentError(f"there is no folder {folder}", hint="`newsletter new` makes a new issue")
    written: list[Path] = []
    try:
        _refuse_twin(folder, imported.slug)
        names: dict[str, str] = {}
        for name, data in imported.pictures.items():
            path, is_new = _picture(folder / "images", name, data)
            written += [path] if is_new else []
            names[f"images/{name}"] = f"images/{path.name}"
        with _hidden(folder, _renamed(imported.markdown, names).encode()) as hidden:
            return _numbered(folder, hidden, imported.slug)
    except BaseException as error:
        for path in written:
            path.unlink()
        if isinstance(error, OSError):
            message = f"the article cannot be written: {error.strerror}"
            raise ContentError(message, where=Place(folder)) from error
        raise


def _picture(images: Path, name: str, data: bytes) -> tuple[Path, bool]:
    """The file under `images` that holds `data`, and whether it was written now."""
    images.mkdir(exist_ok=True)
    with _hidden(images, data) as hidden:
        for path in _names(images, name):
            try:
                os.link(hidden, path)
            except FileExistsError:
                if path.is_file() and path.read_bytes() == data:
                    return path, False
            else:
                return path, True
    raise AssertionError("the names never end")


def _names(images: Path, name: str) -> Iterator[Path]:
    """`name`, then the same with 2, 3 and so on behind it; what is no plain file name is made one."""
    plain = PurePosixPath(name.replace("\\", "/"))
    stem, suffix = plain.stem, plain.suffix
    if not re.fullmatch(r"[\w-][\w.-]*\.\w+", plain.name, re.ASCII):
        stem, suffix = slugify(stem), re.sub(r"[^.a-z0-9]", "", suffix.lower())
    yield images / f"{stem}{suffix}"
    yield from (images / f"{stem}-{n}{suffix}" for n in count(2))


def _renamed(markdown: str, names: dict[str, str]) -> str:
    if all(old == new for old, new in names.items()):
        return markdown
    any_of = "|".join(re.escape(old) for old in sorted(names, key=len, reverse=True))
    return re.sub(rf"(?<![\w./-])(?:{any_of})(?![\w.-])", lambda found: names[found[0]], markdown)


@contextmanager
def _hidden(folder: Path, data: bytes) -> Iterator[Path]:
    """A file of `data` that no reader of `folder` sees, gone when it is no longer needed: it is complete before it gets
    its name, and unlike a rename a link fails where another process was quicker."""
    path = folder / f".import-{secrets.token_hex(8)}"
    try:
        path.write_bytes(data)
        yield path
    finally:
        path.unlink(missing_ok=True)


def _numbered(folder: Path, hidden: Path, slug: str) -> Path:
    while True:
        _refuse_twin(folder, slug)
        path = folder / f"{max((int(found[1]) for found in _articles(folder)), default=0) + 1:02}-{slug}.md"
        try:
            os.link(hidden, path)
        except FileExistsError:
            continue
        return path


def _refuse_twin(folder: Path, slug: str) -> None:
    for found in _articles(folder):
        if found[2] == slug:
            raise ContentError(
                f"this issue has an article with the slug `{slug}` already",
                hint="give the new one another title (--title), or remove the old one",
                where=Place(folder / found[0]),
            )


def _articles(folder: Path) -> list[re.Match[str]]:
    return [found for path in folder.iterdir() if (found := re.fullmatch(r"(\d+)-(.+)\.md", path.name))]
