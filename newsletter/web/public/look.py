"""What the readers' pages are made with: the templates in public/, the publication's name, its colours."""

from __future__ import annotations

from email.utils import parseaddr
from pathlib import Path

from newsletter.compile.colours import dark, light
from newsletter.compile.words import Words
from newsletter.config import Settings
from newsletter.web.pages import Pages
from newsletter.workspace import theme_root


def public_words(settings: Settings, theme: tuple[Path, ...] | None) -> Words:
    """What the readers' pages say, in the publication's language."""
    return Words.spoken_for(settings.publication.language, theme or (theme_root(),))


def public_pages(settings: Settings, theme: tuple[Path, ...] | None) -> Pages:
    """The readers' pages of the publication; `theme` are the folders where templates are looked for."""
    publication = settings.publication
    return Pages(
        theme or (theme_root(),),
        "public/pages.css.j2",
        "form-action 'self'; ",
        _=public_words(settings, theme),
        publication=publication,
        write_to=parseaddr(publication.reply_to or publication.sender)[1],
        colour={"light": light(settings.theme.brand), "dark": dark(settings.theme.brand)},
    )
