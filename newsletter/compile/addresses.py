"""Where things are on the web: the addresses of pages, pictures and forms, absolute for mail and relative for pages."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass

from newsletter.config import Settings
from newsletter.errors import Collected, ContentError, did_you_mean
from newsletter.issue.beside import links, texts_of
from newsletter.issue.model import Issue

STYLE = "style.css"
FEED = "feed.xml"
INDEX = "index.html"


def issue_path(slug: str) -> str:
    """The path of an issue's page on the site."""
    return f"issues/{slug}/{INDEX}"


def article_path(slug: str, lang: str | None = None) -> str:
    """The path of an article's page on the site; with `lang`, of its translation into that language."""
    return f"articles/{slug}/{lang}/{INDEX}" if lang else f"articles/{slug}/{INDEX}"


@dataclass(frozen=True, slots=True)
class Site:
    """One publication’s addresses, seen from an issue: `here` is the page that links are written on, None in mail."""

    settings: Settings
    articles: Mapping[str, str]
    issues: Mapping[str, str]
    here: str | None = None

    @classmethod
    def of(cls, issue: Issue, settings: Settings) -> Site:
        """The site as mail sees it; pages by their ids: an article's slug (with `.zh` its translation), an issue's
        number, slug or id."""
        catalogue = issue.catalogue
        articles = {
            f"{slug}.{lang}" if nth else slug: article_path(slug, lang if nth else None)
            for slug, article in catalogue.articles.items()
            for nth, lang in enumerate(article.titles)
        }
        issues = {name: issue_path(other.slug) for other in catalogue.issues for name in other.names}
        return cls(settings, articles, issues)

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
            raise ContentError(f"there is no {kind} `{name}`", hint=did_you_mean(name, list(pages)))
        return self.url(pages[name])


def check_links(issue: Issue, site: Site) -> None:
    """Raise one ContentError for all links by id in `issue` that lead nowhere."""
    problems = Collected()
    for blocks in texts_of(issue):
        for target, where in links(blocks):
            try:
                site.link(target)
            except ContentError as error:
                problems.add(error.problems[0].message, hint=error.problems[0].hint, where=where)
    problems.stop_if_any()
