"""How any command carries a send on: what it is told on the way, how it can be stopped, and what is said at its end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from newsletter.cli import opening
from newsletter.cli.output import counted, say_balance, say_json, shown
from newsletter.errors import ProviderError, StoreError

if TYPE_CHECKING:
    from newsletter.compile.edition import Edition
    from newsletter.delivery.send import Sender
    from newsletter.delivery.sent import SentRecord
    from newsletter.delivery.stopping import Stop
    from newsletter.providers.base import Provider
    from newsletter.store.ledger import Balance
    from newsletter.workspace import Workspace

INCOMPLETE = 5


def stoppable() -> AbstractContextManager[Stop]:
    """A wish to stop that signals make."""
    from newsletter.delivery.stopping import Stop

    return Stop().on_signals()


def verify_unsubscribe(
    workspace: Workspace, store: opening.Store, carrier: Provider, edition: Edition, *, unverified: bool
) -> None:
    """Before the first byte to the world: does the address answer that all the copies' unsubscribe links lead to?"""
    from newsletter.fetch import try_unsubscribe
    from newsletter.tokens import Action, Grant

    can = carrier.capabilities
    if can.local or can.manages_unsubscribe or unverified:
        return
    token = store.keyring.sign(Grant("nobody", edition.list, Action.NOTHING))
    try_unsubscribe(f"{workspace.settings.public_url}/unsubscribe/{token}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One go at sending the edition of the issue in `folder`, through `provider`, to `limit` recipients at most."""

    workspace: Workspace
    store: opening.Store
    folder: Path
    edition: Edition
    provider: str
    limit: int | None
    as_json: bool

    @contextmanager
    def sender(self, carrier: Provider, stop: Stop, start: Balance) -> Iterator[Sender]:
        """What sends, from the balance `start` on. Behind it, whether it came to its end or the service failed it,
        sent.json is written and the balance printed; the exit code says whether anything is left of what was to go now.
        """
        from newsletter.cli.progress import showing_progress
        from newsletter.delivery.log import SendLog
        from newsletter.delivery.pacing import Pacing
        from newsletter.delivery.send import Sender
        from newsletter.delivery.sent import SentRecord

        log = SendLog(opening.log_of(self.workspace, self.edition.issue_id))
        record = SentRecord(self.folder, self.edition, commit=self.workspace.commit(), provider=self.provider)
        try:
            with showing_progress(start, stop, self.limit) as shows:
                yield Sender(
                    self.store.ledger,
                    carrier,
                    self.workspace.data / opening.JOURNALS,
                    limit=self.limit,
                    pacing=Pacing.of(self.workspace.settings.send),
                    stop=stop,
                    witnesses=(record, shows, log),
                )
        except (ProviderError, StoreError):
            with suppress(StoreError):  # what failed first is what the person must see to
                self._conclude(record)
            raise
        balance = self._conclude(record)
        done = _handed_over(balance) - _handed_over(start)
        left = balance.waiting > 0 and (self.limit is None or stop.asked or done < self.limit)
        if left and not self.as_json:
            typer.echo(f"next: `newsletter resume {self.folder.name}` sends to those who wait, `cancel` lets them be")
        if balance.failed or balance.uncertain or left:
            raise typer.Exit(INCOMPLETE)

    def _conclude(self, record: SentRecord) -> Balance:
        ledger, issue_id = self.store.ledger, self.edition.issue_id
        balance = ledger.balance(issue_id)
        written = record.conclude(balance)
        if self.as_json:
            say_json(named(self.edition, balance) | put_off_json(*ledger.put_off(issue_id)))
            return balance
        say_balance(balance)
        say_put_off(*ledger.put_off(issue_id))
        if written:
            typer.echo(f"wrote {shown(written)}: commit it, so that every clone knows")
        return balance


def _handed_over(balance: Balance) -> int:
    return balance.accepted + balance.failed + balance.uncertain


def named(edition: Edition, balance: Balance) -> dict[str, Any]:
    """The balance, with the names of what was sent, as --json prints it."""
    return {"id": edition.issue_id, "issue": edition.slug, "hash": edition.hash} | balance.as_json()


def say_put_off(number: int, until: datetime | None) -> None:
    """Print how many the service put off, if any."""
    if until:
        who = counted(number, "recipient")
        typer.echo(f"{who} put off by the service, the first until {until:%Y-%m-%d %H:%M:%S} UTC")


def put_off_json(number: int, until: datetime | None) -> dict[str, Any]:
    """The same, as --json prints it."""
    return {"put_off": {"recipients": number, "until": until}}
