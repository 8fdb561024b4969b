"""What web pages are built of beside text -> the project's directives: pictures with captions, embedded posts, buttons,
attributed quotations, and players, of which a link is left.

A directive is an element named "directive NAME", a name that no parser gives; to_markdown.py writes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from bs4 import Tag
from bs4.element import Comment, PageElement

from newsletter.issue.importing.addresses import Addresses
from newsletter.issue.importing.hypertext import attribute, classes, new, paragraph, words

DIVISIONS = frozenset(
    {"div", "article", "section", "main", "center", "header", "hgroup", "address", "aside", "fieldset", "form"}
    | {"details", "figure"}
)
_POSTS = {"twitter-tweet": "X", "twitter-video": "X", "bluesky-embed": "Bluesky"}
_SIGNATURE = re.compile(r"\s*[—–―-]\s*(?P<author>\S.*?)\s*\((?P<handle>@?[^()\s]+)\)\s*(?P<date>.*)", re.DOTALL)
_DASHES = "—–―- \u00a0"
_LAZY = ("data-src", "data-lazy-src", "data-original", "data-lazy", "data-srcset", "srcset")
_BUTTON = re.compile(r"(?:^|[\s_-])(?:btn|button|button__link)(?:$|[\s_-])")
_LONGEST = 120  # characters of an attribution; what is longer is a paragraph


def rewrite(root: Tag, addresses: Addresses) -> None:
    """Put directives in the place of what is one in `root`, and links in the place of players."""
    for picture in root.find_all("img"):
        picture["src"] = _source(picture)
    _posts(root, addresses)
    _quotes(root, addresses)
    _figures(root, addresses)
    _linked_pictures(root, addresses)
    _buttons(root, addresses)
    _players(root, addresses)
    for summary in root.find_all("summary"):
        summary.name = "strong"
        summary.wrap(new("p"))


def directive(name: str, **arguments: str) -> Tag:
    """A directive without a body."""
    return new(f"directive {name}", **{key: value for key, value in arguments.items() if value})


def only_for(body: Tag, behind: Iterable[PageElement], audience: str) -> None:
    """Put the nodes `behind` into a directive at the end of `body`: for subscribers where `audience` is "members", else
    for those with the tag `paid`."""
    nodes = list(behind)
    if any(isinstance(node, Tag) or (str(node).strip() and not isinstance(node, Comment)) for node in nodes):
        only = new("directive only", **({"": "subscribers"} if audience == "members" else {"tag": "paid"}))
        only.extend(nodes)
        body.append(only)


def directives(root: Tag) -> Iterator[Tag]:
    """The directives in `root`."""
    return (element for element in root.find_all(True) if element.name.startswith("directive "))


def free(element: Tag, root: Tag) -> bool:
    """Whether a directive may stand where `element` does: not in a list, a table, a paragraph, a plain quotation."""
    for parent in element.parents:
        if parent is root:
            return True
        if parent.name not in DIVISIONS and not parent.name.startswith("directive "):
            return False
    return False


def _source(picture: Tag) -> str:
    """Where an <img> has its picture from; scripts load many of them later, and say in another attribute from where."""
    src = attribute(picture, "src")
    if src and not (src.startswith("data:") and len(src) < 500):
        return src
    for name in _LAZY:
        if value := attribute(picture, name):
            return value.split(",")[-1].split()[0] if name.endswith("srcset") and value.strip(", ") else value
    return src


def figure(picture: Tag, addresses: Addresses, caption: Tag | None = None, link: str = "") -> Tag | None:
    """The figure that shows `picture`; None where neither picture nor caption is left."""
    src, alt = addresses.picture(attribute(picture, "src")), attribute(picture, "alt")
    said = words(caption) if caption else ""
    if link and urlsplit(link).path.rpartition("/")[2] == urlsplit(src).path.rpartition("/")[2]:
        link = ""
    if not src and not said:
        return None
    made = directive("figure", src=src, alt="" if alt == said else alt, link=link)
    if caption:
        made.extend(list(caption.contents))
    return made


def _posts(root: Tag, addresses: Addresses) -> None:
    for quote in root.find_all("blockquote"):
        platform = next((_POSTS[name] for name in classes(quote) if name in _POSTS), "")
        if not platform or not free(quote, root):
            continue
        tail = [node for node in quote.contents if not (isinstance(node, Tag) and node.name in ("p", "script"))]
        signed = new("p")
        signed.extend(tail)
        found = _SIGNATURE.fullmatch(words(signed))
        links = signed.find_all("a")
        quote.extend(tail)
        if not found:
            continue
        url = addresses.link(attribute(links[-1], "href").split("?")[0]) if links else ""
        handle = found["handle"] if found["handle"].startswith("@") else f"@{found['handle']}"
        quote.name, quote.attrs = "directive post", {}
        said = {"platform": platform, "author": found["author"], "handle": handle, "url": url}
        quote.attrs.update({key: value for key, value in said.items() if value})
        for node in tail:
            node.extract()
        if found["date"]:
            quote.append(paragraph(found["date"]))  # a day without an hour; `time=` would say midnight


def _quotes(root: Tag, addresses: Addresses) -> None:
    """Quotations with an attribution, or with what only a directive may hold."""
    for quote in root.find_all("blockquote"):
        holder = quote.parent if quote.parent and quote.parent.name == "figure" else None
        if not free(quote, root):
            continue
        signed = _attribution(quote, holder)
        if signed is None and quote.find(["img", "figure", "iframe", "video"]) is None and not any(directives(quote)):
            continue
        quote.name, source = "directive quote", addresses.link(attribute(quote, "cite"))
        quote.attrs = {"source": source} if source else {}
        if signed is not None:
            by, _, role = words(signed).strip(_DASHES).partition(", ")
            quote.attrs.update({key: value for key, value in (("by", by), ("role", role)) if value})
            if (link := signed.find("a")) and (url := addresses.link(attribute(link, "href"))):
                quote["source"] = url
            signed.extract()


def _attribution(quote: Tag, holder: Tag | None) -> Tag | None:
    """The words that say whose quotation it is, behind it or at its end."""
    signed = holder.find("figcaption") if holder else None
    if signed is None:
        last = [node for node in quote.contents if isinstance(node, Tag) or str(node).strip()][-1:]
        signed = last[0] if last and isinstance(last[0], Tag) and last[0].name in ("cite", "footer") else None
    if signed is None or len(words(signed)) > _LONGEST or words(signed) == words(quote) or not words(signed):
        return None
    return None if signed.find(["img", "p"]) else signed


def _figures(root: Tag, addresses: Addresses) -> None:
    for holder in reversed(root.find_all("figure")):
        pictures, caption = holder.find_all("img"), holder.find("figcaption")
        if caption:
            caption.extract()
        if not pictures or words(holder) or not free(holder, root) or any(directives(holder)):
            holder.name = "div"
            if caption:
                caption.name = "p"
                holder.append(caption)
            continue
        link = holder.find("a") or (holder.parent if holder.parent and holder.parent.name == "a" else None)
        href = addresses.link(attribute(link, "href")) if link else ""
        shown = [figure(picture, addresses, link=href) for picture in pictures[:-1]]
        shown.append(figure(pictures[-1], addresses, caption, link=href))
        holder.name, holder.attrs = "div", {}
        holder.clear()
        holder.extend([made for made in shown if made])


def _linked_pictures(root: Tag, addresses: Addresses) -> None:
    """Links that hold one picture and nothing else, alone in their paragraph."""
    for link in root.find_all("a"):
        pictures, holder = link.find_all("img"), link
        while holder.parent and holder.parent is not root and _alone(holder, holder.parent):
            holder = holder.parent
        if len(pictures) != 1 or words(holder) or len(holder.find_all("img")) != 1 or not free(holder, root):
            continue
        made = figure(pictures[0], addresses, link=addresses.link(attribute(link, "href")))
        if made:
            holder.replace_with(made)


def _alone(child: Tag, parent: Tag) -> bool:
    others = (node for node in parent.children if node is not child)
    blank = all(not isinstance(node, Tag) and not str(node).strip() for node in others)
    return blank and parent.name in ("p", "div", "picture", "span")


def _buttons(root: Tag, addresses: Addresses) -> None:
    for link in root.find_all("a"):
        named = _BUTTON.search(attribute(link, "class").lower()) or attribute(link, "role") == "button"
        url = addresses.link(attribute(link, "href")) if named else ""
        holder: Tag = link
        while holder.parent and holder.parent is not root and _alone(holder, holder.parent):
            holder = holder.parent
        alone = holder is not link or (holder.parent is not None and holder.parent.name in DIVISIONS)
        if not url or not alone or not words(link) or link.find("img") or not free(holder, root):
            continue
        made = directive("button", url=url)
        made.string = words(link)
        holder.replace_with(made)


def _players(root: Tag, addresses: Addresses) -> None:
    for player in root.find_all(["iframe", "video", "audio"]):
        inner = player.find("source")
        src = attribute(player, "src") or (attribute(inner, "src") if inner else "")
        url = _watched(addresses.link(src))
        if url:
            player.insert_before(paragraph(attribute(player, "title") or urlsplit(url).netloc, url))
        player.extract()


def _watched(url: str) -> str:
    """The page of a film, for the address of its player."""
    found = re.fullmatch(r"https://(?:www\.)?youtube(?:-nocookie)?\.com/embed/([\w-]+)(?:[?#].*)?", url)
    if found:
        return f"https://www.youtube.com/watch?v={found[1]}"
    found = re.fullmatch(r"https://player\.vimeo\.com/video/(\d+)(?:[?#].*)?", url)
    return f"https://vimeo.com/{found[1]}" if found else url
