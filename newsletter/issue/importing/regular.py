"""A tree of HTML made regular, so that Markdown can say it: running text only in paragraphs, headings and cells, blocks
only in blocks, tables of data only.

No letter is dropped here but those of scripts, styles and form fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from bs4 import Tag
from bs4.element import NavigableString, PageElement, PreformattedString

from newsletter.issue.importing.cards import DIVISIONS
from newsletter.issue.importing.hypertext import attribute, collapsed, new, strings, words

_GONE = (
    *("script", "style", "template", "noscript", "head", "meta", "link", "title", "base"),
    *("svg", "canvas", "object", "embed", "applet", "iframe", "map", "area", "param", "source", "track"),
    *("select", "textarea", "button", "datalist", "input", "colgroup", "col"),
)
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_BLOCKS = DIVISIONS | {
    *_HEADINGS,
    *("blockquote", "body", "dd", "dialog", "dl", "dt", "figcaption", "footer", "hr", "li", "nav", "ol", "p", "pre"),
    *("summary", "ul", "caption", "table", "tbody", "td", "tfoot", "th", "thead", "tr"),
}
_SAME = {"b": "strong", "i": "em", "s": "del", "strike": "del", "kbd": "code", "samp": "code", "tt": "code"}
_MARKED = ("strong", "em", "del", "code")
_KEPT_INLINE = (*_MARKED, "a", "img", "br", "q")
_DATA_CELLS = ("td", "th")
_TABLE_PARTS = ("caption", "thead", "tbody", "tfoot", "tr", *_DATA_CELLS)
_WIDEST = 20  # columns that one cell may span
_UP = str.maketrans("0123456789+-=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱ")
_DOWN = str.maketrans("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎")
_LANGUAGE = re.compile(r"(?:^|\s)(?:language|lang|highlight-source)-([\w+#.-]+)|brush:\s*([\w+#-]+)")


def regularise(root: Tag) -> None:
    """Make the tree under `root` regular, in place."""
    for code in root.find_all("pre"):
        _code(code)
    _without_what_is_no_text(root)
    for element in root.find_all(True):
        _renamed(element)
    for table in reversed(root.find_all("table")):
        _table(table)
    for part in root.find_all(_TABLE_PARTS):
        if part.find_parent("table") is None:
            part.name = "div"
    _lists(root)
    for element in root.find_all(["p", *_HEADINGS]):
        _without_blocks(element)
    for name in _MARKED:
        for element in root.find_all(name):
            if element.find(_BLOCKS) or element.find_parent(name) or element.find(_directive):
                element.unwrap()
        _joined(root, name)
    for link in root.find_all("a"):
        _link_around_blocks(link)
    root.smooth()
    for text in list(strings(root)):
        flat = collapsed(text)
        if flat != text and text.find_parent("pre") is None:
            text.replace_with(flat)
    for paragraph in root.find_all(["p", "div"]):
        _split_at_double_breaks(paragraph)
    for holder in [root, *root.find_all(["div", "blockquote", "li"]), *root.find_all(_holds_blocks)]:
        _runs_in_paragraphs(holder)


def is_block(node: PageElement) -> bool:
    """Whether `node` begins a line of its own."""
    return isinstance(node, Tag) and (node.name in _BLOCKS or _holds_blocks(node) or _directive(node))


def _directive(element: Tag) -> bool:
    return element.name.startswith("directive ") and element.name not in ("directive ref", "directive task")


def _holds_blocks(element: Tag) -> bool:
    return element.name.startswith("directive ") and element.name.split()[1] in (
        "quote",
        "post",
        "note",
        "only",
        "footnote",
    )


def _without_what_is_no_text(root: Tag) -> None:
    for node in list(root.descendants):
        if isinstance(node, PreformattedString):
            node.extract()
    for box in root.find_all("input", type="checkbox"):
        if box.find_parent("li"):
            task = new("directive task", done="x" if box.has_attr("checked") else " ")
            box.replace_with(task)
            task.insert_after(" ")
    for button in root.find_all("button"):
        if button.find_parent("a"):
            button.unwrap()
    for element in root.find_all(_GONE):
        element.extract()


def _renamed(element: Tag) -> None:
    element.name = _SAME.get(element.name, element.name)
    if element.name in ("sup", "sub"):
        _raised(element)
    elif element.name in DIVISIONS or element.name in ("footer", "nav", "dialog", "body", "dl", "dd"):
        element.name = "div"
    elif element.name in ("dt", "figcaption", "summary"):
        element.name = "p"
    elif element.name == "hr" or element.name in _BLOCKS or element.name in _KEPT_INLINE:
        pass
    elif not element.name.startswith("directive "):
        element.unwrap()


def _without_blocks(element: Tag) -> None:
    """Paragraphs and headings hold running text; what holds more is a division. A heading may be set in divisions."""
    inner = element.find_all(is_block)
    if element.name != "p" and all(block.name in ("div", "p") for block in inner):
        for block in inner:
            block.insert_before(" ")
            block.insert_after(" ")
            block.unwrap()
    elif inner:
        element.name = "div"


def _raised(element: Tag) -> None:
    """Raised and lowered figures have letters of their own; without them ten to the sixth would be 106."""
    table, said = (_UP if element.name == "sup" else _DOWN), words(element)
    if said and all(ord(letter) in table for letter in said) and not element.find(True):
        element.string = said.translate(table)
    element.unwrap()


def _code(block: Tag) -> None:
    inner = block.find("code")
    found = next(
        (found for tag in (block, inner) if tag and (found := _LANGUAGE.search(attribute(tag, "class")))), None
    )
    for line_end in block.find_all("br"):
        line_end.replace_with("\n")
    for line in block.find_all(["div", "p", "li", "tr"]):
        if not line.get_text().endswith("\n"):
            line.append("\n")
    text = "".join(strings(block)).strip("\r\n").replace("\r\n", "\n").replace("\r", "\n")
    block.attrs = {"data-language": found[1] or found[2]} if found else {}
    block.string = text


def _table(table: Tag) -> None:
    """One level of rows; what is a table for the sake of its looks is taken apart."""
    rows = table.find_all("tr")
    for caption in table.find_all("caption"):
        caption.name = "p"
        table.insert_before(caption.extract())
    for part in table.find_all(["thead", "tbody", "tfoot"]):
        part.unwrap()
    if not _is_data(table, rows):
        for element in [table, *table.find_all(["tr", *_DATA_CELLS])]:
            element.name, element.attrs = "div", {}
        return
    for node in list(table.contents):
        if not (isinstance(node, Tag) and node.name == "tr"):
            table.insert_before(node.extract())
    for row in rows:
        for node in list(row.contents):
            if not (isinstance(node, Tag) and node.name in _DATA_CELLS):
                table.insert_before(node.extract())
        for cell in row.find_all(_DATA_CELLS):
            _cell(cell)
    width = max(len(row.find_all(_DATA_CELLS)) for row in rows)
    for row in rows:
        row.extend([new("td") for _ in range(width - len(row.find_all(_DATA_CELLS)))])


def _is_data(table: Tag, rows: list[Tag]) -> bool:
    holds = ["table", "ul", "ol", "pre", "blockquote", "hr", *_HEADINGS]
    if not rows or table.find(holds) or table.find(_directive) or table.find_parent(["table", "td", "th", "p"]):
        return False
    return max(len(row.find_all(_DATA_CELLS)) for row in rows) in range(2, 50)


def _cell(cell: Tag) -> None:
    wide = attribute(cell, "colspan")
    for inner in cell.find_all(is_block):
        inner.insert_before(" ")
        inner.insert_after(" ")
        inner.unwrap()
    align = attribute(cell, "align") or "".join(re.findall(r"text-align:\s*(\w+)", attribute(cell, "style")))
    cell.attrs = {"align": align} if align in ("left", "center", "right") else {}
    for _ in range(min(int(wide), _WIDEST) - 1 if re.fullmatch(r"[0-9]{1,3}", wide) else 0):
        cell.insert_after(new("td"))


def _lists(root: Tag) -> None:
    for item in root.find_all("li"):
        if item.parent is None or item.parent.name not in ("ul", "ol"):
            item.name = "div"
        elif not words(item) and not item.find("img"):
            item.extract()
    for listing in root.find_all(["ul", "ol"]):
        _items(listing)
        if not listing.contents:
            listing.extract()
            continue
        start = attribute(listing, "start")
        first = int(start) if re.fullmatch(r"[0-9]{1,8}", start) else 1
        for number, entry in enumerate(listing.find_all("li", recursive=False), first):
            entry.attrs = {"data-number": str(number)}
        before = next((node for node in listing.previous_siblings if isinstance(node, Tag) or str(node).strip()), None)
        other = isinstance(before, Tag) and before.name == listing.name and not before.has_attr("data-other")
        listing.attrs = {"data-other": ""} if other else {}


def _items(listing: Tag) -> None:
    """Nothing but items in a list: what stands between them belongs to the one before."""
    last: Tag | None = None
    for node in list(listing.contents):
        if isinstance(node, Tag) and node.name == "li":
            last = node
        elif not isinstance(node, Tag) and not str(node).strip():
            node.extract()
        elif last is not None:
            last.append(node.extract())
        else:
            last = new("li")
            node.wrap(last) if isinstance(node, Tag) else node.replace_with(last)
            if not last.contents:
                last.append(node)


def _joined(root: Tag, name: str) -> None:
    """Marks of one kind that stand side by side are one; those around nothing are none."""
    for element in root.find_all(name):
        before = element.previous_sibling
        if isinstance(before, Tag) and before.name == name:
            before.extend(list(element.contents))
            element.extract()
        elif not element.contents:
            element.extract()


def _link_around_blocks(link: Tag) -> None:
    """A link around blocks becomes one in each of them."""
    if not (link.find(is_block)):
        return
    for block in link.find_all(is_block):
        if block.find(is_block) is None and words(block) and not _directive(block) and block.name != "pre":
            inner = new("a", href=attribute(link, "href"))
            inner.extend(list(block.contents))
            block.append(inner)
    for text in list(link.contents):
        if isinstance(text, NavigableString) and text.strip():
            text.wrap(new("a", href=attribute(link, "href")))
    link.unwrap()


def _split_at_double_breaks(paragraph: Tag) -> None:
    """Two <br> in a row are where a paragraph ends."""
    parts: list[list[PageElement]] = [[]]
    breaks: list[PageElement] = []
    for node in list(paragraph.contents):
        blank = isinstance(node, NavigableString) and not node.strip()
        if (isinstance(node, Tag) and node.name == "br") or (breaks and blank):
            breaks.append(node)
        else:
            if sum(isinstance(found, Tag) for found in breaks) > 1:
                parts.append([])
            else:
                parts[-1].extend(breaks)
            breaks = []
            parts[-1].append(node)
    if len(parts) == 1:
        return
    paragraph.clear()
    for part in parts:
        made = new("div" if paragraph.name == "div" else "p")
        made.extend(part)
        if paragraph.name == "div":
            paragraph.append(made)
        else:
            paragraph.insert_before(made)
    if paragraph.name != "div":
        paragraph.extract()


def _runs_in_paragraphs(holder: Tag) -> None:
    """Running text that stands beside blocks gets a paragraph; in a list's item, where only lists follow, a line."""
    tight = holder.name == "li" and _tight(holder)
    run: list[PageElement] = []
    for node in [*holder.contents, None]:
        if node is not None and not is_block(node):
            run.append(node)
            continue
        _wrap(run, "line" if tight else "p")
        run = []


def _tight(item: Tag) -> bool:
    blocks = [node for node in item.contents if isinstance(node, Tag) and is_block(node)]
    return all(
        block.name == "ul" or (block.name == "ol" and attribute(_first(block), "data-number") == "1")
        for block in blocks
    )


def _first(listing: Tag) -> Tag:
    found = listing.find("li")
    return found if isinstance(found, Tag) else listing


def _wrap(run: Iterable[PageElement], name: str) -> None:
    nodes = list(run)
    if not any(_shows(node) for node in nodes):
        for node in nodes:
            node.extract()
        return
    made = new(name)
    nodes[0].insert_before(made)
    made.extend(nodes)


def _shows(node: PageElement) -> bool:
    if not isinstance(node, Tag):
        return bool(str(node).strip())
    seen = ["img", "directive ref", "directive task"]
    return node.name in seen or bool(words(node)) or node.find(seen) is not None
