"""Where things are on the web: the addresses of pages, pictures and forms, absolute for mail and relative for pages."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from newsletter.config import Settings
from newsletter.errors import Collected, ContentError, Place, did_you_mean
from newsletter.issue.blocks import Block, Prose, walk
from newsletter.issue.model import Issue
from newsletter.issue.prose import Link, inlines_of

STYLE = "style.css"
FEED = "feed.xml"
INDEX = "index.html"


def issue_path(slug: str) -> str:
    """The path of an issue's page on the site."""
    return f"issues/{slug}/{INDEX}"


def article_path(slug: str) -> str:
    """The path of an article's page on the site."""
    return f"articles/{slug}/{INDEX}"


@dataclass(frozen=True, slots=True)
class Site:
    """One publication’s addresses, seen from an issue: `here` is the page that links are written on, None in mail."""

    settings: Settings
    articles: Mapping[str, str]
    issues: Mapping[str, str]
    here: str | None = None

    @classmethod
    def of(cls, issue: Issue, settings: Settings) -> Site:
        """The site as mail sees it; pages by their ids: an article's slug, an issue's number, slug or id."""
        path = issue_path(issue.slug)
        names = {issue.slug: path, issue.id: path} | ({str(issue.number): path} if issue.number is not None else {})
        return cls(settings, {article.slug: article_path(article.slug) for article in issue.articles}, names)

    def seen_from(self, page: str) -> Site:
        """The same site with addresses written for `page`."""
        return Site(self.settings, self.articles, self.issues, page)

    def url(self, path: str) -> str:
        """The address of the file at `path` on the site."""
        if self.here is None:
            return self.absolute(path)
        relative = posixpath.relpath(path.removesuffix(INDEX) or ".", posixpath.dirname(self.here) or ".")
        return relative + "/" if path.endswith(INDEX) else relative

    def absolute(self, path: str) -> str:
        """The address of the file at `path`, whole."""
        return f"{self.settings.publication.url}/{path.removesuffix(INDEX)}"

    def form(self, name: str) -> str:
        """The address of a public page: subscribe."""
        return f"{self.settings.public_url}/{name}"

    def link(self, target: str) -> str:
        """The address that a writer's link leads to: `article:slug` and `issue:126` are looked up, all else stands.

        Raises ContentError for an id that is not there.
        """
        kind, _, name = target.partition(":")
        pages = {"article": self.articles, "issue": self.issues}.get(kind)
        if pages is None:
            return target
        if name not in pages:
            raise ContentError(f"there is no {kind} `{name}` in this issue", hint=did_you_mean(name, list(pages)))
        return self.url(pages[name])


def check_links(issue: Issue, site: Site) -> None:
    """Raise one ContentError for all links by id in `issue` that lead nowhere."""
    problems = Collected()
    for blocks in (issue.opening, *(article.blocks for article in issue.articles), issue.closing):
        for target, where in _targets(blocks):
            try:
                site.link(target)
            except ContentError as error:
                problems.add(error.problems[0].message, hint=error.problems[0].hint, where=where)
    problems.stop_if_any()


def _targets(blocks: tuple[Block, ...]) -> Iterator[tuple[str, Place]]:
    for block in walk(blocks):
        for name in ("url", "link", "source"):
            if target := getattr(block, name, None):
                yield target, block.place
        if isinstance(block, Prose):
            yield from ((child.url, child.place) for child in inlines_of(block.nodes) if isinstance(child, Link))
