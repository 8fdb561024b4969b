"""What stands in the preview's frame: a reader's copy with sample values, in the light or dark that was asked for, its
pictures from this machine, and nothing in it that could reach the page around it."""

from __future__ import annotations

import re

from newsletter.compile.slots import as_html, as_text
from newsletter.web.preview.desk import Sheet
from newsletter.web.preview.sample import sample_values
from newsletter.web.preview.state import Scheme

SANDBOX = "allow-scripts allow-popups allow-popups-to-escape-sandbox"


_STYLING = re.compile(r"<style\b.*?</style>|<(?:meta|link|source)\b[^>]*>", re.DOTALL | re.IGNORECASE)
_PREFERENCE = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(light|dark)\s*\)", re.IGNORECASE)
_BOTH = re.compile(r"\blight\s+dark\b", re.IGNORECASE)


def email_html(sheet: Sheet, site: str) -> str:
    """The sample reader's HTML; pictures that will lie on the publication's site come from the path `site`."""
    html = sheet.edition.variants[0].html.fill(as_html(sample_values(sheet.edition)))
    for enclosure in sheet.edition.enclosed:
        html = html.replace(f"cid:{enclosure.id}", f"{site}/{enclosure.path}")
    for asset in sheet.edition.assets:
        html = html.replace(f"{sheet.site}/{asset.path}", f"{site}/{asset.path}")
    return html


def email_text(sheet: Sheet) -> str:
    """The sample reader's text."""
    return sheet.edition.variants[0].text.fill(as_text(sample_values(sheet.edition)))


def framed(html: str, scheme: Scheme, script: str) -> str:
    """`html` as it looks to a reader who prefers `scheme`, with the frame's own script."""
    html = _STYLING.sub(lambda found: styled(found[0], scheme), html)
    return re.sub(r"</head>", lambda end: f'<script type="module">{script}</script>{end[0]}', html, count=1)


def styled(css: str, scheme: Scheme) -> str:
    """`css` with the browser's own preference replaced: queries for it are answered, a choice of both is made."""
    css = _PREFERENCE.sub(lambda found: "(min-width: 0)" if found[1].lower() == scheme else "(max-width: 0)", css)
    return _BOTH.sub(scheme, css)
