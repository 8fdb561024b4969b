"""How a title becomes a name for files and addresses."""

from __future__ import annotations

import re
import unicodedata

_LONGEST = 80


def slugify(title: str) -> str:
    """`title` as ASCII, lower case, words joined by hyphens, at most 80 characters; "article" when nothing is left."""
    letters = unicodedata.normalize("NFKD", title.casefold())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter) and letter not in "'’ʼ`")
    slug = "-".join(re.findall(r"[a-z0-9]+", plain))
    if len(slug) > _LONGEST:
        slug = slug[:_LONGEST].rpartition("-")[0] or slug[:_LONGEST]
    return slug or "article"
