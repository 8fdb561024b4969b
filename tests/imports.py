"""What the tests of imports share: an imported article as the loader reads it, and its words in reading order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from newsletter.issue.blocks import Block, Comments, Cta, Figure, Post, Prose, Quote, walk
from newsletter.issue.importing.article import Imported
from newsletter.issue.importing.writing import write_article
from newsletter.issue.load import load_issue
from newsletter.issue.model import Article
from newsletter.issue.prose import (
    BlockQuote,
    CodeBlock,
    Footnotes,
    Heading,
    Listing,
    Node,
    Paragraph,
    Table,
    Tight,
    plain,
)
from newsletter.workspace import Workspace

_HIDDEN = re.compile(r"^:::comments.*\n:::(?:\n\n<!-- (.*) -->$)?", re.MULTILINE)


def loaded(tmp_path: Path, *results: Imported) -> tuple[Article, ...]:
    """The articles of an issue to which `results` were written."""
    root = tmp_path / "workspace"
    folder = root / "issues" / "1-first"
    folder.mkdir(parents=True, exist_ok=True)
    (root / "newsletter.toml").write_text(
        '[publication]\nid = "k3v9q2m8w1zt"\nname = "N"\nurl = "https://n.example.org"\nfrom = "a@n.example.org"\n'
    )
    (folder / "issue.md").write_text("---\nid: abcdefabcdef\ntitle: One\n---\n")
    for result in results:
        write_article(folder, result)
    return load_issue(Workspace.open(root), folder).articles


def letters(text: str) -> str:
    """The letters and digits of `text`."""
    return "".join(character for character in text if character.isalnum())


def read_words(article: Article) -> str:
    """Everything that an article says: title, hook, text, the arguments that came from the text, and what an import
    hides behind the comments block."""
    hidden = iter(_HIDDEN.findall(article.place.path.read_text("utf-8")))
    said = (text for block in walk(article.blocks) for text in _said(block, hidden))
    return " ".join([article.title, article.hook, *said])


def words_of_blocks(blocks: Any) -> list[str]:
    """The words of `blocks`, those of their names and captions too; commas and upright strokes part words."""
    said = " ".join(_texts(walk(blocks)))
    return said.replace(",", " ").replace("|", " ").split()


def _texts(blocks: Iterable[Any]) -> Iterator[str]:
    for block in blocks:
        if isinstance(block, Prose):
            yield from _prose(block.nodes)
        for field in ("by", "role", "author", "handle", "title"):
            yield getattr(block, field, "") or ""
        yield plain(getattr(block, "line", ()))


def _prose(nodes: Iterable[Node]) -> Iterator[str]:
    for node in nodes:
        match node:
            case Paragraph() | Tight() | Heading():
                yield plain(node.children)
            case CodeBlock(text=text):
                yield text
            case BlockQuote(children):
                yield from _prose(children)
            case Listing(items=items) | Footnotes(items):
                for item in items:
                    yield from _prose(item.children)
            case Table(head, rows):
                for cell in (*head, *(cell for row in rows for cell in row)):
                    yield plain(cell.children)
            case _:
                pass


def _said(block: Block, hidden: Iterator[str]) -> Iterator[str]:
    match block:
        case Prose(nodes=nodes):
            yield from (_node(node) for node in nodes)
        case Quote(by=by, role=role):
            yield f"{by} {role}"
        case Figure(line=line) | Cta(line=line):
            yield plain(line)
        case Comments(title=title, line=line):
            yield f"{title} {plain(line)} {next(hidden)}"
        case Post():
            pass  # its platform and author stand in the text above it as well
        case _:
            raise AssertionError(f"an import makes no {block.name}")


def _node(node: Node) -> str:
    match node:
        case Paragraph(children) | Heading(_, children):
            return plain(children)
        case _:
            raise AssertionError(f"an import of plain text makes no {type(node).__name__}")
