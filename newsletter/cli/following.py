"""Commands for a send that was begun: status, resume, cancel."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from newsletter.cli import opening
from newsletter.cli.carrying import Run, put_off_json, say_put_off, stoppable, verify_unsubscribe
from newsletter.cli.output import counted, say_balance, say_json
from newsletter.cli.sending import Issue, Limit, Unverified
from newsletter.cli.writing import AsJson
from newsletter.errors import StoreError

if TYPE_CHECKING:
    from newsletter.store.ledger import Balance, Ledger, Send
    from newsletter.workspace import Workspace


def register(app: typer.Typer) -> None:
    """Add these commands to `app`."""
    for command in (status, resume, cancel):
        app.command()(command)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the sending of an issue stands: who sends it at this moment; how many were put off, until when at least; of
    how many a run that was killed left unsaid whether they got it.
    """

    folder: Path
    known: Send
    balance: Balance
    sender: str | None
    put_off: tuple[int, datetime | None]
    left_behind: int

    def say(self) -> None:
        """In words, above the balance."""
        typer.echo(f"{self.folder.name}  edition {self.known.edition_hash[:12]}, through {self.known.provider}")
        typer.echo("; ".join(self._since()))
        say_balance(self.balance)
        say_put_off(*self.put_off)
        say_left_behind(self.left_behind, self.folder.name)

    def as_json(self) -> dict[str, Any]:
        """As `status --json` says it."""
        return self.balance.as_json() | {
            "id": self.known.issue_id,
            "issue": self.folder.name,
            "hash": self.known.edition_hash,
            "provider": self.known.provider,
            "begun": self.known.frozen_at,
            "cancelled": self.known.cancelled_at,
            "sending": self.sender,
            "left_behind": self.left_behind,
            **put_off_json(*self.put_off),
        }

    def _since(self) -> Iterator[str]:
        if self.known.frozen_at:
            yield f"begun {self.known.frozen_at:%Y-%m-%d %H:%M} UTC"
        if self.known.cancelled_at:
            yield f"cancelled {self.known.cancelled_at:%Y-%m-%d %H:%M} UTC"
        yield f"being sent by {self.sender}" if self.sender else "nobody is sending it now"


