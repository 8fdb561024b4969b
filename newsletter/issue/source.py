"""A file's text whose offsets keep their places through replacements: what a slot's token or a fence's marker stands
for is still found at the line and column where the writer wrote it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path

from newsletter.errors import Place


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace text[start:end] by `new`."""

    start: int
    end: int
    new: str


class Stretches:
    """Parts of a text, as pairs of offsets in rising order of their beginnings; `offset in …` is quick always."""

    def __init__(self, spans: Iterable[tuple[int, int]]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in spans:
            if self._ends and start < self._ends[-1]:
                self._ends[-1] = max(end, self._ends[-1])
            else:
                self._starts.append(start)
                self._ends.append(end)

    def __contains__(self, offset: int) -> bool:
        at = bisect_right(self._starts, offset) - 1
        return at >= 0 and offset < self._ends[at]


@dataclass(frozen=True)
class Source:
    """Text of `path`. `anchors` are pairs (offset in text, offset in `written`), rising in both; between two of them
    the text is as it was written."""

    path: Path
    text: str
    written: str
    anchors: tuple[tuple[int, int], ...] = ((0, 0),)

    @cached_property
    def _lines(self) -> list[int]:
        """Where each line of `written` begins."""
        lengths = (len(line) + 1 for line in self.written.split("\n")[:-1])
        return list(accumulate(lengths, initial=0))

    @classmethod
    def of(cls, path: Path, text: str) -> Source:
        """The text as it was written."""
        return cls(path, text, text)

    def behind(self, offset: int) -> Source:
        """The text from `offset` on."""
        rest = tuple((mine - offset, theirs) for mine, theirs in self.anchors if mine > offset)
        return Source(self.path, self.text[offset:], self.written, ((0, self._written_offset(offset)), *rest))

    def edited(self, edits: Iterable[Edit]) -> Source:
        """The text with `edits` made; they rise and do not overlap."""
        parts: list[str] = []
        anchors: list[tuple[int, int]] = []
        done = length = 0
        older: list[tuple[int, ...]] = list(self.anchors)
        for edit in [*edits, Edit(len(self.text), len(self.text), "")]:
            between = older[bisect_left(older, (done,)) : bisect_left(older, (edit.start,))]
            anchors += [(mine - done + length, theirs) for mine, theirs in between]
            if not anchors or anchors[-1][0] < length:
                anchors.append((length, self._written_offset(done)))
            parts += (self.text[done : edit.start], edit.new)
            length += edit.start - done
            anchors.append((length, self._written_offset(edit.start)))
            length += len(edit.new)
            done = edit.end
            anchors.append((length, self._written_offset(done)))
        return Source(self.path, "".join(parts), self.written, tuple(sorted(set(anchors))))

    def place(self, offset: int) -> Place:
        """The place of text[offset] as it was written."""
        written = self._written_offset(offset)
        line = bisect_right(self._lines, written)
        return Place(self.path, line, written - self._lines[line - 1] + 1)

    def _written_offset(self, offset: int) -> int:
        at = bisect_right(self.anchors, (offset, len(self.written) + 1)) - 1
        mine, theirs = self.anchors[max(at, 0)]
        return min(theirs + offset - mine, len(self.written))


class ByteOffsets:
    """Turns offsets in the UTF-8 form of a text into offsets in the text."""

    def __init__(self, text: str) -> None:
        self._ascii = text.isascii()
        self._bytes, self._characters = [0], [0]
        if not self._ascii:
            for line in text.split("\n"):
                self._bytes.append(self._bytes[-1] + len(line.encode()) + 1)
                self._characters.append(self._characters[-1] + len(line) + 1)
        self._data = text.encode()

    def character(self, offset: int) -> int:
        """The offset in characters of the byte at `offset`."""
        if self._ascii:
            return offset
        line = bisect_right(self._bytes, offset) - 1
        start = self._bytes[line]
        return self._characters[line] + len(self._data[start:offset].decode(errors="ignore"))
