"""What became of a batch whose worker died: the journal says, if it is the one and can be believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from newsletter.delivery.journal import FileJournal
from newsletter.delivery.locking import boot_id, tells_boots_apart
from newsletter.delivery.pacing import Pacing, is_put_off
from newsletter.errors import StoreError
from newsletter.providers.base import Outcome, Result
from newsletter.store.ledger import Claim, Delivery, DeliveryState, Ledger, Settlement

_STATES = {
    Outcome.ACCEPTED: DeliveryState.ACCEPTED,
    Outcome.REJECTED: DeliveryState.FAILED,
    Outcome.UNCERTAIN: DeliveryState.UNCERTAIN,
}
_USUAL = Pacing()
_WORDS_LOST = "sending was interrupted before the service's words were kept"
_NO_ANSWER = "handed over, but sending was interrupted before the service answered"
_OLDER_LEDGER = "the database is older than the journal beside it: perhaps sent since"
_OTHER_JOURNAL = "sending was interrupted, and the journal of it is gone"
_OTHER_BOOT = "sending was interrupted when the machine stopped, and what was written last may be lost"
_ANY_BOOT = "sending was interrupted, perhaps when the machine stopped, and what was written last may be lost"


def recover(ledger: Ledger, issue_id: str, journal: FileJournal) -> list[tuple[Claim, Sequence[Settlement]]]:
    """Settle the batches of the issue that no living worker holds, and tell how; raises StoreError if one may be alive.

    `journal` is held by the caller: a claim that names it is therefore of a dead worker. A claim that names another one
    is left to its worker until its lease ends. A missing journal is no proof that nothing was sent. Where the journal
    knows of batches that the ledger does not, the ledger is an older copy: whoever waits in it is uncertain.
    """
    if any(not ledger.knows(batch, journal.id) for batch in journal.used_for):
        ledger.distrust(_OLDER_LEDGER, issue_id=issue_id)
        journal.forget()
    found = [(claim, _settlements(claim, journal)) for claim in ledger.open_claims(issue_id)]
    for claim, settled in found:
        ledger.settle(claim, settled)
    return found


def settlements(
    claim: Claim, results: Mapping[str, Result], journal: FileJournal, pacing: Pacing = _USUAL
) -> list[Settlement]:
    """What became of each delivery of `claim` that does not simply wait again: as the provider said; for the others, as
    the journal says."""
    now = datetime.now(UTC)
    said = [_by_result(each, results[each.key], pacing, now) for each in claim.deliveries if each.key in results]
    unsaid = [each for each in claim.deliveries if each.key not in results]
    written = journal.outcomes([each.key for each in unsaid]) if unsaid else {}
    return [found for found in (*said, *(_by_journal(each.seq, written[each.key]) for each in unsaid)) if found]


def _settlements(claim: Claim, journal: FileJournal) -> Sequence[Settlement]:
    ours = claim.worker.journal_id == journal.id
    if not (ours and (journal.is_of(claim.id) or claim.worker.boot_id != boot_id())):
        _refuse_while_leased(claim)
        return _all_uncertain(claim, _OTHER_JOURNAL)
    if claim.worker.boot_id != boot_id():
        return _all_uncertain(claim, _OTHER_BOOT if tells_boots_apart() else _ANY_BOOT)
    return settlements(claim, {}, journal)


def _refuse_while_leased(claim: Claim) -> None:
    if claim.lease_until > datetime.now(UTC):
        raise StoreError(
            f"{len(claim.deliveries)} copies of this issue are with {claim.worker.owner}, who may be sending them",
            hint=f"if that process is dead, try again after {claim.lease_until:%H:%M:%S} UTC",
        )


def _all_uncertain(claim: Claim, detail: str) -> list[Settlement]:
    return [Settlement(seq=delivery.seq, state=DeliveryState.UNCERTAIN, detail=detail) for delivery in claim.deliveries]


def _by_result(delivery: Delivery, result: Result, pacing: Pacing, now: datetime) -> Settlement | None:
    if is_put_off(result):
        return Settlement(
            seq=delivery.seq,
            state=DeliveryState.WAITING,
            detail=result.detail,
            tries=delivery.tries + 1,
            not_before=pacing.not_before(result, delivery.tries, now),
        )
    if result.outcome is Outcome.LATER:
        return None
    return Settlement(
        seq=delivery.seq,
        state=_STATES[result.outcome],
        detail=result.detail,
        provider_id=result.provider_id,
        tries=delivery.tries,
    )


def _by_journal(seq: int, outcome: Outcome) -> Settlement | None:
    if outcome is Outcome.LATER:
        return None
    detail = _NO_ANSWER if outcome is Outcome.UNCERTAIN else _WORDS_LOST
    return Settlement(seq=seq, state=_STATES[outcome], detail=detail)
