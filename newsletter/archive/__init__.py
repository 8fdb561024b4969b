"""The archive: what was published, as a static site. Public: build_archive, published, ArchiveReport."""

from newsletter.archive.build import ArchiveReport, build_archive
from newsletter.archive.published import published

__all__ = ["ArchiveReport", "build_archive", "published"]
