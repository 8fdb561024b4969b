"""What the ledger of a database says of every recipient."""

from __future__ import annotations

from sqlalchemy import Engine, select

from newsletter.store.deliveries import DeliveryState
from newsletter.store.schema import batches, outcomes, reading, recipients


def states(engine: Engine) -> dict[str, DeliveryState]:
    """The state of each copy of one issue, by the keyed hash of its address."""
    rows = select(recipients.c.recipient_key, recipients.c.seq, outcomes.c.state).outerjoin(
        outcomes, outcomes.c.seq == recipients.c.seq
    )
    with reading(engine) as connection:
        claimed = connection.execute(select(batches).where(batches.c.settled_at.is_(None)))
        ranges = [each.seqs or range(each.first, each.last + 1) for each in claimed]
        found = [
            (key, _state(state, any(seq in each for each in ranges))) for key, seq, state in connection.execute(rows)
        ]
    assert len(dict(found)) == len(found), "somebody is twice in the ledger"
    return dict(found)


def _state(said: str | None, claimed: bool) -> DeliveryState:
    state = DeliveryState(said or "waiting")
    return DeliveryState.CLAIMED if claimed and state is DeliveryState.WAITING else state
