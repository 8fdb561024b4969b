"""Whole paragraphs in quotation marks, who says them, and posts that an article quotes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from newsletter.issue.importing.draft import Form
from newsletter.issue.importing.manuscript import LONG, Kind, Manuscript, Passage, Say, block, fence
from newsletter.issue.importing.repairs.captions import FIRST_NAME, NAME

_PAIRS = {"“": "”", "„": "“”", "«": "»", "»": "«", "「": "」", '"': '"'}  # an opening mark, and what may close it
_COLON = (":", "：")
_SPEAKER = re.compile(rf"(?P<by>{NAME}|{FIRST_NAME})(?:, (?P<role>[^.!?:;\"“”„«»{{]+))?[:：]")
_PLATFORMS = r"(?P<platform>X|Twitter|Threads|Bluesky|Mastodon|Facebook|Instagram|LinkedIn|Weibo|Telegram|TikTok)"
_FORMERLY = r"(?: \((?:formerly|previously|was|ex-) ?Twitter\))?"
_POSTS = (
    re.compile(rf"\bOn {_PLATFORMS}{_FORMERLY},? (?P<author>{NAME}) (?:shared|posted|wrote|tweeted|said|published)\b"),
    re.compile(rf"(?P<author>{NAME}) (?:shared|posted|wrote|tweeted|said|published)\b[^.:]* on {_PLATFORMS}\b"),
)


@dataclass(frozen=True, slots=True)
class _Quotation:
    """Passages [start, end) that stand in one pair of outer quotation marks, and what they are without them."""

    start: int
    end: int
    inside: tuple[Passage, ...]


def long_quotations(manuscript: Manuscript, say: Say) -> Manuscript:
    """Several paragraphs in one pair of marks, or one that a colon announces and that is long or has a speaker line.

    Where each paragraph opens with a mark and only the last one closes, the marks between are dropped as well.
    """
    found: list[Passage] = []
    done = 0
    for quotation in _quotations(manuscript):
        before = manuscript.passages[max(quotation.start - 1, 0) : quotation.start]
        if not _stands_alone(manuscript, quotation, before):
            continue
        opening = fence(manuscript.passages[quotation.start].line, "quote")
        found += manuscript.passages[done : quotation.start]
        found += block(opening, quotation.inside)
        done = quotation.end
        paragraphs = sum(passage.kind is Kind.PARAGRAPH for passage in quotation.inside)
        of = f" of {paragraphs} paragraphs" if paragraphs > 1 else ""
        say(opening.line, f"a quotation{of}: its outer quotation marks are dropped")
    return manuscript.with_passages([*found, *manuscript.passages[done:]])


def _stands_alone(manuscript: Manuscript, quotation: _Quotation, before: Sequence[Passage]) -> bool:
    if quotation.end > quotation.start + 1:
        return True
    words = manuscript.words(before[0]) if before else ""
    return words.endswith(_COLON) and (len(quotation.inside[0].text) >= LONG or bool(_SPEAKER.fullmatch(words)))


def social_posts(manuscript: Manuscript, say: Say) -> Manuscript:
    """A paragraph like “On X, Ada Byron posted this:” and a quotation behind it."""
    found: list[Passage] = []
    done = 0
    for quotation in _quotations(manuscript):
        words = manuscript.bare_words(manuscript.passages[quotation.start - 1]) if quotation.start else ""
        post = next((match for pattern in _POSTS if (match := pattern.search(words))), None)
        if post is None or not words.endswith(_COLON):
            continue
        line = manuscript.passages[quotation.start].line
        found += manuscript.passages[done : quotation.start]
        found += block(fence(line, "post", platform=post["platform"], author=post["author"]), quotation.inside)
        done = quotation.end
        say(
            line,
            f"a post by {post['author']} on {post['platform']}: add its time=… and url=…, and image=… if it had one",
        )
    return manuscript.with_passages([*found, *manuscript.passages[done:]])


def _quotations(manuscript: Manuscript) -> Iterator[_Quotation]:
    """The quotations of whole paragraphs, one behind the other."""
    n = 0
    while n < len(manuscript.passages):
        quotation = _quotation_at(manuscript.passages, n)
        if quotation:
            yield quotation
        n = quotation.end if quotation else n + 1


def _quotation_at(passages: Sequence[Passage], start: int) -> _Quotation | None:
    mark = passages[start].text[:1]
    if passages[start].kind is not Kind.PARAGRAPH or mark not in _PAIRS:
        return None
    inside: list[Passage] = []
    blocks = 0
    for n, passage in enumerate(passages[start:], start):
        blocks += _depth(passage)
        if passage.kind is Kind.HEADING or blocks < 0:
            return None
        if passage.kind is not Kind.PARAGRAPH or blocks:
            inside.append(passage)
            continue
        again = passage.text.startswith(mark)
        closing = _closing(passage.text, mark, opened=n > start and not again)
        if closing is None:
            return None
        inside.append(_without(passage, 0 if again else None, closing or None))
        if closing:
            return _Quotation(start, n + 1, tuple(inside))
    return None


def _closing(text: str, mark: str, *, opened: bool) -> int | None:
    """The offset of the mark that closes the quotation at the end of `text`; 0 if it goes on behind it; None if the
    marks in it do not come in pairs otherwise."""
    closers = _PAIRS[mark]
    depth = int(opened)
    for n, character in enumerate(text):
        if mark == '"' == character:
            depth = 1 - depth
        elif character == mark and not (mark in closers and depth):
            depth += 1
        elif character in closers:
            depth -= 1
        if not depth:
            return n if n and not text[n + 1 :].strip(" \t\u00a0") else None
    return 0 if depth == 1 else None


def _depth(passage: Passage) -> int:
    return 0 if passage.kind is not Kind.FENCE else 1 if passage.text.strip(": ") else -1


def _without(passage: Passage, opening: int | None, closing: int | None) -> Passage:
    """`passage` without the marks at these offsets, and without blanks that stood at them."""
    text = passage.text
    if closing is not None:
        text = (text[:closing] + text[closing + 1 :]).rstrip(" \t\u00a0\u202f")
    if opening is not None:
        text = text[opening + 1 :].lstrip(" \t\u00a0\u202f")
    return replace(passage, text=text)


def speakers(manuscript: Manuscript, say: Say) -> Manuscript:
    """A line like “Ada Byron, engineer:” is the attribution of a quotation below it; where people take turns, bold."""
    found: list[Passage] = []
    lines = [_speaker(manuscript, passage) for passage in manuscript.passages]
    turns = Counter(match["by"] for match in lines if match)
    in_turns = len(turns) > 1 and max(turns.values()) > 1
    for n, (passage, speaker) in enumerate(zip(manuscript.passages, lines, strict=True)):
        after = manuscript.passages[n + 1] if n + 1 < len(lines) else None
        if speaker and after and after.text == ":::quote":
            say(passage.line, f"who speaks: {passage.text}")
        elif speaker and in_turns and manuscript.form is Form.TEXT:
            found.append(replace(passage, prefix="**", suffix="**"))
            say(passage.line, f"who speaks, in bold: {passage.text}")
        elif passage.text == ":::quote" and n and (speaker := lines[n - 1]):
            named = fence(passage.line, "quote", by=speaker["by"], role=speaker["role"] or "")
            found.append(replace(named, before=passage.before))
        else:
            found.append(passage)
    return manuscript.with_passages(found)


def _speaker(manuscript: Manuscript, passage: Passage) -> re.Match[str] | None:
    line = manuscript.bare_words(passage) if passage.is_line and len(passage.text) <= LONG else ""
    return _SPEAKER.fullmatch(line)
