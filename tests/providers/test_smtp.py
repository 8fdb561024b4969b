from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from newsletter.errors import ConfigError, Place, ProviderError
from newsletter.message import Composer, Recipient
from newsletter.providers import open_provider
from newsletter.providers.base import Outcome, Provider, Result
from newsletter.providers.smtp import Smtp, SmtpOptions
from tests.certificates import self_signed
from tests.providers.contract import Arrived, JournalFault, ProviderContract, RecordingJournal, a_batch, recipients
from tests.providers.relay import Relay, serving

READER_0, READER_1, READER_2 = (person.address for person in recipients(3))


@pytest.fixture
def relay() -> Iterator[Relay]:
    with serving(Relay()) as relay:
        yield relay


@pytest.fixture
def provider(relay: Relay) -> Iterator[Provider]:
    smtp = _open(relay)
    yield smtp
    smtp.close()


@pytest.fixture
def arrived(relay: Relay) -> Arrived:
    return lambda: [address for _, address, _ in relay.messages]


class TestSmtp(ProviderContract):
    pass


def _open(relay: Relay, **options: Any) -> Provider:
    said = {"host": "127.0.0.1", "port": relay.port, "security": "none", "timeout": 10} | options
    return open_provider("smtp", said, Place(Path("newsletter.toml")))


def _send(provider: Provider, number: int, journal: RecordingJournal | None = None) -> list[Result]:
    return _send_to(recipients(number), provider, journal)


def _send_to(people: Sequence[Recipient], provider: Provider, journal: RecordingJournal | None = None) -> list[Result]:
    with closing(provider):
        return list(provider.send(a_batch(people), journal or RecordingJournal()))


def _outcomes(results: list[Result]) -> list[Outcome]:
    return [result.outcome for result in results]


def test_one_connection_carries_the_batch_as_it_was_composed(relay: Relay, provider: Provider) -> None:
    results = _send(provider, 3)
    assert relay.connections == 1
    assert [result.provider_id for result in results] == ["Q1", "Q2", "Q3"]
    sender, _, content = relay.messages[0]
    assert sender == "jo@news.example.org"
    batch = a_batch(recipients(1))
    assert content == Composer(batch.edition, audience=0, subject=0).message(batch.recipients[0], batch.date)


def test_a_line_that_begins_with_a_dot_arrives_whole(relay: Relay) -> None:
    message = b"Subject: dots\r\n\r\n.\r\n..two\r\n.one\r\n"
    smtp = Smtp(SmtpOptions(host="127.0.0.1", port=relay.port, security="none"))
    assert smtp.carry("jo@example.org", READER_0, message).outcome is Outcome.ACCEPTED
    assert relay.messages == [("jo@example.org", READER_0, message)]


@pytest.mark.parametrize("security", ["none", "starttls"])
def test_a_large_message_arrives_whole(certificate: tuple[Path, Path], security: str) -> None:
    message = b"Subject: large\r\n\r\n" + b"".join(b"%07d\r\n" % n for n in range(200_000))
    with serving(Relay(), tls_context=_context(certificate)) as relay:
        smtp = _open(relay, security=security, ca_file=str(certificate[0]))
        assert isinstance(smtp, Smtp)
        assert smtp.carry("jo@example.org", READER_0, message).outcome is Outcome.ACCEPTED
    assert relay.messages == [("jo@example.org", READER_0, message)]


@pytest.mark.parametrize("stage", ["rcpt", "data"])
@pytest.mark.parametrize(
    ("answer", "outcome"),
    [("550 5.1.1 no such person", Outcome.REJECTED), ("451 4.7.1 greylisted", Outcome.LATER)],
)
def test_a_refusal_concerns_only_its_recipient(
    relay: Relay, provider: Provider, stage: str, answer: str, outcome: Outcome
) -> None:
    getattr(relay, stage)[READER_1] = [answer]
    results = _send(provider, 3)
    assert _outcomes(results) == [Outcome.ACCEPTED, outcome, Outcome.ACCEPTED]
    assert results[1].detail == answer
    assert relay.connections == 1


def test_nothing_is_written_down_as_intended_for_whom_the_relay_refuses_by_address(
    relay: Relay, provider: Provider
) -> None:
    relay.rcpt[READER_0] = ["550 no"]
    journal = RecordingJournal()
    _send(provider, 1, journal)
    assert journal.intents == []
    assert _outcomes(journal.answers) == [Outcome.REJECTED]


def test_a_connection_lost_after_the_body_leaves_that_one_uncertain(relay: Relay, provider: Provider) -> None:
    relay.data[READER_1] = [Relay.CUT]
    assert _outcomes(_send(provider, 3)) == [Outcome.ACCEPTED, Outcome.UNCERTAIN, Outcome.ACCEPTED]
    assert relay.connections == 2


def test_a_used_connection_lost_before_the_body_is_made_anew(relay: Relay, provider: Provider) -> None:
    relay.rcpt[READER_1] = [Relay.CUT]
    assert _outcomes(_send(provider, 3)) == [Outcome.ACCEPTED] * 3
    assert relay.connections == 2


def test_a_new_connection_lost_before_the_body_leaves_that_one_for_later(relay: Relay, provider: Provider) -> None:
    relay.rcpt[READER_0] = [Relay.CUT]
    assert _outcomes(_send(provider, 2)) == [Outcome.LATER, Outcome.ACCEPTED]


def test_a_relay_that_ends_the_connection_after_some_messages_gets_a_new_one(relay: Relay, provider: Provider) -> None:
    relay.mail = ["250 OK", "421 4.7.0 too many messages in this connection"]
    assert _outcomes(_send(provider, 3)) == [Outcome.ACCEPTED] * 3


