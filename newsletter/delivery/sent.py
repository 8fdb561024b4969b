"""What a send leaves in the issue's folder (issue/sent.py), and what it finds there before it begins."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from newsletter.compile.edition import Edition
from newsletter.delivery.log import Witness
from newsletter.errors import StoreError
from newsletter.issue.sent import FILE_NAME, Sent, read_sent, write_sent
from newsletter.store.ledger import Balance, Ledger, Send, Worker


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


class SentRecord(Witness):
    """Keeps sent.json in the issue's folder: from before the first byte, so that a clone knows of a send that was
    killed, and at its end; where nobody got it after all, there is none.
    """

    def __init__(self, folder: Path, edition: Edition, *, commit: str | None, provider: str) -> None:
        self._folder = folder
        self._record = partial(sent_record, edition, commit=commit, provider=provider)

    def begun(self, send: Send, worker: Worker, balance: Balance) -> None:
        before = read_sent(self._folder)
        if before and before.hash == send.edition_hash:  # gone on with: it was approved as the folder was then
            self._record = partial(self._record, commit=before.commit)
        write_sent(self._folder, self._record(balance))

    def conclude(self, balance: Balance) -> Path | None:
        """Where the record is, if there is one."""
        if balance.accepted or balance.uncertain:
            return write_sent(self._folder, self._record(balance))
        (self._folder / FILE_NAME).unlink(missing_ok=True)
        return None


def refuse_if_sent_elsewhere(sent: Sent | None, issue_id: str, ledger: Ledger) -> None:
    """Raise StoreError if the folder says that more of the issue was sent than this machine's ledger knows of."""
    if sent is None or sent.id != issue_id:
        return
    if ledger.send(issue_id):
        _refuse_an_older_ledger(sent, ledger.balance(issue_id), ledger.untried(issue_id))
        return
    raise StoreError(
        f"this issue was sent on {sent.time:%Y-%m-%d} {f'as edition {sent.hash[:12]}' if sent.hash else 'elsewhere'} "
        f"through {sent.provider}, and the ledger on this machine knows nothing of it: everybody would get it again",
        hint="send where it was sent before, or restore that machine's backup here"
        if sent.hash
        else "if nobody got it there, remove its sent.json",
    )


def _refuse_an_older_ledger(sent: Sent, known: Balance, untried: int) -> None:
    """Of those who were accepted, something must be written down: perhaps that somebody said they get it again."""
    said = sent.balance
    if said.get("selected", 0) > known.selected or said.get("accepted", 0) > known.selected - untried:
        what = "selected" if said.get("selected", 0) > known.selected else "accepted"
        raise StoreError(
            f"the ledger on this machine is older than sent.json, which says {said[what]:,} {what} where "
            f"the ledger has {known.as_json()[what]:,}: some would get it again",
            hint="send where it was sent last, or restore a newer backup; `newsletter uncertain` decides about "
            "those who may have got it",
        )
