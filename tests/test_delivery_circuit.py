"""A service that refuses everybody for our sake fails nobody: the send pauses, with the service's words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.cli import run
from newsletter.delivery.circuit import FIRST, LATER, Circuit, CircuitOpen
from newsletter.providers.base import Batch, Capabilities, Fault, Journal, Outcome, Result
from newsletter.store.ledger import Balance
from tests.providers.editions import an_edition
from tests.providers.relay import Relay, serving
from tests.publication import Publication
from tests.workspaces import SETTINGS, issue_file, workspace

ISSUE = an_edition().issue_id
BLOCKED = "550 5.7.1 Service unavailable; client host blocked"
UNKNOWN = "550 5.1.1 User unknown"
OTHERWISE = "554 Transaction failed"
FAULTS = {BLOCKED: Fault.SENDER, UNKNOWN: Fault.RECIPIENT, OTHERWISE: Fault.SERVICE}


def _refusal(recipient: str, words: str) -> Result:
    return Result(recipient=recipient, outcome=Outcome.REJECTED, detail=words, fault=FAULTS.get(words, Fault.SERVICE))


class Refusing:
    """A service that refuses whom `refused` names, with those words."""

    def __init__(self, words: str, accepts: int = 0) -> None:
        self.capabilities = Capabilities(batch_max=500)
        self.words = words
        self.accepts = accepts
        self.asked = 0

    def send(self, batch: Batch, journal: Journal) -> Iterator[Result]:
        for recipient in batch.recipients:
            self.asked += 1
            result = _refusal(recipient.id, self.words)
            if self.asked <= self.accepts:
                journal.intent([recipient.id])
                result = Result(recipient=recipient.id, outcome=Outcome.ACCEPTED)
            journal.answer(result)
            yield result

    def close(self) -> None:
        pass


def _publication(folder: Path, readers: int) -> Publication:
    publication = Publication.at(folder)
    publication.join(*(f"reader{n}" for n in range(readers)))
    return publication


@pytest.mark.parametrize("words", [BLOCKED, OTHERWISE])
def test_refused_from_the_first_on_everybody_waits(tmp_path: Path, words: str) -> None:
    publication, service = _publication(tmp_path, 50), Refusing(words)
    with pytest.raises(CircuitOpen, match=words):
        publication.sender(service).send(publication.plan(an_edition()))
    assert service.asked == FIRST
    assert publication.ledger.balance(ISSUE) == Balance(selected=50, waiting=50)
    balance = publication.sender(Refusing(words, accepts=50)).resume(ISSUE)
    assert balance == Balance(selected=50, accepted=45, waiting=FIRST)
    assert publication.ledger.put_off(ISSUE)[0] == FIRST  # others came before them: one of them may be what is wrong


def test_blocked_on_the_way_those_refused_in_a_row_wait(tmp_path: Path) -> None:
    publication, service = _publication(tmp_path, 100), Refusing(BLOCKED, accepts=30)
    with pytest.raises(CircuitOpen):
        publication.sender(service).send(publication.plan(an_edition()))
    assert service.asked == 30 + LATER
    assert publication.ledger.balance(ISSUE) == Balance(selected=100, accepted=30, waiting=70)


def test_refused_in_batch_after_batch_nobody_is_failed(tmp_path: Path) -> None:
    publication, service = _publication(tmp_path, 100), Refusing(BLOCKED, accepts=30)
    service.capabilities = Capabilities(batch_max=3)
    with pytest.raises(CircuitOpen):
        publication.sender(service).send(publication.plan(an_edition()))
    assert publication.ledger.balance(ISSUE) == Balance(selected=100, accepted=30, waiting=70)


def test_a_quota_that_ends_without_a_status_code_fails_nobody(tmp_path: Path) -> None:
    publication, service = _publication(tmp_path, 100), Refusing("550 exceeded the max emails per hour", accepts=30)
    with pytest.raises(CircuitOpen, match="max emails per hour"):
        publication.sender(service).send(publication.plan(an_edition()))
    assert publication.ledger.balance(ISSUE) == Balance(selected=100, accepted=30, waiting=70)


@pytest.mark.parametrize(("words", "accepts"), [(UNKNOWN, 0)])
def test_bad_addresses_in_a_row_are_the_addresses_fault(tmp_path: Path, words: str, accepts: int) -> None:
    publication = _publication(tmp_path, 40)
    balance = publication.sender(Refusing(words, accepts)).send(publication.plan(an_edition()))
    assert balance == Balance(selected=40, accepted=accepts, failed=40 - accepts)


@given(st.lists(st.sampled_from([BLOCKED, UNKNOWN, OTHERWISE, ""]), max_size=60))
def test_one_bad_address_never_stops_the_rest(said: list[str]) -> None:
    circuit, row, accepted = Circuit(), [], False
    for n, words in enumerate(said):
        recipient = f"{n:032x}"
        result = _refusal(recipient, words) if words else Result(recipient=recipient, outcome=Outcome.ACCEPTED)
        if not words:
            row, accepted = [], True
        elif words != UNKNOWN:
            row.append(words)
        enough = len(row) >= FIRST if not accepted else len(row) >= LATER and len({*row}) == 1
        try:
            circuit.saw(result)
        except CircuitOpen:
            assert enough
            return
        assert not enough


@pytest.mark.slow
def test_the_person_is_told_in_the_relays_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NEWSLETTER_DATA_DIR", str(tmp_path / "data"))
    people = [f"reader{n}@example.org" for n in range(60)]  # enough for several connections
    with serving(Relay()) as relay:
        relay.rcpt = {address: [BLOCKED] for address in people}
        smtp = f'[providers.smtp]\nhost = "127.0.0.1"\nport = {relay.port}\nsecurity = "none"\n'
        settings = f'{SETTINGS}[send]\nprovider = "smtp"\n{smtp}'
        workspace(tmp_path, {"1-one/issue.md": issue_file(1, "Hello.")}, settings)
        (tmp_path / "people.csv").write_text("\n".join(["email", *people]))
        assert run(["-C", str(tmp_path), "subscribers", "import", str(tmp_path / "people.csv")]) == 0
        assert run(["-C", str(tmp_path), "send", "1", "--yes", "--unverified-unsubscribe"]) == 4
        said = capsys.readouterr().err
        assert f"the service refuses everybody: {BLOCKED}" in said
        assert "`newsletter resume`" in said
        assert relay.messages == []
        relay.rcpt.clear()
        assert run(["-C", str(tmp_path), "resume", "1"]) == 0
        assert sorted(address for _, address, _ in relay.messages) == sorted(people)
