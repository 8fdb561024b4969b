"""What became of a batch whose worker died: the journal says, if it is the one and can be believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from newsletter.delivery.journal import FileJournal, boot_id
from newsletter.errors import StoreError
from newsletter.providers.base import Outcome, Result
from newsletter.store.ledger import Claim, DeliveryState, Ledger, Settlement

_STATES = {
    Outcome.ACCEPTED: DeliveryState.ACCEPTED,
    Outcome.REJECTED: DeliveryState.FAILED,
    Outcome.LATER: DeliveryState.WAITING,
    Outcome.UNCERTAIN: DeliveryState.UNCERTAIN,
}
_WORDS_LOST = "sending was interrupted before the service's words were kept"
_NO_ANSWER = "handed over, but sending was interrupted before the service answered"
_OTHER_JOURNAL = "sending was interrupted, and the journal of it is gone"
_OTHER_BOOT = "sending was interrupted when the machine stopped, and what was written last may be lost"


def recover(ledger: Ledger, issue_id: str, journal: FileJournal) -> None:
    """Settle the batches of the issue that no living worker holds; raises StoreError if one may be alive.

    `journal` is held by the caller: a claim that names it is therefore of a dead worker. A claim that names another one
    is left to its worker until its lease ends. A missing journal is no proof that nothing was sent.
    """
    for claim in ledger.open_claims(issue_id):
        ledger.settle(claim, _settlements(claim, journal))


def settlements(claim: Claim, results: Mapping[str, Result], journal: FileJournal) -> list[Settlement]:
    """What became of each delivery of `claim`: as the provider said; for the others, as the journal says."""
    written = journal.outcomes([delivery.key for delivery in claim.deliveries])
    return [
        _by_result(delivery.seq, results[delivery.key])
        if delivery.key in results
        else _by_journal(delivery.seq, written[delivery.key])
        for delivery in claim.deliveries
    ]


def _settlements(claim: Claim, journal: FileJournal) -> Sequence[Settlement]:
    if claim.worker.journal_id != journal.id:
        _refuse_while_leased(claim)
        return _all_uncertain(claim, _OTHER_JOURNAL)
    if claim.worker.boot_id != boot_id():
        return _all_uncertain(claim, _OTHER_BOOT)
    return settlements(claim, {}, journal)


def _refuse_while_leased(claim: Claim) -> None:
    if claim.lease_until > datetime.now(UTC):
        raise StoreError(
            f"{len(claim.deliveries)} copies of this issue are with {claim.worker.owner}, who may be sending them",
            hint=f"if that process is dead, try again after {claim.lease_until:%H:%M:%S} UTC",
        )


def _all_uncertain(claim: Claim, detail: str) -> list[Settlement]:
    return [Settlement(seq=delivery.seq, state=DeliveryState.UNCERTAIN, detail=detail) for delivery in claim.deliveries]


def _by_result(seq: int, result: Result) -> Settlement:
    return Settlement(seq=seq, state=_STATES[result.outcome], detail=result.detail, provider_id=result.provider_id)


def _by_journal(seq: int, outcome: Outcome) -> Settlement:
    details = {Outcome.UNCERTAIN: _NO_ANSWER, Outcome.LATER: ""}
    return Settlement(seq=seq, state=_STATES[outcome], detail=details.get(outcome, _WORDS_LOST))
