"""`newsletter add --from SERVICE ARCHIVE`: whole archives of other services, an issue folder for each post."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from newsletter.cli.output import counted, place, shown
from newsletter.errors import ContentError, Place, Problem, did_you_mean

if TYPE_CHECKING:
    from newsletter.issue.importing.article import Imported
    from newsletter.issue.importing.posts import Brought
    from newsletter.workspace import Workspace


def known_source(name: str | None) -> str | None:
    """`name`, if it is one that archives can be read from."""
    if name is not None:
        from newsletter.issue.importing.sources import SOURCES

        if name not in SOURCES:
            raise typer.BadParameter(f"`{name}` is not known here; {did_you_mean(name, list(SOURCES))}")
    return name


def bring_archives(
    workspace: Workspace,
    source: str,
    archives: Iterable[Path],
    site: str | None,
    *,
    keep: Collection[str],
    complete: Callable[[Imported], Imported],
) -> None:
    """Bring every post of `archives` in, say what became of each, and raise ContentError for those that cannot be."""
    from newsletter.issue.importing.posts import bring
    from newsletter.issue.importing.sources import read_posts

    problems: list[Problem] = []
    count: Counter[str] = Counter()
    for archive in archives:
        posts = read_posts(source, archive, site or "")
        for brought in bring(workspace, posts, service=source, keep=keep, complete=complete):
            _say(brought)
            count[_fate(brought)] += 1
            problems += brought.problems
    typer.echo(f"{counted(count['new'], 'post')} brought in, {count['there']} there already, {count['not']} not")
    if problems:
        raise ContentError.of(problems)


def _fate(brought: Brought) -> str:
    if brought.folder is None:
        return "not"
    return "new" if brought.article else "there"


def _say(brought: Brought) -> None:
    post, folder, article = brought.post, brought.folder, brought.article
    if folder is None:
        return
    if article is None:
        typer.echo(f"left {shown(folder)}/ as it is: it has the slug of “{post.title}”")
        return
    typer.echo(f"wrote {shown(folder)}/  {post.state}{f' {post.date}' if post.date else ''}  {post.title}")
    for said in post.said:
        typer.echo(f"  {said}")
    path = post.file if post.file and article.in_source else folder / f"01-{article.slug}.md"
    for repair in article.repairs:
        typer.echo(f"  {place(Place(path, repair.line))}: {repair.name}: {repair.said}")
