"""The command that brings texts from elsewhere into an issue: add."""

from __future__ import annotations

import datetime
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli import opening
from newsletter.cli.bringing import bring_archives, known_source
from newsletter.cli.output import place, shown
from newsletter.errors import Place, did_you_mean

if TYPE_CHECKING:
    from newsletter.issue.importing.article import Imported
    from newsletter.issue.importing.draft import Repair


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(add)


def _list_repairs(wanted: bool) -> None:
    if not wanted:
        return
    from newsletter.issue.importing.repairs import MENDINGS

    for mending in MENDINGS:
        typer.echo(f"{mending.name:<20}{mending.explanation}")
    raise typer.Exit


def _known_repairs(names: list[str]) -> list[str]:
    if names:
        from newsletter.issue.importing.repairs import MENDINGS

        known = [mending.name for mending in MENDINGS]
        for name in names:
            if name not in known:
                raise typer.BadParameter(f"there is no repair `{name}`; {did_you_mean(name, known)}")
    return names


def add(
    context: typer.Context,
    issue: Annotated[str, typer.Argument(metavar="ISSUE", help="Folder, number, slug or id; with --from an archive.")],
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Articles: .txt, .md, .html or .docx")] = [],  # noqa: B006
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="SERVICE",
            callback=known_source,
            help="ghost, jekyll or substack: whole archives, one issue a post.",
        ),
    ] = None,
    title: Annotated[str | None, typer.Option(help="The article's title.")] = None,
    source_url: Annotated[str | None, typer.Option(help="Where it was published first.")] = None,
    date: Annotated[datetime.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Its date.")] = None,
    author: Annotated[str | None, typer.Option(help="Its author.")] = None,
    keep: Annotated[
        list[str], typer.Option(metavar="NAME", callback=_known_repairs, help="A repair not to make; may be repeated.")
    ] = [],  # noqa: B006
    fetch_pictures: Annotated[
        bool,
        typer.Option("--fetch-pictures", help="Bring pictures on the web into images/; they stay there otherwise."),
    ] = False,
    repairs: Annotated[
        bool,
        typer.Option("--repairs", is_eager=True, callback=_list_repairs, help="List the repairs."),
    ] = False,
) -> None:
    """Add source articles to an issue, naming each repair; or with --from, a service's archive as issues.

    `newsletter add ISSUE FILE...` or `newsletter add --from ghost ARCHIVE`
    """
    from newsletter.issue.front import read_document
    from newsletter.issue.importing.article import import_article
    from newsletter.issue.importing.remote import with_pictures
    from newsletter.issue.importing.writing import write_article

    workspace = opening.workspace_of(context)
    if source is not None:
        if title or date or author:
            raise typer.BadParameter("an archive says the titles, dates and authors of its posts", param_hint="--from")
        bring_archives(
            workspace,
            source,
            [Path(issue), *files],
            source_url,
            keep=keep,
            complete=_with_pictures if fetch_pictures else lambda article: article,
        )
        return
    if not files:
        raise typer.BadParameter("name the files to add", param_hint="FILE...")
    folder = opening.issue_named(workspace, issue)
    lang = read_document(folder / "issue.md").values.get("lang") or workspace.settings.publication.language

    def imported(file: Path, title: str | None) -> Imported:
        day = date.date() if date else None
        return import_article(
            file, title=title, source_url=source_url, date=day, author=author, lang=str(lang), keep=keep
        )

    articles = [(file, imported(file, title)) for file in files]
    for file, article in articles:
        named = imported(file, _asked_for(file)) if "title" in article.missing and sys.stdin.isatty() else article
        complete, fetched = with_pictures(named) if fetch_pictures else (named, ())
        _say(complete, file, write_article(folder, complete), fetched)


def _with_pictures(article: Imported) -> Imported:
    from newsletter.issue.importing.remote import with_pictures

    complete, fetched = with_pictures(article)
    return replace(complete, repairs=(*complete.repairs, *fetched))


def _asked_for(file: Path) -> str | None:
    """The title that somebody at a terminal gives to `file`, or None."""
    return typer.prompt(f"title of {shown(file)} (empty: later)", default="", show_default=False).strip() or None


def _say(article: Imported, file: Path, path: Path, fetched: tuple[Repair, ...]) -> None:
    typer.echo(f"wrote {shown(path)}")
    said = [(file if article.in_source else path, repair) for repair in article.repairs]
    for where, repair in [*said, *((path, repair) for repair in fetched)]:
        typer.echo(f"  {place(Place(where, repair.line))}: {repair.name}: {repair.said}")
    if article.missing:
        typer.echo(f"  not given: {', '.join(article.missing)}")
    if "title" in article.missing:
        typer.echo("  next: write a `title:` into it; an article cannot do without")
