"""What relays say, word for word, and whose fault it is then."""

from __future__ import annotations

import pytest

from newsletter.providers.base import Fault, Outcome
from newsletter.providers.replies import Reply

ANA = "a" * 32


def _reply(said: str) -> Reply:
    code, _, text = said.partition(" ")
    return Reply(int(code), text.encode())


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ("550 5.1.1 <ana@example.org>: Recipient address rejected: User unknown", Fault.RECIPIENT),
        ("550 #5.1.0 Address rejected.", Fault.RECIPIENT),
        ("552 5.2.2 Mailbox full", Fault.RECIPIENT),
        ("452 4.2.2 The recipient's inbox is out of storage space", Fault.RECIPIENT),
        ("450 4.2.0 <ana@example.org>: Recipient address rejected: Greylisted", Fault.RECIPIENT),
        ("450 4.2.1 The user you are trying to contact is receiving mail at a rate that", Fault.RECIPIENT),
        ("451 4.7.1 Greylisting in action, please come back later", Fault.RECIPIENT),
        ("450 4.7.0 try again later", Fault.RECIPIENT),
        ("451 try again later", Fault.RECIPIENT),
        ("450 4.0.0 try again later", Fault.RECIPIENT),
        ("550 5.4.1 Recipient address rejected: Access denied", Fault.RECIPIENT),
        ("550 5.1.8 <jo@example.org>: Sender address rejected: Domain not found", Fault.SENDER),
        ("550 5.7.1 Service unavailable; client host blocked", Fault.SENDER),
        ("550 5.7.26 Unauthenticated email is not accepted due to the domain's DMARC policy", Fault.SENDER),
        ("450 4.7.28 Our system has detected an unusual rate of unsolicited mail", Fault.SENDER),
        ("421 4.7.28 Our system has detected an unusual rate of unsolicited mail", Fault.SENDER),
        ("421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred", Fault.SENDER),
        ("451 4.7.650 The mail server has been temporarily rate limited", Fault.SENDER),
        ("454 Throttling failure: Maximum sending rate exceeded.", Fault.SENDER),
        ("452 4.5.3 Too many recipients", Fault.SENDER),
        ("552 5.3.4 Message size exceeds fixed limit", Fault.SENDER),
        ("554 5.6.0 Message content rejected", Fault.SENDER),
        ("421 4.3.2 shutting down", Fault.SERVICE),
        ("421 too many connections", Fault.SERVICE),
        ("450 4.3.2 Service currently unavailable", Fault.SERVICE),
        ("452 4.3.1 Insufficient system storage", Fault.SERVICE),
        ("452 insufficient system storage", Fault.SERVICE),
        ("451 4.3.0 queue file write error", Fault.SERVICE),
        ("554 Transaction failed", Fault.SERVICE),
        ("550 15.1.1 is no status", Fault.SERVICE),
    ],
)
def test_whose_fault_it_is(said: str, fault: Fault) -> None:
    reply = _reply(said)
    assert reply.verdict(ANA).fault is fault
    assert reply.refusal(ANA).fault is fault


def test_who_is_refused_before_a_recipient_is_named_is_the_sender() -> None:
    assert _reply("450 4.1.2 domain not found").refusal(ANA, at_sender=True).fault is Fault.SENDER
    assert _reply("451 4.3.0 try again").refusal(ANA, at_sender=True).fault is Fault.SERVICE


@pytest.mark.parametrize(
    ("said", "outcome", "before_the_body"),
    [
        ("250 2.0.0 Ok: queued as 4XyZ", Outcome.ACCEPTED, Outcome.LATER),
        ("450 4.2.0 no", Outcome.LATER, Outcome.LATER),
        ("550 5.1.1 no", Outcome.REJECTED, Outcome.REJECTED),
        ("354 what?", Outcome.UNCERTAIN, Outcome.LATER),
    ],
)
def test_the_first_digit_decides(said: str, outcome: Outcome, before_the_body: Outcome) -> None:
    verdict = _reply(said).verdict(ANA)
    assert (verdict.recipient, verdict.outcome, verdict.detail) == (ANA, outcome, said)
    assert _reply(said).refusal(ANA).outcome is before_the_body


def test_the_relays_own_id_is_kept() -> None:
    assert _reply("250 2.0.0 Ok: queued as 4XyZ").verdict(ANA).provider_id == "4XyZ"
    assert _reply("250 Ok").verdict(ANA).provider_id == ""


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("please try again in 300 seconds", 300),
        ("Greylisting in action, please come back in 00:05:00", 300),
        ("greylisted for 01:00:30", 3630),
        ("Greylisted for 5 minutes (1)", 300),
        ("retry in 5 minutes", 300),
        ("Deferred, wait 2h", 7200),
        ("Retry after 90s please", 90),
        ("try again later", None),
        ("try again at 10:30 today", None),
        ("too many messages in 60 seconds", None),
        ("Greylisted, see http://postgrey.example/help/300 seconds", None),
    ],
)
def test_the_seconds_it_asks_to_wait(words: str, seconds: float | None) -> None:
    assert _reply(f"451 4.7.1 {words}").verdict(ANA).retry_after == seconds
    assert _reply(f"451 4.7.1 {words}").refusal(ANA).retry_after == seconds
