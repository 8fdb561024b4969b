"""Issue -> Edition: the ordered steps, on one screen.

What stands before this: issue/load.py has taken the slots out and parsed the Markdown into blocks.
"""

from __future__ import annotations

import dataclasses
from html import escape
from typing import Any

from pydantic import BaseModel

from newsletter.compile import mjml
from newsletter.compile.addresses import FEED, STYLE, Site, article_path, check_links, issue_path
from newsletter.compile.audience import in_mail, mail_form
from newsletter.compile.channels import EmailChannel, Surface, TextChannel, WebChannel, safe
from newsletter.compile.colours import dark, light
from newsletter.compile.edition import (
    AudienceVariant,
    Edition,
    Facts,
    Headers,
    Page,
    digest,
    sealed,
)
from newsletter.compile.images import Picture, gather, measured
from newsletter.compile.outline import outlined
from newsletter.compile.render import Theme
from newsletter.compile.slots import cut
from newsletter.compile.text import first_words
from newsletter.config import Settings
from newsletter.errors import Place
from newsletter.issue.model import EmailForm, Issue
from newsletter.issue.slots import Slot


def compile_issue(issue: Issue, theme: Theme, facts: Facts, settings: Settings) -> Edition:
    """Compile `issue` for everyone. The same input gives the same bytes; raises ContentError or TemplateError."""
    site = Site.of(issue, settings)
    check_links(issue, site)
    pictures = gather(issue)
    logo = logo_of(theme)
    words = digest(canonical([issue.title, issue.opening, issue.articles, issue.closing]))
    values = values_for(theme, settings, site, logo, issue.lang) | {"issue": issue}
    mail = Surface(theme, site, pictures, values)

    source, html = _email(issue, mail, words)
    text = _text(issue, mail)
    updated = facts.sent_before is not None and facts.sent_before.content_digest != words
    pages = tuple(_pages(issue, mail, logo, updated))

    used = [picture.asset for picture in pictures.values() if picture.asset]
    assets = {asset.path: asset for asset in [*used, *([logo.asset] if logo and logo.asset else [])]}
    return sealed(
        Edition(
            issue_id=issue.id,
            slug=issue.slug,
            number=issue.number,
            title=issue.title,
            list=issue.list,
            subjects=tuple(cut(subject) for subject in issue.subjects),
            preheader=cut(issue.preheader),
            headers=_headers(issue, site, settings),
            variants=(AudienceVariant(html=cut(html), text=cut(text)),),
            assets=tuple(assets[path] for path in sorted(assets)),
            pages=pages,
            facts_used=(),
            content_digest=words,
            mjml=source,
        )
    )


def _email(issue: Issue, mail: Surface, words: str) -> tuple[str, str]:
    out = EmailChannel(mail, words[:8])
    source = mail.theme.render("email/shell.mjml.j2", **mail.values, **_parts(issue), out=out)
    return source, mjml.to_html(source, out.fragments)


def _text(issue: Issue, mail: Surface) -> str:
    out = TextChannel(mail)
    return mail.theme.render("email/shell.txt.j2", **mail.values, **_parts(issue), out=out).strip("\n") + "\n"


def _parts(issue: Issue) -> dict[str, Any]:
    """What of `issue` is in its mail: opening and closing, and each article with the blocks that are shown of it."""
    shown = [article for article in issue.articles if article.email is not EmailForm.NONE]
    return {
        "opening": outlined(in_mail(issue.opening), 2),
        "articles": [(article, outlined(mail_form(article), 3)) for article in shown],
        "closing": outlined(in_mail(issue.closing), 2),
    }


def _pages(issue: Issue, mail: Surface, logo: Picture | None, updated: bool) -> list[Page]:
    values = {
        "updated": updated,
        "opening": outlined(issue.opening, 2),
        "articles": [(article, outlined(article.blocks, 3)) for article in issue.articles],
        "closing": outlined(issue.closing, 2),
    }
    pages = [_page("web/issue.html.j2", issue_path(issue.slug), issue.lang, mail, logo, **values)]
    for article in issue.articles:
        values = {"article": article, "blocks": outlined(article.blocks, 2)}
        pages.append(_page("web/article.html.j2", article_path(article.slug), article.lang, mail, logo, **values))
    return pages


