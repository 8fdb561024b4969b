"""Commands of the list: subscribers add, import, count, list, remove."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli import opening
from newsletter.cli.output import say_json, say_problems
from newsletter.cli.writing import AsJson

ListName = Annotated[str, typer.Option("--list", metavar="LIST", help="Which of the publication's lists.")]


def register(app: typer.Typer) -> None:
    """Add these commands to `app`."""
    group = typer.Typer(help="The list: add, import, count, remove.", no_args_is_help=True)
    group.command()(add)
    group.command("import")(import_file)
    group.command()(count)
    group.command()(remove)
    app.add_typer(group, name="subscribers")


def add(
    context: typer.Context,
    address: Annotated[str, typer.Argument(metavar="ADDRESS")],
    first_name: Annotated[str, typer.Option()] = "",
    last_name: Annotated[str, typer.Option()] = "",
    tag: Annotated[list[str] | None, typer.Option(help="A tag; may stand several times.")] = None,
    list_name: ListName = "main",
) -> None:
    """Add one person who asked to be added."""
    from newsletter.store.subscribers import Added

    store = opening.Store.of(opening.workspace_of(context))
    email = _normal(address)
    done = store.subscribers.add(
        email, list=list_name, first_name=first_name, last_name=last_name, tags=tag or [], source="command line"
    )
    if done is Added.LEFT_ALONE:
        there = store.subscribers.find(email, list_name)
        typer.echo(f"left alone: {email} is {there.state if there else 'erased'} and stays so")
        raise typer.Exit(1)
    typer.echo(f"{'added' if done is Added.ADDED else 'already there'}: {email}")


def import_file(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with a header: email, first_name, last_name, tags")],
    list_name: ListName = "main",
    as_json: AsJson = False,
) -> None:
    """Import people from a CSV file; whoever left is left alone."""
    from newsletter.store.importing import import_csv

    store = opening.Store.of(opening.workspace_of(context))
    report = import_csv(store.subscribers, file, list=list_name, source=f"import {file.name}")
    left_alone = {str(state): number for state, number in report.left_alone.items()}
    if as_json:
        rejected = [str(problem) for problem in report.problems]
        say_json({"added": report.added, "already": report.already, "left_alone": left_alone, "rejected": rejected})
    else:
        typer.echo(f"added {report.added:,}, already there {report.already:,}, rejected {report.rejected:,}")
        for state, number in left_alone.items():
            typer.echo(f"left alone {number:,} ({state})")
        say_problems(report.problems)
    if report.problems:
        raise typer.Exit(1)


def count(context: typer.Context, list_name: ListName = "main", as_json: AsJson = False) -> None:
    """Count the people on the list, by state."""
    store = opening.Store.of(opening.workspace_of(context))
    counts = {str(state): number for state, number in store.subscribers.count(list_name).items()}
    if as_json:
        say_json(counts)
        return
    for state, number in counts.items():
        typer.echo(f"{state:<14}{number:>10,}")


def remove(
    context: typer.Context,
    address: Annotated[str, typer.Argument(metavar="ADDRESS")],
    list_name: ListName = "main",
) -> None:
    """Unsubscribe one person who asked for it."""
    store = opening.Store.of(opening.workspace_of(context))
    email = _normal(address)
    if not store.subscribers.remove(email, list=list_name):
        typer.echo(f"nobody on the list `{list_name}` has the address {email}", err=True)
        raise typer.Exit(1)
    typer.echo(f"unsubscribed: {email}")


def _normal(address: str) -> str:
    from newsletter.store.subscribers import normalise

    try:
        return normalise(address)
    except ValueError as error:
        raise typer.BadParameter(f"{address}: {error}", param_hint="ADDRESS") from error
