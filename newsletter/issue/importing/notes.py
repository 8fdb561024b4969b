"""Footnotes of web pages and Word documents: two places that link to each other -> `[^1]` and `[^1]: …`.

WordPress, Ghost, Substack, Pandoc, Wikipedia and mammoth all write them so, each with other names.
"""

from __future__ import annotations

import re

from bs4 import Tag

from newsletter.issue.importing.hypertext import attribute, classes, new, words

_HOLDERS = ("li", "p", "dd", "td", "div", "aside", "section")
_BACK = re.compile(r"[\s\[\](){}^*†‡§↑↩⤴↵\ufe0e\ufe0f.\d:]*")


def rewrite(root: Tag) -> None:
    """Put references and notes in the place of links that lead to each other; the notes go to the end of `root`."""
    by_id = {attribute(element, name): element for name in ("name", "id") for element in root.find_all(True)}
    by_id.pop("", None)
    order_of = {id(element): at for at, element in enumerate(root.find_all(True))}
    links = [link for link in root.find_all("a") if attribute(link, "href").startswith("#")]
    notes: dict[int, tuple[Tag, list[Tag]]] = {}
    for link in links:
        target = by_id.get(attribute(link, "href")[1:])
        note = _note(target, link, root) if target and order_of[id(target)] > order_of[id(link)] else None
        if note is not None:
            notes.setdefault(id(note), (note, []))[1].append(link)
    for number, (note, references) in enumerate(notes.values(), 1):
        for link in references:
            _outermost(link).replace_with(new("directive ref", number=str(number)))
        root.append(_written(note, number))
    for listing in root.find_all(["ol", "ul", "section", "div"]):
        if not words(listing) and not listing.find(True) and listing is not root:
            listing.extract()


def _note(target: Tag, link: Tag, root: Tag) -> Tag | None:
    """The note that `link` refers to, if something in it leads back to where `link` stands."""
    if not _BACK.fullmatch(words(link)) or not words(link):
        return None
    own = {
        attribute(element, name) for element in (link, *link.parents) if element is not root for name in ("id", "name")
    }
    own = {f"#{name}" for name in own if name}
    holders = [target, *(parent for parent in target.parents if parent is not None)]
    for holder in holders:
        if holder is root or not isinstance(holder, Tag) or link in holder.descendants:
            return None
        back = [found for found in (holder, *holder.find_all("a")) if attribute(found, "href") in own]
        if back and holder.name in _HOLDERS and words(holder) != words(back[0]):
            return holder
    return None


def _outermost(link: Tag) -> Tag:
    """The <sup> around a reference, with the brackets that some put into it."""
    element = link
    while element.parent and element.parent.name in ("sup", "span") and _BACK.fullmatch(words(element.parent)):
        element = element.parent
    return element


def _written(note: Tag, number: int) -> Tag:
    for link in note.find_all("a"):
        lone = classes(link) & {"footnote-number", "footnote-backref"} or _BACK.fullmatch(words(link))
        if attribute(link, "href").startswith("#") and lone:
            _outermost(link).extract()
    made = new("directive footnote", number=str(number))
    made.extend(list(note.contents))
    note.extract()
    return made
