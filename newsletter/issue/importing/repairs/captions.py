"""Captions that are left of pictures when a page is copied as text."""

from __future__ import annotations

import re

from newsletter.issue.importing.manuscript import LONG, Kind, Manuscript, Passage, Say, fence, one_line_block

_CAPTION = 120  # characters: the longest caption
_CAPITAL = r"[^\W\d_a-z]"
_NO_NAME = r"(?!(?:A|An|The|On|In|At|By|To|From|As|For|With|After|Before|When|While|If|But|And|So|This|That|His|Her)\b)"
FIRST_NAME = rf"{_NO_NAME}{_CAPITAL}[\w.’'-]*"
NAME = rf"{FIRST_NAME}(?: (?:{_CAPITAL}[\w.’'-]*|van|von|de|del|der|da|di|al|bin|el)){{1,4}}"
_NAME_AND_ROLE = re.compile(rf"{NAME}, \w[^.!?:;]*[\w)]")
_POINTING = re.compile(
    r"\b(?:in|on) (?:this|the) (?:picture|photo|photograph|image)\b|\bpictured (?:here|above|below|left|right)\b",
    re.IGNORECASE,
)


def lost_pictures(manuscript: Manuscript, say: Say) -> Manuscript:
    """A short line beside a long paragraph: a name with a role and no full stop, or a sentence about “this picture”."""
    found: list[Passage] = []
    passages = manuscript.passages
    for n, here in enumerate(passages):
        line = manuscript.bare_words(here) if here.is_line and len(here.text) <= _CAPTION else ""
        beside = [passage for passage in passages[max(n - 1, 0) : n + 2] if passage is not here]
        captions = _POINTING.search(line) or (like_caption(line) and any(map(_is_long, beside)))
        if captions and not any(map(_is_picture, beside)):
            found += one_line_block(fence(here.line, "figure"), here)
            say(here.line, f"the caption of a picture that is not there: {line}")
        else:
            found.append(here)
    return manuscript.with_passages(found)


def like_caption(line: str) -> bool:
    """Whether `line` names somebody with what they are, and ends without a full stop."""
    return bool(_NAME_AND_ROLE.fullmatch(line))


def _is_picture(passage: Passage) -> bool:
    return bool(re.search(r"!\[[^\]]*\]\([^)]*\)\W*$", passage.text))


def _is_long(passage: Passage) -> bool:
    return passage.kind is Kind.PARAGRAPH and len(passage.text) >= LONG
