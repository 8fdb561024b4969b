"""A saved web page -> a draft: where on the page the article is, and what around it is not part of it.

readability finds the article; it also throws parts of one away (embedded posts, footnotes, lists of links), so that
only its answer to “where” is used, and the article is taken from the page itself. What is left out is named, word for
word.

Compared on a page with navigation, cookie banner, share buttons, a form and a sidebar: trafilatura 2.3 lost words of a
caption, the quotations' marks, blank lines in code, lists' numbers and a button, and with its dates weighs 67 MB;
html-to-markdown 3.21 finds no article.
"""

from __future__ import annotations

import logging
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.errors import ContentError, Place
from newsletter.issue.importing.draft import Draft, Repair
from newsletter.issue.importing.extras import need

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag

_LARGEST = 30_000_000  # bytes of a file, pictures inside it too
_NUMBER = "data-number"
_SILENCE = logging.NullHandler()
_FURNITURE = ("nav", "form", "dialog", "noscript", "button", "select", "textarea", "menu")
_ROLES = ("navigation", "search", "dialog", "alert", "banner", "contentinfo", "complementary", "menu", "toolbar")
_NAMES = re.compile(
    r"""(?:^|[\s_-])(?: share | shar(?:e|ing)-\w+ | sharing | sharedaddy | social | cookies? | consent | gdpr
      | comments? | disqus | related | recirc | recommend(?:ed|ations?) | breadcrumbs? | byline | post-meta | entry-meta
      | newsletter | signup | subscribe | subscription | paywall | sidebar | advert(?:isement)? | ads? | promo
      | popup | modal | sr-only | screen-reader-text | visually-hidden | skip-link | pagination | author-bio
      )(?:$|[\s_-])""",
    re.VERBOSE,
)
_HIDDEN = re.compile(r"(?:display:\s*none|visibility:\s*hidden)")
_MOST = 0.4  # of the article's words: what holds more is not furniture, whatever it is called
_LINKED = 0.75  # of all letters: a page whose words are links is a list of articles


def read(source: Path) -> Draft:
    """The article of the saved page `source`; raises ContentError where there is none.

    Pictures of the folder that the browser saved beside the page come along, others stay links.
    """
    need("html", "a web page")
    from newsletter.issue.importing import addresses, metadata
    from newsletter.issue.importing.article_html import converted

    page = _parsed(source)
    front = metadata.front_of(page)
    article = _article(page)
    left_out = _without_furniture(article, str(front.get("title", "")))
    _refuse_what_is_no_article(article, source)
    where = addresses.Addresses(metadata.address_of(page), addresses.beside(source))
    body, lost = converted(article, where, Place(source))
    if not body:
        raise _no_article(source)
    said = [Repair("left-out", 1, f"not part of the article: {text}") for text in left_out]
    return Draft(front, body, (*said, *lost), where.pictures)


def _parsed(source: Path) -> BeautifulSoup:
    from newsletter.issue.importing.hypertext import parse

    where = Place(source)
    try:
        if source.stat().st_size > _LARGEST:
            raise ContentError(
                f"is larger than {_LARGEST // 1_000_000} MB", hint="save the page without its pictures", where=where
            )
        return parse(source.read_bytes(), where)
    except OSError as error:
        raise ContentError(f"cannot be read: {error.strerror}", where=where) from error


def _article(page: BeautifulSoup) -> Tag:
    """The smallest element that holds all of what readability takes for the article."""
    from bs4 import Tag

    elements = page.find_all(True)
    for number, element in enumerate(elements):
        element[_NUMBER] = str(number)
    chosen = [elements[number] for number in _readable(page) if number < len(elements)]
    if not chosen:
        found = page.find("article") or page.find("main") or page.body
        return found if isinstance(found, Tag) else Tag(name="body")
    holder: Tag = chosen[0]
    inside = {id(element) for element in holder.find_all(True)}
    for element in chosen[1:]:
        while element is not holder and id(element) not in inside and isinstance(holder.parent, Tag):
            holder = holder.parent
            inside = {id(inner) for inner in holder.find_all(True)}
    return holder


def _readable(page: BeautifulSoup) -> list[int]:
    """The numbers of the elements with words of their own that readability keeps."""
    from bs4 import BeautifulSoup
    from lxml.etree import LxmlError
    from readability import Document
    from readability.readability import Unparseable

    logging.getLogger("readability").addHandler(_SILENCE)  # it logs the traceback of what it raises
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        bare = BeautifulSoup(str(page), "lxml")
        for element in bare.find_all(True):
            if element.name in ("script", "style", "svg"):
                element.extract()
            element.attrs = {
                key: value for key, value in element.attrs.items() if key in ("class", "id", "href", _NUMBER)
            }
        try:
            kept = BeautifulSoup(Document(str(bare)).summary(html_partial=True), "lxml")
        except (Unparseable, LxmlError, ValueError, TypeError, AttributeError, RecursionError):
            return []
    found = kept.find_all(["p", "li", "pre", "td", "blockquote", "h2", "h3"], attrs={_NUMBER: re.compile(r"^\d+$")})
    return [int(str(element[_NUMBER])) for element in found if element.get_text(strip=True)]


def _without_furniture(article: Tag, title: str) -> list[str]:
    """Take out of `article` what is not part of it; the words that went, apart from the title."""
    from newsletter.issue.importing.hypertext import attribute, words
    from newsletter.issue.importing.metadata import is_title

    whole = len(words(article))
    left_out: list[str] = []
    for element in article.find_all(True):
        if element.name in ("script", "style", "template") or element.decomposed:
            continue
        named = f"{attribute(element, 'class')} {attribute(element, 'id')}".lower()
        gone = (
            element.name in _FURNITURE
            or attribute(element, "role").lower() in _ROLES
            or element.has_attr("hidden")
            or _HIDDEN.search(attribute(element, "style"))
            or _NAMES.search(named)
            or (element.name == "footer" and element.find_parent(["blockquote", "figure"]) is None)
            or (element.name == "header" and element.find("nav") is not None)
        )
        said = words(element)
        if element.name == "noscript":
            _lazy_picture(element)
        elif is_title(element, title) and element.name in ("h1", "h2"):
            element.decompose()
        elif gone and len(said) <= _MOST * whole and not (element.name == "button" and element.find_parent("a")):
            if said:
                left_out.append(said)
            element.decompose()
    return left_out


def _lazy_picture(fallback: Tag) -> None:
    """<noscript> holds the picture that a script would put into the <img> before it."""
    shown, before = fallback.find("img"), fallback.find_previous_sibling()
    if shown and before and before.name == "img" and str(before.get("src", "data:")).startswith("data:"):
        before.replace_with(shown.extract())
    fallback.decompose()


def _refuse_what_is_no_article(article: Tag, source: Path) -> None:
    from newsletter.issue.importing.hypertext import words

    whole = len(words(article))
    linked = sum(len(words(link)) for link in article.find_all("a"))
    if (not whole and article.find("img") is None) or (whole > 500 and linked > _LINKED * whole):
        raise _no_article(source)


def _no_article(source: Path) -> ContentError:
    return ContentError(
        "holds no article that could be found",
        hint="save the page of one article, not a front page; or copy its text into a .txt file",
        where=Place(source),
    )
