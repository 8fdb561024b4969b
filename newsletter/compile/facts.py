"""Facts in the writer’s text: how many readers there are, and when that was counted. The same for everybody, so they
are put in when an issue is compiled; one that was sent keeps saying what it said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from html import escape

from newsletter.compile.edition import Facts
from newsletter.compile.slots import in_place
from newsletter.compile.text import first_words
from newsletter.compile.words import Words
from newsletter.errors import Collected, Place
from newsletter.issue.blocks import Block, Prose, walk
from newsletter.issue.model import Issue
from newsletter.issue.prose import Inline, Link, Text, Tight, inlines_of
from newsletter.issue.slots import AS_OF, COUNT, FACTS, TOKEN, Slot, of_token

_STEPS = ((50, 1), (100, 10), (1_000, 50), (10_000, 100), (100_000, 1_000), (1_000_000, 10_000))
_BEYOND = 100_000


def floored(readers: int) -> int:
    """A number of readers to tell people: never more than there are. Exact up to 50, then in steps that grow."""
    step = next((step for limit, step in _STEPS if readers <= limit), _BEYOND)
    return readers // step * step


@dataclass(frozen=True, slots=True)
class Known:
    """The facts that an issue names, in no language ("5500+", "2026-05-04"), and the words that say them."""

    said: Mapping[str, str]
    words: Words

    @classmethod
    def of(cls, issue: Issue, facts: Facts, words: Words, written: Iterable[str]) -> Known:
        """What `issue` may say, `written` being all its text; raises ContentError for what it says and nobody knows."""
        known = _known_now(facts) | (dict(facts.sent_before.facts) if facts.sent_before else {})
        named = {slot for text in written for found in TOKEN.finditer(text) if (slot := of_token(found)).name in FACTS}
        _refuse_unknown(issue, [slot for slot in named if slot.default is None and slot.name not in known])
        return cls({name: known[name] for name in sorted({slot.name for slot in named}) if name in known}, words)

    @property
    def used(self) -> tuple[tuple[str, str], ...]:
        """The facts that the issue says, by name."""
        return tuple(self.said.items())

    def speaking(self, words: Words) -> Known:
        """The same facts for a page in another language."""
        return replace(self, words=words)

    def in_text(self, text: str) -> str:
        """`text` with facts in the place of their tokens."""
        return self._put(text, str)

    def in_html(self, html: str) -> str:
        """The same for HTML."""
        return self._put(html, escape)

    def first_words(self, blocks: tuple[Block, ...], limit: int = 160) -> str:
        """The first words of `blocks`, as text.first_words gives them, facts among them."""
        return first_words(blocks, limit, self._values())

    def _values(self) -> dict[str, str]:
        return {name: _worded(name, fact, self.words) for name, fact in self.said.items()}

    def _put(self, text: str, written: Callable[[str], str]) -> str:
        values = self._values()

        def value(found: re.Match[str]) -> str:
            slot = of_token(found)
            if slot.name not in FACTS:
                return found[0]
            return written(in_place(slot, values.get(slot.name, slot.default or "")))

        return TOKEN.sub(value, text)


def _known_now(facts: Facts) -> dict[str, str]:
    if not facts.readers or facts.as_of is None:
        return {}
    number = floored(facts.readers)
    return {COUNT: f"{number}{'+' if number < facts.readers else ''}", AS_OF: facts.as_of.isoformat()}


def _worded(name: str, fact: str, words: Words) -> str:
    if name == AS_OF:
        return words.date(date.fromisoformat(fact))
    return words.number(int(fact.removesuffix("+"))) + ("+" if fact.endswith("+") else "")


def _refuse_unknown(issue: Issue, slots: list[Slot]) -> None:
    problems = Collected()
    for slot in sorted(slots, key=lambda slot: slot.name):
        problems.add(
            f"nobody knows `{slot.name}`: the list `{issue.list}` has no active subscriber",
            hint=f'import subscribers first, or say what stands there until then: {{{{ {slot.name} | default("…") }}}}',
            where=_place(issue, slot.token),
        )
    problems.stop_if_any()


def _place(issue: Issue, token: str) -> Place:
    """Where `token` stands, as near as blocks know it; the issue’s front matter if in none of them."""
    written = (one for article in issue.articles for one in (article, *article.translations))
    for block in walk((*issue.opening, *(block for one in written for block in one.blocks), *issue.closing)):
        for node in block.nodes if isinstance(block, Prose) else (Tight(getattr(block, "line", ())),):
            if any(_says(child, token) for child in inlines_of((node,))):
                return getattr(node, "place", block.place)
    return issue.place


def _says(child: Inline, token: str) -> bool:
    return token in (child.text if isinstance(child, Text) else child.url if isinstance(child, Link) else "")
