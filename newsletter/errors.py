"""The error tree, by who must act. This file imports nothing of the project.

NewsletterError
├── ContentError     the writer: front matter, an article, a picture
├── TemplateError    the designer: a theme file
├── ConfigError      the operator: newsletter.toml, the environment
├── ProviderError    the mail service
├── StoreError       the database, the keys, the journal
└── ChecksFailed     the pre-send checks found an error

An error holds one or more problems, so that several faults are shown at once. Anything that is not a NewsletterError
is a bug and keeps its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: a file, and a line and column counted from 1."""

    path: Path
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.path, self.line, self.column) if part is not None)


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault: what is wrong, where, and what to do about it."""

    message: str
    hint: str | None = None
    where: Place | None = None

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text}\n  hint: {self.hint}" if self.hint else text


class NewsletterError(Exception):
    """A fault that a person can mend; see the tree above for who."""

    def __init__(self, message: str, *, hint: str | None = None, where: Place | None = None) -> None:
        self.problems: tuple[Problem, ...] = (Problem(message, hint, where),)
        super().__init__(message)

    @classmethod
    def of(cls, problems: Iterable[Problem]) -> Self:
        """One error that holds all `problems` (at least one), in the order of their places."""
        found = tuple(problems)
        error = cls(found[0].message)
        error.problems = found
        return error

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class ContentError(NewsletterError):
    """The writer must act."""


class TemplateError(NewsletterError):
    """The designer of the theme must act."""


class ConfigError(NewsletterError):
    """The operator must act."""


class ProviderError(NewsletterError):
    """The mail service refused, or could not be reached."""


class StoreError(NewsletterError):
    """The database, the keys or the journal could not be used."""


class ChecksFailed(NewsletterError):
    """The pre-send checks found something that must not go out."""


class Collected:
    """Gathers problems while work goes on, so that a person sees all of them at once."""

    def __init__(self, kind: type[NewsletterError] = ContentError) -> None:
        self._kind = kind
        self._problems: list[Problem] = []

    def add(self, message: str, *, hint: str | None = None, where: Place | None = None) -> None:
        self._problems.append(Problem(message, hint, where))

    def extend(self, problems: Iterable[Problem]) -> None:
        self._problems.extend(problems)

    @property
    def found(self) -> list[Problem]:
        """What was gathered, in the order of places."""
        return sorted(self._problems, key=_reading_order)

    def stop_if_any(self) -> None:
        """Raise what was gathered, if anything was."""
        if self._problems:
            raise self._kind.of(self.found)


def _reading_order(problem: Problem) -> tuple[str, int, int]:
    where = problem.where
    return (str(where.path), where.line or 0, where.column or 0) if where else ("", 0, 0)


_LISTED = 20


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` was most likely meant to be, or None."""
    return next(iter(difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)), None)


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """A hint for an unknown `word`: the nearest known one, or those that there are."""
    if close := nearest(word, known):
        return f"did you mean `{close}`?"
    more = f" and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
    return f"known here: {', '.join(sorted(known)[:_LISTED]) or 'none'}{more}"


def problems_of(
    details: Iterable[Mapping[str, Any]],
    known: Callable[[tuple[Any, ...]], Sequence[str]],
    place: Callable[..., Place],
    *,
    add: str = "add a line `{}: …`",
) -> list[Problem]:
    """Turn pydantic's error details into problems in words.

    `known` gives the legal keys beside the one at a path of keys; `place` gives the Place of such a path; `add` is the
    hint for a key that is missing.
    """
    return [_problem_of(detail, known, place, add) for detail in details]


def _problem_of(
    detail: Mapping[str, Any],
    known: Callable[[tuple[Any, ...]], Sequence[str]],
    place: Callable[..., Place],
    add: str,
) -> Problem:
    path = tuple(detail["loc"])
    name = ".".join(str(part) for part in path)
    match detail["type"]:
        case "missing":
            return Problem(f"`{name}` is missing", add.format(path[-1]), place(path))
        case "extra_forbidden":
            return Problem(f"unknown key `{name}`", did_you_mean(str(path[-1]), known(path)), place(path))
        case _:
            said = detail["msg"].removeprefix("Value error, ")
            return Problem(f"`{name}`: {said}" if name else said, None, place(path))
