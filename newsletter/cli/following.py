"""Commands for a send that was begun: status, resume, cancel, uncertain."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from newsletter.cli import opening
from newsletter.cli.output import counted, say_balance, say_json
from newsletter.cli.progress import showing_progress
from newsletter.cli.sending import (
    Issue,
    Limit,
    Unverified,
    finish,
    sender_of,
    stoppable,
    verify_unsubscribe,
)
from newsletter.cli.writing import AsJson
from newsletter.errors import StoreError

if TYPE_CHECKING:
    from newsletter.store.ledger import Balance, Send
    from newsletter.workspace import Workspace


def register(app: typer.Typer) -> None:
    """Add these commands to `app`."""
    for command in (status, resume, cancel, uncertain):
        app.command()(command)


def status(
    context: typer.Context,
    issue: Annotated[str | None, typer.Argument(metavar="[ISSUE]", help="All issues if left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the balance of what was sent."""
    workspace = opening.workspace_of(context)
    store = opening.Store.of(workspace)
    folders = [opening.issue_named(workspace, issue)] if issue else workspace.issue_folders()
    rows = [row for folder in folders if (row := _status_row(store, folder))]
    if as_json:
        said = [balance.as_json() | known for _, balance, known in rows]
        say_json(said[0] if issue and said else said)
        return
    if not rows:
        typer.echo("nothing was sent from this machine")
    for folder, balance, known in rows:
        typer.echo(f"{folder.name}  edition {known['hash'][:12]}")
        say_balance(balance)


def resume(
    context: typer.Context,
    issue: Issue,
    provider: Annotated[
        str | None, typer.Option(metavar="NAME", help="Through this one, as newsletter.toml says now.")
    ] = None,
    limit: Limit = None,
    unverified_unsubscribe: Unverified = False,
    as_json: AsJson = False,
) -> None:
    """Go on with a send that was stopped.

    Adds nobody, and sends the edition that was approved, through the provider and with the options that were approved;
    secrets are those of now. Where the service has moved, --provider takes it as newsletter.toml says now.
    """
    from newsletter.compile.edition import from_bytes
    from newsletter.delivery.plan import through

    workspace = opening.workspace_of(context)
    folder = opening.issue_named(workspace, issue)
    store = opening.Store.of(workspace)
    issue_id = _id_of(folder)
    known = store.ledger.send(issue_id)
    if known is None:
        raise StoreError(f"{folder.name} was never sent from here", hint=f"newsletter send {issue}")
    edition = from_bytes(store.ledger.edition(issue_id))
    if provider is None:
        _say_what_changed(workspace, known)
    begun = known if provider is None else through(known, workspace.settings, provider)
    with (
        closing(
            opening.provider_named(workspace, begun.provider, begun.settings and begun.settings["options"])
        ) as carrier,
        stoppable() as stop,
        showing_progress(store.ledger.balance(issue_id), stop, limit) as shows,
    ):
        if begun.provider != known.provider:
            verify_unsubscribe(workspace, store, carrier, edition, unverified=unverified_unsubscribe)
        sender = sender_of(workspace, store, carrier, limit, stop, shows)
        balance = sender.resume(issue_id, reconfigured=None if provider is None else begun)
    all_now = limit is None or stop.asked
    finish(workspace, folder, store, edition, balance, name=begun.provider, all_now=all_now, as_json=as_json)


def cancel(context: typer.Context, issue: Issue) -> None:
    """End a send for good: whoever waits is excluded."""
    workspace = opening.workspace_of(context)
    folder = opening.issue_named(workspace, issue)
    balance = opening.Store.of(workspace).ledger.cancel(_id_of(folder))
    typer.echo(f"cancelled: {folder.name}")
    say_balance(balance)


def uncertain(
    context: typer.Context,
    issue: Issue,
    resend: Annotated[bool, typer.Option("--resend", help="Let them wait again: some may get it twice.")] = False,
    assume_sent: Annotated[bool, typer.Option("--assume-sent", help="Take it that they got it.")] = False,
) -> None:
    """List or decide those who may have got it or not."""
    from newsletter.store.ledger import DeliveryState

    if resend and assume_sent:
        raise typer.BadParameter("--resend and --assume-sent exclude each other")
    workspace = opening.workspace_of(context)
    store = opening.Store.of(workspace)
    issue_id = _id_of(opening.issue_named(workspace, issue))
    found = store.ledger.uncertain(issue_id)
    for delivery in found:
        typer.echo(f"{delivery.address}  {delivery.detail}")
    if resend or assume_sent:
        state = DeliveryState.WAITING if resend else DeliveryState.ACCEPTED
        decision = "sent again by hand" if resend else "assumed sent"
        number = store.ledger.settle_uncertain(issue_id, state, decision)
        then = f"waiting again: `newsletter resume {issue}`" if resend else "taken as sent"
        typer.echo(f"{counted(number, 'recipient')} {then}")
    elif not found:
        typer.echo("nobody is uncertain")


def _say_what_changed(workspace: Workspace, known: Send) -> None:
    """Say where newsletter.toml says otherwise than when the issue was approved: it is gone on with as it was then."""
    from newsletter.delivery.plan import configured_now

    if changed := configured_now(known, workspace.settings).differences(known):
        typer.echo("newsletter.toml says otherwise now; going on as it was begun:", err=True)
        for difference in changed:
            typer.echo(f"  {difference}", err=True)
        typer.echo(f"  hint: `--provider {known.provider}` goes on through it as newsletter.toml says now", err=True)


def _status_row(store: opening.Store, folder: Path) -> tuple[Path, Balance, dict[str, Any]] | None:
    issue_id = _id_of(folder)
    known = store.ledger.send(issue_id)
    if known is None:
        return None
    return folder, store.ledger.balance(issue_id), {"id": issue_id, "issue": folder.name, "hash": known.edition_hash}


def _id_of(folder: Path) -> str:
    """The issue's id from its folder, without reading the rest: a broken article must not stop a resume."""
    from newsletter.issue.load import issue_id

    return issue_id(folder)
