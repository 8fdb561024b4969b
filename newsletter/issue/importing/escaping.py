"""Characters that Markdown would take for marks of its own (CommonMark 0.31.2; tables, footnotes and strikethrough as
in GFM): only what would be read otherwise gets a backslash.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator
from enum import Enum

_INLINE = re.compile(r"[\\`*_~\[]|\{(?=\{)|<(?=[A-Za-z/!?])|&(?=#?\w+;)")
_LINE_START = re.compile(
    r"""[-+*](?=[ \t]|$)            # a list
      | \#{1,6}(?=[ \t]|$)          # a heading
      | >                           # a quotation
      | :::                         # a directive
      | =+$ | _(?=[_ \t]*_[_ \t]*$) # a line under a heading, a rule
      | [|:-](?=[|: \t-]*$)         # a line under a table's head, a rule
    """,
    re.VERBOSE,
)
_ORDERED = re.compile(r"\d{1,9}(?=[.)](?:[ \t]|$))")
_HASH_NUMBER = re.compile(r"#{1,6}[ \t]+\d")


class Family(Enum):
    """Marks that are switched off together; the value says what they are kept from."""

    DASH = "a list or a rule"
    BRACKET = "a link"
    HASH = "a heading"
    BRACES = "a personal slot"
    OTHER = "Markdown"


def marks(text: str, *, heading: bool = False, inside_marks: bool = False) -> Iterator[tuple[int, Family]]:
    """The offsets of the characters of a plain paragraph that need a backslash, in no order.

    Its lines neither begin nor end with blanks. `heading`: it is to be one; `inside_marks`: marks will stand around it.
    """
    yield from _inline_marks(text, inside_marks=inside_marks)
    at = 0
    for line in text.split("\n"):
        yield from ((at + offset, family) for offset, family in _start_marks(line))
        at += len(line) + 1
    if heading:
        yield from ((at, Family.OTHER) for at in _closing_mark(text))


def _start_marks(line: str) -> Iterator[tuple[int, Family]]:
    if found := _LINE_START.match(line):
        yield 0, _line_family(line, found)
    elif found := _ORDERED.match(line):
        yield found.end(), Family.OTHER


def _line_family(line: str, found: re.Match[str]) -> Family:
    match found[0][0]:
        case "-":
            return Family.DASH
        case "#":
            return Family.HASH if _HASH_NUMBER.match(line) else Family.OTHER
        case _:
            return Family.OTHER


def _inline_marks(text: str, *, inside_marks: bool) -> Iterator[tuple[int, Family]]:
    count = Counter(text)
    alone = 0 if inside_marks else 1
    references = any(mark in text for mark in ("](", "][", "]:"))
    for found in _INLINE.finditer(text):
        at = found.start()
        before, after = text[max(at - 1, 0) : at], text[at + 1 : at + 2]
        match found[0]:
            case "\\" if after and (after in string.punctuation or after == "\n"):
                yield at, Family.OTHER
            case "[" if references or before in ("", "\n") or after == "^":
                yield at, Family.BRACKET
            case "`" if count["`"] > 1:
                yield at, Family.OTHER
            case "*" | "_" | "~" if count[found[0]] > alone and _emphasises(found[0], before, after):
                yield at, Family.OTHER
            case "{":
                yield at, Family.BRACES
            case "<" | "&":
                yield at, Family.OTHER
            case _:
                pass


def _closing_mark(heading: str) -> list[int]:
    """A heading's last `#` would close it, and braces at its end would be attributes."""
    if heading.endswith("}"):
        at = heading.rfind("{")
        return [at] if at >= 0 and heading[at - 1 : at] not in ("\\", "{") else []
    found = re.search(r"(?<=[ \t])#+$", heading)
    return [found.end() - 1] if found else []


def escape(paragraph: str) -> str:
    """A plain `paragraph` such that Markdown reads it as the same characters; `{{` is no personal slot in it."""
    return with_backslashes(paragraph, {offset for offset, _ in marks(paragraph)})


def escaped_start(line: str) -> str:
    """`line`, already Markdown, such that no block begins with it."""
    return with_backslashes(line, {offset for offset, _ in _start_marks(line)})


def escaped_end(heading: str) -> str:
    """`heading`, already Markdown, such that nothing at its end is taken for a mark of the heading."""
    return with_backslashes(heading, _closing_mark(heading))


def with_backslashes(text: str, offsets: Collection[int]) -> str:
    """`text` with a backslash before the characters at `offsets`."""
    return "".join(f"\\{character}" if n in offsets else character for n, character in enumerate(text))


def _emphasises(mark: str, before: str, after: str) -> bool:
    if mark == "_" and before.isalnum() and after.isalnum():
        return False
    return not (_blank(before) and _blank(after))


def _blank(character: str) -> bool:
    return character in ("", "\t", "\n", "\f") or unicodedata.category(character) == "Zs"
