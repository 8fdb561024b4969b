"""Commands that keep: backup, restore."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli import opening
from newsletter.cli.output import counted
from newsletter.errors import StoreError

if TYPE_CHECKING:
    from newsletter.delivery.keeping import Places
    from newsletter.workspace import Workspace


def register(app: typer.Typer) -> None:
    """Add these commands to `app`."""
    app.command()(backup)
    app.command()(restore)


def backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file, outside the work tree.")],
) -> None:
    """Write database and keys into one file.

    Also while a send is under way. Journals and the outbox are not in it.
    """
    from newsletter.delivery.keeping import back_up

    workspace = opening.workspace_of(context)
    places = _places(workspace)
    if file.resolve().is_relative_to(workspace.root):
        raise typer.BadParameter("addresses and keys have no place in the work tree", param_hint="FILE")
    if opening.Store.if_there(workspace) is None:
        raise StoreError("there is nothing to back up yet", hint="`newsletter where` shows where it would lie")
    manifest = back_up(file.absolute(), workspace.settings.publication.id, places)
    typer.echo(f"wrote {file}: the database and the keys, as of {manifest.made:%Y-%m-%d %H:%M:%S} UTC")
    for issue, balance in manifest.under_way.items():
        typer.echo(
            f"issue {issue} was under way: {balance['waiting']:,} of {balance['selected']:,} waited, and would be "
            "uncertain after a restore; a backup at its end is the better one"
        )


def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `backup` wrote.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="In the place of the data that is there, which is kept aside.")
    ] = False,
) -> None:
    """Put a backup in place.

    Whoever waited for an issue when it was made is uncertain then: they may have been sent to since.
    """
    from newsletter.delivery.keeping import restore as put_back

    workspace = opening.workspace_of(context)
    places = _places(workspace)
    restored = put_back(file, workspace.settings.publication.id, places, replace=replace)
    typer.echo(f"restored {places.data} from the backup of {restored.manifest.made:%Y-%m-%d %H:%M:%S} UTC")
    for kept in restored.kept:
        typer.echo(f"what was there is kept as {kept}")
    for issue, number in restored.uncertain.items():
        typer.echo(f"issue {issue}: {counted(number, 'recipient')} uncertain; `newsletter uncertain {issue}` decides")


def _places(workspace: Workspace) -> Places:
    from newsletter.delivery.keeping import Places
    from newsletter.store.schema import database_path

    url = opening.database_url(workspace)
    keys = workspace.data / opening.KEYS
    if url.startswith("postgresql"):
        raise StoreError(
            "the database is on a PostgreSQL server, whose own tools copy it",
            hint=f"`pg_dump` and `pg_restore`; copy {keys} with it, without which links in sent mail stop working",
        )
    return Places(data=workspace.data, database=database_path(url).absolute(), keys=keys)
