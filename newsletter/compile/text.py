"""Prose -> plain text: wrapped at 72, links numbered, from what was written and never from the HTML."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from newsletter.errors import Place
from newsletter.issue import prose
from newsletter.issue.blocks import Block, Prose
from newsletter.issue.prose import plain
from newsletter.issue.slots import FACTS, TOKEN, of_token

WIDTH = 72
_MARKS: dict[type, str] = {prose.Emphasis: "_", prose.Strong: "*", prose.Strikethrough: "~"}
_UNSEEN = {"Mn", "Me", "Cf"}
_IDEOGRAPH = re.compile(r"[\u2e80-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff01-\uff60\U00020000-\U0003ffff]")
_OPENS, _CLOSES = "（「『【〔《〈“‘［｛", "）」』】〕》〉”’］｝、。，．：；？！…—～·・ーっッゃャゅュょョ々"
_ONE = rf"(?![{_OPENS}{_CLOSES}]){_IDEOGRAPH.pattern}"
_RUN = rf"(?:(?!{_IDEOGRAPH.pattern})[^*_~{_OPENS}{_CLOSES}])+"
_UNIT = rf"[{_OPENS}]*(?:{_ONE}|{_RUN})[{_CLOSES}]*"
_PIECE = re.compile(rf"[*_~]*{_UNIT}(?:[*_~]+{_UNIT})*[*_~]*|.[{_CLOSES}]*")
_TAG = re.compile(r"<!--.*?(?:-->|\Z)|<(?=[A-Za-z/!?])[^>]*(?:>|\Z)", re.DOTALL)


class LinkNumbers:
    """The numbers of an edition's links, in the order in which text meets them; an address has one number."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._met: set[str] = set()

    def number(self, url: str) -> int:
        """The number of `url`, a new one where it has none."""
        self._met.add(url)
        return self._numbers.setdefault(url, len(self._numbers) + 1)

    def unlisted(self) -> list[tuple[int, str]]:
        """The links met since this was asked last, those that were met before that too."""
        listed = sorted((self._numbers[url], url) for url in self._met)
        self._met.clear()
        return listed


class TextWriter:
    """Writes prose as text; `link` turns the writer's addresses into the reader's."""

    def __init__(self, link: Callable[[str, Place], str]) -> None:
        self._link = link
        self.links = LinkNumbers()

    def nodes(self, nodes: tuple[prose.Node, ...], width: int = WIDTH) -> str:
        """The text of `nodes`, parted by blank lines."""
        return "\n\n".join(text for node in nodes if (text := self._node(node, width)))

    def line(self, children: tuple[prose.Inline, ...]) -> str:
        """Running text, not wrapped; hard breaks are line ends."""
        return "".join(self._inline(child) for child in children)

    def _node(self, node: prose.Node, width: int) -> str:
        match node:
            case prose.Paragraph(children) | prose.Tight(children):
                return wrap(self.line(children), width)
            case prose.Heading(_, children):
                text = wrap(self.line(children), width)
                return underlined(text, "-")
            case prose.CodeBlock(text):
                return indented(text.rstrip("\n"), "    ")
            case prose.HtmlBlock(markup):
                return wrap(" ".join(_TAG.sub(" ", markup).split()), width)
            case prose.Rule():
                return "* * *"
            case prose.BlockQuote(children):
                return indented(self.nodes(children, width - 2), "> ")
            case prose.Listing():
                return self._listing(node, width)
            case prose.Table():
                return self._table(node)
            case prose.Footnotes(items):
                return "\n\n".join(hanging(f"({item.number}) ", self.nodes(item.children, width - 4)) for item in items)

    def _listing(self, listing: prose.Listing, width: int) -> str:
        marks = ["- " if listing.start is None else f"{listing.start + n}. " for n in range(len(listing.items))]
        texts = [
            hanging(mark, self._item(item, width - len(mark))) for mark, item in zip(marks, listing.items, strict=True)
        ]
        return ("\n" if listing.tight else "\n\n").join(texts)

    def _item(self, item: prose.Item, width: int) -> str:
        parts = [self._node(child, width) for child in item.children]
        joint = "\n" if any(isinstance(child, prose.Tight) for child in item.children) else "\n\n"
        return joint.join(part for part in parts if part)

    def _table(self, table: prose.Table) -> str:
        rows = [[self.line(cell.children) for cell in row] for row in (table.head, *table.rows)]
        widths = [max(columns_of(row[n]) for row in rows) for n in range(len(table.head))]
        lines = [
            "  ".join(_aligned(text, width, cell) for text, width, cell in zip(row, widths, table.head, strict=False))
            for row in rows
        ]
        return "\n".join(line.rstrip() for line in [lines[0], "  ".join("-" * width for width in widths), *lines[1:]])

    def _inline(self, child: prose.Inline) -> str:
        match child:
            case prose.Text(text) | prose.Code(text):
                return text
            case prose.SoftBreak():
                return " "
            case prose.HardBreak():
                return "\n"
            case prose.InlineHtml(markup):
                return "\n" if markup.lower().startswith("<br") else ""
            case prose.TaskMarker(done):
                return "[x] " if done else "[ ] "
            case prose.FootnoteReference(number):
                return f" ({number})"
            case prose.Image(_, _, alt):
                return f"[{alt}]" if alt else ""
            case prose.Link(url, _, children, place):
                return self._linked(self._link(url, place), self.line(children))
            case _:
                mark = _MARKS[type(child)]
                return f"{mark}{self.line(child.children)}{mark}"

    def _linked(self, address: str, text: str) -> str:
        if text in {address, address.removeprefix("mailto:")} or address.startswith("#"):
            return text
        return f"{text} [{self.links.number(address)}]"


