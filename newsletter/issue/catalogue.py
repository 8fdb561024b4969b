"""What there is in the workspace: every issue and article by its ids, where articles appear, and who refers to whom."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from newsletter.errors import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueEntry:
    """An issue as others see it. `sent` says that its folder holds the record of its having been sent; `slug` is the
    name of the folder then, under which readers know its page, and of the folder until then."""

    id: str
    folder: str
    slug: str
    number: int | None
    title: str
    lang: str
    list: str
    date: datetime.date | None
    sent: bool
    articles: tuple[str, ...]

    @property
    def names(self) -> set[str]:
        """All that `issue:…` may say for it."""
        return {self.folder, self.slug, self.id} | ({str(self.number)} if self.number is not None else set())


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleEntry:
    """An article as others see it: `file` is where it was written, `titles` its title in each of its languages, its
    own first."""

    slug: str
    file: Path
    titles: Mapping[str, str]

    @property
    def lang(self) -> str:
        return next(iter(self.titles))

    @property
    def title(self) -> str:
        return next(iter(self.titles.values()))


@dataclass(frozen=True, slots=True)
class Reference:
    """A link by id somewhere in the workspace: "article" or "issue", the name, and where it stands."""

    kind: str
    name: str
    place: Place


@dataclass(frozen=True)
class Catalogue:
    """The workspace's issues in the order of their folders, its articles by slug, and the links by id among them.

    `doubles` has the files that say the slug of an article which an earlier file has already.
    """

    issues: tuple[IssueEntry, ...] = ()
    articles: Mapping[str, ArticleEntry] = field(default_factory=dict)
    references: tuple[Reference, ...] = ()
    doubles: tuple[tuple[str, Path], ...] = ()

    def issue(self, name: str) -> IssueEntry | None:
        """The issue with this number, slug or id; the first, where several have it."""
        return next(iter(self.issues_named(name)), None)

    def issues_named(self, name: str) -> tuple[IssueEntry, ...]:
        """The issues with this number, slug or id: more than one, where a number was given twice."""
        return self._by_name.get(name, ())

    def issues_with_id(self, id: str) -> tuple[IssueEntry, ...]:
        """The issues that say this id: more than one, where a folder was copied."""
        return self._by_id.get(id, ())

    def in_folder(self, name: str) -> IssueEntry | None:
        """The issue in the folder of this name."""
        return next(iter(self._by_folder.get(name, ())), None)

    def issues_at(self, slug: str) -> tuple[IssueEntry, ...]:
        """The issues whose page has this slug: more than one, where a folder took the name of one that was sent."""
        return self._by_slug.get(slug, ())

    def article(self, name: str) -> ArticleEntry | None:
        """The article with this slug; `slug.zh` is one that exists in that language."""
        slug, _, lang = name.partition(".")
        entry = self.articles.get(slug)
        return entry if entry and (not lang or lang in entry.titles) else None

    def appearances(self, slug: str) -> tuple[IssueEntry, ...]:
        """The issues that hold the article, the oldest first."""
        return self._by_article.get(slug, ())

    def doubles_of(self, slug: str) -> tuple[Path, ...]:
        """The files that say this slug after another file has."""
        return tuple(file for doubled, file in self.doubles if doubled == slug)

    def names(self, kind: str) -> list[str]:
        """All that a link may say behind `article:` or `issue:`."""
        if kind == "issue":
            return [*self._by_name]
        others = (f"{slug}.{lang}" for slug, article in self.articles.items() for lang in [*article.titles][1:])
        return [*self.articles, *others]

    def dangling(self) -> tuple[Reference, ...]:
        """The links by id that lead nowhere."""
        find = {"article": self.article, "issue": self.issue}
        return tuple(reference for reference in self.references if find[reference.kind](reference.name) is None)

    @cached_property
    def _by_name(self) -> _Index:
        return _index(self.issues, lambda issue: issue.names)

    @cached_property
    def _by_id(self) -> _Index:
        return _index(self.issues, lambda issue: {issue.id})

    @cached_property
    def _by_folder(self) -> _Index:
        return _index(self.issues, lambda issue: {issue.folder})

    @cached_property
    def _by_slug(self) -> _Index:
        return _index(self.issues, lambda issue: {issue.slug})

    @cached_property
    def _by_article(self) -> _Index:
        oldest_first = sorted(self.issues, key=lambda issue: (issue.date or datetime.date.max, issue.number or 0))
        return _index(oldest_first, lambda issue: set(issue.articles))


_Index = dict[str, tuple[IssueEntry, ...]]


def _index(issues: Iterable[IssueEntry], keys: Callable[[IssueEntry], set[str]]) -> _Index:
    """The issues with each key, in their order."""
    found: _Index = {}
    for issue in issues:
        for key in keys(issue):
            found[key] = (*found.get(key, ()), issue)
    return found
