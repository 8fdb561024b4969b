"""Blocks -> their words, links, pictures, headings and code, each with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from newsletter.errors import Place
from newsletter.issue import prose
from newsletter.issue.blocks import (
    Author,
    Block,
    Button,
    Comments,
    Container,
    Figure,
    Only,
    Post,
    Prose,
    Quote,
    Sponsor,
    walk,
)
from newsletter.issue.model import Article, Issue
from newsletter.issue.prose import inlines_of, plain

_NOT_WORDS = {"url", "link", "source", "src", "image", "dark", "who", "tag", "audience"}
_TAG = re.compile(r"<(?=[A-Za-z/!?])[^>]*(?:>|\Z)")


@dataclass(frozen=True, slots=True)
class Words:
    """A piece of text: a paragraph, a caption, a title."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Linked:
    """A link as it was written; `labelled` says that its text is the writer's own wording for it."""

    url: str
    text: str
    place: Place | None
    labelled: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture as it was written."""

    src: str
    alt: str
    caption: str
    place: Place


def written_blocks(issue: Issue) -> Iterator[Block]:
    """Every block of the issue in reading order, an article's lead picture before its text."""
    yield from walk(issue.opening)
    for article in issue.articles:
        if article.lead:
            yield article.lead
        for written in (article, *article.translations):
            yield from walk(written.blocks)
    yield from walk(issue.closing)


def words_of(issue: Issue) -> Iterator[Words]:
    """The text of every block, without its code."""
    for block in written_blocks(issue):
        yield from _words_of_block(block)


def words_of_article(article: Article) -> str:
    """All the text of an article."""
    return " ".join(words.text for block in walk(article.blocks) for words in _words_of_block(block))


def own_paragraphs(blocks: tuple[Block, ...]) -> Iterator[Words]:
    """The paragraphs that the author says to everybody: none of a quotation, a post, or what is for some readers."""
    for block in blocks:
        match block:
            case Prose():
                yield from (Words(_spoken(n.children), n.place) for n in block.nodes if isinstance(n, prose.Paragraph))
            case Container() if not isinstance(block, (Quote, Post, Only)):
                yield from own_paragraphs(block.children)
            case _:
                pass


def code_of(issue: Issue) -> Iterator[str]:
    """The text of every piece of code."""
    for nodes in proses_of(issue):
        yield from (child.text for child in inlines_of(nodes) if isinstance(child, prose.Code))
        yield from _code_blocks(nodes)


def links_of(issue: Issue) -> Iterator[Linked]:
    """Every link that was written, in running text or as a directive's argument."""
    for block in written_blocks(issue):
        match block:
            case Prose():
                yield from _links_in(inlines_of(block.nodes))
            case Button():
                yield Linked(block.url, plain(block.line), block.place, labelled=True)
            case (
                Figure(link=str(url))
                | Quote(source=str(url))
                | Post(url=str(url))
                | Sponsor(url=str(url))
                | Author(url=str(url))
                | Comments(url=str(url))
            ):
                yield Linked(url, "", block.place, labelled=False)
            case _:
                pass
        if line := getattr(block, "line", ()):
            yield from _links_in(inlines_of((prose.Tight(line),)))


def pictures_of(issue: Issue) -> Iterator[Shown]:
    """Every picture that was written."""
    for block in written_blocks(issue):
        match block:
            case Figure() if block.src:
                yield Shown(block.src, block.alt, plain(block.line), block.place)
            case Post(image=str(image)) | Author(image=str(image)):
                yield Shown(image, block.alt, "", block.place)
            case Prose():
                for child in inlines_of(block.nodes):
                    if isinstance(child, prose.Image):
                        yield Shown(child.src, child.alt, child.title, child.place)
            case _:
                pass


def raw_html_of(nodes: tuple[prose.Node, ...]) -> Iterator[tuple[str, Place]]:
    """Every piece of raw HTML in `nodes`, and where it begins."""
    for child in inlines_of(nodes):
        if isinstance(child, prose.InlineHtml):
            yield child.html, child.place
    for block in _html_blocks(nodes):
        yield block.html, block.place


def headings_of(article: Article) -> Iterator[prose.Heading]:
    """The headings of an article in reading order."""
    for block in walk(article.blocks):
        if isinstance(block, Prose):
            yield from _headings(block.nodes)


def _words_of_block(block: Block) -> Iterator[Words]:
    for name in type(block).model_fields:
        value = getattr(block, name)
        if name not in _NOT_WORDS and isinstance(value, str) and value:
            yield Words(value, block.place)
    if isinstance(block, Prose):
        yield from _words_of_nodes(block.nodes, block.place)
    elif line := getattr(block, "line", ()):
        yield Words(_spoken(line), block.place)


def proses_of(issue: Issue) -> Iterator[tuple[prose.Node, ...]]:
    """Every run of prose, and every directive's line as one."""
    for block in written_blocks(issue):
        if isinstance(block, Prose):
            yield block.nodes
        elif line := getattr(block, "line", ()):
            yield (prose.Tight(line),)


def _links_in(children: Iterator[prose.Inline]) -> Iterator[Linked]:
    for child in children:
        if isinstance(child, prose.Link):
            yield Linked(child.url, plain(child.children), child.place, labelled=True)


def _inside(node: prose.Node) -> tuple[prose.Node, ...]:
    match node:
        case prose.BlockQuote(children):
            return children
        case prose.Listing(items=items) | prose.Footnotes(items):
            return tuple(child for item in items for child in item.children)
        case prose.Table(head, rows):
            return tuple(prose.Tight(cell.children) for row in (head, *rows) for cell in row)
        case _:
            return ()


def _words_of_nodes(nodes: tuple[prose.Node, ...], place: Place) -> Iterator[Words]:
    for node in nodes:
        here = getattr(node, "place", place)
        match node:
            case prose.Paragraph(children) | prose.Tight(children) | prose.Heading(children=children):
                yield Words(_spoken(children), here)
            case prose.HtmlBlock(html):
                yield Words(_TAG.sub(" ", html), here)
            case _:
                yield from _words_of_nodes(_inside(node), here)


def _code_blocks(nodes: tuple[prose.Node, ...]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, prose.CodeBlock):
            yield node.text
        yield from _code_blocks(_inside(node))


def _html_blocks(nodes: tuple[prose.Node, ...]) -> Iterator[prose.HtmlBlock]:
    for node in nodes:
        if isinstance(node, prose.HtmlBlock):
            yield node
        yield from _html_blocks(_inside(node))


def _headings(nodes: tuple[prose.Node, ...]) -> Iterator[prose.Heading]:
    for node in nodes:
        if isinstance(node, prose.Heading):
            yield node
        yield from _headings(_inside(node))


def _spoken(children: tuple[prose.Inline, ...]) -> str:
    """Running text without its code. Emphasis keeps its stars: `*|NAME|*` is another tool's merge tag."""
    return "".join(_said(child) for child in children)


def _said(child: prose.Inline) -> str:
    match child:
        case prose.Text(text):
            return text
        case prose.SoftBreak() | prose.HardBreak() | prose.Code():
            return " "
        case prose.Emphasis(children):
            return f"*{_spoken(children)}*"
        case prose.Strong() | prose.Strikethrough() | prose.Link():
            return _spoken(child.children)
        case prose.Image(alt=alt):
            return alt
        case _:
            return ""
