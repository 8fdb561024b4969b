"""A relay that fails, at every point where it can: what becomes of each recipient, and what the journal says."""

from __future__ import annotations

import _thread
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.errors import ProviderError
from newsletter.message import Recipient
from newsletter.providers.base import Fault, Outcome, Result
from newsletter.providers.smtp import Security, Smtp, SmtpOptions
from tests.certificates import self_signed
from tests.providers.contract import JournalFault, RecordingJournal, a_batch, recipients
from tests.providers.script import CUT, CUT_WITHIN, HUSH, HUSH_WITHIN, Script, playing

ACCEPTED, REJECTED, LATER, UNCERTAIN = Outcome.ACCEPTED, Outcome.REJECTED, Outcome.LATER, Outcome.UNCERTAIN
READERS = [person.address for person in recipients(100)]
PATIENCE = 60
PLAIN = "250-relay.example\r\n250 SIZE 1000000"


@dataclass
class Strict(RecordingJournal):
    """Holds each thread to one open intent, and all of them to one at a time in the journal."""

    under_way: dict[int, str] = field(default_factory=dict)
    inside: threading.Lock = field(default_factory=threading.Lock)

    def intent(self, ids: Sequence[str]) -> None:
        assert self.inside.acquire(blocking=False)
        try:
            assert threading.get_ident() not in self.under_way
            super().intent(ids)
            [self.under_way[threading.get_ident()]] = ids
        finally:
            self.inside.release()

    def answer(self, result: Result) -> None:
        assert self.inside.acquire(blocking=False)
        try:
            super().answer(result)
            if self.under_way.get(threading.get_ident()) == result.recipient:
                del self.under_way[threading.get_ident()]
        finally:
            self.inside.release()


@pytest.fixture
def script() -> Iterator[Script]:
    with playing(Script()) as script:
        yield script


def _smtp(script: Script, timeout: float = 5, **options: int) -> Smtp:
    return Smtp(SmtpOptions(host="127.0.0.1", port=script.port, security=Security.NONE, timeout=timeout, **options))


def _send(
    script: Script, number: int, journal: RecordingJournal | None = None, timeout: float = 5, **options: int
) -> dict[str, Outcome]:
    """What became of each reader, by address; holds what is true whatever happens."""
    people, journal = recipients(number), journal or Strict()
    with closing(_smtp(script, timeout, **options)) as smtp:
        results = list(smtp.send(a_batch(people), journal))
    _hold(script, people, journal, results)
    outcome = {result.recipient: result.outcome for result in results}
    return {person.address: outcome[person.id] for person in people}


def _hold(script: Script, people: Sequence[Recipient], journal: RecordingJournal, results: list[Result]) -> None:
    address = {person.id: person.address for person in people}
    assert Counter(result.recipient for result in results) == Counter([*address])
    assert Counter(answer.recipient for answer in journal.answers) == Counter([*address])
    accepted = [address[result.recipient] for result in results if result.outcome is ACCEPTED]
    assert Counter(accepted) == Counter(script.accepted)
    assert Counter(address[id_] for id_ in journal.intents) == Counter(script.bodies)
    assert not any(thread.name.startswith("smtp-") for thread in threading.enumerate())


def _all_but(number: int, **others: Outcome) -> dict[str, Outcome]:
    return dict.fromkeys(READERS[:number], ACCEPTED) | {READERS[int(n[1:])]: outcome for n, outcome in others.items()}


@pytest.mark.parametrize("ehlo", [Script().ehlo, PLAIN])
def test_one_of_a_hundred_is_refused(script: Script, ehlo: str) -> None:
    script.ehlo = ehlo
    script.at["rcpt", READERS[50]] = ["550 5.1.1 no such person"]
    assert _send(script, 100) == _all_but(100, _50=REJECTED)
    assert script.most <= 4


