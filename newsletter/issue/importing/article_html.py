"""An article's HTML -> Markdown: the steps, in their order. Every reader of HTML ends here."""

from __future__ import annotations

from bs4 import Tag

from newsletter.errors import ContentError, Place
from newsletter.issue.importing import cards, notes, regular, to_markdown
from newsletter.issue.importing.addresses import Addresses
from newsletter.issue.importing.draft import Repair
from newsletter.issue.importing.hypertext import words

_LONGEST = 1_000_000  # letters; a long novel has 600,000


def converted(article: Tag, addresses: Addresses, where: Place) -> tuple[str, tuple[Repair, ...]]:
    """The Markdown of `article`, whose tree is used up, and what was lost on the way.

    Directives that are in the tree already (cards.directive) are kept. Raises ContentError, with `where`, where it is
    longer than an article.
    """
    if len(words(article)) > _LONGEST:
        raise ContentError(f"is longer than {_LONGEST:,} letters", hint="take it apart", where=where)
    notes.rewrite(article)
    cards.rewrite(article, addresses)
    regular.regularise(article)
    body = to_markdown.to_markdown(article, addresses)
    return body, tuple(Repair("lost-picture", 1, f"a picture that is not there: {src}") for src in addresses.lost)
