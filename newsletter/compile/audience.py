"""Who sees which block: what an article shows in mail, where everyone is a subscriber, and in how much of it."""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.issue.blocks import Block, Cta, Divider, Note, Post, Prose, Quote, Sponsor
from newsletter.issue.model import Article, EmailForm
from newsletter.issue.prose import FootnoteReference, Footnotes, inlines_of


def in_mail(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """`blocks` as a subscriber gets them: without the invitations to subscribe that are not for everyone.

    What is hidden leaves no gap: prose before and behind it becomes one run, and of two dividers one is left.
    """
    kept: list[Block] = []
    for block in _shown(blocks):
        before = kept[-1] if kept else None
        if isinstance(block, Prose) and isinstance(before, Prose):
            kept[-1] = Prose(nodes=before.nodes + block.nodes, place=before.place)
        elif not (isinstance(block, Divider) and isinstance(before, (Divider, type(None)))):
            kept.append(block)
    while kept and isinstance(kept[-1], Divider):
        kept.pop()
    return tuple(kept)


def _shown(blocks: tuple[Block, ...]) -> Iterator[Block]:
    for block in blocks:
        if isinstance(block, (Quote, Post, Note, Sponsor)):
            yield block.model_copy(update={"children": in_mail(block.children)})
        elif not (isinstance(block, Cta) and block.audience == "anonymous"):
            yield block


def mail_form(article: Article) -> tuple[Block, ...]:
    """The blocks of `article` that its mail holds: all, those before `<!-- more -->`, or none."""
    match article.email:
        case EmailForm.FULL:
            return in_mail(article.blocks)
        case EmailForm.EXCERPT:
            return in_mail(_with_its_footnotes(article.excerpt or (), article.blocks))
        case _:
            return ()


def _with_its_footnotes(excerpt: tuple[Block, ...], whole: tuple[Block, ...]) -> tuple[Block, ...]:
    referred = {
        child.number
        for block in excerpt
        if isinstance(block, Prose)
        for child in inlines_of(block.nodes)
        if isinstance(child, FootnoteReference)
    }
    last = whole[-1] if whole else None
    if not referred or not isinstance(last, Prose) or not isinstance(last.nodes[-1], Footnotes):
        return excerpt
    notes = Footnotes(tuple(item for item in last.nodes[-1].items if item.number in referred))
    return (*excerpt, Prose(nodes=(notes,), place=last.place))
