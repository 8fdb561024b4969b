"""The ledger alone, at a million recipients: microseconds for each, with every commit durable, and how large the
database grows; and the memory of a send to so many, through a provider that takes all that it is given at once.

As a program (`python -m tests.benchmarks.remembering DATABASE JOURNALS`) it is that send.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from sqlalchemy import Engine, insert

from newsletter.compile.edition import to_bytes
from newsletter.delivery.send import Sender
from newsletter.providers.base import Batch, Capabilities, Journal, Outcome, Result
from newsletter.providers.smtp import Smtp
from newsletter.store.ledger import Claim, DeliveryState, Ledger, Selected, Send, Settlement, Worker
from newsletter.store.schema import connect, subscribers, subscriptions, writing
from newsletter.store.subscribers import Subscribers
from tests.benchmarks.mailing import newcomer
from tests.benchmarks.measuring import Clock, peak, say_table
from tests.providers.editions import an_edition

FREEZE, CLAIM, SETTLE = "freeze, µs a recipient", "claim", "settle"
LEDGER, LEDGER_CPU = "claim and settle", "of it CPU"
LISTED, FROZEN, SENT = "database, bytes a recipient: the list", "the list and who is frozen", "what became of them too"
MEMORY = "memory of a whole send, MiB"
MICROSECONDS_AIM, MEBIBYTES_AIM = 8, 20
EDITION = an_edition()
_BATCH = Smtp.capabilities.batch_max
_ROWS_AT_ONCE = 10_000


def main(recipients: int = 1_000_000, few: int = 10_000) -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory(prefix="newsletter-benchmark-") as scratch:
        found = {number: _figures(Path(scratch) / str(number), number) for number in (few, recipients)}
    least, most = found[few], found[recipients]
    rows = [[name, f"{least[name]:,.1f}", f"{most[name]:,.1f}"] for name in least]
    title = f"Remember: one run, SQLite, synchronous = FULL, {_BATCH} recipients a batch"
    say_table(title, ["", f"{few:,} recipients", f"{recipients:,}"], rows)
    aims = [
        [f"{LEDGER}, µs a recipient", f"≤ {MICROSECONDS_AIM}", f"{most[LEDGER]:,.1f}"],
        [f"{MEMORY}: more than for {few:,}", f"≤ {MEBIBYTES_AIM}", f"{most[MEMORY] - least[MEMORY]:,.1f}"],
    ]
    say_table(f"Remember: what is aimed at for {recipients:,}", ["", "aim", "found"], aims)


def _figures(folder: Path, number: int) -> dict[str, float]:
    """All that is measured of so many recipients; `folder` is made for it."""
    folder.mkdir()
    database = folder / "newsletter.db"
    with _open(database) as engine:
        _fill(engine, number)
    listed = database.stat().st_size
    with _open(database) as engine:
        freezing = _freeze(engine)
    frozen = database.stat().st_size
    memory = _memory_of_send(database, folder)
    with _open(database) as engine:
        claiming, settling = _claim_and_settle(Ledger(engine))
    sent = database.stat().st_size
    each = 1e6 / number
    return {
        FREEZE: freezing.wall * each,
        CLAIM: claiming.wall * each,
        SETTLE: settling.wall * each,
        LEDGER: (claiming.wall + settling.wall) * each,
        LEDGER_CPU: (claiming.cpu + settling.cpu) * each,
        LISTED: listed / number,
        FROZEN: frozen / number,
        SENT: sent / number,
        MEMORY: memory / (1 << 20),
    }


@contextmanager
def _open(database: Path) -> Iterator[Engine]:
    """The database; afterwards all of it is in its one file."""
    engine = connect(f"sqlite:///{database}")
    try:
        yield engine
    finally:
        engine.dispose()


def _fill(engine: Engine, number: int) -> None:
    """Everybody, past Subscribers.add_all, which looks for each whether it knows them and takes minutes for it."""
    joined = datetime.now(UTC)
    for start in range(0, number, _ROWS_AT_ONCE):
        people = [
            {
                "id": _digits(n)[:16],
                "address_key": who.email,
                "email": who.email,
                "first_name": who.first_name,
                "last_name": who.last_name,
                "tags": [],
                "fields": dict(who.fields),
            }
            for n in range(start, min(start + _ROWS_AT_ONCE, number))
            for who in (newcomer(n),)
        ]
        standing = [
            {"list": "main", "subscriber_id": each["id"], "state": "active", "joined": joined} for each in people
        ]
        with writing(engine) as connection:
            connection.execute(insert(subscribers), people)
            connection.execute(insert(subscriptions), standing)


def _freeze(engine: Engine) -> Clock:
    """What the ledger takes for it: to read the list, and to make of it who is selected, is taken off."""
    with Clock() as reading:
        deque(_selected(engine), maxlen=0)
    send = Send(
        issue_id=EDITION.issue_id, edition_hash=EDITION.hash, list="main", provider="smtp", settings_digest="benchmark"
    )
    with Clock() as clock:
        Ledger(engine).freeze(send, to_bytes(EDITION), _selected(engine))
    return clock.without(reading)


def _selected(engine: Engine) -> Iterator[Selected]:
    """Everybody on the list, with nine values for an issue that is as personal as that of `mailing`."""
    link = f"https://news.example.org/unsubscribe/a.{'k3v9q2m8w1zt' * 3}"
    for person in Subscribers(engine).subscribed("main"):
        name = f"{person.first_name} {person.last_name}"
        values = {f"subscriber.{field}": value for field, value in person.fields.items()} | {
            "subscriber.email": person.email,
            "subscriber.first_name": person.first_name,
            "subscriber.name": name,
            "links.unsubscribe": f"{link}{person.id}u",
            "links.preferences": f"{link}{person.id}p",
        }
        yield Selected(
            key=_digits(person.email)[:32], subscriber=person.id, address=person.email, name=name, values=values
        )


def _claim_and_settle(ledger: Ledger) -> tuple[Clock, Clock]:
    """Batch by batch, as a Sender does it, with a relay that has accepted everybody."""
    claiming, settling = Clock(), Clock()
    worker = Worker(owner="benchmark", boot_id="benchmark", journal_id="benchmark")

    def claimed(after: int) -> object:
        with claiming:
            return ledger.claim(EDITION.issue_id, worker, limit=_BATCH, after=after)

    after = 0
    while isinstance(claim := claimed(after), Claim):
        after = claim.deliveries[-1].seq
        settlements = [
            Settlement(
                seq=each.seq, state=DeliveryState.ACCEPTED, detail=_answer(each.key), provider_id=_queue_id(each.key)
            )
            for each in claim.deliveries
        ]
        with settling:
            ledger.settle(claim, settlements)
    balance = ledger.balance(EDITION.issue_id)
    assert balance.accepted == balance.selected
    return claiming, settling


def _memory_of_send(database: Path, folder: Path) -> int:
    """The bytes that a process holds at most that sends to everybody, with a copy of the database."""
    copy = folder / "copy.db"
    shutil.copyfile(database, copy)
    held = peak(sys.executable, "-m", "tests.benchmarks.remembering", copy, folder)
    copy.unlink()
    return held


def _send(database: Path, journals: Path) -> None:
    with _open(database) as engine:
        balance = Sender(Ledger(engine), Taker(), journals).resume(EDITION.issue_id)
    assert balance.accepted == balance.selected


class Taker:
    """A provider that accepts whatever it is given."""

    capabilities = Capabilities(batch_max=_BATCH)

    def send(self, batch: Batch, journal: Journal) -> Generator[Result, None, None]:
        for recipient in batch.recipients:
            journal.intent([recipient.id])
            result = Result(
                recipient=recipient.id,
                outcome=Outcome.ACCEPTED,
                detail=_answer(recipient.id),
                provider_id=_queue_id(recipient.id),
            )
            journal.answer(result)
            yield result

    def close(self) -> None:
        pass


def _answer(key: str) -> str:
    """What a relay says."""
    return f"250 2.0.0 Ok: queued as {_queue_id(key)}"


def _queue_id(key: str) -> str:
    return f"4XYZ{key[:11]}"


def _digits(said: object) -> str:
    return sha256(str(said).encode()).hexdigest()


if __name__ == "__main__":
    _send(Path(sys.argv[1]), Path(sys.argv[2]))
