"""A Word document (.docx) -> a draft: which of Word's styles means what; the rest is the path of every HTML.

mammoth reads the document by its styles, not by its looks. A title is what has the style Title, or the first heading of
level one; beside a Title, Word's headings begin at level two. The document's own properties give title and author where
it says them nowhere else; its dates are those of the file and not of the text, and are not used.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree
from xml.parsers.expat import ExpatError

from newsletter.errors import ContentError, Place
from newsletter.issue.importing.archives import Archive, unpacked
from newsletter.issue.importing.draft import Draft, Repair
from newsletter.issue.importing.extras import need

if TYPE_CHECKING:
    from bs4 import Tag

_LARGEST = 100_000_000  # bytes
_STYLES = """
p[style-name='Title'] => h1.title:fresh
p[style-name='Subtitle'] => p:fresh
p[style-name='Quote'] => blockquote > p:fresh
p[style-name='Intense Quote'] => blockquote > p:fresh
p[style-name='Block Text'] => blockquote > p:fresh
p[style-name='caption'] => p.caption:fresh
p[style-name='Caption'] => p.caption:fresh
p[style-name='HTML Preformatted'] => pre:separator('\\n')
p[style-name='Code'] => pre:separator('\\n')
p[style-name='Source Code'] => pre:separator('\\n')
r[style-name='HTML Code'] => code
r[style-name='Code'] => code
r[style-name='Verbatim Char'] => code
"""
_DAMAGED = (  # what a damaged part makes mammoth's parsers raise; mammoth lets all of it through
    *(LookupError, ValueError, AttributeError, TypeError, OSError, RecursionError, NotImplementedError),
    *(ExpatError, zipfile.BadZipFile, zlib.error),
)
_DUBLIN = "{http://purl.org/dc/elements/1.1/}"
_DECLARATION = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_UNUSED = re.compile(r"(?:Microsoft Word - |Untitled|Document\d*$)", re.IGNORECASE)


def read(source: Path) -> Draft:
    """The article in the Word document `source`; raises ContentError."""
    need("docx", "a Word document")
    from newsletter.issue.importing.addresses import Addresses
    from newsletter.issue.importing.article_html import converted
    from newsletter.issue.importing.hypertext import parse

    with unpacked(source) as archive:
        _refuse_what_is_no_document(archive, source)
        properties = _properties(archive)
    html, pictures, said = _html(source)
    page = parse(f"<body>{html}</body>", Place(source))
    if page.body is None or not (page.body.get_text(strip=True) or page.body.find("img")):
        raise ContentError("holds no text", where=Place(source))
    titled = _headings(page.body)
    _captions(page.body)
    addresses = Addresses(find=pictures.get)
    body, lost = converted(page.body, addresses, Place(source))
    front = {key: value for key, value in properties.items() if key != "title" or not titled}
    return Draft(front, body, (*(Repair("word", 1, message) for message in said), *lost), addresses.pictures)


def _refuse_what_is_no_document(archive: Archive, source: Path) -> None:
    where = Place(source)
    if source.stat().st_size > _LARGEST:
        raise ContentError(f"is larger than {_LARGEST // 1_000_000} MB", where=where)
    if "[Content_Types].xml" not in archive.names:
        hint = "save it from your word processor as .docx, not as .doc or .odt under that name"
        raise ContentError("is no Word document", hint=hint, where=where)
    for name in archive.names:
        if name.endswith((".xml", ".rels")) and _DECLARATION.search(archive.read(name).replace(b"\0", b"")):
            raise ContentError(f"{name} in it declares what no Word document does", hint="save it again", where=where)


def _properties(archive: Archive) -> dict[str, str]:
    try:
        root = ElementTree.fromstring(archive.read("docProps/core.xml"))
    except (KeyError, ElementTree.ParseError, LookupError, ValueError):
        return {}
    from newsletter.issue.importing.metadata import line

    found = {"title": root.findtext(f"{_DUBLIN}title"), "author": root.findtext(f"{_DUBLIN}creator")}
    kept = {key: line(value) for key, value in found.items() if value and value.isprintable()}
    return {key: value for key, value in kept.items() if value and not _UNUSED.match(value)}


def _html(source: Path) -> tuple[str, dict[str, bytes], list[str]]:
    """mammoth's HTML, the pictures by the addresses that stand in it, and what mammoth could not do."""
    import mammoth

    pictures: dict[str, bytes] = {}

    def keep(image: Any) -> dict[str, str]:
        with image.open() as file:
            pictures[f"picture-{len(pictures) + 1}"] = file.read()
        return {"src": f"picture-{len(pictures)}"}

    try:
        found = mammoth.convert_to_html(
            io.BytesIO(source.read_bytes()), style_map=_STYLES, convert_image=mammoth.images.img_element(keep)
        )
    except _DAMAGED as error:
        hint = "open it in a word processor and save it again"
        raise ContentError(
            "is damaged, or built in a way that cannot be read", hint=hint, where=Place(source)
        ) from error
    said = sorted({message.message for message in found.messages if "style" not in message.message.lower()})
    return found.value, pictures, said


def _headings(body: Tag) -> bool:
    """Move the headings below the title, if one has that style; say whether the document has a title of its own."""
    title = body.find("h1", class_="title")
    if title is None:
        return body.find("h1") is not None
    for heading in body.find_all(["h1", "h2", "h3", "h4", "h5"]):
        if heading is not title:
            heading.name = f"h{int(heading.name[1]) + 1}"
    return True


def _captions(body: Tag) -> None:
    """A picture and the caption below it are a figure."""
    from newsletter.issue.importing.hypertext import words

    for caption in body.find_all("p", class_="caption"):
        before = caption.find_previous_sibling()
        if before is None or before.name != "p" or words(before) or len(before.find_all("img")) != 1:
            continue
        before.name = "figure"
        caption.name = "figcaption"
        before.append(caption.extract())
        before.smooth()