@pytest.mark.parametrize("ehlo", [Script().ehlo, PLAIN])
@pytest.mark.parametrize("stage", ["rcpt", "data", "dot"])
@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ("550 5.1.1 no", REJECTED),
        ("452-4.3.1 full\r\n452 4.3.1 really", LATER),
        ("250 what?", None),
    ],
)
def test_a_refusal_at_each_stage(script: Script, ehlo: str, stage: str, said: str, outcome: Outcome | None) -> None:
    script.ehlo = ehlo
    script.at[stage, READERS[1]] = [said]
    expected = outcome or (LATER if stage == "data" else ACCEPTED)
    assert _send(script, 4) == _all_but(4, _1=expected)
    assert script.connections == 1


def test_a_greylisted_reader_is_taken_the_next_time(script: Script) -> None:
    script.at["rcpt", READERS[2]] = ["450 4.2.0 greylisted"]
    assert _send(script, 5) == _all_but(5, _2=LATER)
    with closing(_smtp(script)) as smtp:
        [result] = smtp.send(a_batch([recipients(3)[2]]), Strict())
    assert result.outcome is ACCEPTED


@pytest.mark.parametrize("said", ["450 4.2.0 greylisted", "550 5.1.1 no such person"])
def test_a_relay_that_waits_for_a_message_to_nobody_gets_a_lone_dot(script: Script, said: str) -> None:
    script.at["rcpt", READERS[1]] = [said]
    script.at["data", READERS[1]] = ["354 go on"]
    assert _send(script, 4) == _all_but(4, _1=LATER if said.startswith("4") else REJECTED)
    assert script.connections == 1
    assert script.bodies == [READERS[0], READERS[2], READERS[3]]


def test_nobody_gets_an_empty_message_after_a_sender_was_put_off(script: Script) -> None:
    script.at["mail", 2] = ["451 4.3.0 try again"]  # and yet it takes the recipient, and waits
    assert _send(script, 3) == _all_but(3, _1=LATER)
    assert script.connections == 2


@pytest.mark.parametrize("ehlo", [Script().ehlo, PLAIN])
def test_a_sender_that_is_refused_stops_everything(script: Script, ehlo: str) -> None:
    script.ehlo = ehlo
    script.at["mail", 3] = ["550 5.7.1 not your address"]
    journal = Strict()
    with closing(_smtp(script)) as smtp, pytest.raises(ProviderError, match="550"):
        list(smtp.send(a_batch(recipients(5)), journal))
    assert script.accepted == READERS[:2]
    assert len(journal.intents) == len(journal.answers) == 2


def test_a_message_that_is_too_large_is_not_the_senders_fault(script: Script) -> None:
    script.at["mail", 2] = ["552 5.3.4 too large"]
    script.at["data", READERS[1]] = ["503 5.5.1 MAIL first"]
    assert _send(script, 3) == _all_but(3, _1=REJECTED)


def test_the_size_is_announced_and_what_is_too_large_is_not_offered(script: Script) -> None:
    assert _send(script, 1) == _all_but(1)
    [announced] = [line for line in script.lines if line.startswith("MAIL")]
    assert 500 < int(announced.partition(" SIZE=")[2]) < 5_000
    script.ehlo = "250-relay.example\r\n250-PIPELINING\r\n250 SIZE 100"
    script.accepted, script.bodies = [], []
    assert _send(script, 2) == _all_but(2, _0=REJECTED, _1=REJECTED)
    assert sum(line.startswith("MAIL") for line in script.lines) == 1


@pytest.mark.parametrize("ehlo", [Script().ehlo, PLAIN])
@pytest.mark.parametrize("said", [CUT, "421 4.3.2 shutting down", "what"])
@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "dot"])
def test_a_connection_lost_in_each_phase(script: Script, ehlo: str, stage: str, said: str) -> None:
    script.ehlo = ehlo
    script.at[stage, 2 if stage == "mail" else READERS[1]] = [said]
    lost = {"_1": LATER if said.startswith("421") else UNCERTAIN} if stage == "dot" else {}
    assert _send(script, 4) == _all_but(4, **lost)
    assert script.connections == 2


def test_a_connection_lost_within_a_body_leaves_that_one_uncertain(script: Script) -> None:
    script.at["dot", READERS[1]] = [CUT_WITHIN]
    assert _send(script, 4) == _all_but(4, _1=UNCERTAIN)


