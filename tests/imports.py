"""What the tests of imports share: an imported article as the loader reads it, and its words in reading order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from newsletter.issue.blocks import Block, Comments, Cta, Figure, Post, Prose, Quote, walk
from newsletter.issue.importing.article import Imported
from newsletter.issue.importing.writing import write_article
from newsletter.issue.load import load_issue
from newsletter.issue.model import Article
from newsletter.issue.prose import Heading, HtmlBlock, Node, Paragraph, plain
from newsletter.workspace import Workspace


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
    """Everything that an article says: title, hook, text, and the arguments that came from the text."""
    return " ".join([article.title, article.hook, *(text for block in walk(article.blocks) for text in _said(block))])


def _said(block: Block) -> Iterator[str]:
    match block:
        case Prose(nodes=nodes):
            yield from (_node(node) for node in nodes)
        case Quote(by=by, role=role):
            yield f"{by} {role}"
        case Figure(line=line) | Cta(line=line):
            yield plain(line)
        case Comments(title=title, line=line):
            yield f"{title} {plain(line)}"
        case Post():
            pass  # its platform and author stand in the text above it as well
        case _:
            raise AssertionError(f"an import makes no {block.name}")


def _node(node: Node) -> str:
    match node:
        case Paragraph(children) | Heading(_, children):
            return plain(children)
        case HtmlBlock(html=html):
            return re.sub(r"<!--(.*?)-->", r"\1", html, flags=re.DOTALL)
        case _:
            raise AssertionError(f"an import of plain text makes no {type(node).__name__}")
