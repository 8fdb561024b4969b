"""The command that brings texts from elsewhere into an issue: add."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli import opening
from newsletter.cli.output import place, shown


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(add)


def add(
    context: typer.Context,
    issue: Annotated[str, typer.Argument(metavar="ISSUE", help="Folder, number, slug or id.")],
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Articles: .txt or .md")],
    title: Annotated[str | None, typer.Option(help="The article's title.")] = None,
    source_url: Annotated[str | None, typer.Option(help="Where it was published first.")] = None,
    date: Annotated[datetime.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Its date.")] = None,
    author: Annotated[str | None, typer.Option(help="Its author.")] = None,
) -> None:
    """Add source articles to an issue, naming each repair."""
    from newsletter.errors import Place
    from newsletter.issue.importing.article import import_article
    from newsletter.issue.importing.writing import write_article

    workspace = opening.workspace_of(context)
    folder = opening.issue_named(workspace, issue)
    day = date.date() if date else None
    imported = [
        (file, import_article(file, title=title, source_url=source_url, date=day, author=author)) for file in files
    ]
    for file, article in imported:
        path = write_article(folder, article)
        typer.echo(f"wrote {shown(path)}")
        for repair in article.repairs:
            typer.echo(f"  {place(Place(file, repair.line))}: {repair.name}: {repair.said}")
        if article.missing:
            typer.echo(f"  not given: {', '.join(article.missing)}")
        if "title" in article.missing:
            typer.echo("  next: write a `title:` into it; an article cannot do without")
