"""Releases -> the static site: which pages and files it has, and in which order issues stand.

Each release is written as it comes and let go, so that a site of many issues takes little more memory than one of few.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from newsletter.archive.feed import ENTRIES, feed
from newsletter.archive.front import front_page, not_found_page
from newsletter.archive.release import Headline, Release
from newsletter.compile.addresses import FEED, INDEX, STYLE, Site
from newsletter.compile.edition import Asset
from newsletter.compile.render import Theme
from newsletter.compile.values import logo_of, stylesheet
from newsletter.replacing import replacing
from newsletter.workspace import Workspace

NOT_FOUND = "404.html"
ROBOTS = "robots.txt"
SITEMAP = "sitemap.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveReport:
    """What was built: the folder, counts, and the slugs of the issues that have changed since they were sent."""

    folder: Path
    issues: int
    articles: int
    files: int
    updated: tuple[str, ...]


def build_archive(workspace: Workspace, releases: Iterable[Release], out: Path) -> ArchiveReport:
    """Write the site of `releases` to the folder `out`, in the place of the site that may be there.

    Raises ConfigError when `out` holds anything but a site of ours, and what making `releases` raises; `out` is then as
    it was.
    """
    theme, settings = Theme.of(workspace), workspace.settings
    logo, address = logo_of(theme, settings), Site(settings).absolute
    with replacing(out) as folder:
        site = _Site(folder)
        for release in releases:
            site.add(release)
        if logo and logo.asset:
            site.copy(logo.asset)
        headlines, pages = site.newest_first(), site.pages()
        general = {
            INDEX: front_page(headlines, theme, settings),
            NOT_FOUND: not_found_page(theme, settings),
            FEED: feed(site.newest, theme, settings),
            STYLE: stylesheet(theme, settings),
            ROBOTS: f"User-agent: *\nAllow: /\nSitemap: {settings.publication.url}/{SITEMAP}\n",
            SITEMAP: "".join(f"{address(path)}\n" for path in [INDEX, *pages]),
        }
        for path, text in general.items():
            site.write(path, text)
    return ArchiveReport(
        folder=out,
        issues=len(headlines),
        articles=len(pages) - len(headlines),
        files=len(general) + len(pages) + len(site.copied),
        updated=tuple(headline.slug for headline in headlines[::-1] if headline.updated),
    )


class _Site:
    """The site while it is written: what it has already, and what the pages about all issues will say of each.

    `newest` are the releases that the feed will have, the newest first.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._paths: dict[Headline, list[str]] = {}
        self._owners: dict[str, Headline] = {}
        self.newest: list[Release] = []
        self.copied: set[str] = set()

    def add(self, release: Release) -> None:
        """Write the pages and files of `release`. The page of an article that several issues show is the newest's."""
        headline = release.headline
        self._paths[headline] = [page.path for page in release.pages]
        for page in release.pages:
            if self._owners.setdefault(page.path, headline).order <= headline.order:
                self._owners[page.path] = headline
                self.write(page.path, page.html)
        for asset in release.assets:
            self.copy(asset)
        by_date = sorted([*self.newest, release], key=lambda one: one.headline.order, reverse=True)
        self.newest = by_date[:ENTRIES]

    def write(self, path: str, text: str) -> None:
        self._made(path).write_text(text, "utf-8")

    def copy(self, asset: Asset) -> None:
        if asset.path not in self.copied:
            shutil.copyfile(asset.source, self._made(asset.path))
            self.copied.add(asset.path)

    def newest_first(self) -> list[Headline]:
        """The headlines of all issues."""
        return sorted(self._paths, key=lambda headline: headline.order, reverse=True)

    def pages(self) -> list[str]:
        """The paths of all pages of issues and articles, those of the oldest issue first."""
        return list(dict.fromkeys(path for headline in self.newest_first()[::-1] for path in self._paths[headline]))

    def _made(self, path: str) -> Path:
        place = self._folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        return place
