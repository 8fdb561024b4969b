"""Who sees which block: the readers that a compile tells apart, and what is left out for each of them without a gap."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Literal

from newsletter.compile.footnotes import parted
from newsletter.errors import ContentError, Place
from newsletter.issue.blocks import Block, Container, Cta, Divider, Note, Only, Post, Prose, Quote, walk
from newsletter.issue.model import Article, EmailForm, Issue
from newsletter.issue.prose import Heading, Node, Paragraph, Text

MOST_VARIANTS = 16
_STOPS = {":": ".", "：": "。"}


@dataclass(frozen=True, slots=True)
class Persona:
    """A reader as a compile knows one: where they read, and whether as a subscriber, with which tags.

    `invited` says that an invitation to subscribe makes sense to them: not in a feed, which is a subscription already.
    """

    channel: Literal["email", "web"]
    subscriber: bool = False
    tags: frozenset[str] = frozenset()
    invited: bool = False

    def sees(self, block: Block) -> bool:
        """Whether `block` is for this reader."""
        match block:
            case Cta(audience="anonymous") | Only(who="non-subscribers"):
                return self.invited
            case Only(tag=str(tag)):
                return tag in self.tags
            case Only(who="subscribers"):
                return self.subscriber
            case Only(who=channel):
                return channel == self.channel
            case _:
                return True


SUBSCRIBER = Persona("email", subscriber=True)
PASSER_BY = Persona("web", invited=True)
FEED_READER = Persona("web")


def in_mail_to(tags: frozenset[str]) -> Persona:
    """A subscriber with these of the tags that an issue asks for."""
    return dataclasses.replace(SUBSCRIBER, tags=tags)


def variants(issue: Issue) -> list[dict[str, bool]]:
    """The truth assignments of the conditions (`tag=pro`) that the mail of `issue` names; the one of none holds first.

    Raises ContentError for more than MOST_VARIANTS.
    """
    asked: dict[str, Place] = {}
    shown = (mail_blocks(article) for article in issue.articles)
    for block in walk((*issue.opening, *(block for blocks in shown for block in blocks), *issue.closing)):
        if isinstance(block, Only) and block.tag:
            asked.setdefault(f"tag={block.tag}", block.place)
    if 2 ** len(asked) > MOST_VARIANTS:
        raise ContentError(
            f"the mail would have {2 ** len(asked)} variants, by {', '.join(sorted(asked))}",
            hint=f"{MOST_VARIANTS} are the most that there may be: ask for fewer tags in one issue",
            where=max(asked.values(), key=lambda place: (str(place.path), place.line or 0)),
        )
    return [dict(zip(sorted(asked), holds, strict=True)) for holds in product((False, True), repeat=len(asked))]


def seen_by(persona: Persona, blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """`blocks` as `persona` gets them.

    What is hidden leaves no gap: prose before and behind it becomes one run, of two dividers one is left, and a colon
    that would lead to nothing becomes a full stop.
    """
    kept: list[Block] = []
    hidden = False
    for block in _flow(persona, blocks):
        if block is None:
            hidden = True
            continue
        if hidden:
            _finish(kept, block)
        _join(kept, block)
        hidden = False
    if hidden:
        _finish(kept, None)
    while kept and isinstance(kept[-1], Divider):
        kept.pop()
    return tuple(kept)


def _flow(persona: Persona, blocks: tuple[Block, ...]) -> Iterator[Block | None]:
    """The blocks that `persona` sees, and None for each that is hidden."""
    for block in blocks:
        if not persona.sees(block):
            yield None
        elif isinstance(block, Only):
            yield from _flow(persona, block.children)
        elif isinstance(block, Container):
            children = seen_by(persona, block.children)
            yield holding(block, children)
        else:
            yield block


def holding(block: Container, children: tuple[Block, ...]) -> Block | None:
    """`block` with `children` for what it held; None where nothing is left of it that says anything."""
    is_frame = isinstance(block, (Quote, Note)) or (isinstance(block, Post) and not block.image)
    if is_frame and block.children and not children:
        return None
    kept: Block = block.model_copy(update={"children": children})  # type: ignore[assignment]
    return kept


def _join(kept: list[Block], block: Block) -> None:
    before = kept[-1] if kept else None
    if isinstance(block, Prose) and isinstance(before, Prose):
        kept[-1] = Prose(nodes=before.nodes + block.nodes, place=before.place)
    elif not (isinstance(block, Divider) and isinstance(before, (Divider, type(None)))):
        kept.append(block)


def _finish(kept: list[Block], following: Block | None) -> None:
    """Where a hidden block stood between a colon and the end of a passage, the passage ends in a full stop."""
    last = kept[-1] if kept else None
    ends = following is None or isinstance(following, Divider) or _begins_with_heading(following)
    if ends and isinstance(last, Prose) and last.nodes:
        kept[-1] = Prose(nodes=(*last.nodes[:-1], _stopped(last.nodes[-1])), place=last.place)


def _begins_with_heading(block: Block) -> bool:
    return isinstance(block, Prose) and isinstance(next(iter(block.nodes), None), Heading)


def _stopped(node: Node) -> Node:
    match node:
        case Paragraph((*before, Text(text))) if text.rstrip()[-1:] in _STOPS:
            words = text.rstrip()
            return dataclasses.replace(node, children=(*before, Text(words[:-1] + _STOPS[words[-1]])))
        case _:
            return node


def mail_blocks(article: Article) -> tuple[Block, ...]:
    """The blocks of `article` that mail holds: all, those before `<!-- more -->` with the footnotes, or none."""
    match article.email:
        case EmailForm.FULL:
            return article.blocks
        case EmailForm.EXCERPT:
            _, notes = parted(article.blocks)
            return (*(article.excerpt or ()), *([notes] if notes else []))
        case _:
            return ()
