"""Release: an issue that is public."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from newsletter.compile.edition import Edition
from newsletter.issue.model import Issue


@dataclass(frozen=True, slots=True)
class Release:
    """A public issue and its edition; `date` is the issue's own, or the day when it was sent."""

    issue: Issue
    edition: Edition
    date: datetime.date
    updated: bool

    @property
    def order(self) -> tuple[datetime.date, int, str]:
        """By this, the oldest comes first: by date, then by number."""
        return self.date, -1 if self.issue.number is None else self.issue.number, self.issue.slug

    @property
    def preheader(self) -> str:
        """What the issue says of itself in a line, as it is for nobody in particular."""
        return self.edition.preheader.fill(lambda slot: slot.default or "")

    @property
    def changed(self) -> datetime.date:
        """The day of the last change that readers were told of."""
        return max([self.date, *(erratum.date for erratum in self.issue.errata)])
