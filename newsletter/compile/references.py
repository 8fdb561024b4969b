"""What blocks say of other parts of the newsletter: contents, neighbours, and the words of links that have none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count

from newsletter.compile.audience import Persona, holding, seen_by
from newsletter.compile.footnotes import noted, parted
from newsletter.compile.outline import outlined
from newsletter.issue.blocks import Also, Block, Button, Container, Entry, Prose, Toc, walk
from newsletter.issue.model import Article, Issue
from newsletter.issue.prose import Heading, Inline, Link, Node, Text, inlines_of, plain, rewritten, rewritten_nodes
from newsletter.issue.slots import TOKEN
from newsletter.issue.slug import slugify

ENOUGH = 3
"""As many articles make a list of contents worth its room."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where blocks stand: in `issue`, whose mail or page holds `articles`, and in `article`, if they are one's."""

    issue: Issue
    articles: tuple[Article, ...]
    article: Article | None = None

    def referring(self, blocks: tuple[Block, ...]) -> tuple[Block, ...]:
        """`blocks` with what they say of others filled in."""
        named = _with_ids(blocks) if any(isinstance(block, Toc) for block in walk(blocks)) else blocks
        headings = tuple(Entry(plain(h.children), f"#{h.id}", "") for h in _headings(named) if h.id)
        contents = headings if self.article else self._articles(self.articles)
        return tuple(filled for block in named if (filled := self._referring(block, contents)))

    def inside(self, article: Article) -> Standing:
        """The same within one of its articles."""
        return replace(self, article=article)

    def _referring(self, block: Block, contents: tuple[Entry, ...]) -> Block | None:
        """`block` filled in; None for a list of nothing."""
        match block:
            case Toc():
                return block.model_copy(update={"entries": contents}) if contents else None
            case Also():
                siblings = self._articles(self.articles)
                return block.model_copy(update={"entries": siblings}) if siblings else None
            case Button(line=()):
                return block.model_copy(update={"line": (Text(self.title_of(block.url)),)})
            case Prose(nodes=nodes) if _wordless(inlines_of(nodes)):
                return block.model_copy(update={"nodes": rewritten_nodes(nodes, self._worded)})
            case Container():
                children = (self._referring(child, contents) for child in block.children)
                return holding(block, tuple(child for child in children if child))
            case _:
                line = getattr(block, "line", ())
                return block.model_copy(update={"line": rewritten(line, self._worded)}) if _wordless(line) else block

    def _articles(self, articles: tuple[Article, ...]) -> tuple[Entry, ...]:
        own, spoken = (self.article.slug, self.article.lang) if self.article else ("", self.issue.lang)
        others = (one for one in articles if one.slug != own)
        return tuple(Entry(one.title, f"article:{one.slug}", one.lang if one.lang != spoken else "") for one in others)

    def _worded(self, child: Inline) -> Inline:
        if not isinstance(child, Link) or child.children:
            return child
        words = self.title_of(child.url)
        return replace(child, children=(Text(words),)) if words else child

    def title_of(self, target: str) -> str:
        """The title of the page that `article:slug` or `issue:126` leads to; empty for all else."""
        kind, _, name = target.partition(":")
        if kind == "issue" and (issue := self.issue.catalogue.issue(name)):
            return issue.title if issue.number is None else f"#{issue.number}: {issue.title}"
        if kind == "article" and (article := self.issue.catalogue.article(name)):
            return article.titles[name.partition(".")[2] or article.lang]
        return ""


def lists_contents(issue: Issue) -> bool:
    """Whether a list of the articles is to stand where the theme has one: the writer put none, and there are enough."""
    return len(issue.articles) >= ENOUGH and not any(
        isinstance(block, Toc) for block in walk((*issue.opening, *issue.closing))
    )


def laid_out(issue: Issue, persona: Persona, texts: Sequence[tuple[Article, tuple[Block, ...]]]) -> dict[str, object]:
    """What templates have of `issue` as `persona` sees it: opening and closing, and the articles each with its blocks,
    `texts` being what is shown of each. An article that is called like its issue has no heading of its own there."""
    around = Standing(issue, tuple(article for article, _ in texts))
    opening, closing = standing_as(persona, around, 2, issue.opening, issue.closing)
    articles = [
        (one, *standing_as(persona, around.inside(one), 2 if one.title == issue.title else 3, blocks))
        for one, blocks in texts
    ]
    return {"contents": lists_contents(issue), "opening": opening, "articles": articles, "closing": closing}


def standing_as(
    persona: Persona, standing: Standing, top: int, *passages: tuple[Block, ...]
) -> tuple[tuple[Block, ...], ...]:
    """`passages`, read one after the other, as `persona` sees them where they stand, with their headings' levels from
    `top` downwards."""
    texts, notes = zip(*map(parted, passages), strict=True)
    seen = noted([seen_by(persona, text) for text in texts], notes)
    return tuple(outlined(standing.referring(blocks), top) for blocks in seen)


def _wordless(children: tuple[Inline, ...] | Iterator[Inline]) -> bool:
    return any(isinstance(child, Link) and not child.children for child in children)


def _headings(blocks: tuple[Block, ...]) -> Iterator[Heading]:
    for block in walk(blocks):
        if isinstance(block, Prose):
            yield from (node for node in block.nodes if isinstance(node, Heading))


def _with_ids(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """`blocks` with an id for each heading, so that contents can lead there."""
    return _Naming().blocks(blocks)


class _Naming:
    """The ids given so far in one article."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def blocks(self, blocks: tuple[Block, ...]) -> tuple[Block, ...]:
        return tuple(self._block(block) for block in blocks)

    def _block(self, block: Block) -> Block:
        if isinstance(block, Prose):
            return block.model_copy(update={"nodes": tuple(self._named(node) for node in block.nodes)})
        if isinstance(block, Container):
            return block.model_copy(update={"children": self.blocks(block.children)})
        return block

    def _named(self, node: Node) -> Node:
        if not isinstance(node, Heading):
            return node
        stem = node.id or f"on-{slugify(TOKEN.sub('', plain(node.children)))}"
        names = (stem if n == 1 else f"{stem}-{n}" for n in count(1))
        name = next(name for name in names if name not in self._given)
        self._given.add(name)
        return replace(node, id=name)
