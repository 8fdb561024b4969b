"""What every template of the theme may use: the publication, colours, addresses, the language’s words, the logo."""

from __future__ import annotations

from typing import Any

from newsletter.compile.addresses import FEED, STYLE, Site, article_path, issue_path
from newsletter.compile.colours import dark, light
from newsletter.compile.images import Picture, published
from newsletter.compile.render import Theme
from newsletter.compile.text import first_words
from newsletter.config import Settings
from newsletter.errors import Place
from newsletter.issue.slots import Slot


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


def logo_of(theme: Theme, settings: Settings) -> Picture | None:
    """The logo, where one is configured; raises ContentError."""
    return published(theme.logo, Place(theme.logo), settings) if theme.logo else None
