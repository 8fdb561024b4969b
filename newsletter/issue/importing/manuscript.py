"""What the repairs of an import work on: passages that know the line they came from, and how they become Markdown."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from newsletter.errors import Collected
from newsletter.issue.blocks import DIRECTIVES, Body
from newsletter.issue.importing.draft import Draft, Form
from newsletter.issue.importing.escaping import with_backslashes
from newsletter.issue.markdown import outline, parse_nodes
from newsletter.issue.prose import Emphasis, Heading, Inline, Paragraph, SoftBreak, Strong, Text, plain
from newsletter.issue.source import Source

LONG = 100  # characters: a paragraph that a heading or a caption may stand beside

Say = Callable[[int, str], None]  # a line of the source, and what was done there


class Kind(StrEnum):
    """What a passage is."""

    PARAGRAPH = "paragraph"
    HEADING = "heading"
    FENCE = "fence"  # a line with ::: that opens or closes a block
    CODE = "code"
    OTHER = "other"  # lists, tables, quotations, HTML, definitions of links


_KINDS = {
    "Paragraph": Kind.PARAGRAPH,
    "Heading": Kind.HEADING,
    "Fence": Kind.FENCE,
    "CodeBlock": Kind.CODE,
}


@dataclass(frozen=True, slots=True)
class Passage:
    """A paragraph, heading, fence or so of a source, and the `line` that it begins at.

    `before` is the white space that parts it from what stands above. In plain text, `prefix` and `suffix` are marks of
    Markdown that stand around it, and `kept` the offsets of characters that are to be read as themselves.
    """

    line: int
    text: str
    kind: Kind = Kind.PARAGRAPH
    before: str = "\n\n"
    prefix: str = ""
    suffix: str = ""
    kept: frozenset[int] = frozenset()

    @property
    def markdown(self) -> str:
        return f"{self.prefix}{with_backslashes(self.text, self.kept)}{self.suffix}"

    @property
    def is_line(self) -> bool:
        """Whether it is running text of one line."""
        return self.kind is Kind.PARAGRAPH and "\n" not in self.text


@dataclass(frozen=True, slots=True)
class Manuscript:
    """An article while it is repaired: its front matter, and its body as passages."""

    front: Mapping[str, Any]
    passages: tuple[Passage, ...]
    form: Form
    lang: str = "en"

    @classmethod
    def of(cls, draft: Draft, given: Mapping[str, Any], lang: str) -> Manuscript:
        """The draft with what is `given` beside it; `lang` where neither says in which language it is."""
        front = {**draft.front, **given}
        read = _text_passages if draft.form is Form.TEXT else _markdown_passages
        found = read(draft.body, draft.first_line or 1)
        return cls(front, tuple(found), draft.form, str(front.get("lang") or lang))

    def with_passages(self, passages: Iterable[Passage]) -> Manuscript:
        return replace(self, passages=tuple(passages))

    def with_front(self, key: str, value: Any) -> Manuscript:
        return replace(self, front={**self.front, key: value})

    @property
    def body(self) -> str:
        return "".join(passage.before + passage.markdown for passage in self.passages).strip("\n")

    def words(self, passage: Passage) -> str:
        """What a reader reads of a paragraph or heading, without marks; nothing of any other passage."""
        return self._read(passage, _any_words)

    def bare_words(self, passage: Passage) -> str:
        """The same where nothing but words is in it; empty where there is a link, code, a picture or a slot."""
        words = self._read(passage, _bare_words)
        legal = "{{" not in words and all(unicodedata.category(character) != "Cc" for character in words)
        return words if legal else ""

    def _read(self, passage: Passage, said: Callable[[tuple[Inline, ...]], str]) -> str:
        if passage.kind not in {Kind.PARAGRAPH, Kind.HEADING}:
            return ""
        if self.form is Form.TEXT:
            return " ".join(passage.text.split("\n"))
        match parse_nodes(Source.of(Path(), passage.text), Collected()):
            case (Paragraph(children) | Heading(_, children),):
                return said(children)
            case _:
                return ""


def _any_words(children: tuple[Inline, ...]) -> str:
    return plain(children)


def _bare_words(children: tuple[Inline, ...]) -> str:
    return plain(children) if all(_is_bare(child) for child in children) else ""


def _is_bare(child: Inline) -> bool:
    match child:
        case Text() | SoftBreak():
            return True
        case Emphasis(children) | Strong(children):
            return all(_is_bare(inner) for inner in children)
        case _:
            return False


def words_of(text: str) -> list[str]:
    """The words of `text`: letters and digits."""
    return re.findall(r"[^\W_]+", text)


def fence(line: int, name: str, /, **arguments: str) -> Passage:
    """The line that opens a block. A straight double quote cannot stand in an argument: it becomes typographic."""
    said = "".join(f' {key}="{_typographic(value)}"' for key, value in arguments.items() if value)
    return Passage(line, f":::{name}{said}", Kind.FENCE)


def one_line_block(opening: Passage, *body: Passage) -> tuple[Passage, ...]:
    """A block that holds one paragraph, or none."""
    close = Passage(opening.line, ":::", Kind.FENCE, before="\n")
    return (opening, *(replace(passage, before="\n") for passage in body), close)


def block(opening: Passage, body: Iterable[Passage]) -> tuple[Passage, ...]:
    """A block that holds any passages."""
    first, *rest = body
    close = Passage((rest or [first])[-1].line, ":::", Kind.FENCE, before="\n")
    return (opening, replace(first, before="\n"), *rest, close)


def _typographic(value: str) -> str:
    parts = value.split('"')
    return parts[0] + "".join(f"{'”' if n % 2 else '“'}{part}" for n, part in enumerate(parts[1:]))


def _text_passages(text: str, first_line: int) -> Iterator[Passage]:
    """The paragraphs of a plain text: what stands between blank lines."""
    lines: list[str] = []
    for number, line in enumerate([*text.split("\n"), ""], first_line):
        if line.strip():
            lines.append(line.strip(" \t"))
        elif lines:
            yield Passage(number - len(lines), "\n".join(lines))
            lines = []


def _markdown_passages(text: str, first_line: int) -> Iterator[Passage]:
    """The passages of a Markdown text: together they are the same text, but for blanks at its end. What stands in a
    block already was put there by somebody, and is no paragraph to be repaired."""
    done = depth = 0

    def passage(start: int, said: str, kind: Kind) -> Passage:
        return Passage(first_line + text.count("\n", 0, start), said, kind, text[done:start])

    for name, start, end in [*outline(text), ("", len(text), len(text))]:
        gap = text[done:start]
        if between := gap.strip():  # definitions of links, rules
            at = start - len(gap.lstrip())
            yield passage(at, between, Kind.OTHER)
            done = at + len(between)
        if said := text[start:end].rstrip():
            kind = _KINDS.get(name, Kind.OTHER)
            yield passage(start, said, Kind.OTHER if depth and kind is not Kind.CODE else kind)
            done = start + len(said)
            depth = max(0, depth + _opens(said)) if kind is Kind.FENCE else depth


def _opens(said: str) -> int:
    """1 if the fence opens a block, -1 if it closes one, 0 if it is a block by itself."""
    name, *_ = said.lstrip(": \t").split(maxsplit=1) or [""]
    known = DIRECTIVES.get(name)
    return 0 if known and known.body is Body.NONE else 1 if name else -1
