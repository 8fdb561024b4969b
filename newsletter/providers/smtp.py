"""SMTP (RFC 5321) to a relay: its options, and how a connection is made, encrypted and logged in.

What is said then is in dialogue.py, who says it to how many at once in lines.py.
"""

from __future__ import annotations

import ipaddress
import smtplib
import ssl
from collections.abc import Callable, Generator, Iterator, Sequence
from enum import StrEnum
from math import ceil
from typing import Any, ClassVar

from pydantic import Field, FilePath, SecretStr, ValidationInfo, field_validator

from newsletter.errors import ProviderError
from newsletter.message import Composer, Recipient, envelope_sender
from newsletter.providers.base import Batch, Capabilities, Journal, Options, Result
from newsletter.providers.dialogue import PASSWORD, Dialogue, Letter, stuffed
from newsletter.providers.lines import carried
from newsletter.providers.post import Post
from newsletter.providers.replies import Reply
from newsletter.providers.wire import Lost

_WORTH_A_CONNECTION = 10
"""So many messages for each connection at least: a new one takes about as many round trips."""

_AHEAD = 16
"""So many results for each connection may be there before they are read; no more is handed over then."""


class Security(StrEnum):
    """How the connection is kept private."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class SmtpOptions(Options):
    """[providers.smtp]; `timeout` in seconds, `ca_file` for the certificates of an authority of one's own.

    `connections` at once at most (the relay may allow fewer), each for `messages_per_connection` and then made anew.
    """

    host: str = Field(min_length=1)
    port: int = Field(default=587, ge=1, le=65535)
    allow_plaintext: bool = False
    security: Security = Security.STARTTLS
    username: str | None = None
    password: SecretStr | None = Field(default=None, validate_default=True)
    timeout: float = Field(default=60, gt=0)
    connections: int = Field(default=4, ge=1, le=100)
    messages_per_connection: int = Field(default=500, ge=1)
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
    """Hands messages to the relay over several connections, which it keeps from one batch to the next."""

    Options: ClassVar[type[Options]] = SmtpOptions
    secrets: ClassVar[tuple[str, ...]] = ("password",)
    pace: ClassVar[tuple[str, ...]] = ("connections", "messages_per_connection", "timeout")
    capabilities = Capabilities(batch_max=2_000)  # between two batches all connections are idle

    def __init__(self, options: SmtpOptions) -> None:
        self._options = options
        self._idle: list[Dialogue] = []
        self._served = False

    def send(self, batch: Batch, journal: Journal) -> Generator[Result, None, None]:
        """See providers.base. While the relay says that it is busy, the rest of the batch is for later."""
        composer = Composer(batch.edition, audience=batch.audience, subject=batch.subject, test=batch.test)
        sender = envelope_sender(batch.edition)

        def letter(recipient: Recipient) -> Letter:
            return Letter(recipient, sender, composer.message(recipient, batch.date))

        number = min(self._options.connections, ceil(len(batch.recipients) / _WORTH_A_CONNECTION))
        post = Post(batch.recipients, letter, journal, room=number * _AHEAD)
        yield from self._carried(post, self._idle, number)

    def carry(self, sender: str, recipient: str, message: bytes) -> Result:
        """See providers.base.Carrier; over a connection of its own."""

        def letter(recipient: Recipient) -> Letter:
            return Letter(recipient, sender, stuffed(message))

        post = Post([Recipient(id=recipient, address=recipient)], letter, _Unwritten(), room=1)
        own: list[Dialogue] = []
        try:
            [result] = self._carried(post, own, 1)
        finally:
            _close(own)
        return result

    def close(self) -> None:
        """Say goodbye on the connections that are open."""
        _close(self._idle)

    def _carried(self, post: Post, idle: list[Dialogue], number: int) -> Iterator[Result]:
        return carried(post, self._connect, idle, number=number)

    def _connect(self, watch: Callable[[smtplib.SMTP], None]) -> Dialogue:
        try:
            dialogue = _connect(self._options, watch)
        except _OutOfReach as error:
            if self._served:  # it was the right place: the relay will be there again
                raise
            raise ProviderError(str(error), hint="is `port` right?") from error
        self._served = True
        return dialogue


class _OutOfReach(Lost):
    """Nobody answers where the relay should be."""


class _Unwritten:
    """The journal of what is no part of an issue."""

    def intent(self, ids: Sequence[str]) -> None:
        pass

    def answer(self, result: Result) -> None:
        pass


def _close(dialogues: list[Dialogue]) -> None:
    while dialogues:
        dialogues.pop().close()


class _Smtp(smtplib.SMTP):
    """Shows itself to `watch` before it connects, so that somebody else can end it while it does."""

    def __init__(self, watch: Callable[[smtplib.SMTP], None], *arguments: Any, **options: Any) -> None:
        self._watch = watch
        super().__init__(*arguments, **options)

    def connect(self, *arguments: Any, **options: Any) -> tuple[int, bytes]:
        self._watch(self)
        return super().connect(*arguments, **options)


class _SmtpOverTls(_Smtp, smtplib.SMTP_SSL):
    pass


def _connect(options: SmtpOptions, watch: Callable[[smtplib.SMTP], None]) -> Dialogue:
    """A connection, encrypted and logged in as the options say; see lines.Connect."""
    where = f"{options.host}:{options.port}"
    try:
        connection = _open(options, watch)
        try:
            _log_in(connection, options)
            return Dialogue(connection, options.messages_per_connection)
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
        raise Lost(f"{where}: {error}") from error
    except smtplib.SMTPResponseException as error:
        answer = Reply(error.smtp_code, _as_bytes(error.smtp_error))
        if answer.code // 100 == 4:
            raise Lost(answer) from error
        raise ProviderError(f"{where} does not serve us: {answer}") from error
    except OSError as error:
        raise _OutOfReach(f"{where} cannot be reached: {error.strerror or error}") from error


def _open(options: SmtpOptions, watch: Callable[[smtplib.SMTP], None]) -> smtplib.SMTP:
    if options.security is Security.TLS:
        context = ssl.create_default_context(cafile=options.ca_file)
        return _SmtpOverTls(watch, options.host, options.port, timeout=options.timeout, context=context)
    return _Smtp(watch, options.host, options.port, timeout=options.timeout)


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
        if isinstance(error, smtplib.SMTPResponseException) and error.smtp_code // 100 == 4:
            raise  # not the password: RFC 4954 section 6, "temporary authentication failure"
        raise ProviderError(
            f"{options.host} does not accept the username {options.username}: {_said(error)}",
            hint=f"the password comes from {PASSWORD}",
        ) from error


def _said(error: smtplib.SMTPException) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return str(Reply(error.smtp_code, _as_bytes(error.smtp_error)))
    return str(error)


def _as_bytes(words: bytes | str) -> bytes:
    return words if isinstance(words, bytes) else words.encode()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
