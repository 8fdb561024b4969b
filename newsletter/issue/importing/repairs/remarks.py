"""What an import points out and leaves as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.issue.importing.manuscript import Kind, Manuscript, Passage, Say

_BOUND_TO_YEAR = re.compile(
    r"\b(?:make|let|happy|hello|welcome(?: to)?|ready for|ring in) (?P<a>20\d\d)\b"
    r"|\b(?P<b>20\d\d) (?:is|will be) (?:the|your|our|my) year\b",
    re.IGNORECASE,
)
_LED_SOMEWHERE = re.compile(
    r"\b(?:read|see|find|check|watch|listen|click|get|more|download|upload(?:ed)?|publish(?:ed)?|post(?:ed)?|available)\b"
    r"[^.!?]*\bhere(?=[.!]*(?:\s|$))",
    re.IGNORECASE,
)
_COUNT = re.compile(r"\b(?:\d{1,3}(?:[.,]\d{3})+|\d+)\+? (?:readers|subscribers)\b", re.IGNORECASE)


def no_break_spaces(manuscript: Manuscript, say: Say) -> Manuscript:
    _count(manuscript, "\u00a0\u202f", "no-break space", say)
    return manuscript


def dollars(manuscript: Manuscript, say: Say) -> Manuscript:
    _count(manuscript, "$", "dollar sign", say)
    return manuscript


def _count(manuscript: Manuscript, characters: str, name: str, say: Say) -> None:
    """Say once, at the first of them, how many there are."""
    texts = [passage for passage in manuscript.passages if passage.kind is not Kind.CODE]
    number = sum(passage.text.count(character) for passage in texts for character in characters)
    if number:
        first = next(_lines_with(texts, re.compile(f"[{re.escape(characters)}]")))
        say(first[0], f"kept: {number} {name}{'s' if number > 1 else ''}, the first one here")


def stale_years(manuscript: Manuscript, say: Say) -> Manuscript:
    own = str(manuscript.front.get("date") or "")[:4]
    for line, found in _lines_with(_paragraphs(manuscript), _BOUND_TO_YEAR):
        if (found["a"] or found["b"]) != own:
            say(line, f"bound to a year, see whether it still holds: {found[0]}")
    return manuscript


def stale_counts(manuscript: Manuscript, say: Say) -> Manuscript:
    for line, found in _lines_with(_paragraphs(manuscript), _COUNT):
        say(line, f"was true when it was written; {{{{ subscribers.count }}}} counts them anew: {found[0]}")
    return manuscript


def lost_links(manuscript: Manuscript, say: Say) -> Manuscript:
    for line, found in _lines_with(_paragraphs(manuscript), _LED_SOMEWHERE):
        say(line, f"where did this lead? {found[0]}")
    return manuscript


def _paragraphs(manuscript: Manuscript) -> list[Passage]:
    return [passage for passage in manuscript.passages if passage.kind is Kind.PARAGRAPH]


def _lines_with(passages: list[Passage], pattern: re.Pattern[str]) -> Iterator[tuple[int, re.Match[str]]]:
    for passage in passages:
        for found in pattern.finditer(passage.text):
            yield passage.line + passage.text.count("\n", 0, found.start()), found
