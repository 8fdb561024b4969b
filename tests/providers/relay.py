"""A relay on loopback whose answers a test writes down."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class Relay:
    """Takes what it is not told to refuse. `rcpt` and `data` give the answer for an address; CUT ends the connection.

    `messages` are those it has taken: sender, recipient and content.
    """

    CUT = "cut"

    def __init__(self) -> None:
        self.rcpt: dict[str, list[str]] = {}
        self.data: dict[str, list[str]] = {}
        self.mail: list[str] = []
        self.messages: list[tuple[str, str, bytes]] = []
        self.connections = 0
        self.port = 0

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.mail.pop(0) if self.mail else "250 OK"
        if answer == "250 OK":
            envelope.mail_from = address
        return _said(server, answer)

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = _next(self.rcpt, address)
        if answer == "250 OK":
            envelope.rcpt_tos.append(address)
        return _said(server, answer)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        [address] = envelope.rcpt_tos
        answer = _next(self.data, address)
        if answer == "250 OK":
            assert envelope.mail_from is not None
            assert isinstance(envelope.content, bytes)
            self.messages.append((envelope.mail_from, address, envelope.content))
            answer = f"250 2.0.0 Ok: queued as Q{len(self.messages)}"
        return _said(server, answer)


def _next(answers: dict[str, list[str]], address: str) -> str:
    written = answers.get(address)
    return written.pop(0) if written else "250 OK"


def _said(server: SMTP, answer: str) -> str:
    if answer == Relay.CUT:
        assert server.transport is not None
        server.transport.abort()
    return answer


@contextmanager
def serving(relay: Relay, listens: Callable[..., Controller] = Controller, **options: Any) -> Iterator[Relay]:
    """`relay`, listening on a free port of 127.0.0.1 until the end of the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        relay.port = free.getsockname()[1]
    controller = listens(relay, hostname="127.0.0.1", port=relay.port, **options)
    controller.start()
    try:
        yield relay
    finally:
        controller.stop()
