"""Where things are on the web: the addresses of pages, pictures and forms, absolute for mail and relative for pages."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from newsletter.config import Settings
from newsletter.errors import Collected, ContentError, did_you_mean
from newsletter.issue.beside import links, texts_of
from newsletter.issue.catalogue import Catalogue
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
    """One publication’s addresses; `catalogue` knows the pages, `here` is the one that links are written on, None in
    mail."""

    settings: Settings
    catalogue: Catalogue = field(default_factory=Catalogue)
    here: str | None = None

    def seen_from(self, page: str) -> Site:
        """The same site with addresses written for `page`."""
        return replace(self, here=page)

    def url(self, path: str) -> str:
        """The address of the file at `path` on the site."""
        if self.here is None:
            return self.absolute(path)
        relative = quote(posixpath.relpath(path.removesuffix(INDEX) or ".", posixpath.dirname(self.here) or "."))
        return relative + "/" if path.endswith(INDEX) else relative

    def absolute(self, path: str) -> str:
        """The address of the file at `path`, whole."""
        return f"{self.settings.publication.url}/{quote(path.removesuffix(INDEX))}"

    def form(self, name: str) -> str:
        """The address of a public page: subscribe."""
        return f"{self.settings.public_url}/{name}"

    def link(self, target: str) -> str:
        """The address that a writer's link leads to: `article:slug` and `issue:126` are looked up, all else stands.

        Raises ContentError for an id that is not there.
        """
        kind, _, name = target.partition(":")
        match kind:
            case "article":
                path = self._article(name)
            case "issue":
                path = self._issue(name)
            case _:
                return target
        if path is None:
            raise ContentError(f"there is no {kind} `{name}`", hint=did_you_mean(name, self.catalogue.names(kind)))
        return self.url(path)

    def _article(self, name: str) -> str | None:
        entry = self.catalogue.article(name)
        if entry is None:
            return None
        lang = name.partition(".")[2]
        return article_path(entry.slug, lang if lang != entry.lang else None)

    def _issue(self, name: str) -> str | None:
        found = self.catalogue.issues_named(name)
        if len(found) > 1:
            folders = ", ".join(issue.folder for issue in found)
            raise ContentError(f"`{name}` names {len(found)} issues: {folders}", hint="say which by the folder’s name")
        return issue_path(found[0].slug) if found else None


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
