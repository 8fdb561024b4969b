"""The cards of Ghost's editor in its HTML -> directives, and text where there is none for them (table: ghost.py)."""

from __future__ import annotations

from bs4 import Tag
from bs4.element import Comment

from newsletter.issue.importing.cards import directive, only_for
from newsletter.issue.importing.hypertext import attribute, new, paragraph, words


def rewrite(body: Tag, visibility: str) -> None:
    """Put directives in the place of cards in `body`, the text of a post that was for `visibility`."""
    for card in body.find_all(class_="kg-callout-card"):
        _callout(card)
    for card in body.find_all(class_="kg-bookmark-card"):
        _bookmark(card)
    for card in body.find_all(class_="kg-signup-card"):
        _signup(card)
    for card in body.find_all(class_=["kg-audio-card", "kg-video-card"]):
        _player(card)
    _paywall(body, visibility)


def _callout(card: Tag) -> None:
    emoji, text = card.find(class_="kg-callout-emoji"), card.find(class_="kg-callout-text")
    if text is None:
        return
    note = directive("note")
    if emoji and words(emoji):
        text.insert(0, f"{words(emoji)} ")
    note.append(text.extract())
    card.replace_with(note)


def _bookmark(card: Tag) -> None:
    link = card.find("a", class_="kg-bookmark-container")
    if link is None:
        return
    quote = new("blockquote")
    for name in ("title", "description"):
        if (said := card.find(class_=f"kg-bookmark-{name}")) and words(said):
            quote.append(paragraph(words(said), attribute(link, "href") if name == "title" else ""))
    signed = [words(said) for said in card.find_all(class_=["kg-bookmark-author", "kg-bookmark-publisher"])]
    if any(signed):
        quote.append(paragraph(" · ".join(name for name in signed if name)))
    caption = card.find("figcaption")
    card.replace_with(quote)
    if caption:
        caption.name = "p"
        quote.insert_after(caption.extract())


def _signup(card: Tag) -> None:
    heading, button = card.find(["h1", "h2", "h3"]), card.find(class_="kg-signup-card-button-default")
    cta = directive("cta", title=words(heading) if heading else "", button=words(button) if button else "")
    said = [words(text) for text in card.find_all(class_=["kg-signup-card-subheading", "kg-signup-card-disclaimer"])]
    cta.string = " ".join(text for text in said if text)
    card.replace_with(cta)


def _player(card: Tag) -> None:
    player, title = card.find(["audio", "video"]), card.find(class_="kg-audio-title")
    caption = card.find("figcaption")
    url = attribute(player, "src") if player else ""
    shown = paragraph(words(title) if title and words(title) else url.rpartition("/")[2] or "▶", url)
    card.replace_with(shown)
    if caption:
        caption.name = "p"
        shown.insert_after(caption.extract())


def _paywall(body: Tag, visibility: str) -> None:
    """What stands behind the mark is for members; all of it, where there is no mark."""
    if visibility == "public":
        return
    marks = [
        text for text in body.find_all(string=True) if isinstance(text, Comment) and text.strip() == "members-only"
    ]
    behind = list(body.contents)
    if marks:
        mark = next(node for node in (marks[0], *marks[0].parents) if node.parent is body)
        behind = list(mark.next_siblings)
    only_for(body, behind, visibility)
