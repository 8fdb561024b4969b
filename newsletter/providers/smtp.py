"""SMTP (RFC 5321) to a relay, one connection a batch; and what the relay's codes mean for a recipient.

A message is handed over between the relay's 354 and its answer to the final dot. A connection that is lost before that
leaves the recipient for later; one that is lost within leaves the outcome uncertain.
"""

from __future__ import annotations

import ipaddress
import re
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from pydantic import Field, FilePath, SecretStr, ValidationInfo, field_validator

from newsletter.config import secret_variable
from newsletter.errors import ProviderError
from newsletter.message import Composer, envelope_sender
from newsletter.providers.base import Batch, Capabilities, Journal, Options, Outcome, Result

PASSWORD = secret_variable("smtp", "password")
_OK = {250, 251}
_GO_AHEAD = 354
_CLOSING = 421
_WHO_ARE_YOU = {530, 534, 535, 538}  # RFC 4954 section 6: it is we who are refused, not the recipient
_QUEUED_AS = re.compile(r"\bqueued as (\S+)", re.IGNORECASE)


class Security(StrEnum):
    """How the connection is kept private."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class SmtpOptions(Options):
    """[providers.smtp]; `timeout` in seconds, `ca_file` for the certificates of an authority of one's own."""

    host: str = Field(min_length=1)
    port: int = Field(default=587, ge=1, le=65535)
    allow_plaintext: bool = False
    security: Security = Security.STARTTLS
    username: str | None = None
    password: SecretStr | None = Field(default=None, validate_default=True)
    timeout: float = Field(default=60, gt=0)
    ca_file: FilePath | None = None

    @field_validator("security")
    @classmethod
    def private(cls, security: Security, info: ValidationInfo) -> Security:
        host = info.data.get("host", "")
        if security is Security.NONE and not info.data.get("allow_plaintext") and not _is_loopback(host):
            raise ValueError(
                f"without encryption anybody on the way to {host} can read along; if that is meant, "
                "say `allow_plaintext = true` too"
            )
        return security

    @field_validator("password")
    @classmethod
    def given(cls, password: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if info.data.get("username") and not password:
            raise ValueError(f"the username needs one: set {PASSWORD} in the environment")
        return password


class Smtp:
    """Hands messages to the relay."""

    Options: ClassVar[type[Options]] = SmtpOptions
    secrets: ClassVar[tuple[str, ...]] = ("password",)
    capabilities = Capabilities()

    def __init__(self, options: SmtpOptions) -> None:
        self._options = options
        self._connection: smtplib.SMTP | None = None

    def send(self, batch: Batch, journal: Journal) -> Iterator[Result]:
        """See providers.base. While the relay says that it is busy, the rest of the batch is for later."""
        composer = Composer(batch.edition, audience=batch.audience, subject=batch.subject, test=batch.test)
        sender = envelope_sender(batch.edition)
        busy: _Busy | None = None
        try:
            for recipient in batch.recipients:
                letter = _Letter(recipient.id, sender, recipient.address, composer.message(recipient, batch.date))
                try:
                    result = letter.later(busy) if busy else self._deliver(letter, journal.intent)
                except _Busy as error:
                    busy, result = error, letter.later(error)
                journal.answer(result)
                yield result
        finally:
            self.close()

    def carry(self, sender: str, recipient: str, message: bytes) -> Result:
        """See providers.base.Carrier."""
        letter = _Letter(recipient, sender, recipient, message)
        try:
            return self._deliver(letter, lambda _: None)
        except _Busy as error:
            return letter.later(error)
        finally:
            self.close()

    def close(self) -> None:
        """Say goodbye, if a connection is open."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(smtplib.SMTPException, OSError):
                connection.quit()
            connection.close()

    def _deliver(self, letter: _Letter, intent: Callable[[list[str]], None]) -> Result:
        used = self._connection is not None
        connection = self._connection = self._connection or _connect(self._options)
        try:
            _announce(connection, letter)
        except _Refused as refusal:
            self._begin_anew(connection)
            return refusal.result(letter)
        except smtplib.SMTPException as error:
            self._connection = None
            connection.close()
            # Relays end a connection after so many messages: that is no reason to put off the next recipient.
            return self._deliver(letter, intent) if used else letter.later(error)
        return self._hand_over(letter, intent)

    def _hand_over(self, letter: _Letter, intent: Callable[[list[str]], None]) -> Result:
        connection, self._connection = self._connection, None  # nobody says QUIT within a message
        assert connection is not None
        try:
            intent([letter.id])
            answer = _send_body(connection, letter.message)
            if answer.code != _CLOSING:
                self._connection = connection
        except smtplib.SMTPException as error:
            return Result(recipient=letter.id, outcome=Outcome.UNCERTAIN, detail=f"no answer: {error}")
        finally:
            if self._connection is None:
                connection.close()
        return answer.result(letter)

    def _begin_anew(self, connection: smtplib.SMTP) -> None:
        try:
            connection.rset()
        except smtplib.SMTPException:
            self._connection = None
            connection.close()


@dataclass(frozen=True, slots=True)
class _Letter:
    """A message between two bare addresses; `id` is the recipient's."""

    id: str
    sender: str
    address: str
    message: bytes

    def later(self, why: Exception) -> Result:
        return Result(recipient=self.id, outcome=Outcome.LATER, detail=str(why))


@dataclass(frozen=True, slots=True)
class _Answer:
    """A reply of the relay."""

    code: int
    words: str

    @classmethod
    def of(cls, reply: tuple[int, bytes]) -> _Answer:
        return cls(reply[0], " ".join(reply[1].decode("utf-8", "replace").split())[:500])

    def __str__(self) -> str:
        return f"{self.code} {self.words}".strip()

    def result(self, letter: _Letter) -> Result:
        """What the answer to a whole message means (RFC 5321 section 4.2.1: the first digit decides)."""
        outcomes = {2: Outcome.ACCEPTED, 4: Outcome.LATER, 5: Outcome.REJECTED}
        queued = _QUEUED_AS.search(self.words)
        return Result(
            recipient=letter.id,
            outcome=outcomes.get(self.code // 100, Outcome.UNCERTAIN),
            detail=str(self),
            provider_id=queued[1] if queued else "",
        )


class _Refused(Exception):
    """The relay refuses one recipient, before the message."""

    def __init__(self, answer: _Answer) -> None:
        self._answer = answer
        super().__init__(str(answer))

    def result(self, letter: _Letter) -> Result:
        outcome = Outcome.REJECTED if self._answer.code // 100 == 5 else Outcome.LATER
        return Result(recipient=letter.id, outcome=outcome, detail=str(self))


class _Busy(Exception):
    """The relay takes no mail at the moment."""


def _announce(connection: smtplib.SMTP, letter: _Letter) -> None:
    """MAIL, RCPT, DATA, until the relay waits for the message."""
    international = not letter.address.isascii()
    if international and not connection.has_extn("smtputf8"):
        raise _Refused(_Answer(553, "the relay does not take addresses in other than ASCII letters (SMTPUTF8)"))
    sender = _asked(connection.mail(letter.sender, ["SMTPUTF8"] if international else []))
    if sender.code // 100 == 5:
        raise ProviderError(
            f"the relay refuses the sender {letter.sender}: {sender}",
            hint="`from` in newsletter.toml must be an address that the relay lets this username send from",
        )
    if sender.code not in _OK:
        raise _Refused(sender)
    recipient = _asked(connection.rcpt(letter.address))
    if recipient.code not in _OK:
        raise _Refused(recipient)
    connection.putcmd("DATA")
    data = _asked(connection.getreply())
    if data.code != _GO_AHEAD:
        raise _Refused(data)


def _asked(reply: tuple[int, bytes]) -> _Answer:
    answer = _Answer.of(reply)
    if answer.code == _CLOSING:
        raise smtplib.SMTPServerDisconnected(str(answer))
    if answer.code in _WHO_ARE_YOU:
        raise ProviderError(
            f"the relay wants to know who sends: {answer}",
            hint=f"set `username` in [providers.smtp] and {PASSWORD} in the environment",
        )
    return answer


def _send_body(connection: smtplib.SMTP, message: bytes) -> _Answer:
    body = (b"." + message if message.startswith(b".") else message).replace(b"\n.", b"\n..")  # RFC 5321 section 4.5.2
    end = b".\r\n" if body.endswith(b"\r\n") else b"\r\n.\r\n"
    connection.send(body + end)
    return _Answer.of(connection.getreply())


def _connect(options: SmtpOptions) -> smtplib.SMTP:
    """A connection, encrypted and logged in as the options say; raises _Busy, ProviderError."""
    where = f"{options.host}:{options.port}"
    try:
        connection = _open(options)
        try:
            _log_in(connection, options)
        except BaseException:
            connection.close()
            raise
    except ssl.SSLCertVerificationError as error:
        raise ProviderError(
            f"the certificate of {where} is not to be trusted: {error.verify_message}",
            hint="`ca_file` in [providers.smtp] names the certificates of an authority of your own",
        ) from error
    except ssl.SSLError as error:
        raise ProviderError(
            f"no encrypted connection to {where}: {error.reason or error}",
            hint='`security` is "tls" on port 465 and "starttls" on port 587',
        ) from error
    except smtplib.SMTPServerDisconnected as error:
        raise _Busy(f"{where}: {error}") from error
    except smtplib.SMTPResponseException as error:
        answer = _Answer.of((error.smtp_code, _as_bytes(error.smtp_error)))
        if answer.code // 100 == 4:
            raise _Busy(str(answer)) from error
        raise ProviderError(f"{where} does not serve us: {answer}") from error
    except OSError as error:
        raise ProviderError(f"{where} cannot be reached: {error.strerror or error}", hint="is `port` right?") from error
    return connection


def _open(options: SmtpOptions) -> smtplib.SMTP:
    if options.security is Security.TLS:
        context = ssl.create_default_context(cafile=options.ca_file)
        return smtplib.SMTP_SSL(options.host, options.port, timeout=options.timeout, context=context)
    return smtplib.SMTP(options.host, options.port, timeout=options.timeout)


def _log_in(connection: smtplib.SMTP, options: SmtpOptions) -> None:
    try:
        if options.security is Security.STARTTLS:
            connection.starttls(context=ssl.create_default_context(cafile=options.ca_file))
        connection.ehlo_or_helo_if_needed()
    except smtplib.SMTPNotSupportedError as error:
        raise ProviderError(
            f"{options.host}:{options.port} does not offer STARTTLS",
            hint='`security` is "tls" on port 465; "none" is for a relay on this machine',
        ) from error
    if not options.username:
        return
    try:
        connection.login(options.username, options.password.get_secret_value() if options.password else "")
    except smtplib.SMTPServerDisconnected:
        raise
    except smtplib.SMTPException as error:
        raise ProviderError(
            f"{options.host} does not accept the username {options.username}: {_said(error)}",
            hint=f"the password comes from {PASSWORD}",
        ) from error


def _said(error: smtplib.SMTPException) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return str(_Answer.of((error.smtp_code, _as_bytes(error.smtp_error))))
    return str(error)


def _as_bytes(words: bytes | str) -> bytes:
    return words if isinstance(words, bytes) else words.encode()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
