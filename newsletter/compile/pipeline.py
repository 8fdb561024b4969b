"""Issue -> Edition: the ordered steps, on one screen.

What stands before this: issue/load.py has taken the slots out and parsed the Markdown into blocks.
"""

from __future__ import annotations

import dataclasses
import hashlib
from functools import cache
from typing import Any

from pydantic import BaseModel

from newsletter.compile import mjml
from newsletter.compile.addresses import Site, check_links, issue_path
from newsletter.compile.audience import Persona, in_mail_to, mail_blocks, variants
from newsletter.compile.channels import EmailChannel, Surface, TextChannel
from newsletter.compile.edition import AudienceVariant, Edition, Facts, Headers, json_of, sealed
from newsletter.compile.enclosing import enclosing
from newsletter.compile.facts import Known
from newsletter.compile.material import gather
from newsletter.compile.pages import pages_of
from newsletter.compile.references import Standing, laid_out
from newsletter.compile.render import Theme
from newsletter.compile.slots import cut
from newsletter.compile.values import logo_of, values_for
from newsletter.compile.words import Words
from newsletter.config import Settings
from newsletter.issue.model import EmailForm, Issue

PREHEADER_SHOWN = 140
"""As many characters of a preheader are read, at most; practice, no standard."""


def compile_issue(issue: Issue, theme: Theme, facts: Facts, settings: Settings) -> Edition:
    """Compile `issue` for everyone. The same input gives the same bytes; raises ContentError or TemplateError."""
    site = Site(settings, issue.catalogue)
    check_links(issue, site)
    material = gather(issue, settings)
    logo = logo_of(theme, settings)
    written = json_of(canonical([issue.title, issue.opening, issue.articles, issue.closing]))
    words = hashlib.sha256(written.encode()).hexdigest()
    known = Known.of(issue, facts, Words.of(issue.lang, theme.folders), (written, *issue.subjects, issue.preheader))
    preheader = issue.preheader or _lede(issue, known)
    values = values_for(theme, settings, site, logo, issue.lang) | {"issue": issue, "preheader": preheader}
    mail = Surface(theme, site, material, values)

    mails = [_mail(issue, mail, known, holds, words) for holds in variants(issue)]
    updated = facts.sent_before is not None and facts.sent_before.content_digest not in {"", words}
    pages = pages_of(issue, mail, known, logo, updated=updated)

    assets = {asset.path: asset for asset in [*material.assets, *([logo.asset] if logo and logo.asset else [])]}
    edition = Edition(
        issue_id=issue.id,
        slug=issue.slug,
        number=issue.number,
        title=issue.title,
        list=issue.list,
        subjects=tuple(cut(known.in_text(subject)) for subject in issue.subjects),
        preheader=cut(known.in_text(preheader)),
        headers=_headers(issue, site, settings),
        variants=tuple(variant for variant, _ in mails),
        assets=tuple(assets[path] for path in sorted(assets)),
        pages=pages,
        facts_used=known.used,
        content_digest=words,
        mjml=mails[0][1],
    )
    return sealed(enclosing(edition, settings))


def _mail(issue: Issue, mail: Surface, known: Known, holds: dict[str, bool], words: str) -> tuple[AudienceVariant, str]:
    """The mail where these conditions hold, and its MJML."""
    parts = _parts(issue, in_mail_to(frozenset(name.removeprefix("tag=") for name, true in holds.items() if true)))
    source, html = _email(mail, parts, words)
    text = _text(mail, parts)
    programs = {"html": cut(known.in_html(html)), "text": cut(known.in_text(text))}
    return AudienceVariant(conditions=tuple(holds.items()), **programs), source


def _email(mail: Surface, parts: dict[str, Any], words: str) -> tuple[str, str]:
    out = EmailChannel(mail, words[:8])
    source = mail.theme.render("email/shell.mjml.j2", **mail.values, **parts, out=out)
    return source, mjml.to_html(source, out.fragments)


def _text(mail: Surface, parts: dict[str, Any]) -> str:
    out = TextChannel(mail)
    return mail.theme.render("email/shell.txt.j2", **mail.values, **parts, out=out).strip("\n") + "\n"


def _parts(issue: Issue, persona: Persona) -> dict[str, Any]:
    """What of `issue` is in the mail to `persona`: each article with what it shows there."""
    shown = (article for article in issue.articles if article.email is not EmailForm.NONE)
    return laid_out(issue, persona, [(article, mail_blocks(article)) for article in shown])


def _lede(issue: Issue, known: Known) -> str:
    """What an inbox shows beside the subject where the writer chose nothing: the first words that are everybody’s."""
    around = Standing(issue, issue.articles)
    texts = ((around, issue.opening), *((around.inside(one), mail_blocks(one)) for one in issue.articles))
    ledes = (known.first_words(at.referring(blocks), PREHEADER_SHOWN) for at, blocks in texts)
    return next(filter(None, ledes), "")


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
    kind: type = type(value)
    names = _fields_of(kind)
    if names is not None:
        return {"is": kind.__name__, **{name: canonical(getattr(value, name)) for name in names}}
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


@cache
def _fields_of(kind: type) -> tuple[str, ...] | None:
    """The fields of a model or a dataclass, but for the place it was written at; None for all other kinds."""
    if issubclass(kind, BaseModel):
        names = tuple(kind.model_fields)
    elif dataclasses.is_dataclass(kind):
        names = tuple(field.name for field in dataclasses.fields(kind))
    else:
        return None
    return tuple(name for name in names if name != "place")
