"""Rules about the rest of the workspace: links by id to and from it, and what an issue has in other languages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from newsletter.checks import writing
from newsletter.checks.case import Case
from newsletter.checks.rule import Fault, Severity, Unable, rule
from newsletter.issue.model import Issue


@rule("REF001", Severity.WARNING, "a link to what is not public yet")
def not_public(case: Case) -> Iterator[Fault | Unable]:
    """A link by id leads to a page of the archive, which has only what was sent. Source: how the archive is built."""
    for link in writing.links_of(case.issue):
        kind, _, name = link.url.partition(":")
        if kind in {"article", "issue"} and not _public(case.issue, kind, name):
            yield Fault(
                f"`{link.url}` will lead nowhere until its issue is sent",
                link.place,
                "send that one first, or link later",
            )


@rule("REF002", Severity.WARNING, "a link in another issue leads nowhere")
def dangling(case: Case) -> Iterator[Fault | Unable]:
    """An article that is renamed or taken away takes the links of other issues with it. A slug in the front matter
    (`slug:`) outlives the file's name. Source: practice.
    """
    own = {case.issue.place.path.parent}
    for reference in case.issue.catalogue.dangling():
        if reference.place.path.parent not in own:
            yield Fault(
                f"there is no {reference.kind} `{reference.name}`, which {reference.place.path.parent.name} links to",
                reference.place,
                "was its file renamed? `slug:` in its front matter keeps the old name",
            )


@rule("LANG001", Severity.WARNING, "an article lacks a translation")
def untranslated(case: Case) -> Iterator[Fault | Unable]:
    """Where half of an issue’s articles or more exist in another language, the others are missed there; with fewer,
    a translation is the exception. Source: practice.
    """
    there = Counter(other.lang for article in case.issue.articles for other in article.translations)
    for article in case.issue.articles:
        known = {article.lang, *(other.lang for other in article.translations)}
        for lang in sorted(lang for lang in set(there) - known if 2 * there[lang] >= len(case.issue.articles)):
            yield Fault(
                f"“{article.title}” is not there in {lang}; of the others, {there[lang]} can be read in it",
                article.place,
                f"{article.place.path.stem}.{lang}.md beside it would be its translation",
            )


def _public(issue: Issue, kind: str, name: str) -> bool:
    catalogue = issue.catalogue
    if kind == "issue":
        other = catalogue.issue(name)
        return other is not None and (other.sent or other.id == issue.id)
    slug = name.partition(".")[0]
    return any(other.sent or other.id == issue.id for other in catalogue.appearances(slug))