def status(
    context: typer.Context,
    issue: Annotated[str | None, typer.Argument(metavar="[ISSUE]", help="All issues if left out.")] = None,
    log: Annotated[bool, typer.Option("--log", help="The log of the issue, which names nobody.")] = False,
    failed: Annotated[bool, typer.Option("--failed", help="Whom the service refused, and its words.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the balance of what was sent, and who is sending at this moment."""
    workspace = opening.workspace_of(context)
    if log:
        _say_log(workspace, issue)
        return
    store = opening.Store.of(workspace)
    if failed:
        _say_failed(workspace, store, issue, as_json=as_json)
        return
    folders = [opening.issue_named(workspace, issue)] if issue else workspace.issue_folders()
    found = [standing for folder in folders if (standing := _standing(workspace, store, folder))]
    if as_json:
        said = [standing.as_json() for standing in found]
        say_json(said[0] if issue and said else said)
        return
    if not found:
        typer.echo("nothing was sent from this machine")
    for standing in found:
        standing.say()


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
    from newsletter.delivery.sent import refuse_if_sent_elsewhere
    from newsletter.issue.sent import read_sent

    workspace = opening.workspace_of(context)
    folder = opening.issue_named(workspace, issue)
    store = opening.Store.of(workspace)
    issue_id = id_of(folder)
    known = store.ledger.send(issue_id)
    if known is None:
        raise StoreError(f"{folder.name} was never sent from here", hint=f"newsletter send {issue}")
    refuse_if_sent_elsewhere(read_sent(folder), issue_id, store.ledger)
    edition = from_bytes(store.ledger.edition(issue_id))
    if provider is None:
        _say_what_changed(workspace, known)
    begun = known if provider is None else through(known, workspace.settings, provider)
    with (
        closing(
            opening.provider_named(workspace, begun.provider, begun.settings and begun.settings["options"])
        ) as carrier,
        stoppable() as stop,
    ):
        if begun.provider != known.provider:
            verify_unsubscribe(workspace, store, carrier, edition, unverified=unverified_unsubscribe)
        run = Run(
            workspace=workspace,
            store=store,
            folder=folder,
            edition=edition,
            provider=begun.provider,
            limit=limit,
            as_json=as_json,
        )
        with run.sender(carrier, stop, store.ledger.balance(issue_id)) as sender:
            sender.resume(issue_id, reconfigured=None if provider is None else begun)


def cancel(context: typer.Context, issue: Issue) -> None:
    """End a send for good: whoever waits is excluded."""
    from newsletter.delivery.log import SendLog

    workspace = opening.workspace_of(context)
    folder = opening.issue_named(workspace, issue)
    balance = opening.Store.of(workspace).ledger.cancel(id_of(folder))
    SendLog(opening.log_of(workspace, id_of(folder))).cancelled(balance)
    typer.echo(f"cancelled: {folder.name}")
    say_balance(balance)


def _say_what_changed(workspace: Workspace, known: Send) -> None:
    """Say where newsletter.toml says otherwise than when the issue was approved: it is gone on with as it was then."""
    from newsletter.delivery.plan import configured_now

    if changed := configured_now(known, workspace.settings).differences(known):
        typer.echo("newsletter.toml says otherwise now; going on as it was begun:", err=True)
        for difference in changed:
            typer.echo(f"  {difference}", err=True)
        typer.echo(f"  hint: `--provider {known.provider}` goes on through it as newsletter.toml says now", err=True)


def _standing(workspace: Workspace, store: opening.Store, folder: Path) -> Standing | None:
    """How the issue in `folder` stands, if it was ever sent from here."""
    from newsletter.delivery.journal import holder

    issue_id = id_of(folder)
    known = store.ledger.send(issue_id)
    if known is None:
        return None
    return Standing(
        folder=folder,
        known=known,
        balance=store.ledger.balance(issue_id),
        sender=holder(opening.journal_of(workspace, issue_id)),
        put_off=store.ledger.put_off(issue_id),
        left_behind=left_behind(workspace, store.ledger, issue_id),
    )


def left_behind(workspace: Workspace, ledger: Ledger, issue_id: str) -> int:
    """How many were in the batches of runs that were killed, if nobody is sending from here at this moment."""
    from newsletter.delivery.journal import holder

    if holder(opening.journal_of(workspace, issue_id)):
        return 0
    return sum(len(claim.deliveries) for claim in ledger.open_claims(issue_id))


def say_left_behind(number: int, issue: str) -> None:
    """Print what a run that was killed has left to be found out."""
    if number:
        who = counted(number, "recipient")
        typer.echo(f"interrupted: `newsletter resume {issue}` finds out which of {who} got it, and goes on")


def _say_failed(workspace: Workspace, store: opening.Store, issue: str | None, *, as_json: bool) -> None:
    if issue is None:
        raise typer.BadParameter("--failed is of one issue: name it")
    found = store.ledger.failed(id_of(opening.issue_named(workspace, issue)))
    if as_json:
        say_json([{"address": each.address, "at": each.at, "said": each.detail} for each in found])
        return
    for each in found:
        typer.echo(f"{each.address}  {each.detail}")
    if not found:
        typer.echo("nobody failed")


def _say_log(workspace: Workspace, issue: str | None) -> None:
    if issue is None:
        raise typer.BadParameter("there is one log an issue: which?", param_hint="--log")
    path = opening.log_of(workspace, id_of(opening.issue_named(workspace, issue)))
    if not path.exists():
        raise StoreError(f"there is no log of {issue}: it was never sent from here")
    typer.echo(path.read_text("utf-8"), nl=False)


def id_of(folder: Path) -> str:
    """The issue's id from its folder, without reading the rest: a broken article must not stop a resume."""
    from newsletter.issue.load import issue_id

    return issue_id(folder)
