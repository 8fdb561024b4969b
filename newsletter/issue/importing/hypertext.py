"""HTML from elsewhere as a tree: how it is decoded, and how large and how deep it may be.

The parser is libxml2's, through Beautiful Soup: it loads nothing, and knows no entities but HTML's own.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator

from bs4 import BeautifulSoup, Tag, UnicodeDammit
from bs4.element import NavigableString, PreformattedString

from newsletter.errors import ContentError, Place

LARGEST = 5_000_000  # bytes of HTML; the longest pages on the web, data: pictures left out, have about two million
_MOST = 25_000  # elements; an article of 10,000 words has a few thousand
_DEEPEST = 150  # elements inside each other; what comes after reads the tree by recursion
_CONTROLS = {code: None for code in range(32) if chr(code) not in "\t\n\r"} | {127: None}
_LETTERLESS = re.compile(r"[ \t\r\n\f]+")


def parse(html: bytes | str, where: Place) -> BeautifulSoup:
    """The tree of `html`; raises ContentError where it is larger or deeper than a page for people is."""
    if len(html) > LARGEST:
        raise ContentError(
            f"is larger than {LARGEST // 1_000_000} MB of HTML",
            hint="save the page with its pictures beside it (“complete”), not inside it",
            where=where,
        )
    text = html if isinstance(html, str) else _decoded(html)
    text = text.encode("utf-8", "replace").decode("utf-8").translate(_CONTROLS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # “looks like a file name”, “looks like XML”: it is what we were given
        soup = BeautifulSoup(text, "lxml")
    _refuse_what_is_no_page(soup, where)
    return soup


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return str(UnicodeDammit(data, is_html=True).unicode_markup or "")


def _refuse_what_is_no_page(soup: BeautifulSoup, where: Place) -> None:
    depth = {id(soup): 0}
    for element in soup.find_all(True):
        depth[id(element)] = here = depth[id(element.parent)] + 1
        if len(depth) > _MOST or here > _DEEPEST:
            how = f"more than {_MOST:,} elements" if len(depth) > _MOST else f"elements {here} deep inside each other"
            raise ContentError(f"holds {how}", hint="copy the article's text into a .txt file", where=where)


def new(name: str, **attributes: str) -> Tag:
    """An element that stands nowhere yet."""
    return Tag(name=name, attrs=attributes)


def paragraph(text: str, url: str = "") -> Tag:
    """A paragraph of plain text, linked where there is a `url`."""
    made = inner = new("p")
    if url:
        made.append(inner := new("a", href=url))
    inner.string = text
    return made


def attribute(element: Tag, name: str) -> str:
    """An attribute's value in one string; empty where it is missing."""
    value = element.get(name)
    return " ".join(value) if isinstance(value, list) else value or ""


def classes(element: Tag) -> set[str]:
    """The classes of an element, in lower case."""
    return set(attribute(element, "class").lower().split())


def words(element: Tag) -> str:
    """The text in an element, every run of blanks one space."""
    return collapsed("".join(strings(element))).strip(" ")


def collapsed(text: str) -> str:
    """`text` with every run of what HTML holds for blank as one space: no-break spaces stay."""
    return _LETTERLESS.sub(" ", text)


def strings(element: Tag) -> Iterator[NavigableString]:
    """Every text in an element that is no comment and no declaration."""
    for node in element.descendants:
        if isinstance(node, NavigableString) and not isinstance(node, PreformattedString):
            yield node
