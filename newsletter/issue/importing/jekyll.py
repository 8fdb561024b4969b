"""Jekyll's posts (jekyllrb.com/docs/posts): what their front matter, excerpt mark, pictures and Liquid become here.

    YYYY-MM-DD-title.md         the name gives the date, and the slug where the front matter has none
    title, author, tags         as they are; `category` and `categories` become tags too
    excerpt, preview, description   the hook, the first that is there
    image: FILE                 the lead picture; or a mapping of file (path, src, url), alt, caption, source_link
    <!--excerpt-->, <!--more--> the first one between two texts becomes <!-- more -->
    {% … %}, {{ … }}            stay as text and are reported, each with its line: no Liquid runs here

Pictures are looked for beside the post and in the folders above it up to the site's, under images/, assets/,
assets/images/ and assets/img/ too. One that is not there leaves its caption behind, and is reported.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

from newsletter.errors import ContentError, Place
from newsletter.issue.front import Document, read_document
from newsletter.issue.importing.draft import Draft, Repair
from newsletter.issue.importing.escaping import escape
from newsletter.issue.importing.posts import Post, State
from newsletter.issue.markdown import code_spans, outline, pictures_in
from newsletter.issue.slug import slugify
from newsletter.issue.source import Edit, Source, Stretches

NAME = re.compile(r"(?P<date>\d{4}-\d{2}-\d{2})-(?P<title>.+)\.(?:md|markdown)")
_LIQUID = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_EXCERPT = re.compile(r"^<!--[ \t]*(?:excerpt|more)[ \t]*-->[ \t]*$", re.MULTILINE | re.IGNORECASE)
_NO_TEXT = re.compile(r"<!--.*?-->|\s+", re.DOTALL)
_FENCE = re.compile(r"^ {0,3}(?:> {0,4})*(?=:::)", re.MULTILINE)
_FOLDERS = ("", "images", "assets", "assets/images", "assets/img")
_HOOKS = ("excerpt", "preview", "description")
_FILES = ("file", "path", "src", "url")
_TAGS = ("category", "categories", "tags")
_READ = {"title", "slug", "date", "author", "image", *_HOOKS, *_TAGS}
_WITHOUT_MEANING = {"layout", "permalink", "published", "comments", "toc"}


def read(archive: Path, site: str) -> list[Post]:
    """The posts in the folder `archive`, or in its _posts/; raises ContentError where there are none.

    Posts do not say under which address they were published, so that `site` is of no use.
    """
    folder = archive / "_posts" if (archive / "_posts").is_dir() else archive
    found = sorted(path for path in folder.rglob("*") if NAME.fullmatch(path.name)) if folder.is_dir() else []
    if not found:
        raise ContentError(
            "holds no posts of Jekyll’s", hint="they are named YYYY-MM-DD-title.md", where=Place(archive)
        )
    return [_post(path) for path in found]


def read_post(path: Path) -> Draft:
    """The article in the post `path`; raises ContentError."""
    return _Reading(read_document(path)).draft()


def _post(path: Path) -> Post:
    """A post as it is known before its text is wanted."""
    try:
        front, values = _Reading(read_document(path)).front(), read_document(path).values
    except ContentError:  # whoever reads the article is told
        front, values = {"title": path.stem, "slug": slugify(path.stem)}, {}
    return Post(
        slug=front["slug"],
        title=front["title"],
        date=front.get("date"),
        state=State.DRAFT if values.get("published") is False else State.PUBLISHED,
        read=partial(read_post, path),
        preheader=front.get("hook", ""),
        file=path,
    )


@dataclass(slots=True)
class _Reading:
    """One post being read."""

    document: Document
    repairs: list[Repair] = field(default_factory=list)
    pictures: dict[str, bytes] = field(default_factory=dict)

    def draft(self) -> Draft:
        front = self.front()
        lost, lead = self._lead()
        body = self._body()
        repairs = tuple(sorted(self.repairs, key=lambda repair: repair.line))
        first_line = self.document.body.place(0).line
        return Draft(front | lead, lost + body, repairs, self.pictures, first_line=first_line)

    # Front matter

    def front(self) -> dict[str, Any]:
        """The keys of the article's front matter, the lead picture apart."""
        values = self.document.values
        name = NAME.fullmatch(self.document.path.name)
        stem = self.document.path.stem
        front: dict[str, Any] = {
            "title": self._line("title") or (name["title"] if name else stem).replace("-", " "),
            "slug": slugify(self._line("slug") or stem),
            "date": _date(name["date"] if name else str(values.get("date", ""))[:10]),
            "author": self._author(),
            "hook": next(filter(None, map(self._line, _HOOKS)), ""),
            "tags": list(dict.fromkeys(tag for key in _TAGS for tag in _listed(values.get(key), key))),
        }
        for key in values:
            if key not in _READ | _WITHOUT_MEANING:
                self._repair("dropped-key", self._line_of(key), f"front matter that is not imported: {key}")
        return {key: value for key, value in front.items() if value}

    def _author(self) -> str:
        author = self.document.values.get("author")
        if isinstance(author, Mapping):
            return _one_line(author.get("name", ""))
        return ", ".join(map(_one_line, author)) if isinstance(author, list) else _one_line(author)

    def _line(self, key: str) -> str:
        return _one_line(self.document.values.get(key))

    def _lead(self) -> tuple[str, dict[str, Any]]:
        """What the lead picture leaves in the body if it is lost, and its keys in the front matter if it is not."""
        said = self.document.values.get("image")
        image = said if isinstance(said, Mapping) else {"file": said}
        src = next((_one_line(image[key]) for key in _FILES if image.get(key)), "")
        alt, caption = _one_line(image.get("alt")), escape(_one_line(image.get("caption")))
        source = _one_line(image.get("source_link"))
        if not src:
            return "", {}
        shown = self._shown(src, self._line_of("image"))
        words = caption or ("" if shown else escape(alt))
        if source.startswith(("https://", "http://")):
            words = f"[{words or 'Source'}](<{source}>)"
        if shown is None:
            return _lost(alt, words), {}
        return "", {"image": shown, "alt": alt, "caption": words}

    # Body

    def _body(self) -> str:
        source = self.document.body
        edits = sorted(
            (*self._excerpts(source), *self._pictures(source), *self._liquid(source), *self._fences(source)),
            key=lambda edit: (edit.start, -edit.end),
        )
        return source.edited(_apart(edits)).text

    def _excerpts(self, source: Source) -> Iterator[Edit]:
        ended = False
        for found in _EXCERPT.finditer(source.text):
            before, after = source.text[: found.start()], source.text[found.end() :]
            ends = not ended and _NO_TEXT.sub("", before) and _NO_TEXT.sub("", after)
            ended |= bool(ends)
            yield Edit(found.start(), found.end(), "<!-- more -->" if ends else "")

    def _pictures(self, source: Source) -> Iterator[Edit]:
        alone = {
            (start, start + len(source.text[start:end].rstrip()))
            for kind, start, end in outline(source.text)
            if kind == "Paragraph"
        }
        for start, end, image in pictures_in(source):
            shown = self._shown(image.src, image.place.line or 1)
            if shown is None:
                words = escape(image.title or image.alt)
                yield Edit(start, end, _lost(image.alt, words).strip() if (start, end) in alone else words)
            elif shown != image.src:
                title = f' "{image.title.replace(chr(34), "”")}"' if image.title else ""
                yield Edit(start, end, f"![{escape(image.alt)}](<{shown}>{title})")

    def _liquid(self, source: Source) -> Iterator[Edit]:
        code = Stretches(code_spans(source.text))
        for found in _LIQUID.finditer(source.text):
            self._repair("liquid", source.place(found.start()).line or 1, f"kept as text: {' '.join(found[0].split())}")
            if found.start() not in code:
                yield Edit(found.start(), found.end(), escape(found[0]))

    def _fences(self, source: Source) -> Iterator[Edit]:
        blocks = outline(source.text)
        literal = Stretches((start, end) for kind, start, end in blocks if kind in {"CodeBlock", "HtmlBlock"})
        for found in _FENCE.finditer(source.text):
            if found.start() not in literal:
                line = source.place(found.start()).line or 1
                self._repair("escaped", line, "kept from being a directive: :::")
                yield Edit(found.end(), found.end(), "\\")

    # Pictures

    def _shown(self, src: str, line: int) -> str | None:
        """The address under which the picture `src` is shown here; None, and a report, if it is not there."""
        if src.startswith(("https://", "http://")):
            if src.startswith("http://"):
                self._repair("picture-address", line, f"https:// put before {src.removeprefix('http://')}")
            return src.replace("http://", "https://", 1)
        path = self._found(unquote(src).lstrip("/"))
        if path is None:
            self._repair("lost-picture", line, f"not there: {src}")
            return None
        data = path.read_bytes()
        name = path.name if self.pictures.get(path.name, data) == data else f"{path.parent.name}-{path.name}"
        self.pictures[name] = data
        return f"images/{name}"

    def _found(self, name: str) -> Path | None:
        if not name or ".." in PurePosixPath(name).parts or "\0" in name:
            return None
        candidates = (folder / inside / name for folder in self._folders() for inside in _FOLDERS)
        return next((path for path in candidates if path.is_file()), None)

    def _folders(self) -> tuple[Path, ...]:
        """The post's folder and those above it up to the site's, which holds _posts/ or _config.yml."""
        above = self.document.path.resolve().parents
        sites = (
            n for n, folder in enumerate(above) if (folder / "_posts").is_dir() or (folder / "_config.yml").exists()
        )
        return tuple(above[: next(sites, 0) + 1])

    def _line_of(self, key: str) -> int:
        return self.document.place(key).line or 1

    def _repair(self, name: str, line: int, said: str) -> None:
        self.repairs.append(Repair(name, line, said))


def _lost(alt: str, words: str) -> str:
    """The directive that shows a caption alone; nothing without words."""
    if not words:
        return ""
    said = f' alt="{alt.replace(chr(34), "”")}"' if alt else ""
    return f":::figure{said}\n{words}\n:::\n\n"


def _apart(edits: list[Edit]) -> Iterator[Edit]:
    """`edits` without those that begin inside another."""
    end = 0
    for edit in edits:
        if edit.start >= end:
            yield edit
            end = edit.end


def _one_line(value: object) -> str:
    """A value of the front matter on one line; two braces, which would be a personal slot, are parted."""
    text = "" if value is None else str(value)
    return " ".join("".join(c if c >= " " and c != "\x7f" else " " for c in text).split()).replace("{{", "{ {")


def _listed(value: object, key: str) -> list[str]:
    """Jekyll parts `tags: a b` and `categories: a b` at blanks; `category` is one."""
    if isinstance(value, list):
        return [tag for tag in map(_one_line, value) if tag]
    line = _one_line(value)
    return line.split() if key != "category" else [line] if line else []


def _date(said: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(said)
    except ValueError:
        return None
