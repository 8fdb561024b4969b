"""What 40 kills -9 do to a send to 200,000: at every step of the protocol and at random moments. Not about speed."""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path

from tests.benchmarks.measuring import say_table
from tests.killing.harness import AT_A_BATCH, AT_A_MESSAGE, FREEZING, HEAD, RANDOM, RECOVERING, killed
from tests.killing.sender import CONNECTIONS

BATCH = 500


def main(readers: int = 200_000, kills: int = 40, batch: int = BATCH) -> None:
    """Print the table."""
    moments = [*AT_A_MESSAGE, *AT_A_BATCH]
    moments += [RANDOM] * max(1, kills - len({*FREEZING, *moments, *RECOVERING}))
    random.shuffle(moments)
    with tempfile.TemporaryDirectory(prefix="newsletter-killing-") as scratch:
        began = time.monotonic()
        report = killed(Path(scratch), readers, [*FREEZING, *moments, *RECOVERING], batch=batch)
        seconds = time.monotonic() - began
    total, balance = report.total, report.balance
    title = f"Kill: {readers:,} recipients, {CONNECTIONS} connections, {total.kills} kills, {seconds:,.0f} seconds"
    say_table(title, HEAD, report.table())
    print(
        f"the ledger at the end: {balance.selected:,} selected = {balance.accepted:,} accepted + {balance.failed:,} "
        f"failed + {sum(balance.excluded.values()):,} excluded + {balance.uncertain:,} uncertain + {balance.waiting:,} "
        f"waiting; at most {total.bound:,} uncertain were to be expected"
    )
