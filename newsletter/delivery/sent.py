"""What a send leaves in the issue's folder (issue/sent.py), and what it finds there before it begins."""

from __future__ import annotations

from datetime import UTC, datetime

from newsletter.compile.edition import Edition
from newsletter.errors import StoreError
from newsletter.issue.sent import Sent
from newsletter.store.ledger import Balance, Ledger


def sent_record(edition: Edition, balance: Balance, *, commit: str | None, provider: str) -> Sent:
    """The record of `edition` as it stands now."""
    return Sent(
        id=edition.issue_id,
        slug=edition.slug,
        hash=edition.hash,
        content_digest=edition.content_digest,
        facts=dict(edition.facts_used),
        commit=commit,
        time=datetime.now(UTC).replace(microsecond=0),
        provider=provider,
        balance=balance.as_json(),
    )


def refuse_if_sent_elsewhere(sent: Sent | None, issue_id: str, ledger: Ledger) -> None:
    """Raise StoreError if the folder says that more of the issue was sent than this machine's ledger knows of."""
    if sent is None or sent.id != issue_id:
        return
    if ledger.send(issue_id):
        _refuse_an_older_ledger(sent, ledger.balance(issue_id))
        return
    raise StoreError(
        f"this issue was sent on {sent.time:%Y-%m-%d} {f'as edition {sent.hash[:12]}' if sent.hash else 'elsewhere'} "
        f"through {sent.provider}, and the ledger on this machine knows nothing of it: everybody would get it again",
        hint="send where it was sent before, or restore that machine's backup here"
        if sent.hash
        else "if nobody got it there, remove its sent.json",
    )


def _refuse_an_older_ledger(sent: Sent, known: Balance) -> None:
    for what, number in (("selected", known.selected), ("accepted", known.accepted)):  # neither ever becomes less
        if sent.balance.get(what, 0) > number:
            raise StoreError(
                f"the ledger on this machine is older than sent.json, which says {sent.balance[what]:,} {what} where "
                f"the ledger has {number:,}: some would get it again",
                hint="send where it was sent last, or restore a newer backup; `newsletter uncertain` decides about "
                "those who may have got it",
            )
