"""A regular tree -> Markdown that reads back as the same words: what only looks like a mark is escaped, and what a
paragraph became is read again by the project's own parser before it is believed.

markdownify walks the tree and lays out lists and quotations; this file says what it cannot know: directives, footnotes,
tables with alignment, and where a mark may stand (CommonMark 0.31.2 sections 2.4, 6.2).
"""

from __future__ import annotations

import re
import string
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bs4 import Tag
from bs4.element import NavigableString, PageElement
from markdownify import ATX

from newsletter.errors import Collected
from newsletter.issue.importing.addresses import Addresses
from newsletter.issue.importing.escaping import escaped_end, escaped_start
from newsletter.issue.importing.hypertext import attribute, new, strings
from newsletter.issue.markdown import parse_nodes
from newsletter.issue.prose import Heading, Paragraph, plain
from newsletter.issue.source import Source

if TYPE_CHECKING:  # markdownify's own type stub leaves out what a subclass builds on

    class MarkdownConverter:
        def __init__(self, **options: object) -> None: ...
        def process_tag(self, node: Tag, parent_tags: set[str]) -> str: ...
        def process_element(self, node: PageElement, parent_tags: set[str]) -> str: ...
        def process_text(self, el: NavigableString, parent_tags: set[str]) -> str: ...
        def get_conv_fn(self, tag_name: str) -> Any: ...

else:
    from markdownify import MarkdownConverter

_LINE_END = "\0"  # stands for <br> until a paragraph is whole; no tree has it (hypertext.py)
_LINES = ("figure", "button", "cta")  # directives that hold one paragraph
_MARK = re.compile(r"[\\`*_~\[\]{<&!]")
_BRACKETED = re.compile(r"\[\w[^\[\]`*_~<&\\{!]+\](?=[\s.,;?…)—–]|$)")
_REFERENCE = re.compile(r"(?<!\\)\[\^\d+\]")
_EDGES = re.compile(r"([\s\0]*)(.*?)([\s\0]*)", re.DOTALL)
_PUNCTUATED = re.compile(r"([“”„‘’«»「」『』（）《》.,:;?…—–]*)(.*?)([“”„‘’«»「」『』（）《》.,:;?…—–]*)", re.DOTALL)
_BARE = re.compile(r"[^\s\"“”„=]+")


def to_markdown(root: Tag, addresses: Addresses) -> str:
    """The Markdown of a regular tree; pictures and links by `addresses`."""
    whole = new("div")
    whole.extend(list(root.contents))
    return _Marking(addresses).process_tag(whole, parent_tags=set()).strip("\n")


def fence(name: str, arguments: dict[str, str]) -> str:
    """The opening line of a directive."""
    return " ".join([f":::{name}", *(_argument(key, value) for key, value in arguments.items())])


def _argument(key: str, value: str) -> str:
    value = re.sub(r'(^|[\s(])"', r"\1“", " ".join(value.split())).replace('"', "”").replace("{{", "{ {")
    if not key:
        return value
    return f"{key}={value}" if _BARE.fullmatch(value) else f'{key}="{value}"'


