"""Titles, headings and hooks that stand in a text as bare lines."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

from newsletter.issue.importing.manuscript import LONG, Kind, Manuscript, Passage, Say, words_of
from newsletter.issue.importing.repairs.captions import like_caption

_SHORT = 80  # characters: what may be a heading
_TITLE = 120  # characters: what may be a title
_HOOK = 60  # characters: what may be a hook
_NOT_IN_HEADING = tuple(".,;:!?…”\"’')]»。，；：！？")
_NOT_IN_TITLE = tuple(".,;:…。，；：")
_EXCLAMATION = re.compile(r".*\w[^\w!]*![\W_]*")
_GREETING = re.compile(
    r"(?:hi|hey|hello|dear|good (?:morning|day|evening)|welcome|thanks?|happy|hallo|guten)\b", re.IGNORECASE
)


def unmarked_headings(manuscript: Manuscript, say: Say) -> Manuscript:
    """A line that stands in the text twice is a caption or the rest of a button, not a heading."""
    manuscript = _title(manuscript, say)
    found = list(manuscript.passages)
    count = Counter(passage.text for passage in found)
    for n in range(1, len(found) - 1):
        before, here, after = manuscript.passages[n - 1 : n + 2]
        if _like_heading(here) and count[here.text] == 1 and min(len(before.text), len(after.text)) >= LONG:
            found[n] = replace(here, kind=Kind.HEADING, prefix="## ")
            say(here.line, f"a heading: {here.text}")
    return manuscript.with_passages(found)


def _title(manuscript: Manuscript, say: Say) -> Manuscript:
    """The first line, if it is short, without a full stop, and has a blank line behind it."""
    if len(manuscript.passages) < 2:
        return manuscript
    first, second, *_ = manuscript.passages
    line = manuscript.bare_words(first)
    alone = first.is_line and second.line > first.line + 1
    if not alone or not line or len(line) > _TITLE or line.endswith(_NOT_IN_TITLE):
        return manuscript
    title = str(manuscript.front.get("title") or line)
    if words_of(title) != words_of(line):
        return manuscript
    say(first.line, f"the title: {line}")
    return manuscript.with_front("title", title).with_passages(manuscript.passages[1:])


def _like_heading(passage: Passage) -> bool:
    line = passage.text
    return (
        passage.is_line
        and len(line) <= _SHORT
        and line[:1].isalnum()
        and not line.endswith(_NOT_IN_HEADING)
        and not like_caption(line)
    )


def hook(manuscript: Manuscript, say: Say) -> Manuscript:
    """A short exclamation as the first passage of an article that has a title; a greeting is none."""
    if not manuscript.passages or not manuscript.front.get("title") or manuscript.front.get("hook"):
        return manuscript
    first = manuscript.passages[0]
    line = manuscript.bare_words(first) if first.is_line else ""
    if len(line) > _HOOK or not _EXCLAMATION.fullmatch(line) or _GREETING.match(line):
        return manuscript
    say(first.line, f"the hook: {line}")
    return manuscript.with_front("hook", line).with_passages(manuscript.passages[1:])
