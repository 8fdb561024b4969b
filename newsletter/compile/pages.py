"""Issue -> its pages on the web: the issue’s own, one for each article, and one for each of its translations."""

from __future__ import annotations

from html import escape
from typing import Any

from newsletter.compile.addresses import Site, article_path, issue_path
from newsletter.compile.audience import FEED_READER, PASSER_BY, Persona
from newsletter.compile.channels import Surface, WebChannel, safe
from newsletter.compile.edition import Page
from newsletter.compile.facts import Known
from newsletter.compile.images import Picture
from newsletter.compile.material import Material
from newsletter.compile.references import Standing, laid_out, standing_as
from newsletter.compile.render import Theme
from newsletter.compile.slots import cut, in_place
from newsletter.compile.values import values_for
from newsletter.compile.words import Words
from newsletter.config import Settings
from newsletter.issue.model import Article, Issue


def pages_of(issue: Issue, mail: Surface, known: Known, logo: Picture | None, *, updated: bool) -> tuple[Page, ...]:
    """The pages of `issue`; `mail` is the surface of its mail, `updated` says that the words have changed since."""
    pages = _Pages(issue, mail, known, logo)
    written = (one for article in issue.articles for one in (article, *article.translations))
    return (pages.of_issue(updated), *(pages.of_article(article) for article in written))


class _Pages:
    """The pages of one issue while they are made."""

    def __init__(self, issue: Issue, mail: Surface, known: Known, logo: Picture | None) -> None:
        self._issue = issue
        self._mail = mail
        self._known = known
        self._logo = logo

    def of_issue(self, updated: bool) -> Page:
        path = issue_path(self._issue.slug)
        values = {"updated": updated, **whole(self._issue, PASSER_BY)}
        return self._page("web/issue.html.j2", path, self._issue.lang, **values)

    def of_article(self, article: Article) -> Page:
        issue = self._issue
        (blocks,) = standing_as(PASSER_BY, Standing(issue, issue.articles, article), 2, article.blocks)
        others = [other for other in issue.catalogue.appearances(article.slug) if other.sent and other.id != issue.id]
        values = {
            "article": article,
            "blocks": blocks,
            "versions": _versions(issue, article),
            "elsewhere": others,
        }
        return self._page("web/article.html.j2", article_page(issue, article), article.lang, **values)

    def _page(self, template: str, path: str, lang: str, **values: Any) -> Page:
        mail, site = self._mail, self._mail.site.seen_from(path)
        seen = values_for(mail.theme, site.settings, site, self._logo, lang)
        known = self._known.speaking(Words.of(lang, mail.theme.folders))
        said = {"first_words": known.first_words}
        surface = Surface(mail.theme, site, mail.material, {**mail.values, **seen, **said, **values})
        html = mail.theme.render(template, **surface.values, here=path, out=WebChannel(surface))
        return Page(path=path, html=for_nobody(known.in_html(html)))


def whole(issue: Issue, persona: Persona) -> dict[str, Any]:
    """All of `issue` as `persona` sees it on one page."""
    return laid_out(issue, persona, [(article, article.blocks) for article in issue.articles])


def article_page(issue: Issue, article: Article) -> str:
    """The path of the page of `article`, which may be a translation of one of the issue’s articles."""
    own = next(one.lang for one in issue.articles if one.slug == article.slug)
    return article_path(article.slug, None if article.lang == own else article.lang)


def _versions(issue: Issue, article: Article) -> list[tuple[str, str, str]]:
    """The article in each of its languages, its own first: the language, the title, and the path of the page."""
    original = next(one for one in issue.articles if one.slug == article.slug)
    found = (original, *original.translations)
    return [(one.lang, one.title, article_page(issue, one)) for one in found] if len(found) > 1 else []


def reading_copy(issue: Issue, material: Material, theme: Theme, known: Known, settings: Settings) -> str:
    """`issue` as one piece of HTML for feed readers, who have subscribed in their way: whole addresses, no forms."""
    site = Site(settings, issue.catalogue)
    values = values_for(theme, settings, site, None, issue.lang) | {"issue": issue}
    surface = Surface(theme, site, material, values)
    out = WebChannel(surface)
    html = theme.render("archive/entry.html.j2", **surface.values, **whole(issue, FEED_READER), out=out)
    return for_nobody(known.in_html(safe(html)))


def for_nobody(html: str) -> str:
    """`html` as it stands on the web, where nobody in particular reads: each slot has its default."""
    return cut(html).fill(lambda slot: escape(in_place(slot, slot.default or "")))