def test_a_relay_that_reads_no_more_of_a_body_leaves_that_one_uncertain(script: Script) -> None:
    script.ehlo = "250-relay.example\r\n250 PIPELINING"
    script.at["dot", READERS[0]] = [HUSH_WITHIN]
    result = _smtp(script, timeout=0.3).carry("jo@example.org", READERS[0], bytes(30_000_000))
    assert (result.outcome, result.detail) == (UNCERTAIN, "no answer: the relay said nothing for 0.3 seconds")


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
def test_a_new_connection_lost_before_a_body_puts_that_one_off(script: Script, stage: str) -> None:
    script.at[stage, 1 if stage == "mail" else READERS[0]] = [CUT]
    assert _send(script, 3) == _all_but(3, _0=LATER)


def test_an_answer_that_never_comes_leaves_one_uncertain_and_the_one_behind_it_for_later(script: Script) -> None:
    script.at["dot", READERS[1]] = [HUSH]
    assert _send(script, 4, timeout=0.3) == _all_but(4, _1=UNCERTAIN, _2=LATER)


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
def test_a_reply_that_never_comes_before_the_body_puts_that_one_off(script: Script, stage: str) -> None:
    script.at[stage, 2 if stage == "mail" else READERS[1]] = [HUSH]
    assert _send(script, 4, timeout=0.3) == _all_but(4, _1=LATER)


def test_a_relay_that_never_answers_bodies_gets_three_and_no_more(script: Script) -> None:
    script.at = {("dot", address): [HUSH] for address in READERS}
    outcomes = Counter(_send(script, 9, timeout=0.2).values())
    assert outcomes == {UNCERTAIN: 3, LATER: 6}


def test_a_relay_that_is_busy_from_the_first_on(script: Script) -> None:
    script.at["connect", 1] = ["421 4.3.2 come back later"]
    assert set(_send(script, 50).values()) == {LATER}
    assert script.connections == 1


def test_a_relay_that_allows_two_connections(script: Script) -> None:
    for n in (3, 4):
        script.at["connect", n] = ["421 4.7.0 too many connections from your address"]
    assert _send(script, 60) == _all_but(60)
    assert script.connections == 4


def test_a_relay_that_lets_one_log_in_and_nobody_else_serves_all(script: Script) -> None:
    for n in (2, 3, 4):
        script.at["connect", n] = ["554 5.7.1 no"]
    assert _send(script, 60) == _all_but(60)


def test_a_relay_that_closes_for_good_in_the_middle_takes_the_rest_later(script: Script) -> None:
    script.at["mail", 3] = ["421 4.3.2 shutting down"]
    script.at |= {("connect", n): ["421 4.3.2 shut down"] for n in range(2, 9)}
    assert _send(script, 6) == _all_but(6, _2=LATER, _3=LATER, _4=LATER, _5=LATER)


@dataclass(frozen=True)
class Fall:
    """What a relay says or does, when, and what is known of the first reader then."""

    at: tuple[str, object]
    said: str
    outcome: Outcome
    fault: Fault
    retry_after: float | None = None


