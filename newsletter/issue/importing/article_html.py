"""An article's HTML -> Markdown: the steps, in their order. Every reader of HTML ends here."""

from __future__ import annotations

from bs4 import Tag

from newsletter.issue.importing import cards, notes, regular, to_markdown
from newsletter.issue.importing.addresses import Addresses
from newsletter.issue.importing.draft import Repair


def converted(article: Tag, addresses: Addresses) -> tuple[str, tuple[Repair, ...]]:
    """The Markdown of `article`, whose tree is used up, and what was lost on the way.

    Directives that are in the tree already (cards.directive) are kept.
    """
    notes.rewrite(article)
    cards.rewrite(article, addresses)
    regular.regularise(article)
    body = to_markdown.to_markdown(article, addresses)
    return body, tuple(Repair("lost-picture", 1, f"a picture that is not there: {src}") for src in addresses.lost)
