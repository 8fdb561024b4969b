"""The archive: what was published, as a static site. Public: build_archive, ArchiveReport, releases, released."""

from newsletter.archive.build import ArchiveReport, build_archive
from newsletter.archive.release import released
from newsletter.archive.shelf import releases

__all__ = ["ArchiveReport", "build_archive", "released", "releases"]
