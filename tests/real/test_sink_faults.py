"""Postfix's smtp-sink told to fail: an independent server's way of refusing, cutting and not pipelining."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from newsletter.errors import ProviderError
from newsletter.providers.base import Outcome
from newsletter.providers.smtp import Security, Smtp, SmtpOptions
from tests.providers.contract import RecordingJournal, a_batch, recipients
from tests.real.sink import Sink, smtp_sink

pytestmark = [pytest.mark.real, pytest.mark.slow]

ACCEPTED, REJECTED, LATER, UNCERTAIN = Outcome.ACCEPTED, Outcome.REJECTED, Outcome.LATER, Outcome.UNCERTAIN


def _outcomes(sink: Sink) -> Counter[Outcome]:
    """What becomes of forty readers."""
    journal = RecordingJournal()
    options = SmtpOptions(host="127.0.0.1", port=sink.port, security=Security.NONE, timeout=10)
    with closing(Smtp(options)) as smtp:
        results = list(smtp.send(a_batch(recipients(40)), journal))
    assert Counter(result.recipient for result in results) == Counter(person.id for person in recipients(40))
    handed = {result.recipient for result in results if result.outcome in {ACCEPTED, UNCERTAIN}}
    assert handed <= set(journal.intents)
    return Counter(result.outcome for result in results)


@pytest.mark.parametrize(
    ("faults", "outcome"),
    [
        ([], ACCEPTED),
        (["-p"], ACCEPTED),
        (["-e"], ACCEPTED),
        (["-f", "RCPT"], REJECTED),
        (["-f", "RCPT", "-p"], REJECTED),
        (["-r", "RCPT"], LATER),
        (["-r", "MAIL"], LATER),
        (["-f", "DATA"], REJECTED),
        (["-r", "DATA", "-p"], LATER),
        (["-f", "."], REJECTED),
        (["-r", "."], LATER),
        (["-Q", "RCPT"], LATER),
        (["-q", "RCPT"], LATER),
        (["-q", "DATA"], LATER),
        (["-Q", "."], LATER),
    ],
)
def test_everybody_has_the_same_outcome(part: Callable[[str], Path], faults: list[str], outcome: Outcome) -> None:
    with smtp_sink(str(part("smtp-sink")), faults=faults) as sink:
        assert _outcomes(sink) == {outcome: 40}


def test_cut_after_each_body_few_are_uncertain_and_the_rest_is_for_later(part: Callable[[str], Path]) -> None:
    with smtp_sink(str(part("smtp-sink")), faults=["-q", "."]) as sink:
        outcomes = _outcomes(sink)
    assert outcomes[UNCERTAIN] + outcomes[LATER] == 40
    assert 3 <= outcomes[UNCERTAIN] <= 4 * 3


def test_a_sender_that_is_refused_stops_everything(part: Callable[[str], Path]) -> None:
    with smtp_sink(str(part("smtp-sink")), faults=["-f", "MAIL"]) as sink, pytest.raises(ProviderError):
        _outcomes(sink)