@pytest.mark.parametrize(
    "fall",
    [
        Fall(("connect", 1), "421 4.3.2 come back in 5 minutes", LATER, Fault.SERVICE, 300),
        Fall(("connect", 1), "450 4.7.0 come back in 5 minutes", LATER, Fault.SERVICE, 300),
        Fall(("connect", 1), "421 4.7.0 too many connections from your address", LATER, Fault.SENDER),
        Fall(("connect", 1), CUT, LATER, Fault.SERVICE),
        Fall(("mail", 1), CUT, LATER, Fault.SERVICE),
        Fall(("mail", 1), HUSH, LATER, Fault.SERVICE),
        Fall(("mail", 1), "450 4.1.8 your domain is not found", LATER, Fault.SENDER),
        Fall(("mail", 1), "452 4.3.1 disk full", LATER, Fault.SERVICE),
        Fall(("rcpt", READERS[0]), "450 4.2.0 greylisted for 00:01:00", LATER, Fault.RECIPIENT, 60),
        Fall(("rcpt", READERS[0]), "550 5.1.1 no such person", REJECTED, Fault.RECIPIENT),
        Fall(("rcpt", READERS[0]), "550 5.7.1 blocked", REJECTED, Fault.SENDER),
        Fall(("rcpt", READERS[0]), "421 4.3.2 bye", LATER, Fault.SERVICE),
        Fall(("data", READERS[0]), "451 try again in 60 seconds", LATER, Fault.RECIPIENT, 60),
        Fall(("dot", READERS[0]), "451 4.7.1 try again in 60 seconds", LATER, Fault.RECIPIENT, 60),
        Fall(("dot", READERS[0]), "421 4.7.28 rate limited", LATER, Fault.SENDER),
        Fall(("dot", READERS[0]), CUT, UNCERTAIN, Fault.SERVICE),
        Fall(("dot", READERS[0]), HUSH, UNCERTAIN, Fault.SERVICE),
    ],
    ids=lambda fall: f"{fall.at[0]} {fall.said}",
)
def test_whose_fault_it_is_and_how_long_to_wait(script: Script, fall: Fall) -> None:
    script.at[fall.at] = [fall.said]
    with closing(_smtp(script, timeout=0.3)) as smtp:
        [result] = smtp.send(a_batch(recipients(1)), Strict())
    assert (result.outcome, result.fault, result.retry_after) == (fall.outcome, fall.fault, fall.retry_after)


def test_what_the_relay_does_not_take_is_the_fault_of_who_wrote_it(script: Script) -> None:
    script.ehlo = "250-relay.example\r\n250 SIZE 100"
    person = recipients(1)[0]
    with closing(_smtp(script)) as smtp:
        for address, fault in {
            person.address: Fault.SENDER,  # too large
            "zoë@example.org": Fault.RECIPIENT,
            "zo\te@example.org": Fault.RECIPIENT,
        }.items():
            [result] = smtp.send(a_batch([replace(person, address=address)]), Strict())
            assert (result.outcome, result.fault) == (REJECTED, fault)


def test_a_relay_that_goes_away_is_waited_for() -> None:
    with playing(Script()) as script:
        smtp = _smtp(script)
        assert [result.outcome for result in smtp.send(a_batch(recipients(2)), Strict())] == [ACCEPTED] * 2
    with closing(smtp):
        results = list(smtp.send(a_batch(recipients(3)), Strict()))
    assert {(result.outcome, result.fault) for result in results} == {(LATER, Fault.SERVICE)}
    assert "cannot be reached: Connection refused" in results[0].detail


def test_a_relay_that_accepts_slowly(script: Script) -> None:
    script.pieces = lambda said: [said] if time.sleep(0.01) is None else []
    assert _send(script, 30) == _all_but(30)


def _byte_by_byte(said: bytes) -> list[bytes]:
    return [said[n : n + 1] for n in range(len(said))]


@pytest.mark.parametrize("pieces", [_byte_by_byte, lambda said: [said[:5], said[5:]]])
def test_replies_in_pieces(script: Script, pieces: Callable[[bytes], list[bytes]]) -> None:
    script.pieces = pieces
    script.at["rcpt", READERS[1]] = ["550-5.1.1 there is\r\n550-5.1.1\r\n550 5.1.1 nobody"]
    assert _send(script, 4) == _all_but(4, _1=REJECTED)


def test_several_lines_are_told_as_one(script: Script) -> None:
    script.at["rcpt", READERS[0]] = ["550-5.1.1 there is\r\n550-5.1.1\r\n550 nobody"]
    with closing(_smtp(script)) as smtp:
        [result] = smtp.send(a_batch(recipients(1)), Strict())
    assert result.detail == "550 5.1.1 there is 5.1.1 nobody"


def test_who_answers_more_than_was_asked_is_not_believed(script: Script) -> None:
    script.at["data", READERS[1]] = ["354 go on\r\n250 2.0.0 Ok: queued as LIE"]
    assert _send(script, 3) == _all_but(3)
    assert script.connections == 2
    assert script.bodies == READERS[:3]


