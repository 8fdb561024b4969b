"""What the tool says about a letter beside showing it: how it stands in an inbox, its size, what the checks found."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parseaddr

from newsletter.checks import CheckReport
from newsletter.compile.addresses import article_path
from newsletter.compile.slots import as_html, as_text
from newsletter.web.preview.desk import Sheet
from newsletter.web.preview.sample import sample_values

CLIP = 102_400
"""Where Gmail cuts a letter off, in bytes of its HTML."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """`pages` are (path on the site, title); `size` is in bytes."""

    title: str
    number: int | None
    sender: str
    subjects: tuple[str, ...]
    preheader: str
    size: int
    pages: tuple[tuple[str, str], ...]
    report: CheckReport

    @property
    def share(self) -> float:
        """How much of what fits before the cut is used: 1 is all of it."""
        return self.size / CLIP


def letter_of(sheet: Sheet) -> Letter:
    """What there is to say about `sheet`, for the sample reader."""
    edition = sheet.edition
    values = sample_values(edition)
    titles = {article_path(article.slug): article.title for article in sheet.issue.articles}
    name, address = parseaddr(edition.headers.sender)
    return Letter(
        title=edition.title,
        number=edition.number,
        sender=name or address,
        subjects=tuple(subject.fill(as_text(values)) for subject in edition.subjects),
        preheader=edition.preheader.fill(as_text(values)),
        size=len(edition.variants[0].html.fill(as_html(values)).encode()),
        pages=tuple((page.path, titles.get(page.path, "The whole issue")) for page in edition.pages),
        report=sheet.report,
    )
