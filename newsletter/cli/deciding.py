"""The command uncertain: those of whom nobody can know whether they got an issue, until somebody decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from newsletter.cli import opening
from newsletter.cli.following import id_of, left_behind, say_left_behind
from newsletter.cli.output import counted, say_json
from newsletter.cli.sending import Issue
from newsletter.cli.writing import AsJson

if TYPE_CHECKING:
    from newsletter.store.ledger import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """A recipient who may have got it or not: since when, why, and by what a service's log knows the copy."""

    seq: int
    address: str
    message_id: str
    since: datetime | None
    known: str

    def as_json(self) -> dict[str, Any]:
        """As `uncertain --json` says it."""
        return {name: getattr(self, name) for name in ("address", "message_id", "since", "known")}


def register(app: typer.Typer) -> None:
    """Add this command to `app`."""
    app.command()(uncertain)


def uncertain(
    context: typer.Context,
    issue: Issue,
    addresses: Annotated[
        list[str] | None, typer.Argument(metavar="[ADDRESS]...", help="These alone; all if left out.")
    ] = None,
    resend: Annotated[bool, typer.Option("--resend", help="Let them wait again: some may get it twice.")] = False,
    assume_sent: Annotated[bool, typer.Option("--assume-sent", help="Take it that they got it.")] = False,
    as_json: AsJson = False,
) -> None:
    """List or decide those who may have got it or not.

    The service's own log knows each copy by its Message-ID, and says whether it was taken.
    """
    if resend and assume_sent:
        raise typer.BadParameter("--resend and --assume-sent exclude each other")
    workspace = opening.workspace_of(context)
    ledger = opening.Store.of(workspace).ledger
    folder = opening.issue_named(workspace, issue)
    issue_id = id_of(folder)
    about = _about(_doubts(ledger, issue_id), addresses)
    if resend or assume_sent:
        only = [doubt.seq for doubt in about] if addresses else None
        number = _decide(ledger, issue_id, only, resend=resend, log=opening.log_of(workspace, issue_id))
    if as_json:
        decided = "resend" if resend else "assume-sent" if assume_sent else None
        said = [doubt.as_json() for doubt in about]
        say_json({"id": issue_id, "issue": folder.name, "decided": decided, "uncertain": said})
    elif resend or assume_sent:
        then = f"waiting again: `newsletter resume {issue}`" if resend else "taken as sent"
        typer.echo(f"{counted(number, 'recipient')} {then}")
    else:
        _say(about, issue)
        say_left_behind(left_behind(workspace, ledger, issue_id), issue)


def _doubts(ledger: Ledger, issue_id: str) -> list[Doubt]:
    """Everybody who is uncertain."""
    from newsletter.compile.edition import from_bytes
    from newsletter.message import envelope_sender, message_id

    found = ledger.uncertain(issue_id)
    if not found:
        return []
    domain = envelope_sender(from_bytes(ledger.edition(issue_id))).rpartition("@")[2]
    return [
        Doubt(
            seq=each.seq,
            address=each.address,
            message_id=message_id(issue_id, each.key, domain),
            since=each.at,
            known=each.detail,
        )
        for each in found
    ]


def _about(doubts: Sequence[Doubt], addresses: Sequence[str] | None) -> list[Doubt]:
    """Those of `doubts` who have one of `addresses`, where some are named."""
    from newsletter.store.subscribers import address_key

    if not addresses:
        return [*doubts]
    by_address = {address_key(doubt.address): doubt for doubt in doubts}
    if strangers := [address for address in addresses if address_key(address) not in by_address]:
        raise typer.BadParameter(f"not uncertain: {', '.join(strangers)}", param_hint="ADDRESS")
    named = {address_key(address) for address in addresses}
    return [doubt for key, doubt in by_address.items() if key in named]


def _decide(ledger: Ledger, issue_id: str, only: Sequence[int] | None, *, resend: bool, log: Path) -> int:
    """Returns for how many it was decided."""
    from newsletter.delivery.log import SendLog
    from newsletter.store.ledger import DeliveryState

    state = DeliveryState.WAITING if resend else DeliveryState.ACCEPTED
    detail = "sent again by hand" if resend else "assumed sent"
    number = ledger.settle_uncertain(issue_id, state, detail, only=only)
    SendLog(log).decided(number, state)
    return number


def _say(doubts: Sequence[Doubt], issue: str) -> None:
    if not doubts:
        typer.echo("nobody is uncertain")
        return
    for known, alike in groupby(sorted(doubts, key=lambda doubt: (doubt.known, doubt.seq)), lambda doubt: doubt.known):
        typer.echo(f"{known or 'nothing more is known'}:")
        for doubt in alike:
            since = f"{doubt.since:%Y-%m-%d %H:%M:%S} UTC" if doubt.since else ""
            typer.echo(f"  {since}  {doubt.address}  {doubt.message_id}")
    typer.echo(
        "next: look in the service's log for the Message-IDs. Then, for those addresses, or for all without any:"
    )
    typer.echo(f"  `newsletter uncertain {issue} [ADDRESS]... --assume-sent` or `--resend`")
