"""Which format a picture has, told by its first bytes and not by its name."""

from __future__ import annotations

import re

HEAD = 1024
"""So many bytes are enough for format_of."""

SUFFIXES = {"jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"), "tiff": (".tif", ".tiff"), "heic": (".heic", ".heif")}
"""The endings of a file's name that a format has; its own name where it is not here."""

_MAGIC = (
    ("png", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ("jpeg", re.compile(rb"\xff\xd8\xff")),
    ("gif", re.compile(rb"GIF8[79]a")),
    ("webp", re.compile(rb"RIFF....WEBP", re.DOTALL)),
    ("bmp", re.compile(rb"BM")),
    ("tiff", re.compile(rb"II\*\0|MM\0\*")),
    ("avif", re.compile(rb"....ftypavi[fs]", re.DOTALL)),
    ("heic", re.compile(rb"....ftyp(?:hei|hev|mif1|msf1)", re.DOTALL)),
    ("svg", re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml.*?)?(?:<!.*?>\s*)*<svg", re.DOTALL)),
)


def format_of(data: bytes) -> str | None:
    """The format of the picture that begins with `data`; None where it is none that is known."""
    return next((name for name, magic in _MAGIC if magic.match(data[:HEAD])), None)


def suffixes_of(kind: str) -> tuple[str, ...]:
    """The endings that a file's name may have for the format `kind`, the usual one first."""
    return SUFFIXES.get(kind, (f".{kind}",))
