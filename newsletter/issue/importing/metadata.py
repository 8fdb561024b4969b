"""What a web page says about itself in its head: title, author, date, language and where it lives.

Open Graph (ogp.me), schema.org's Article in JSON-LD, HTML's own names, and the comment that browsers write on top of a
saved page; what is said for machines beats what is set for the eye.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator
from typing import Any

from bs4 import BeautifulSoup, Tag
from bs4.element import Comment

from newsletter.issue.importing.hypertext import attribute, words
from newsletter.issue.survey import is_language

_SAVED_FROM = re.compile(r"saved from url=\(\d+\)(\S+)")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_ARTICLES = ("Article", "NewsArticle", "BlogPosting", "Report", "WebPage")
_DEEPEST = 20  # objects of JSON-LD inside each other


def address_of(page: BeautifulSoup) -> str:
    """The URL of the page; empty where it does not say."""
    canonical = page.find("link", rel="canonical")
    said = [attribute(canonical, "href")] if canonical else []
    said += [_meta(page, "og:url")]
    said += [found[1] for text in page.find_all(string=_is_comment) if (found := _SAVED_FROM.search(text))]
    return next((url for url in said if re.match(r"https?://[^\s/]+", url)), "")


def front_of(page: BeautifulSoup) -> dict[str, Any]:
    """The keys of an article's front matter that the page gives."""
    described = list(_described(page))
    front = {
        "title": _title(page, described),
        "author": _author(page, described),
        "date": _date(page, described),
        "source_url": address_of(page),
        "lang": _language(page),
    }
    return {key: value for key, value in front.items() if value}


def line(text: str) -> str:
    """`text` on one line, and without the braces that would make a personal slot of it."""
    return " ".join(text.split()).replace("{{", "{ {")


def _is_comment(text: Any) -> bool:
    return isinstance(text, Comment)


def _meta(page: BeautifulSoup, name: str) -> str:
    found = next((tag for tag in page.find_all("meta") if name in (tag.get("property"), tag.get("name"))), None)
    return line(attribute(found, "content")) if found else ""


def _title(page: BeautifulSoup, described: list[dict[str, Any]]) -> str:
    headings = page.find_all("h1")
    said = [_meta(page, "og:title"), *(_text(item.get("headline")) for item in described)]
    said += [line(words(headings[0]))] if len(headings) == 1 else []
    return next((title for title in said if title), line(words(page.title)) if page.title else "")


def _author(page: BeautifulSoup, described: list[dict[str, Any]]) -> str:
    said = [_meta(page, "author"), *(_names(item.get("author")) for item in described)]
    link = page.find(["a", "span"], rel="author") or page.find(itemprop="author")
    said += [line(words(link))] if link else []
    return next((name for name in said if name and not name.startswith("http")), "")


def _date(page: BeautifulSoup, described: list[dict[str, Any]]) -> datetime.date | None:
    time = page.find("time", datetime=True)
    said = [_meta(page, "article:published_time"), *(_text(item.get("datePublished")) for item in described)]
    said += [_meta(page, "date"), attribute(time, "datetime") if time else ""]
    return next((date for text in said if (date := day(text))), None)


def day(text: str) -> datetime.date | None:
    """The day that a date or time in ISO 8601 begins with."""
    try:
        return datetime.date.fromisoformat(text[:10]) if _DATE.match(text) else None
    except ValueError:
        return None


def _language(page: BeautifulSoup) -> str:
    root = page.find("html")
    said = attribute(root, "lang") if root else ""
    return said if _LANGUAGE.fullmatch(said) and is_language(said) else ""


def _described(page: BeautifulSoup) -> Iterator[dict[str, Any]]:
    """The articles that the page's JSON-LD describes."""
    for script in page.find_all("script", type="application/ld+json"):
        try:
            found = json.loads(script.get_text())
        except (ValueError, RecursionError):
            continue
        yield from _articles(found, _DEEPEST)


def _articles(found: Any, deep: int) -> Iterator[dict[str, Any]]:
    if isinstance(found, list) and deep:
        for item in found:
            yield from _articles(item, deep - 1)
    elif isinstance(found, dict):
        kinds = found.get("@type")
        if any(kind in _ARTICLES for kind in (kinds if isinstance(kinds, list) else [kinds])):
            yield found
        elif deep:
            yield from _articles(found.get("@graph"), deep - 1)


def _names(found: Any) -> str:
    several = found if isinstance(found, list) else [found]
    names = [_text(item.get("name") if isinstance(item, dict) else item) for item in several[:20]]
    return ", ".join(name for name in names if name)


def _text(found: Any) -> str:
    return line(found) if isinstance(found, str) else ""


def is_title(element: Tag, title: str) -> bool:
    """Whether a heading says the title, that is shown from the front matter."""
    return bool(title) and line(words(element)).casefold() == title.casefold()
