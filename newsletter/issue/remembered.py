"""What was made of an issue before, and whether it would be made the same again.

A making leaves a trace: the files it read, and what it asked of the rest of the workspace. While all of these are as
they were, so is what was made (a "verifying trace": Mokhov, Mitchell and Peyton Jones, Build Systems à la Carte, 2018,
section 4.2.2). So an article's new words make one issue anew, and its new title also the issues that named it.

For whoever looks at many issues at once, such as the archive. What is built, checked or sent is never taken from here.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from newsletter.cache import Cache, program
from newsletter.issue.catalogue import Catalogue
from newsletter.issue.model import Issue
from newsletter.workspace import Workspace

T = TypeVar("T")
CLOCK_LAG = 0.1
"""By so many seconds the time of a file's change may lie before the moment when it was changed."""


@dataclass(frozen=True, slots=True)
class Trace:
    """What something was made from beside the texts in the issue's own folder: files that were `read`, files of which
    only is asked whether they are `there`, and the questions `asked` of the catalogue, each with its arguments."""

    read: tuple[Path, ...] = ()
    there: tuple[Path, ...] = ()
    asked: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Made(Generic[T]):
    """A value, and the files that it was made from beside the texts in the issue's own folder; `lasting` is whether it
    goes back to nothing else."""

    value: T
    read: Iterable[Path] = ()
    there: Iterable[Path] = ()
    lasting: bool = True


_Known = tuple[str, str, Trace, T]
"""What is kept: the ground, the state of all else when the value was made, the trace, the value."""


class Remembered(Generic[T]):
    """Values of the type `kind`, one for each issue of `workspace`, kept in the cache folder under `name`.

    `ground` is what all of them go back to beside the settings and our own code.
    """

    def __init__(self, workspace: Workspace, catalogue: Catalogue, name: str, kind: Any, ground: str = "") -> None:
        self._catalogue = catalogue
        self._ground = _digest(program(), str(workspace.root), workspace.settings.model_dump_json(), ground)
        self._cache: Cache[_Known[T]] = Cache(workspace.settings, name, tuple[str, str, Trace, kind])

    def of(self, folder: Path, given: str, make: Callable[[Catalogue], Made[T]]) -> T:
        """The value for the issue in `folder`: the one that is remembered if `make(catalogue)` would make the same.

        `given` is what else `make` goes by. It may raise: then nothing is remembered.
        """
        match self._cache.get(folder.name):
            case ground, state, trace, value if ground == self._ground and state == self._state(folder, given, trace):
                return value
        began = time.time()
        consulted = _Consulted(self._catalogue)
        made = make(cast(Catalogue, consulted))
        trace = Trace(tuple(made.read), tuple(made.there), tuple(consulted.asked))
        if made.lasting and not _changed_since(began - CLOCK_LAG, [*_texts(folder), *trace.read]):
            self._cache.put(folder.name, (self._ground, self._state(folder, given, trace), trace, made.value))
        return made.value

    def sweep(self, folders: Iterable[Path]) -> None:
        """Forget what was made of others than these."""
        self._cache.sweep(folder.name for folder in folders)

    def _state(self, folder: Path, given: str, trace: Trace) -> str:
        """The digest of all that a value with this trace goes back to beside the ground, as it is now."""
        read = [(str(path), _content(path)) for path in (*_texts(folder), *trace.read)]
        there = [(str(path), _size(path)) for path in trace.there]
        answers = [(question, _answer(self._catalogue, question)) for question in trace.asked]
        return _digest(given, read, there, answers)


def texts_elsewhere(issue: Issue) -> set[Path]:
    """The files of the texts that `issue` shows, and that do not lie in its folder."""
    texts = (text.place.path for article in issue.articles for text in (article, *article.translations))
    return {path for path in texts if path.parent != issue.folder}


class _Consulted:
    """A catalogue that remembers what it was asked, be it by us or by a theme's template."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self.asked: dict[tuple[str, ...], None] = {}

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._catalogue, name)
        if not callable(found):
            self.asked[name,] = None
            return found

        def ask(*arguments: str) -> Any:
            self.asked[name, *arguments] = None
            return found(*arguments)

        return ask


def _answer(catalogue: Catalogue, question: tuple[str, ...]) -> str:
    name, *arguments = question
    found = getattr(catalogue, name)
    return repr(found(*arguments) if callable(found) else found)


def _digest(*values: object) -> str:
    return hashlib.sha256(repr(values).encode()).hexdigest()


def _texts(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.md"))


def _content(path: Path) -> tuple[str, str] | None:
    """Where a file lies when links are followed, and the digest of what it holds; None where there is none."""
    try:
        with path.open("rb") as file:
            return str(path.resolve()), hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _size(path: Path) -> tuple[str, int] | None:
    try:
        return (str(path.resolve()), path.stat().st_size) if path.is_file() else None
    except OSError:
        return None


def _changed_since(moment: float, paths: Iterable[Path]) -> bool:
    return any(not path.exists() or path.stat().st_ctime > moment for path in paths)