def test_a_sender_that_the_relay_refuses_stops_everything(relay: Relay, provider: Provider) -> None:
    relay.mail = ["250 OK", "553 5.7.1 not your address"]
    journal = RecordingJournal()
    with pytest.raises(ProviderError, match=r"refuses the sender jo@news\.example\.org: 553"):
        _send(provider, 3, journal)
    assert len(relay.messages) == len(journal.intents) == 1


def test_a_relay_that_is_not_there_is_said() -> None:
    relay = Relay()
    with serving(relay):
        pass
    with pytest.raises(ProviderError, match=f"127.0.0.1:{relay.port} cannot be reached: Connection refused"):
        _send(_open(relay), 1)


def test_a_relay_that_is_busy_takes_the_rest_later() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor() as beside:
        relay = Relay()
        relay.port = listening.getsockname()[1]

        def say_busy() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.sendall(b"421 4.3.2 come back later\r\n")

        answered = beside.submit(say_busy)
        results = _send(_open(relay), 3)
        answered.result()
    assert _outcomes(results) == [Outcome.LATER] * 3
    assert results[2].detail == "421 4.3.2 come back later"


def test_an_intent_that_cannot_be_written_leaves_no_half_message(relay: Relay, provider: Provider) -> None:
    with pytest.raises(JournalFault):
        _send(provider, 1, RecordingJournal(fails_at=recipients(1)[0].id))
    assert relay.messages == []


def test_a_local_part_in_other_letters_needs_smtputf8() -> None:
    person = replace(recipients(1)[0], address="zoë@example.org")
    with serving(Relay(), enable_SMTPUTF8=False) as old:
        [result] = _send_to([person], _open(old))
    assert result.outcome is Outcome.REJECTED
    assert "SMTPUTF8" in result.detail
    with serving(Relay(), enable_SMTPUTF8=True) as modern:
        [result] = _send_to([person], _open(modern))
    assert result.outcome is Outcome.ACCEPTED
    assert modern.messages[0][1] == "zoë@example.org"


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    return self_signed(tmp_path)


class TlsController(Controller):
    """TLS from the first byte, as on port 465."""

    def __init__(self, handler: Relay, *, implicit: ssl.SSLContext, **options: Any) -> None:
        super().__init__(handler, ssl_context=implicit, **options)


def _context(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    return context


def test_starttls_checks_the_certificate(certificate: tuple[Path, Path]) -> None:
    with serving(Relay(), tls_context=_context(certificate), require_starttls=True) as relay:
        with pytest.raises(ProviderError, match=r"is not to be trusted.*\n.*ca_file"):
            _send(_open(relay, security="starttls"), 1)
        assert relay.messages == []
        assert _outcomes(_send(_open(relay, security="starttls", ca_file=str(certificate[0])), 2)) == [
            Outcome.ACCEPTED,
            Outcome.ACCEPTED,
        ]


def test_tls_checks_the_certificate(certificate: tuple[Path, Path]) -> None:
    with serving(Relay(), TlsController, implicit=_context(certificate)) as relay:
        with pytest.raises(ProviderError, match="is not to be trusted"):
            _send(_open(relay, security="tls"), 1)
        assert _outcomes(_send(_open(relay, security="tls", ca_file=str(certificate[0])), 1)) == [Outcome.ACCEPTED]


def test_a_relay_without_starttls_is_not_used_in_the_clear(relay: Relay) -> None:
    with pytest.raises(ProviderError, match="does not offer STARTTLS"):
        _send(_open(relay, security="starttls"), 1)
    assert relay.messages == []


def test_a_wrong_password_names_the_variable(certificate: tuple[Path, Path]) -> None:
    def authenticate(*said: Any) -> AuthResult:
        return AuthResult(success=said[-1] == LoginPassword(b"me", b"right"), handled=False)

    private = {"security": "starttls", "ca_file": str(certificate[0])}
    with serving(Relay(), tls_context=_context(certificate), authenticator=authenticate, auth_required=True) as relay:
        with pytest.raises(ProviderError, match=r"(?s)does not accept the username me: 535.*NEWSLETTER_SMTP_PASSWORD"):
            _send(_open(relay, username="me", password="wrong", **private), 1)
        with pytest.raises(ProviderError, match="530"):
            _send(_open(relay, **private), 1)
        assert _outcomes(_send(_open(relay, username="me", password="right", **private), 1)) == [Outcome.ACCEPTED]


def test_a_relay_that_cannot_look_up_passwords_now_is_busy(certificate: tuple[Path, Path]) -> None:
    def authenticate(*_: Any) -> AuthResult:
        return AuthResult(success=False, handled=False, message="454 4.7.0 Temporary authentication failure")

    private = {"security": "starttls", "ca_file": str(certificate[0]), "username": "me", "password": "right"}
    with serving(Relay(), tls_context=_context(certificate), authenticator=authenticate, auth_required=True) as relay:
        assert _outcomes(_send(_open(relay, **private), 2)) == [Outcome.LATER] * 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"host": "mail.example.org", "security": "none"}, "allow_plaintext"),
        ({"host": "mail.example.org", "username": "me"}, "set NEWSLETTER_SMTP_PASSWORD"),
        ({"host": "mail.example.org", "ca_file": "/nowhere.pem"}, "ca_file"),
        ({"host": "mail.example.org", "secure": True}, "did you mean `security`"),
        ({}, "`host` is missing"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        open_provider("smtp", options, Place(Path("newsletter.toml")))


def test_plaintext_to_elsewhere_may_be_said_twice() -> None:
    open_provider(
        "smtp",
        {"host": "mail.example.org", "security": "none", "allow_plaintext": True},
        Place(Path("newsletter.toml")),
    )


def test_a_password_is_not_shown() -> None:
    assert "hunter2" not in repr(SmtpOptions(host="127.0.0.1", username="me", password="hunter2"))
