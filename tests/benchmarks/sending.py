"""Messages a second into Postfix's smtp-sink, and the sender's CPU for each, against what one would send with instead.

The sink takes a core for itself and is the limit of whoever is quick: so smtp-source, which is C and writes the same
bytes again and again, says how fast the wire is, and the CPU says what there is to spare.
"""

from __future__ import annotations

import email
import gc
import tempfile
from collections.abc import Callable, Mapping
from email.policy import default
from functools import partial
from pathlib import Path

from tests.benchmarks.mailing import Mailing
from tests.benchmarks.measuring import Clock, Series, in_rounds, say_table
from tests.benchmarks.others import LOOP, Loop, Other, django_of, mailmerge_of, smtp_source
from tests.parts import PARTS
from tests.real.sink import smtp_sink

SOURCE = "smtp-source: C, the same bytes for all"
FROZEN = "newsletter: ledger, journal, smtp"
WHOLE = "the same, and plan and freeze before it"
PROVIDER = "its smtp provider alone"
COMPOSER = "its messages alone, not sent"
DJANGO = "Django's EmailMultiAlternatives"
MAILMERGE = "mailmerge"
MISSING = "not installed: pip install -e '.[benchmark]'"
COMPARED = {SOURCE: ("x smtp-source", 0.85), LOOP: ("x the loop", 15), DJANGO: ("x Django", 8)}
"""How a column of ratios to them is called; and the least of their messages a second that newsletter is to reach."""
CPU = "CPU µs/message"
CPU_AIM = 80


def main(rounds: int = 5, messages: int = 2_000) -> None:
    """Print the tables."""
    sink_program, source_program = PARTS["smtp-sink"].find(), PARTS["smtp-source"].find()
    if sink_program is None or source_program is None:
        print("\nSend: smtp-sink and smtp-source are not on this machine (package postfix)")
        return
    with tempfile.TemporaryDirectory(prefix="newsletter-benchmark-") as name, smtp_sink(str(sink_program)) as sink:
        scratch = Path(name)
        mailing = Mailing(scratch, messages, sink.port)
        others: dict[str, Other | None] = {
            LOOP: Loop(mailing),
            DJANGO: django_of(mailing),
            MAILMERGE: mailmerge_of(mailing, scratch / "mailmerge"),
        }
        there = {name: other for name, other in others.items() if other}
        for other in there.values():
            _compare(mailing, other)
        contenders: dict[str, Callable[[], Clock]] = {
            SOURCE: partial(smtp_source, source_program, mailing),
            FROZEN: mailing.resumed,
            WHOLE: mailing.whole,
            PROVIDER: mailing.provided,
            COMPOSER: mailing.composed,
            **{name: other.send for name, other in there.items()},
        }
        gc.freeze()  # the addresses of everybody are no sender's garbage to look through
        try:
            found = in_rounds(contenders, rounds)
        finally:
            gc.unfreeze()
    rates = {name: Series([messages / clock.wall for clock in clocks]) for name, clocks in found.items()}
    costs = {name: Series([clock.cpu * 1e6 / messages for clock in clocks]) for name, clocks in found.items()}
    columns = {column: rates[name] for name, (column, _) in COMPARED.items() if name in rates}
    rows = [
        [name, rate.said(0), *(rate.over(other).said(2) for other in columns.values()), costs[name].said(0)]
        for name, rate in rates.items()
    ]
    rows += [[name, MISSING, *("" for _ in columns), ""] for name, other in others.items() if other is None]
    title = f"Send: {mailing.title}, in each of {rounds} rounds, into smtp-sink"
    say_table(title, ["", "messages/s", *columns, CPU], rows)
    _say_aims(rates, costs)


def _say_aims(rates: Mapping[str, Series], costs: Mapping[str, Series]) -> None:
    aims = [
        [column, f"≥ {least:g}", rates[FROZEN].over(rates[name]).said(2)]
        for name, (column, least) in COMPARED.items()
        if name in rates
    ]
    aims.append([CPU, f"≤ {CPU_AIM}", costs[FROZEN].said(0)])
    say_table(f"Send: what is aimed at with “{FROZEN}”", ["", "aim", "found"], aims)


def _compare(mailing: Mailing, other: Other) -> None:
    """Stop if the other one says something else than newsletter does."""
    ours, theirs = (
        email.message_from_bytes(content, policy=default)
        for content in (mailing.message(mailing.recipients[0]), other.specimen())
    )
    assert {name.lower() for name in ours} == {name.lower() for name in theirs}
    for part, same in zip(ours.iter_parts(), theirs.iter_parts(), strict=True):
        assert part.get_content().split() == same.get_content().split()
