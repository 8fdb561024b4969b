"""The repairs of an import: which there are, and in which order they are made.

A repair is a function that takes a manuscript and gives another one, and says the line and the words of whatever it
does; it never loses a letter or a digit. A new one is such a function and an entry here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from newsletter.issue.importing.draft import Form, Repair
from newsletter.issue.importing.manuscript import Manuscript, Say
from newsletter.issue.importing.repairs.captions import lost_pictures
from newsletter.issue.importing.repairs.headings import hook, unmarked_headings
from newsletter.issue.importing.repairs.invitations import calls_to_action, stripped_buttons
from newsletter.issue.importing.repairs.marks import (
    dashes,
    double_braces,
    hash_numbers,
    other_marks,
    square_brackets,
)
from newsletter.issue.importing.repairs.paragraphs import single_newlines
from newsletter.issue.importing.repairs.quotations import long_quotations, social_posts, speakers
from newsletter.issue.importing.repairs.remarks import dollars, lost_links, no_break_spaces, stale_counts, stale_years
from newsletter.issue.importing.repairs.typography import mixed_quotes

EVERY_FORM = frozenset(Form)
PLAIN_TEXT = frozenset({Form.TEXT})


@dataclass(frozen=True, slots=True)
class Mending:
    """A kind of repair: its name, one sentence for people, how it is made, and in which forms of text."""

    name: str
    explanation: str
    make: Callable[[Manuscript, Say], Manuscript]
    forms: frozenset[Form] = EVERY_FORM


MENDINGS = (
    Mending(
        "single-newlines",
        "A line of plain text is a paragraph where no blank lines part them.",
        single_newlines,
        PLAIN_TEXT,
    ),
    Mending(
        "no-break-space",
        "No-break spaces are counted and stay as they are.",
        no_break_spaces,
    ),
    Mending(
        "dollar",
        "Dollar signs are counted and stay as they are: they open no formula here.",
        dollars,
    ),
    Mending(
        "stale-year",
        "A year that binds a text to its time is pointed out, unless it is the article’s own.",
        stale_years,
    ),
    Mending(
        "stale-count",
        "A number of readers is pointed out: it was true when it was written.",
        stale_counts,
    ),
    Mending(
        "lost-link",
        "A “here” that was a link is pointed out: where it led is not in the text.",
        lost_links,
        PLAIN_TEXT,
    ),
    Mending(
        "mixed-quotes",
        "Straight quotation marks among typographic ones become typographic.",
        mixed_quotes,
    ),
    Mending(
        "unmarked-heading",
        "The first short line is the title; others between long paragraphs are headings.",
        unmarked_headings,
        PLAIN_TEXT,
    ),
    Mending(
        "hook",
        "A short exclamation right below the title is the article’s hook.",
        hook,
    ),
    Mending(
        "lost-picture",
        "A caption whose picture was lost becomes a figure without a picture.",
        lost_pictures,
    ),
    Mending(
        "stripped-button",
        "What is left of a button is pointed out; a call to talk becomes the comments block.",
        stripped_buttons,
    ),
    Mending(
        "call-to-action",
        "Running text that asks to subscribe becomes a block with a form.",
        calls_to_action,
    ),
    Mending(
        "social-post",
        "A quoted post becomes a card with its platform and author.",
        social_posts,
    ),
    Mending(
        "long-quotation",
        "A quotation of whole paragraphs becomes a block, without its outer quotation marks.",
        long_quotations,
    ),
    Mending(
        "speaker",
        "A line that only says who speaks becomes the quotation’s attribution, or bold.",
        speakers,
    ),
    Mending(
        "dash-at-line-start",
        "A dash at the start of a line does not open a list.",
        dashes,
        PLAIN_TEXT,
    ),
    Mending(
        "square-brackets",
        "Square brackets are no link.",
        square_brackets,
        PLAIN_TEXT,
    ),
    Mending(
        "hash-number",
        "A number sign at the start of a line opens no heading.",
        hash_numbers,
        PLAIN_TEXT,
    ),
    Mending(
        "double-braces",
        "Two braces are no personal slot.",
        double_braces,
    ),
    Mending(
        "escaped",
        "Other characters that Markdown would take for marks are read as themselves.",
        other_marks,
        PLAIN_TEXT,
    ),
)


def mend(manuscript: Manuscript, keep: Collection[str]) -> tuple[Manuscript, tuple[Repair, ...]]:
    """The manuscript with every repair made but those named in `keep`, and what was done, in the order of lines."""
    found: list[Repair] = []
    for mending in MENDINGS:
        if mending.name in keep or manuscript.form not in mending.forms:
            continue

        def say(line: int, said: str, name: str = mending.name) -> None:
            found.append(Repair(name, line, said))

        manuscript = mending.make(manuscript, say)
    return manuscript, tuple(sorted(found, key=lambda repair: repair.line))
