"""The widgets of Substack's editor in its HTML -> directives, and text where there is none for them (table:
substack.py)."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any
from urllib.parse import unquote, urlsplit

from bs4 import Tag

from newsletter.issue.importing.cards import directive, only_for
from newsletter.issue.importing.hypertext import attribute, new, paragraph, words

_RESIZER = ("https://substackcdn.com/image/fetch/", "https://cdn.substack.com/image/fetch/")
_OWN_BUSINESS = re.compile(r"action=share|gift=true|/comments(?:$|[?#])|/subscribe\?.*gift|utm_campaign=share")
_SUBSCRIBE = re.compile(r"/subscribe(?:$|[/?#])|%%checkout_url%%")
_FIELDS = re.compile(r"%%[a-z_]+%%")


def rewrite(body: Tag, audience: str, site: str, slugs: Collection[str], sound: str) -> None:
    """Put directives in the place of widgets in `body`, the text of a post that was for `audience`.

    Links to posts of `site` that are among `slugs` become article:slug; `sound` is the address of a podcast's episode.
    """
    for picture in body.find_all("img"):
        _picture(picture)
    for gallery in body.find_all(class_="image-gallery-embed"):
        _gallery(gallery)
    for widget in body.find_all(class_=["subscription-widget-wrap", "subscription-widget-wrap-editor"]):
        if widget.parent is not None:
            _subscription(widget)
    for button in body.find_all(class_="button-wrapper"):
        _button(button)
    for quote in body.find_all(class_="pullquote"):
        quote.name, quote.attrs = "directive quote", {}
    for tweet in body.find_all(class_="tweet"):
        _tweet(tweet)
    for embedded in body.find_all(class_=["embedded-post-wrap", "digest-post-embed"]):
        _embedded(embedded)
    for player in body.find_all(class_=["youtube-wrap", "vimeo-wrap", "spotify-wrap"]):
        _player(player)
    _links(body, site, slugs)
    _paywall(body, audience)
    if sound:
        body.insert(0, paragraph(urlsplit(sound).path.rpartition("/")[2] or sound, sound))


def _attributes(element: Tag) -> dict[str, Any]:
    """What a widget says of itself in data-attrs."""
    try:
        found = json.loads(attribute(element, "data-attrs") or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _said(found: Any) -> str:
    return " ".join(found.split()) if isinstance(found, str) else ""


def original(url: str) -> str:
    """The picture itself, for the address of Substack's resizer."""
    at = max(url.rfind(f"/{scheme}") for scheme in ("https%3A%2F%2F", "http%3A%2F%2F", "https://", "http://"))
    return unquote(url[at + 1 :]) if url.startswith(_RESIZER) and at > 0 else url


def _picture(picture: Tag) -> None:
    link = picture.find_parent("a", class_="image-link")
    picture["src"] = original(attribute(picture, "src"))
    del picture["srcset"]
    if link:
        link["href"] = original(attribute(link, "href"))
    for source in picture.find_previous_siblings("source"):
        source.extract()


def _gallery(gallery: Tag) -> None:
    inner = _attributes(gallery).get("gallery")
    found = inner if isinstance(inner, dict) else {}
    shown = found.get("images")
    pictures = [image for image in shown if isinstance(image, dict)] if isinstance(shown, list) else []
    if not pictures:
        return
    holder = new("figure")
    for image in pictures[:50]:
        holder.append(new("img", src=original(_said(image.get("src"))), alt=_said(found.get("alt"))))
    if caption := _said(found.get("caption")):
        said = new("figcaption")
        said.string = caption
        holder.append(said)
    gallery.replace_with(holder)


def _subscription(widget: Tag) -> None:
    described = (_attributes(element) for element in (widget, *widget.find_all(True)))
    button = next((text for found in described if (text := _said(found.get("text")))), "")
    submit = widget.find("input", type="submit")
    preamble = widget.find(class_=["preamble", "cta-caption"])
    _invite(widget, button or (attribute(submit, "value") if submit else ""), words(preamble) if preamble else "")


def _invite(element: Tag, button: str, text: str) -> None:
    cta = directive("cta", button=button)
    cta.string = _FIELDS.sub("", text).strip()
    element.replace_with(cta)


def _button(holder: Tag) -> None:
    link = holder if holder.name == "a" else holder.find("a")
    href = attribute(link, "href") if link else ""
    if link is None or holder.parent is None:
        return
    if _OWN_BUSINESS.search(href):
        holder.extract()
    elif _SUBSCRIBE.search(href):
        _invite(holder, words(link), "")
    else:
        link["class"] = "button"


def _tweet(tweet: Tag) -> None:
    found = _attributes(tweet)
    text = _said(found.get("full_text"))
    author, handle = _said(found.get("name")), _said(found.get("username"))
    if not author:
        inner = {name: tweet.find(class_=f"tweet-{name}") for name in ("author-name", "author-handle", "text")}
        author, handle, text = (words(tag) if tag else "" for tag in inner.values())
    url = _said(found.get("url")) or next((attribute(link, "href") for link in tweet.find_all("a")), "")
    if not author or not text or not url.startswith("https://"):
        return
    handle = handle if handle.startswith("@") or not handle else f"@{handle}"
    time = _said(found.get("date"))
    day = {"time": time[:19]} if re.match(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}", time) else {}
    post = directive("post", platform="X", author=author, handle=handle, url=url.partition("?")[0], **day)
    post.append(paragraph(text))
    tweet.replace_with(post)


def _embedded(embedded: Tag) -> None:
    found = _attributes(embedded)
    title, url = _said(found.get("title")), _said(found.get("url")) or _said(found.get("canonical_url"))
    if not title:
        return
    quote = new("blockquote")
    quote.append(paragraph(title, url))
    for key in ("truncated_body_text", "caption", "publication_name"):
        if said := _said(found.get(key)):
            quote.append(paragraph(said))
    embedded.replace_with(quote)


def _player(player: Tag) -> None:
    found = _attributes(player)
    video, url = _said(found.get("videoId")), _said(found.get("url"))
    if re.fullmatch(r"[\w-]+", video) and player.find("iframe") is None:
        vimeo = "vimeo" in attribute(player, "class")
        url = f"https://vimeo.com/{video}" if vimeo else f"https://www.youtube.com/watch?v={video}"
    if url and player.find("iframe") is None:
        player.replace_with(paragraph(_said(found.get("title")) or url, url))


def _links(body: Tag, site: str, slugs: Collection[str]) -> None:
    for link in body.find_all("a", href=True):
        here = attribute(link, "href").removeprefix(site) if site else ""
        found = re.fullmatch(r"/p/([\w-]+)/?", here)
        if found and found[1] in slugs:
            link["href"] = f"article:{found[1]}"


def _paywall(body: Tag, audience: str) -> None:
    """What stands behind the paywall is for those who pay; all of it, where a post for some has none."""
    mark = body.find(class_="paywall-jump")
    behind = list(body.contents) if mark is None and audience != "public" else []
    if mark is not None:
        top = next(node for node in (mark, *mark.parents) if node.parent is body)
        behind = list(top.next_siblings)
        mark.extract()
    only_for(body, behind, audience)