def first_words(blocks: tuple[Block, ...], limit: int = 160, facts: Mapping[str, str] = MappingProxyType({})) -> str:
    """The first words of `blocks`, at most `limit` characters: whole sentences, or whole words and an ellipsis.

    Paragraphs with a value of each reader's own, such as a greeting, are left out; facts are their values or defaults.
    """
    paragraphs = (
        plain(node.children)
        for block in blocks
        if isinstance(block, Prose)
        for node in block.nodes
        if isinstance(node, prose.Paragraph)
    )
    everybodys = (one for one in paragraphs if all(of_token(found).name in FACTS for found in TOKEN.finditer(one)))
    tokens = " ".join(" ".join(everybodys).split())
    text = TOKEN.sub(lambda found: facts.get((slot := of_token(found)).name) or slot.default or "", tokens)
    if len(text) <= limit:
        return text
    sentences = re.match(rf".{{{limit // 2},{limit - 1}}}(?:[.!?…؟](?= )|[。！？])", text)
    if sentences:
        return sentences[0]
    words = text[:limit].rpartition(" ")[0] if " " in text[limit // 2 : limit] else text[: limit - 1]
    return words.rstrip(" ,;:–—-،，、；：") + "…"


def columns_of(text: str) -> int:
    """The columns that `text` takes: wide characters two, marks and what is not seen none, a slot its default's."""
    shown = TOKEN.sub(lambda found: of_token(found).default or "x" * 10, text)
    if shown.isascii():
        return len(shown)
    return sum(
        0 if unicodedata.category(character) in _UNSEEN else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in shown
    )


def wrap(text: str, width: int = WIDTH) -> str:
    """`text` with line ends at spaces, and between ideographs, so that lines are at most `width` columns.

    A word that is longer stays whole. Beside ideographs no line begins with a mark that closes or ends with one that
    opens.
    """
    return "\n".join(_wrapped(line, width) for line in text.split("\n"))


def _wrapped(line: str, width: int) -> str:
    measure = len if line.isascii() and not TOKEN.search(line) else columns_of
    lines: list[str] = []
    taken = width + 1
    for space, piece in _pieces(line):
        columns = measure(piece)
        if taken + len(space) + columns > width:
            lines.append(piece)
            taken = columns
        else:
            lines[-1] += space + piece
            taken += len(space) + columns
    return "\n".join(lines)


def _pieces(line: str) -> Iterator[tuple[str, str]]:
    """What stays together on a line, each with what stands before it on the same line: a space or nothing."""
    words = filter(None, line.split(" "))
    if not _IDEOGRAPH.search(line):
        return ((" ", word) for word in words)
    pieces = (_PIECE.findall(word) if _IDEOGRAPH.search(word) else [word] for word in words)
    return (("" if n else " ", piece) for word in pieces for n, piece in enumerate(word))


def indented(text: str, mark: str) -> str:
    """`text` with `mark` before each line."""
    return "\n".join(f"{mark}{line}".rstrip() for line in text.split("\n"))


def hanging(mark: str, text: str) -> str:
    """`text` behind `mark`, its further lines as far in."""
    first, *rest = text.split("\n")
    space = " " * columns_of(mark)
    return "\n".join([f"{mark}{first}", *(f"{space}{line}".rstrip() for line in rest)])


def address(label: str, url: str) -> str:
    """An address behind what it leads to, on a line of its own where both do not fit on one."""
    line = f"{label}: {url}"
    return line if columns_of(line) <= WIDTH else f"{label}:\n{url}"


def apart(left: str, right: str, width: int = WIDTH) -> str:
    """`left` and `right` at the two ends of a line; below each other where they do not fit."""
    space = width - columns_of(left) - columns_of(right)
    return f"{left}{' ' * space}{right}".rstrip() if space >= 2 else f"{wrap(left, width)}\n{wrap(right, width)}"


def underlined(text: str, mark: str) -> str:
    """`text` with a rule of its own length below."""
    return f"{text}\n{mark * min(max(columns_of(line) for line in text.splitlines() or ['']), WIDTH)}"


def _aligned(text: str, width: int, cell: prose.Cell) -> str:
    space = " " * (width - columns_of(text))
    return space + text if cell.align == "right" else text + space
