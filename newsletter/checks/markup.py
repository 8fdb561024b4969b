"""Rules about how it is built: pictures, headings, size."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

from newsletter.checks.case import Case
from newsletter.checks.markup_reader import Tag, tags_of
from newsletter.checks.rule import Fault, Severity, Unable, rule
from newsletter.checks.writing import Shown, headings_of, proses_of, raw_html_of, words_of_article, written_blocks
from newsletter.compile.channels import safe
from newsletter.compile.prose_html import Surroundings, render_nodes
from newsletter.errors import Place
from newsletter.issue.beside import REMOTE
from newsletter.issue.blocks import FILES, Figure
from newsletter.issue.prose import plain

CLIP = 102_400  # bytes of HTML behind which Gmail cuts a message off
CLIP_NEAR = 92_160  # bytes: nine tenths of it
ALT_LIMIT = 125  # characters
HEAVY, TOO_HEAVY = 200_000, 5_000_000  # bytes of a picture
LARGE, TOO_LARGE = 500_000, 10_000_000  # bytes of a message

_FILE_NAME = re.compile(r"[\w .()-]+\.(?:png|jpe?g|gif|webp|svg|bmp|tiff?|avif|heic)", re.IGNORECASE)
_NOWHERE = re.compile(r"\.(?:svg|avif|heic|heif|tiff?|bmp)$", re.IGNORECASE)


@rule("HTML001", Severity.WARNING, "the HTML is near Gmail's limit")
def clipped(case: Case) -> Iterator[Fault | Unable]:
    """Gmail cuts a message off behind 102,400 bytes of HTML, and the unsubscribe link with the rest.

    Warning over nine tenths of it (92,160), error over the whole; decoded, with the values of the reader whose copy is
    the largest. Source: practice.
    """
    size = max((len(html.encode()) for html in case.html), default=0)
    if size > CLIP_NEAR:
        longest = sorted(((len(words_of_article(a)), a.title) for a in case.issue.articles), reverse=True)[:3]
        named = ", ".join(f"“{title}” ({length:,} characters)" for length, title in longest)
        yield Fault(
            f"the HTML of the largest copy has {size:,} bytes; Gmail cuts it off behind {CLIP:,}",
            case.issue.place,
            f"`<!-- more -->` leaves the rest of an article to the web; the longest: {named}" if named else None,
            Severity.ERROR if size > CLIP else None,
        )


@rule("HTML016", Severity.WARNING, "raw HTML that a letter cannot hold")
def raw_html(case: Case) -> Iterator[Fault | Unable]:
    """Elements and attributes that were written as raw HTML and that the sanitiser took out of the letter and the page.

    Found by counting the tags before and after. Text between the tags stays, except that of <script> and <style>.
    Source: the allow-list in compile/channels.py, which follows what mail programs show (caniemail.com).
    """
    for nodes in proses_of(case.issue):
        written = list(raw_html_of(nodes))
        if not written:
            continue
        markup = render_nodes(nodes, Surroundings(link=_without_ids))
        before, after = tags_of(markup), tags_of(safe(markup))
        lost = Counter(tag.name for tag in before) - Counter(tag.name for tag in after)
        lost_attributes = _attributes(before) - _attributes(after)
        for html, start in written:
            place = start
            for tag in tags_of(html):
                place = case.near(place, tag.written)
                if lost[tag.name]:
                    lost[tag.name] -= 1
                    yield Fault(f"<{tag.name}> was taken out", place, _SIGN)
                    continue
                for name, value in tag.attributes:
                    if lost_attributes[tag.name, name, value]:
                        lost_attributes[tag.name, name, value] -= 1
                        yield Fault(f'{name}="{value}" was taken out of <{tag.name}>', place, _ATTRIBUTE)
                place = Place(place.path, place.line, (place.column or 1) + 1)


_SIGN = "say it in Markdown or with a directive; a sign that is meant is written &lt; or set as `code`"
_ATTRIBUTE = "the theme styles what is written; addresses begin with https://, http://, mailto: or tel:"


@rule("IMG014", Severity.WARNING, "a picture is lost")
def lost_picture(case: Case) -> Iterator[Fault | Unable]:
    """A figure whose picture was lost on its way here is shown as its caption alone. Source: practice."""
    for block in written_blocks(case.issue):
        if isinstance(block, Figure) and not block.src:
            caption = plain(block.line) or block.alt
            yield Fault(f"the picture of “{caption}” is lost", block.place, "src=images/… shows one")


@rule("IMG001", Severity.ERROR, "a picture without alt text")
def alt_missing(case: Case) -> Iterator[Fault | Unable]:
    """Who does not see a picture, and every mail program that blocks pictures, shows its alt text instead.

    Every picture of the writer's has one, every <img> of the theme at least an empty one. Source: WCAG 2.2, 1.1.1.
    """
    for picture in case.pictures:
        if not picture.alt.strip():
            yield Fault(f"the picture {picture.src} has no alt text", picture.place, "say what is to be seen on it")
    for src in dict.fromkeys(src for page in case.pages for src in page.unnamed):
        yield Fault(f"an <img> has no alt attribute: {src}", case.find(src), 'alt="" where it only decorates')


@rule("IMG002", Severity.WARNING, "an alt text that does not help")
def alt_bad(case: Case) -> Iterator[Fault | Unable]:
    """A file's name says nothing, more than 125 characters are a caption, and the caption is read out already.

    Source: WCAG 2.2, 1.1.1; the limit of 125 is practice, no standard.
    """
    for picture in case.pictures:
        alt = " ".join(picture.alt.split())
        if alt and (_FILE_NAME.fullmatch(alt) or alt == Path(picture.src).stem):
            yield Fault(f"the alt text “{alt}” is a file’s name", picture.place, "say what is to be seen on it")
        elif len(alt) > ALT_LIMIT:
            yield Fault(
                f"the alt text has {len(alt)} characters; {ALT_LIMIT} are enough",
                picture.place,
                "put the rest into the caption",
            )
        elif alt and alt.casefold() == " ".join(picture.caption.split()).casefold():
            yield Fault("the alt text repeats the caption", picture.place, "say what is to be seen on the picture")


@rule("IMG004", Severity.WARNING, "a heavy picture")
def heavy(case: Case) -> Iterator[Fault | Unable]:
    """Warning over 200 kB, error over 5 MB, as it is published: many readers are on the road.

    Source: practice, no standard.
    """
    for asset, place in case.assets():
        if asset.size > HEAVY and not asset.path.startswith(FILES):
            yield Fault(
                f"{asset.written.name} weighs {asset.size / 1000:,.0f} kB",
                place,
                "show less of it, or save it as JPEG",
                Severity.ERROR if asset.size > TOO_HEAVY else None,
            )
    if remote := len(_remote(case)):
        yield Unable(f"{remote} of the pictures are on the web and were not fetched")


@rule("IMG006", Severity.ERROR, "a picture in a format that mail programs do not show")
def format_unknown(case: Case) -> Iterator[Fault | Unable]:
    """SVG, AVIF, HEIC, TIFF and BMP are not shown by Gmail or Outlook (error), WebP not by Outlook on Windows
    (warning). Told by the address of a picture on the web; those in the issue's folder are converted, or refused.
    Source: caniemail.com.
    """
    for picture in _remote(case):
        path = urlsplit(picture.src).path
        if found := _NOWHERE.search(path):
            yield Fault(f"Gmail and Outlook do not show {found[0][1:].upper()}: {picture.src}", picture.place, _FETCH)
        elif path.lower().endswith(".webp"):
            yield Fault(
                f"Outlook on Windows does not show WebP: {picture.src}", picture.place, _FETCH, Severity.WARNING
            )


@rule("IMG008", Severity.WARNING, "a picture on somebody else's server")
def elsewhere(case: Case) -> Iterator[Fault | Unable]:
    """Whoever runs that server sees who opens the letter and when, can change the picture or take it away, and its size
    is not known, so that the text jumps when it comes. Without encryption (http://) it is an error: mail programs on
    the web do not show it. Source: practice; caniemail.com.
    """
    for picture in _remote(case):
        plain_http = picture.src.startswith("http://")
        said = "is not encrypted" if plain_http else "is fetched by every reader from there"
        yield Fault(f"{picture.src} {said}", picture.place, _FETCH, Severity.ERROR if plain_http else None)


_FETCH = "save it under images/"


@rule("MSG015", Severity.WARNING, "a large message")
def large_message(case: Case) -> Iterator[Fault | Unable]:
    """The message of the reader whose copy is the largest, as it goes over the wire, with the pictures inside it.

    Warning over 500 kB, error over 10 MB, which many servers refuse. Source: practice; RFC 1870.
    """
    if case.weight > LARGE:
        inside = f", of it {len(case.edition.enclosed)} pictures" if case.edition.enclosed else ""
        yield Fault(
            f"the message has {case.weight / 1000:,.0f} kB{inside}",
            case.issue.place,
            'images = "linked" in [theme] leaves pictures on the site' if inside else None,
            Severity.ERROR if case.weight > TOO_LARGE else None,
        )


def _remote(case: Case) -> list[Shown]:
    return [picture for picture in case.pictures if picture.src.startswith(REMOTE)]


@rule("A11Y005", Severity.WARNING, "a heading skips a level")
def heading_order(case: Case) -> Iterator[Fault | Unable]:
    """A heading is at most one level below the one before it; an article's first is `#` or `##`, below its title.

    Source: WCAG 2.2, 1.3.1; axe heading-order.
    """
    for article in case.issue.articles:
        headings = list(headings_of(article))
        levels = (1, *(heading.level for heading in headings))
        for (above, level), heading in zip(pairwise(levels), headings, strict=True):
            if level > above + 1:
                yield Fault(
                    f"a heading of level {level} stands below one of level {above}",
                    heading.place,
                    f"begin it with {'#' * (above + 1)}",
                )


def _attributes(tags: Iterable[Tag]) -> Counter[tuple[str, str, str]]:
    return Counter((tag.name, name, value) for tag in tags for name, value in tag.attributes)


def _without_ids(target: str, _: Place) -> str:
    """A link by id as any other: the sanitiser meets it resolved."""
    return "#" if target.startswith(("article:", "issue:")) else target
