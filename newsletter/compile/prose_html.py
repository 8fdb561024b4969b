"""Prose -> HTML, as CommonMark 0.31.2 writes it, with tables, footnotes, task lists and strikethrough as on GitHub."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from newsletter.compile.images import Shown
from newsletter.errors import Place
from newsletter.issue import prose

_TAGS: dict[type, str] = {prose.Emphasis: "em", prose.Strong: "strong", prose.Strikethrough: "del"}
_TAG = re.compile(r"<[a-zA-Z][^>]*>")
_ANCHOR = re.compile(r"""\s(?:id\s*=\s*["']?|href\s*=\s*["']?#)""")
_KEPT_IN_URLS = "-_.~!*'(),%#@?=;:/+&$"


def _same(address: str, _: Place) -> str:
    return address


def _as_written(image: prose.Image) -> Shown:
    return Shown(image.src, image.src, None, None)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where prose is rendered: `prefix` keeps the ids of headings and footnotes apart from those of other articles,
    `link` turns the writer's addresses into the reader's, `picture` says how one in running text is shown, and
    `back` where a footnote's `arrow` leads."""

    prefix: str = ""
    link: Callable[[str, Place], str] = _same
    picture: Callable[[prose.Image], Shown] = _as_written
    back: str = "Back to the text"
    arrow: str = "↩"


def render_nodes(nodes: tuple[prose.Node, ...], around: Surroundings) -> str:
    """The HTML of `nodes`, each block on lines of its own."""
    return "".join(_node(node, around) for node in nodes)


def render_inlines(children: tuple[prose.Inline, ...], around: Surroundings) -> str:
    """The HTML of running text."""
    return "".join(_inline(child, around) for child in children)


def _node(node: prose.Node, around: Surroundings) -> str:
    match node:
        case prose.Paragraph(children):
            return f"<p>{render_inlines(children, around)}</p>\n"
        case prose.Tight(children):
            return render_inlines(children, around)
        case prose.Heading(level, children):
            named = f' id="{_escape(around.prefix + node.id)}"' if node.id else ""
            return f"<h{level}{named}>{render_inlines(children, around)}</h{level}>\n"
        case prose.CodeBlock(text, language):
            named = f' class="language-{_escape(language)}"' if language else ""
            return f"<pre><code{named}>{_escape(text)}</code></pre>\n"
        case prose.HtmlBlock(markup):
            return _named_apart(markup, around.prefix)
        case prose.Rule():
            return "<hr />\n"
        case prose.BlockQuote(children):
            return f"<blockquote>\n{render_nodes(children, around)}</blockquote>\n"
        case prose.Listing():
            return _listing(node, around)
        case prose.Table():
            return _table(node, around)
        case prose.Footnotes(items):
            notes = "".join(_footnote(item, around) for item in items)
            return f'<div class="footnotes">\n{notes}</div>\n'


def _listing(listing: prose.Listing, around: Surroundings) -> str:
    tag = "ul" if listing.start is None else "ol"
    start = f' start="{listing.start}"' if listing.start not in {None, 1} else ""
    items = "".join(f"<li>{_item(item.children, around)}</li>\n" for item in listing.items)
    return f"<{tag}{start}>\n{items}</{tag}>\n"


def _item(children: tuple[prose.Node, ...], around: Surroundings) -> str:
    parts = []
    for n, child in enumerate(children):
        newline_before = not isinstance(child, prose.Tight) and (n == 0 or isinstance(children[n - 1], prose.Tight))
        parts.append(("\n" if newline_before else "") + _node(child, around))
    return "".join(parts)


def _table(table: prose.Table, around: Surroundings) -> str:
    head = "".join(_cell("th", cell, around) for cell in table.head)
    rows = "".join("<tr>\n" + "".join(_cell("td", cell, around) for cell in row) + "</tr>\n" for row in table.rows)
    body = f"<tbody>\n{rows}</tbody>\n" if rows else ""
    return f"<table>\n<thead>\n<tr>\n{head}</tr>\n</thead>\n{body}</table>\n"


def _cell(tag: str, cell: prose.Cell, around: Surroundings) -> str:
    scope = ' scope="col"' if tag == "th" else ""
    align = f' align="{cell.align}"' if cell.align else ""
    return f"<{tag}{scope}{align}>{render_inlines(cell.children, around)}</{tag}>\n"


def _footnote(note: prose.Footnote, around: Surroundings) -> str:
    name = f"{around.prefix}note-{note.number}"
    back = "".join(
        f' <a href="#{_reference_id(around, note.number, nth)}" aria-label="{_escape(around.back)}">{around.arrow}</a>'
        for nth in range(1, note.references + 1)
    )
    body = render_nodes(note.children, around)
    if body.endswith("</p>\n"):
        body = f"{body[:-5]}{back}</p>\n"
    elif back:
        body += f"<p>{back.strip()}</p>\n"
    return f'<div class="footnote" id="{name}"><span class="footnote-number">{note.number}.</span> {body}</div>\n'


def _reference_id(around: Surroundings, number: int, nth: int) -> str:
    return f"{around.prefix}ref-{number}" + (f"-{nth}" if nth > 1 else "")


def _inline(child: prose.Inline, around: Surroundings) -> str:
    match child:
        case prose.Text(text):
            return _escape(text)
        case prose.Code(text):
            return f"<code>{_escape(text)}</code>"
        case prose.SoftBreak():
            return "\n"
        case prose.HardBreak():
            return "<br />\n"
        case prose.InlineHtml(markup):
            return _named_apart(markup, around.prefix)
        case prose.TaskMarker(done):
            return "☑ " if done else "☐ "
        case prose.FootnoteReference(number, nth):
            name = _reference_id(around, number, nth)
            return f'<sup id="{name}"><a href="#{around.prefix}note-{number}">{number}</a></sup>'
        case prose.Link(url, title, children, place):
            named = f' title="{_escape(title)}"' if title else ""
            led = f"#{around.prefix}{url[1:]}" if url.startswith("#") else around.link(url, place)
            return f'<a href="{_address(led)}"{named}>{render_inlines(children, around)}</a>'
        case prose.Image(title=title, alt=alt):
            shown = around.picture(child)
            named = f' title="{_escape(title)}"' if title else ""
            sized = f' width="{shown.width}" height="{shown.height}"' if shown.width else ""
            return f'<img src="{_address(shown.url)}" alt="{_escape(alt)}"{named}{sized} />'
        case _:
            tag = _TAGS[type(child)]
            return f"<{tag}>{render_inlines(child.children, around)}</{tag}>"


def _named_apart(markup: str, prefix: str) -> str:
    """Raw HTML whose own ids, and links to such, have the prefix that those of Markdown have."""
    return _TAG.sub(lambda tag: _ANCHOR.sub(rf"\g<0>{prefix}", tag[0]), markup) if prefix else markup


def _escape(text: str) -> str:
    return html.escape(text, quote=False).replace('"', "&quot;")


def _address(url: str) -> str:
    return _escape(quote(url, safe=_KEPT_IN_URLS))