def _page(template: str, path: str, lang: str, mail: Surface, logo: Picture | None, **values: Any) -> Page:
    site = mail.site.seen_from(path)
    seen = values_for(mail.theme, site.settings, site, logo, lang)
    surface = Surface(mail.theme, site, mail.pictures, {**mail.values, **seen, **values})
    html = mail.theme.render(template, **surface.values, here=path, out=WebChannel(surface))
    return Page(path=path, html=for_nobody(html))


def reading_copy(issue: Issue, theme: Theme, settings: Settings) -> str:
    """`issue` as one piece of HTML for feed readers, who have subscribed in their way: whole addresses, no forms."""
    site = Site.of(issue, settings)
    surface = Surface(
        theme, site, gather(issue), values_for(theme, settings, site, None, issue.lang) | {"issue": issue}
    )
    values = {
        "opening": outlined(in_mail(issue.opening), 2),
        "articles": [(article, outlined(in_mail(article.blocks), 3)) for article in issue.articles],
        "closing": outlined(in_mail(issue.closing), 2),
    }
    return for_nobody(safe(theme.render("archive/entry.html.j2", **surface.values, **values, out=WebChannel(surface))))


def for_nobody(html: str) -> str:
    """`html` as it stands on the web, where nobody in particular reads: each slot has its default."""
    return cut(html).fill(lambda slot: escape(slot.default or ""))


def values_for(theme: Theme, settings: Settings, site: Site, logo: Picture | None, lang: str) -> dict[str, Any]:
    """The values that every template of the theme may use; it speaks the language `lang`."""
    brand = settings.theme.brand
    return {
        **theme.speaking(lang),
        "publication": settings.publication,
        "settings": settings,
        "theme": settings.theme,
        "light": light(brand),
        "dark": dark(brand),
        "site": site,
        "style": site.url(STYLE),
        "feed": site.url(FEED),
        "first_words": first_words,
        "logo": logo
        and {
            "url": site.url(logo.address),
            "width": (logo.width or 0) // 2,
            "height": (logo.height or 0) // 2,
        },
        "slot": lambda name, default=None: Slot(name, default).token,
        "article_path": article_path,
        "issue_path": issue_path,
    }


def stylesheet(theme: Theme, settings: Settings) -> str:
    """The style sheet of the site's pages."""
    brand = settings.theme.brand
    return theme.render("web/style.css.j2", light=light(brand), dark=dark(brand), theme=settings.theme)


def logo_of(theme: Theme) -> Picture | None:
    """The logo, measured, where one is configured."""
    return measured(theme.logo, Place(theme.logo)) if theme.logo else None


def _headers(issue: Issue, site: Site, settings: Settings) -> Headers:
    publication = settings.publication
    host = publication.url.partition("://")[2].partition("/")[0].partition(":")[0]
    return Headers(
        sender=issue.sender or publication.sender,
        reply_to=publication.reply_to,
        list_id=f"{settings.list_name(issue.list)} <{issue.list}.{host}>",
        archive=site.absolute(issue_path(issue.slug)),
        feedback_id=f"{issue.id}:{issue.list}:newsletter:{publication.id}",
    )


def canonical(value: Any) -> Any:
    """`value` as plain JSON values: blocks by their names and fields, without the places they were written at."""
    if isinstance(value, (list, tuple)):
        return [canonical(part) for part in value]
    if isinstance(value, BaseModel):
        fields = {name: getattr(value, name) for name in type(value).model_fields}
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    else:
        return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
    kept = {name: canonical(part) for name, part in fields.items() if name != "place"}
    return {"is": type(value).__name__, **kept}