@pytest.mark.parametrize("ehlo", [PLAIN, "250 relay.example"])
def test_without_pipelining_nothing_is_said_ahead(script: Script, ehlo: str) -> None:
    script.ehlo = ehlo
    assert _send(script, 4) == _all_but(4)
    assert script.ahead == 0


def test_with_pipelining_the_end_of_a_body_goes_with_the_next_commands(script: Script) -> None:
    assert _send(script, 4) == _all_but(4)
    assert script.ahead == 4 * 2 + 3  # behind each MAIL and RCPT, and behind all bodies but the last


def test_through_tls_it_is_the_same(script: Script, tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    script.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    script.tls.load_cert_chain(certificate, key)
    script.at = {
        ("rcpt", READERS[1]): ["550 5.1.1 no such person"],
        ("dot", READERS[20]): [CUT],
        ("dot", READERS[30]): [HUSH],
    }
    options = SmtpOptions(
        host="127.0.0.1", port=script.port, security=Security.TLS, ca_file=certificate, timeout=1, connections=3
    )
    people, journal = recipients(60), Strict()
    with closing(Smtp(options)) as smtp:
        results = list(smtp.send(a_batch(people), journal))
    _hold(script, people, journal, results)
    outcomes = Counter(result.outcome for result in results)
    assert (outcomes[REJECTED], outcomes[UNCERTAIN]) == (1, 2)
    assert outcomes[LATER] <= 1  # the one behind the silence, if there was one
    assert script.ahead > 60


def test_for_nobody_no_connection_is_made(script: Script) -> None:
    assert _send(script, 0) == {}
    assert script.connections == 0


def test_a_connection_is_retired(script: Script) -> None:
    assert _send(script, 9, messages_per_connection=4) == _all_but(9)
    assert script.connections == 3
    assert [line for line in script.lines if line == "QUIT"] == ["QUIT"] * 3


@pytest.mark.parametrize("said", ["LIMITS RCPTMAX=20 MAILMAX=4", "limits mailmax=4 RCPTDOMAINMAX=1"])
def test_a_connection_is_retired_as_soon_as_the_relay_wants_it(script: Script, said: str) -> None:
    script.ehlo = f"250-relay.example\r\n250-PIPELINING\r\n250 {said}"
    assert _send(script, 9) == _all_but(9)
    assert script.connections == 3


@pytest.mark.parametrize("said", ["LIMITS", "LIMITS RCPTMAX=2", "LIMITS MAILMAX=0", "LIMITS MAILMAX=many"])
def test_a_limit_that_is_none(script: Script, said: str) -> None:
    script.ehlo = f"250-relay.example\r\n250-PIPELINING\r\n250 {said}"
    assert _send(script, 9) == _all_but(9)
    assert script.connections == 1


def test_connections_are_used_again_for_the_next_batch(script: Script) -> None:
    with closing(_smtp(script)) as smtp:
        for _ in range(3):
            assert len(list(smtp.send(a_batch(recipients(40)), Strict()))) == 40
        assert script.connections == script.most <= 4
    assert script.lines.count("QUIT") == script.connections


def test_a_connection_that_was_ended_between_batches_is_made_anew(script: Script) -> None:
    script.at["mail", 3] = ["421 4.4.2 idle for too long"]
    with closing(_smtp(script)) as smtp:
        for _ in range(2):
            results = list(smtp.send(a_batch(recipients(2)), Strict()))
            assert [result.outcome for result in results] == [ACCEPTED] * 2


def test_when_the_journal_fails_what_is_under_way_ends_and_nothing_begins(script: Script) -> None:
    people = recipients(100)
    journal = Strict(fails_at=people[30].id)
    results: list[Result] = []
    with closing(_smtp(script)) as smtp, pytest.raises(JournalFault):
        results.extend(smtp.send(a_batch(people), journal))
    assert len(journal.intents) == len(journal.answers) == len(script.accepted) == len(script.bodies)
    assert 10 < len(journal.intents) < 100
    assert journal.under_way == {}


def test_closed_early_nothing_more_is_handed_over(script: Script) -> None:
    journal = Strict()
    with closing(_smtp(script)) as smtp:
        sending = smtp.send(a_batch(recipients(300)), journal)
        told = list(islice(sending, 5))
        sending.close()
        handed = len(script.bodies)
        assert not any(thread.name.startswith("smtp-") for thread in threading.enumerate())
        assert len(told) == 5
        assert len(journal.intents) == len(journal.answers) == handed < 100
        time.sleep(0.05)
        assert len(script.bodies) == handed


def test_closed_early_while_nobody_answers_it_ends_all_the_same(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsletter.providers.lines._GRACE", 0.2)
    script.at = {("dot", address): [HUSH] for address in READERS[5:]}
    journal = Strict()
    with closing(_smtp(script, timeout=PATIENCE)) as smtp:
        sending = smtp.send(a_batch(recipients(40)), journal)
        list(islice(sending, 5))
        begun = time.monotonic()
        sending.close()
    assert time.monotonic() - begun < PATIENCE  # it was not the timeout that ended it
    written = {answer.recipient: answer.outcome for answer in journal.answers}
    assert Counter(written.values()) == {ACCEPTED: 5, UNCERTAIN: len(journal.intents) - 5}


def test_an_interruption_ends_the_connections_at_once(script: Script) -> None:
    script.at = {("dot", address): [HUSH] for address in READERS[2:]}
    journal = Strict()

    def interrupt() -> None:
        while len(journal.answers) < 2:
            time.sleep(0.01)
        _thread.interrupt_main()

    threading.Thread(target=interrupt).start()
    begun = time.monotonic()
    with closing(_smtp(script, timeout=PATIENCE)) as smtp, pytest.raises(KeyboardInterrupt):
        list(smtp.send(a_batch(recipients(8)), journal))
    assert time.monotonic() - begun < PATIENCE  # it was not the timeout that ended it
    assert [answer.outcome for answer in journal.answers][:2] == [ACCEPTED, ACCEPTED]
    assert not any(thread.name.startswith("smtp-") for thread in threading.enumerate())


_BEFORE = ["250 2.1.0 Ok", "450 4.2.0 later", "421 4.3.2 bye", CUT, "gibberish"]
_RCPT = [*_BEFORE, "550 5.1.1 no"]
_DATA = ["354 go on", "354 go on", "451 4.3.0 no", "554 5.5.0 no", "421 4.3.2 bye", CUT]
_DOT = [
    "250 2.0.0 Ok: queued as Q2",
    *("451 4.3.0 no", "554 5.6.0 no", "421 4.3.2 bye", "354 what?", CUT, CUT_WITHIN, HUSH, "gibberish"),
]


@st.composite
def _scripts(draw: st.DrawFn) -> tuple[int, Script]:
    number = draw(st.integers(1, 35))
    some = st.sampled_from(READERS[:number])
    script = Script(ehlo=draw(st.sampled_from([Script().ehlo, PLAIN, "250 relay.example"])))
    for verb, said in (("rcpt", _RCPT), ("data", _DATA), ("dot", _DOT)):
        faults = draw(st.dictionaries(some, st.lists(st.sampled_from(said), min_size=1, max_size=2), max_size=6))
        script.at |= {(verb, address): replies for address, replies in faults.items()}
    mails = draw(st.dictionaries(st.integers(1, number), st.sampled_from(_BEFORE), max_size=3))
    script.at |= {("mail", n): [said] for n, said in mails.items()}
    connects = draw(st.dictionaries(st.integers(1, 8), st.sampled_from(["421 4.3.2 bye", CUT]), max_size=3))
    script.at |= {("connect", n): [said] for n, said in connects.items()}
    if draw(st.booleans()):
        script.pieces = lambda said: [said[:3], said[3:]]
    return number, script


@given(_scripts(), st.integers(1, 4), st.integers(1, 20))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_fails_each_has_one_outcome_and_it_is_true(
    scripted: tuple[int, Script], connections: int, messages_per_connection: int
) -> None:
    number, script = scripted
    with playing(script):
        _send(script, number, None, 0.2, connections=connections, messages_per_connection=messages_per_connection)
