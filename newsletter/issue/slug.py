"""How a title becomes a name for files and addresses."""

from __future__ import annotations

import re
import unicodedata


def slugify(title: str) -> str:
    """`title` as ASCII, lower case, words joined by hyphens; "article" when nothing of it is left."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", re.sub(r"['`]", "", plain))
    return "-".join(words) or "article"
