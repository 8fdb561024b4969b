"""The archive: what was published, as a static site. Public: build_archive, ArchiveReport."""

from newsletter.archive.build import ArchiveReport, build_archive

__all__ = ["ArchiveReport", "build_archive"]
