"""Straight quotation marks -> those of the article's language, apostrophes too; a second time changes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from newsletter.issue.importing.draft import Form
from newsletter.issue.importing.manuscript import Kind, Manuscript, Passage, Say
from newsletter.issue.markdown import running_text

_NB = "\u00a0"
_MARKS = {  # double and single, opening and closing (CLDR, "delimiters")
    "de": ("„", "“", "‚", "‘"),
    "fr": (f"«{_NB}", f"{_NB}»", "‘", "’"),
    "es": ("«", "»", "“", "”"),
    "it": ("«", "»", "“", "”"),
    "pt": ("«", "»", "“", "”"),
    "ru": ("«", "»", "„", "“"),
    "uk": ("«", "»", "„", "“"),
    "pl": ("„", "”", "‚", "’"),
    "cs": ("„", "“", "‚", "‘"),
    "sv": ("”", "”", "’", "’"),
    "fi": ("”", "”", "’", "’"),
}
_ENGLISH = ("“", "”", "‘", "’")
_STRAIGHT = "\"'"
_TYPOGRAPHIC = re.compile("[“”„«»‘’‚]")
_LEFT_ALONE = re.compile(
    r"https?://\S+|\bwww\.\S+|`+[^`]*`+|<[A-Za-z/!][^>]*>|\{[{%].*?[%}]\}|\{[:#.][^}]*\}|\]\([^)]*\)|\]\[[^\]]*\]",
    re.DOTALL,
)
_BLANK = re.compile(r"(?:\s|[(\[{–—/-]|&(?:nbsp|[mn]dash|#160);)\Z")
_APOSTROPHE = "’"
_ELISION = re.compile(r"'(?:n'|(?:tis|twas|em|cause|til|round)\b)", re.IGNORECASE)


def mixed_quotes(manuscript: Manuscript, say: Say) -> Manuscript:
    """Only where the text has typographic ones as well: a text that is all straight may be meant so."""
    straight = [_straight_quotes(passage, manuscript.form) for passage in manuscript.passages]
    if not any(straight) or not any(_TYPOGRAPHIC.search(passage.text) for passage in manuscript.passages):
        return manuscript
    marks = _MARKS.get(manuscript.lang.partition("-")[0].lower(), _ENGLISH)
    found = [
        replace(passage, text="".join(_Typesetting(passage.text, marks, frozenset(offsets)).pieces()))
        for passage, offsets in zip(manuscript.passages, straight, strict=True)
    ]
    changed = [old.line for new, old in zip(found, manuscript.passages, strict=True) if new.text != old.text]
    if changed:
        of = f" in {len(changed)} passages, the first one here" if len(changed) > 1 else ""
        say(changed[0], f"straight quotation marks and apostrophes made typographic{of}")
    return manuscript.with_passages(found)


def _straight_quotes(passage: Passage, form: Form) -> list[int]:
    """The offsets of straight marks in the words of a passage: not in code, addresses or HTML."""
    if passage.kind in {Kind.CODE, Kind.FENCE}:
        return []
    text = passage.text
    spans = [(0, len(text))] if form is Form.TEXT else running_text(text)
    alone = [found.span() for found in _LEFT_ALONE.finditer(text)]
    return [
        n
        for start, end in spans
        for n in range(start, end)
        if text[n] in _STRAIGHT and not any(a <= n < b for a, b in alone)
    ]


@dataclass(slots=True)
class _Typesetting:
    """One passage, read from left to right: which marks open and which close."""

    text: str
    marks: tuple[str, str, str, str]
    straight: frozenset[int]
    _double_open: bool = False
    _single_open: bool = False
    _after_opening: bool = True

    def pieces(self) -> Iterator[str]:
        for n, character in enumerate(self.text):
            piece = self._set(n) if n in self.straight else character
            self._follow(character, piece.strip(_NB))
            yield piece

    def _set(self, n: int) -> str:
        before, after = self.text[n - 1 : n] if n else "", self.text[n + 1 : n + 2]
        opens = self._opens(n, after)
        if self.text[n] == '"':
            if before.isdigit() and not self._double_open:  # inches
                return '"'
            return self.marks[0] if opens else self.marks[1]
        if before.isdigit() and after.isdigit():  # feet
            return "'"
        if opens and not after.isdigit() and not _ELISION.match(self.text, n) and self._closes_later(n):
            return self.marks[2]
        return self.marks[3] if self._single_open and not after.isalnum() else _APOSTROPHE

    def _opens(self, n: int, after: str) -> bool:
        if not after or after.isspace():
            return False
        return self._after_opening or bool(_BLANK.search(self.text, max(n - 8, 0), n))

    def _closes_later(self, n: int) -> bool:
        """Whether a single mark behind text[n] can close what opens there: ‘so’, and not ’tis."""
        return bool(re.search(r"(?<=\S)['’‘](?!\w)", self.text[n + 1 :]))

    def _follow(self, character: str, piece: str) -> None:
        double_open, double_close, single_open, single_close = (mark.strip(_NB) for mark in self.marks)
        opened = piece == double_open and not (double_open == double_close and self._double_open)
        self._double_open = opened or (self._double_open and piece != double_close)
        self._single_open = piece == single_open or (self._single_open and piece != single_close)
        self._after_opening = opened or piece == single_open or character in "“„«‘‚"
