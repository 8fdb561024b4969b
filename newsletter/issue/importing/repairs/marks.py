"""Characters of a text that Markdown would take for marks of its own: they get a backslash, each family by its name."""

from __future__ import annotations

import re
from dataclasses import replace

from newsletter.issue.importing.draft import Form
from newsletter.issue.importing.escaping import Family, marks
from newsletter.issue.importing.manuscript import Kind, Manuscript, Passage, Say
from newsletter.issue.markdown import code_spans


def dashes(manuscript: Manuscript, say: Say) -> Manuscript:
    return _kept(manuscript, Family.DASH, say)


def square_brackets(manuscript: Manuscript, say: Say) -> Manuscript:
    return _kept(manuscript, Family.BRACKET, say)


def hash_numbers(manuscript: Manuscript, say: Say) -> Manuscript:
    return _kept(manuscript, Family.HASH, say)


def other_marks(manuscript: Manuscript, say: Say) -> Manuscript:
    return _kept(manuscript, Family.OTHER, say)


def double_braces(manuscript: Manuscript, say: Say) -> Manuscript:
    """Outside code, where two braces are nothing."""
    if manuscript.form is Form.TEXT:
        return _kept(manuscript, Family.BRACES, say)
    return manuscript.with_passages(_without_slots(passage, say) for passage in manuscript.passages)


def _without_slots(passage: Passage, say: Say) -> Passage:
    if passage.kind is Kind.CODE or "{{" not in passage.text:
        return passage
    code = code_spans(passage.text)

    def mark(found: re.Match[str]) -> str:
        if any(start <= found.start() < end for start, end in code):
            return found[0]
        say(passage.line + passage.text.count("\n", 0, found.start()), "kept from being a personal slot: {{")
        return f"\\{found[0]}"

    return replace(passage, text=re.sub(r"(?<!\\)\{(?=\{)", mark, passage.text))


def _kept(manuscript: Manuscript, family: Family, say: Say) -> Manuscript:
    return manuscript.with_passages(_kept_in(passage, family, say) for passage in manuscript.passages)


def _kept_in(passage: Passage, family: Family, say: Say) -> Passage:
    if passage.kind not in {Kind.PARAGRAPH, Kind.HEADING}:
        return passage
    found = marks(passage.text, heading=passage.kind is Kind.HEADING, inside_marks=bool(passage.suffix))
    offsets = [offset for offset, its_family in found if its_family is family]
    lines = passage.text.split("\n")
    for n in sorted({passage.text.count("\n", 0, offset) for offset in offsets}):
        start = lines[n] if len(lines[n]) <= 40 else f"{lines[n][:39]}…"
        say(passage.line + n, f"kept from being {family.value}: {start}")
    return replace(passage, kept=passage.kept | frozenset(offsets))
