"""Pictures that an imported article shows from elsewhere on the web, brought into the issue's folder if asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from newsletter.errors import ContentError
from newsletter.fetch import fetch
from newsletter.issue.beside import REMOTE
from newsletter.issue.importing.addresses import LARGEST_PICTURE, suffix_of
from newsletter.issue.importing.article import Imported
from newsletter.issue.importing.draft import Repair
from newsletter.issue.markdown import pictures_in
from newsletter.issue.slug import slugify
from newsletter.issue.source import Edit, Source

Get = Callable[[str], bytes]

_FRONT = re.compile(r"---\n.*?^---\n", re.DOTALL | re.MULTILINE)
_LEAD = re.compile(r"^image: *['\"]?(?P<url>https?://[^\s'\"]+)", re.MULTILINE)
_FENCE = re.compile(r"^ {0,3}:::+ *\w.*", re.MULTILINE)
_ARGUMENT = re.compile(r"\s(?:src|dark|image)=\"?(?P<url>https?://[^\s\"]+)")


def from_the_web(url: str) -> bytes:
    """The picture at `url`; raises ContentError."""
    return fetch(url, limit=LARGEST_PICTURE, kinds=("image/", "application/octet-stream")).data


def with_pictures(article: Imported, get: Get = from_the_web) -> tuple[Imported, tuple[Repair, ...]]:
    """`article` with the pictures that it shows from the web among its own, and what was done, by the article's lines.

    What cannot be had stays where it is, and is reported.
    """
    source = Source.of(Path(), article.markdown)
    spans = sorted(set(_addresses(source)))
    names: dict[str, str] = {}
    pictures = dict(article.pictures)
    said: list[Repair] = []
    for start, end in spans:
        url, line = source.text[start:end], source.place(start).line or 1
        if url not in names:
            names[url], report = _brought(url, pictures, get)
            said.append(Repair("fetched" if names[url] != url else "not-fetched", line, report))
    edited = source.edited(Edit(start, end, names[source.text[start:end]]) for start, end in spans)
    return replace(article, markdown=edited.text, pictures=pictures), tuple(said)


def _brought(url: str, pictures: dict[str, bytes], get: Get) -> tuple[str, str]:
    """How the article names the picture at `url` from now on, put among `pictures`, and what became of it."""
    try:
        data = get(url)
    except ContentError as error:
        return url, error.problems[0].message
    suffix = suffix_of(data)
    if not suffix:
        return url, f"{url} is not a picture that is known here"
    name = _free(PurePosixPath(unquote(urlsplit(url).path)).stem, suffix, data, pictures)
    pictures[name] = data
    return f"images/{name}", f"{url} is images/{name} now"


def _free(stem: str, suffix: str, data: bytes, pictures: Mapping[str, bytes]) -> str:
    """A name for `data` that no other picture has."""
    plain = slugify(stem or "picture")
    name, number = f"{plain}{suffix}", 1
    while pictures.get(name, data) != data:
        number += 1
        name = f"{plain}-{number}{suffix}"
    return name


def _addresses(source: Source) -> Iterator[tuple[int, int]]:
    """Where in the article stand the addresses of pictures on the web: in its front matter, in Markdown, in fences."""
    front = _FRONT.match(source.text)
    behind = front.end() if front else 0
    lead = _LEAD.search(source.text, 0, behind)
    if lead:
        yield lead.span("url")
    for start, end, image in pictures_in(source.behind(behind)):
        found = re.compile(rf"\]\(<?({re.escape(image.src)})").search(source.text, behind + start, behind + end)
        if found and image.src.startswith(REMOTE):
            yield found.span(1)
    for fence in _FENCE.finditer(source.text, behind):
        yield from (argument.span("url") for argument in _ARGUMENT.finditer(source.text, *fence.span()))
