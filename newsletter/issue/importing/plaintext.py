"""Plain text -> Markdown that says the same: paragraphs, headings that nobody marked, and a backslash before whatever
Markdown would take for a mark of its own (CommonMark 0.31.2; tables, footnotes and strikethrough as in GFM).
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from newsletter.errors import ContentError, Place
from newsletter.issue.front import read_text
from newsletter.issue.importing.draft import Draft, Form, Repair

SHORT = 80  # characters: what may be a heading
LONG = 100  # characters: what a heading stands between
_TITLE = 120  # characters: what may be a title
_WRAPPED = range(50, 101)  # characters: the longest line of a paragraph that somebody wrapped by hand
_NOT_IN_HEADING = tuple(".,;:!?…”\"’')]»")
_NOT_IN_TITLE = tuple(".,;:…")
_SENTENCE_ENDS = tuple(".!?:…”\"'’)")


@dataclass(frozen=True, slots=True)
class Passage:
    """A paragraph or a heading of the source; `number` is the line that it begins at, `alone` that it has blank lines
    around it."""

    number: int
    lines: tuple[str, ...]
    alone: bool = True
    heading: bool = False

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def read(source: Path) -> Draft:
    """The text in `source`; raises ContentError."""
    text = read_text(source)
    if "\0" in text:
        raise ContentError("is not text", hint="save the file as UTF-8 text", where=Place(source))
    if not text.strip():
        raise ContentError("holds no text", where=Place(source))
    return Draft({}, text, form=Form.TEXT, first_line=1)


def passages(text: str) -> tuple[list[Passage], list[Repair]]:
    """The passages of `text`, and where single newlines were taken for the ends of paragraphs."""
    found: list[Passage] = []
    repairs: list[Repair] = []
    for number, lines in _between_blank_lines(text):
        if len(lines) == 1 or _wrapped(lines):
            found.append(Passage(number, tuple(lines)))
            continue
        found += [Passage(number + n, (line,), alone=False) for n, line in enumerate(lines)]
        repairs.append(Repair("single-newlines", number, f"{len(lines)} lines became a paragraph each"))
    return found, repairs


def title_of(found: list[Passage]) -> str | None:
    """The first line, if it is a title: short, without a full stop, with a blank line behind it."""
    if len(found) < 2 or not found[0].alone or len(found[0].lines) > 1:
        return None
    line = found[0].text
    legal = "{{" not in line and not any(unicodedata.category(character) == "Cc" for character in line)
    return line if legal and len(line) <= _TITLE and not line.endswith(_NOT_IN_TITLE) else None


def with_headings(found: list[Passage]) -> tuple[list[Passage], list[Repair]]:
    """`found` with its unmarked headings marked: short lines without final punctuation between long paragraphs.

    A line that stands in the text twice is a caption or the rest of a button, not a heading.
    """
    count = Counter(passage.text for passage in found)
    marked = list(found)
    for n in range(1, len(found) - 1):
        before, here, after = found[n - 1 : n + 2]
        if _like_heading(here.text) and count[here.text] == 1 and min(len(before.text), len(after.text)) >= LONG:
            marked[n] = replace(here, heading=True)
    headings = [passage for passage in marked if passage.heading]
    return marked, [Repair("unmarked-heading", passage.number, f"a heading: {passage.text}") for passage in headings]


def to_markdown(found: list[Passage]) -> tuple[str, list[Repair]]:
    """The Markdown of `found`, and the lines in which something had to be escaped."""
    parts: list[str] = []
    repairs: list[Repair] = []
    for passage in found:
        escaped = escape(passage.text)
        for n, (line, old) in enumerate(zip(escaped.split("\n"), passage.lines, strict=True)):
            if line != old:
                repairs.append(Repair("escaped", passage.number + n, f"kept from being Markdown: {_start(line)}"))
        parts.append(f"## {escaped_end(escaped)}" if passage.heading else escaped)
    return "\n\n".join(parts), repairs


def escape(paragraph: str) -> str:
    """`paragraph` such that Markdown reads it as the same characters; only what would be read otherwise is changed.

    Lines of `paragraph` neither begin nor end with blanks. `{{` is escaped too, so that it is no personal slot.
    """
    count = Counter(paragraph)
    references = any(mark in paragraph for mark in ("](", "][", "]:"))

    def mark(found: re.Match[str]) -> str:
        before, after = paragraph[found.start() - 1 : found.start()], paragraph[found.end() : found.end() + 1]
        match found[0]:
            case "\\":
                reads = after != "" and (after in string.punctuation or after == "\n")
            case "[":
                reads = references or before in ("", "\n") or after == "^"
            case "`":
                reads = count["`"] > 1
            case "*" | "_" | "~":
                reads = count[found[0]] > 1 and _emphasises(found[0], before, after)
            case _:
                reads = True
        return f"\\{found[0]}" if reads else found[0]

    return "\n".join(escaped_start(line) for line in _MARK.sub(mark, paragraph).split("\n"))


_MARK = re.compile(r"[\\`*_~\[]|\{(?=\{)|<(?=[A-Za-z/!?])|&(?=#?\w+;)")
_LINE_MARK = re.compile(
    r"""[-+*](?=[ \t]|$)            # a list
      | \#{1,6}(?=[ \t]|$)          # a heading
      | >                           # a quotation
      | :::                         # a directive
      | =+$ | _(?=[_ \t]*_[_ \t]*$) # a line under a heading, a rule
      | [|:-](?=[|: \t-]*$)         # a line under a table's head, a rule
    """,
    re.VERBOSE,
)
_NUMBER = re.compile(r"(\d{1,9})([.)])(?=[ \t]|$)")


def escaped_start(line: str) -> str:
    """`line`, already Markdown, such that no block begins with it."""
    if _LINE_MARK.match(line):
        return f"\\{line}"
    return _NUMBER.sub(r"\1\\\2", line, count=1) if _NUMBER.match(line) else line


def escaped_end(heading: str) -> str:
    """A heading's last `#` would close it, and braces at its end would be attributes."""
    if heading.endswith("}"):
        at = heading.rfind("{")
        return f"{heading[:at]}\\{heading[at:]}" if at >= 0 and heading[at - 1 : at] not in ("\\", "{") else heading
    return re.sub(r"(?<=[ \t])#(#*)$", r"\\#\1", heading)


def _emphasises(mark: str, before: str, after: str) -> bool:
    if mark == "_" and before.isalnum() and after.isalnum():
        return False
    return not (_blank(before) and _blank(after))


def _blank(character: str) -> bool:
    return character in ("", "\t", "\n", "\f") or unicodedata.category(character) == "Zs"


def _between_blank_lines(text: str) -> Iterator[tuple[int, list[str]]]:
    lines: list[str] = []
    number = 0
    for number, line in enumerate([*text.split("\n"), ""], 1):
        if line.strip():
            lines.append(line.strip(" \t"))
        elif lines:
            yield number - len(lines), lines
            lines = []


def _wrapped(lines: list[str]) -> bool:
    """Whether somebody broke one paragraph into `lines`: about as long as each other, and sentences run on."""
    longest = max(map(len, lines))
    return (
        longest in _WRAPPED
        and all(len(line) * 2 >= longest for line in lines[:-1])
        and any(not line.endswith(_SENTENCE_ENDS) for line in lines[:-1])
    )


def _like_heading(line: str) -> bool:
    return "\n" not in line and len(line) <= SHORT and not line.endswith(_NOT_IN_HEADING) and line[:1].isalnum()


def _start(line: str) -> str:
    return line if len(line) <= 40 else f"{line[:39]}…"
