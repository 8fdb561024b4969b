"""Editions -> the static site: which pages and files it has, and in which order issues stand."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from newsletter.archive.feed import feed
from newsletter.archive.front import front_page, not_found_page
from newsletter.archive.release import Release
from newsletter.compile.addresses import FEED, INDEX, STYLE
from newsletter.compile.edition import Asset, Edition
from newsletter.compile.render import Theme
from newsletter.compile.values import logo_of, stylesheet
from newsletter.config import Settings
from newsletter.issue.model import Issue
from newsletter.issue.sent import read_sent
from newsletter.replacing import replacing
from newsletter.workspace import Workspace

NOT_FOUND = "404.html"
ROBOTS = "robots.txt"
SITEMAP = "sitemap.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveReport:
    """What was built: the folder, counts, and the slugs of the issues that have changed since they were sent, and of
    those that were left out as drafts."""

    folder: Path
    issues: int
    articles: int
    files: int
    updated: tuple[str, ...]
    drafts: tuple[str, ...]


def build_archive(workspace: Workspace, editions: Sequence[tuple[Issue, Edition]], out: Path) -> ArchiveReport:
    """Write the site of `editions` to the folder `out`, in the place of the site that may be there.

    Editions were compiled knowing what was sent (Facts.sent_before). An issue whose folder does not say that it was
    sent is left out. Raises ConfigError when `out` holds anything but a site of ours, ContentError and TemplateError as
    compiling does; `out` is then as it was.
    """
    theme, settings = Theme.of(workspace), workspace.settings
    known = [_release(issue, edition) for issue, edition in editions]
    releases = sorted((release for release in known if release), key=lambda release: release.order)
    drafts = [issue.slug for (issue, _), release in zip(editions, known, strict=True) if release is None]

    pages = {page.path: page.html for release in releases for page in release.edition.pages}
    texts = pages | {
        INDEX: front_page(releases[::-1], theme, settings),
        NOT_FOUND: not_found_page(theme, settings),
        FEED: feed(releases[::-1], theme, settings),
        STYLE: stylesheet(theme, settings),
        ROBOTS: f"User-agent: *\nAllow: /\nSitemap: {settings.publication.url}/{SITEMAP}\n",
        SITEMAP: "".join(f"{settings.publication.url}/{path.removesuffix(INDEX)}\n" for path in [INDEX, *pages]),
    }
    assets = {asset.path: asset for asset in _assets(releases, theme, settings)}
    with replacing(out) as folder:
        for path, text in texts.items():
            _made(folder / path).write_text(text, "utf-8")
        for path, asset in assets.items():
            shutil.copyfile(asset.source, _made(folder / path))
    return ArchiveReport(
        folder=out,
        issues=len(releases),
        articles=len(pages) - len(releases),
        files=len(texts) + len(assets),
        updated=tuple(release.issue.slug for release in releases if release.updated),
        drafts=tuple(drafts),
    )


def _release(issue: Issue, edition: Edition) -> Release | None:
    """`issue` as it was published; None for a draft."""
    record = read_sent(issue.folder)
    if record is None or record.id != issue.id:
        return None
    updated = record.content_digest != edition.content_digest
    return Release(issue, edition, issue.date or record.time.date(), updated)


def _assets(releases: Iterable[Release], theme: Theme, settings: Settings) -> Iterable[Asset]:
    for release in releases:
        yield from release.edition.assets
    logo = logo_of(theme, settings)
    if logo and logo.asset:
        yield logo.asset


def _made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
