"""Running text that asks the reader to do something, and what is left of buttons that did."""

from __future__ import annotations

import re
from dataclasses import replace

from newsletter.issue.importing.manuscript import Kind, Manuscript, Passage, Say, fence, one_line_block

_INVITATION = 500  # characters: the longest call to action
_ASKS = re.compile(
    r"\b(?:subscribe|(?:not|n’t|n't)(?: yet| already)? subscribed|sign up|(?:drop|enter|leave|give us) your e-?mail"
    r"|join (?:(?:our|the|us|over|more than|\d[\d.,]*\+?) )+(?:\w+ ){0,2}(?:readers|subscribers|newsletter)"
    r"|get (?:our|the|this)\b.*\b(?:newsletter|inbox)|delivered to your inbox)\b",
    re.IGNORECASE,
)
_LETTER = re.compile(r"\b(?:newsletters?|e-?mails?|inbox|readers|subscribers|mailing list)\b", re.IGNORECASE)
_READER = re.compile(r"\b(?:you|your|our|us)\b", re.IGNORECASE)
_REMAINDER = re.compile(r"(?:or|and|to)\b[^.!?]{0,40}[.!?]?")
_LABEL = re.compile(
    r"(?:log ?in|sign in|sign up|subscribe(?: now)?|share(?: this post| this article)?|tweet|like|comment"
    r"|leave a comment|reply|read more|continue reading|upgrade(?: to paid)?|download(?: now)?|buy now|watch now"
    r"|learn more)",
    re.IGNORECASE,
)
_TALK = re.compile(r"\b(?:conversation|comments?|discuss(?:ion)?|participate|reply|replies|debate)\b", re.IGNORECASE)
_HEADING = 60  # characters: the longest title of a block


def calls_to_action(manuscript: Manuscript, say: Say) -> Manuscript:
    """A paragraph that asks its reader, by “you” or “our”, to subscribe to a letter. A colon at its end announced the
    form that was there; where the form is not shown it would announce nothing, so that it becomes a full stop."""
    found: list[Passage] = []
    for passage in manuscript.passages:
        words = manuscript.words(passage) if passage.kind is Kind.PARAGRAPH else ""
        if len(words) > _INVITATION or not all(pattern.search(words) for pattern in (_ASKS, _LETTER, _READER)):
            found.append(passage)
            continue
        text, dangles = re.subn(r"[ \u00a0]*[:：]$", "", passage.text)
        text = text if not dangles or text.endswith((".", "!", "?", "…")) else f"{text}."
        found += one_line_block(fence(passage.line, "cta"), replace(passage, text=text))
        say(
            passage.line,
            "an invitation to subscribe" + (": the colon at its end is now a full stop" if dangles else ""),
        )
    return manuscript.with_passages(found)


def stripped_buttons(manuscript: Manuscript, say: Say) -> Manuscript:
    """A short rest like “or to participate.”, or a line that only says “Share”.

    Where the rest, or the line above it, is about talking, the two become the comments block: the line is its title,
    and the rest stays in the file as an HTML comment, which no reader sees.
    """
    found: list[Passage] = []
    for passage in manuscript.passages:
        words = manuscript.bare_words(passage) if passage.is_line else ""
        remainder = bool(words) and bool(_REMAINDER.fullmatch(words)) and "--" not in words and ">" not in words
        title = _title(manuscript, found[-1]) if remainder and found else ""
        if title and _TALK.search(f"{title} {words}"):
            heading = found.pop()
            opening = replace(fence(heading.line, "comments", title=title), before=heading.before)
            found += (*one_line_block(opening), Passage(passage.line, f"<!-- {words} -->", Kind.OTHER))
            say(passage.line, f"left of buttons, and hidden: {words}")
        else:
            found.append(passage)
            if remainder or _LABEL.fullmatch(words):
                say(passage.line, f"left of a button: remove it, or write :::button: {words}")
    return manuscript.with_passages(found)


def _title(manuscript: Manuscript, passage: Passage) -> str:
    """The words of a short line without a full stop, or of a heading."""
    words = manuscript.bare_words(passage)
    short = "\n" not in passage.text and len(words) <= _HEADING and not words.endswith((".", ":", ",", "…"))
    return words if short else ""
