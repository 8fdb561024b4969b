"""Markdown from elsewhere: which keys of its front matter an article has too, and the pictures that lie beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from newsletter.errors import Collected
from newsletter.issue.front import ArticleFront, Document, read_document, validated
from newsletter.issue.importing.draft import Draft, Repair
from newsletter.issue.importing.plaintext import words_in
from newsletter.issue.markdown import pictures_in
from newsletter.issue.source import Edit, Source


def read(source: Path) -> Draft:
    """The Markdown in `source`; raises ContentError."""
    text = words_in(source)
    if not text.startswith("---\n"):
        body, pictures = _with_pictures(Source.of(source, text), {})
        return Draft({}, body, pictures=pictures, first_line=1)
    document = read_document(source)
    front = {key: value for key, value in document.values.items() if _is_kept(document, key, value)}
    dropped = tuple(
        Repair("dropped-key", document.place(key).line or 1, f"front matter that is not imported: {key}")
        for key in document.values
        if key not in front
    )
    lead = _beside(source, str(front.get("image", "")))
    if lead:
        front["image"] = f"images/{lead.name}"
    body, pictures = _with_pictures(document.body, {lead.name: lead.read_bytes()} if lead else {})
    return Draft(front, body, dropped, pictures, first_line=document.body.place(0).line)


def _is_kept(document: Document, key: str, value: Any) -> bool:
    """Whether an article may say `key`, with that value; a slug is made anew where it is none."""
    if key == "image":
        return _beside(document.path, str(value)) is not None or str(value).startswith("https://")
    if key not in ArticleFront.model_fields or value is None or (isinstance(value, str) and "{{" in value):
        return False
    problems = Collected()
    alone = {"title": "T", key: value}
    validated(Document(document.path, alone, document.offsets, document.whole, document.body), ArticleFront, problems)
    return key == "slug" or not problems.found


def _with_pictures(body: Source, known: Mapping[str, bytes]) -> tuple[str, dict[str, bytes]]:
    """The body with the pictures that lie beside the file as images/NAME, and these and the `known` ones by name."""
    pictures = dict(known)

    def edits() -> Iterator[Edit]:
        for start, end, image in pictures_in(body):
            path = _beside(body.path, image.src)
            at = body.text.find(f"]({image.src}", start, end) + 2
            if path is None or at < 2 or pictures.get(path.name, path.read_bytes()) != path.read_bytes():
                continue
            pictures[path.name] = path.read_bytes()
            yield Edit(at, at + len(image.src), f"images/{path.name}")

    return body.edited(edits()).text, pictures


def _beside(source: Path, src: str) -> Path | None:
    """The file below the folder of `source` that `src` names."""
    if not src or ":" in src or "\0" in src or src.startswith(("/", "<")):
        return None
    folder = source.parent.resolve()
    path = (folder / unquote(src)).resolve()
    return path if path.is_relative_to(folder) and path.is_file() else None