class _Marking(MarkdownConverter):
    def __init__(self, addresses: Addresses) -> None:
        super().__init__(heading_style=ATX, bullets="-")
        self._addresses = addresses
        self._care = 0  # how often the paragraph at hand was read back as something else

    def get_conv_fn(self, tag_name: str) -> Any:
        if tag_name.startswith("directive "):
            return getattr(self, f"_{tag_name.removeprefix('directive ')}", self._directive)
        return super().get_conv_fn(tag_name)

    def process_text(self, el: NavigableString, parent_tags: set[str]) -> str:
        return str(el) if "pre" in parent_tags else super().process_text(el, parent_tags)

    # Running text

    def escape(self, text: str, parent_tags: set[str]) -> str:
        """What stands between marks of ours is not known here, so that a mark at either end counts as one."""
        kept = [found.span() for found in _BRACKETED.finditer(text)] if "a" not in parent_tags else []

        def escaped(found: re.Match[str]) -> str:
            mark, at = found[0], found.start()
            before, after = text[at - 1 : at], text[at + 1 : at + 2]
            blank = (before.isspace(), after.isspace())
            match mark:
                case "\\":
                    reads = not after or after in string.punctuation or after == _LINE_END
                case "[" | "]":
                    reads = not any(start <= at < end for start, end in kept)
                case "*":
                    reads = blank != (True, True)
                case "_":
                    reads = blank != (True, True) and not (before.isalnum() and after.isalnum())
                case "~":
                    reads = not blank[0]
                case "{":
                    reads = not after or after == "{"
                case "<":
                    reads = not after or after.isalpha() or after in "/!?"
                case "&":
                    reads = re.match(r"#?\w*(;|$)", text[at + 1 :]) is not None
                case "!":
                    reads = not after
                case _:
                    reads = True
            return f"\\{mark}" if reads else mark

        return _MARK.sub(escaped, text)

    def _marked(self, mark: str, el: Tag, text: str, parent_tags: set[str]) -> str:
        if "_noformat" in parent_tags or self._care > 1:
            return text
        before, inner, after = _parts(_EDGES, text)
        if self._care:
            opening, inner, closing = _parts(_PUNCTUATED, inner)
            before, after = before + opening, closing + after
        return f"{before}{mark}{inner}{mark}{after}" if inner else before + after

    def convert_strong(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return self._marked("**", el, text, parent_tags)

    def convert_em(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return self._marked("*", el, text, parent_tags)

    def convert_del(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return self._marked("~~", el, text, parent_tags)

    def convert_q(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return f"“{text}”"

    def convert_br(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return _LINE_END

    def convert_a(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        before, inner, after = _parts(_EDGES, text)
        url = self._addresses.link(attribute(el, "href"))
        if not url or not inner or "_noformat" in parent_tags:
            return text
        url = re.sub(r"&(?=#?\w+;)", r"\\&", url)
        return f"{before}[{inner}]({url}){after}"

    def convert_img(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        alt = self.escape(attribute(el, "alt"), {"a"}).replace("\n", " ")
        small = {attribute(el, "width"), attribute(el, "height")} & {"0", "1", "1px"}
        if small or re.search(r"\b(wp-smiley|emoji)\b", attribute(el, "class")):
            return "" if small else alt
        if any(f"directive {name}" in parent_tags for name in _LINES):
            return alt
        src = self._addresses.picture(attribute(el, "src"))
        return f"![{' '.join(alt.split())}]({src})" if src else ""

    def _ref(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return f"[^{attribute(el, 'number')}]"

    def _task(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return f"[{el['done']}]"

    # Paragraphs

    def _running(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        """The finished line or lines of a paragraph: `text`, or with fewer marks where it would not read as its words.

        Emphasis that opens or closes beside a letter and punctuation is such a case, which HTML allows.
        """
        wanted = _letters("".join(_heard(el, self._addresses)))
        for care in (1, 2):
            if _letters(_read(text)) == wanted:
                break
            self._care, text = care, self._children(el, parent_tags)
        self._care = 0
        return text

    def _children(self, el: Tag, parent_tags: set[str]) -> str:
        inside = {*parent_tags, el.name, *({"_inline"} if el.name[0] == "h" else ())}
        return "".join(self.process_element(child, parent_tags=inside) for child in el.children)

    def convert_p(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        said = _finished(self._running(el, text, parent_tags))
        return f"\n\n{said}\n\n" if said else ""

    def convert_line(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        said = _finished(self._running(el, text, parent_tags))
        return f"\n{said}\n" if said else ""

    def convert_hN(self, n: int, el: Tag, text: str, parent_tags: set[str]) -> str:  # noqa: N802
        said = " ".join(self._running(el, text, parent_tags).replace(_LINE_END, " ").split(" ")).strip()
        said = re.sub(" +", " ", said)
        return f"\n\n{'#' * min(max(n, 1), 6)} {escaped_end(said)}\n\n" if said else ""

    def convert_pre(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        text = "".join(strings(el))
        ticks = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", text)), 3)
        return f"\n\n{ticks}{attribute(el, 'data-language')}\n{text}\n{ticks}\n\n" if text.strip() else ""

    def convert_li(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        other = el.parent is not None and el.parent.has_attr("data-other")
        if el.parent is not None and el.parent.name == "ol":
            bullet = f"{attribute(el, 'data-number')}{')' if other else '.'} "
        else:
            bullet = "* " if other else "- "
        lines = text.strip("\n").split("\n")
        indented = [f"{' ' * len(bullet)}{line}" if line else "" for line in lines[1:]]
        return "\n".join([f"{bullet}{lines[0]}", *indented]) + "\n"

    # Tables

    def convert_table(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return f"\n\n{text.strip()}\n\n"

    def convert_tr(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        row = f"|{text}\n"
        if el.parent is None or el.parent.find("tr") is not el:
            return row
        rules = {"left": ":---", "right": "---:", "center": ":---:"}
        below = "".join(f" {rules.get(attribute(cell, 'align'), '---')} |" for cell in el.find_all(["td", "th"]))
        return f"{row}|{below}\n"

    def convert_td(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        said = " ".join(self._running(el, text, parent_tags).replace(_LINE_END, " ").split())
        said = said.replace("|", "\\|")
        return f" {said} |"

    convert_th = convert_td

    # Directives

    def _directive(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        name = el.name.removeprefix("directive ")
        opening = fence(name, {key: str(value) for key, value in el.attrs.items()})
        if name in _LINES:
            said = _finished(self._running(el, text, parent_tags)).replace("\\\n", " ")
            return f"\n\n{opening}\n{said}\n:::\n\n" if said else f"\n\n{opening}\n:::\n\n"
        body = text.strip("\n")
        return f"\n\n{opening}\n{body}\n:::\n\n"

    def _footnote(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        lines = text.strip("\n").split("\n")
        indented = "\n".join([lines[0], *(f"    {line}" if line else "" for line in lines[1:])])
        return f"\n\n[^{attribute(el, 'number')}]: {indented}\n\n"


def _parts(pattern: re.Pattern[str], text: str) -> tuple[str, str, str]:
    found = pattern.fullmatch(text)
    return (found[1], found[2], found[3]) if found else ("", text, "")


def _finished(text: str) -> str:
    """Lines, none of which begins like a block."""
    lines = [escaped_start(line.strip(" \n")) for line in text.strip(f" \n{_LINE_END}").split(_LINE_END)]
    return "\\\n".join(re.sub(" *\n *", " ", line) for line in lines if line or len(lines) > 1)


def _read(text: str) -> str:
    """What the parser reads `text` as, if that is one paragraph or heading."""
    said = _finished(_REFERENCE.sub("", text))
    match parse_nodes(Source.of(Path("-"), said), Collected()):
        case (Paragraph(children),) | (Heading(children=children),):
            return plain(children)
        case _:
            return ""


def _heard(el: Tag, addresses: Addresses) -> list[str]:
    heard: list[str] = []
    for node in el.descendants:
        if isinstance(node, NavigableString):
            heard.append(str(node))
        elif isinstance(node, Tag) and node.name == "img" and addresses.picture(attribute(node, "src")):
            heard.append(attribute(node, "alt"))
        elif isinstance(node, Tag) and node.name == "directive task":
            heard.append(f"[{node['done']}]")
    return heard


def _letters(text: str) -> str:
    return "".join(text.split())
