"""Edition + Recipient -> MIME bytes.

What is the same for all is encoded once; a copy is joined from pieces. Around each slot stands a soft line break
(RFC 2045 section 6.7), so that no line's length depends on a value.

Pictures that travel inside stand beside the HTML in a multipart/related (RFC 2387), and that stands in the
multipart/alternative: they belong to the HTML alone, so that who reads the text sees no attachments.
"""

from __future__ import annotations

import hashlib
import secrets
from base64 import encodebytes
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime, parseaddr
from pathlib import PurePosixPath

from newsletter.compile.edition import Edition, Enclosure
from newsletter.compile.slots import Program, as_html, as_text
from newsletter.issue.slots import Slot
from newsletter.mime import SOFT_BREAK, mailbox, phrase, quoted_printable, unstructured

UNSUBSCRIBE = Slot("links.unsubscribe")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """One person as a message needs them.

    `id` is opaque and the same in every send of an issue (a keyed hash of the address). `values` are what slots are
    filled with, by slot name ("subscriber.first_name", "links.unsubscribe"), configured defaults under "?name".
    """

    id: str
    address: str
    name: str = ""
    values: dict[str, str] = field(default_factory=dict)


def envelope_sender(edition: Edition) -> str:
    """The bare address that messages come from."""
    return _ascii_address(parseaddr(edition.headers.sender)[1])


def message_id(issue_id: str, recipient_id: str, domain: str) -> str:
    """The Message-ID of an issue's copy for a recipient: the same whenever it is sent (RFC 5322 section 3.6.4)."""
    name = hashlib.sha256(f"{issue_id}:{recipient_id}".encode()).hexdigest()[:32]
    return f"<{name}@{domain}>"


class Composer:
    """Makes the messages of one audience and subject variant of an edition."""

    def __init__(self, edition: Edition, *, audience: int, subject: int, test: bool = False) -> None:
        variant = edition.variants[audience]
        self._edition = edition
        self._subject = edition.subjects[subject] if edition.subjects else Program(("",))
        self._test = test
        self._domain = envelope_sender(edition).rpartition("@")[2]
        self._fixed = self._fixed_headers()
        name = edition.hash[:32] or "newsletter"
        boundary = f"=_{name}"  # "=_" cannot occur in quoted-printable text
        self._head = (
            f'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n'
            f"--{boundary}\r\n{_part_header('plain')}"
        ).encode()
        opened, closed = _related(_shown(edition.enclosed, variant.html), f"=_related_{name}")
        self._middle = b"\r\n--%s\r\n%s%s" % (boundary.encode(), opened, _part_header("html").encode())
        self._end = b"%s\r\n--%s--\r\n" % (closed, boundary.encode())
        self._text = _Pieces(variant.text)
        self._html = _Pieces(variant.html)

    def message(self, recipient: Recipient, date: datetime) -> bytes:
        """The recipient's copy, with CRLF line ends and no line that begins with a dot.

        Raises MissingValue where a slot has neither a value nor a default.
        """
        values = recipient.values
        text, html = as_text(values), as_html(values)
        return b"".join(
            (
                self._own_headers(recipient, date, text),
                self._fixed,
                self._head,
                *self._text.filled(text),
                self._middle,
                *self._html.filled(html),
                self._end,
            )
        )

    def _own_headers(self, recipient: Recipient, date: datetime, text: Callable[[Slot], str]) -> bytes:
        subject = self._subject.fill(text)
        if self._test:
            subject = f"[Test] {subject}"
            identity = f"<{secrets.token_hex(16)}@{self._domain}>"
        else:
            identity = message_id(self._edition.issue_id, recipient.id, self._domain)
        lines = [
            mailbox("To", recipient.name, recipient.address),
            unstructured("Subject", subject),
            f"Date: {format_datetime(date)}",
            f"Message-ID: {identity}",
        ]
        if unsubscribe := recipient.values.get(UNSUBSCRIBE.name):
            lines += [f"List-Unsubscribe: <{unsubscribe}>", "List-Unsubscribe-Post: List-Unsubscribe=One-Click"]
        return "".join(f"{line}\r\n" for line in lines).encode()

    def _fixed_headers(self) -> bytes:
        headers = self._edition.headers
        list_name, _, list_id = headers.list_id.rpartition(" <")
        name, _ = parseaddr(headers.sender)
        lines = [mailbox("From", name, envelope_sender(self._edition))]
        if headers.reply_to:
            reply_name, reply_address = parseaddr(headers.reply_to)
            lines.append(mailbox("Reply-To", reply_name, _ascii_address(reply_address)))
        lines += [
            phrase("List-Id", list_name, f"<{list_id}"),
            f"List-Archive: <{headers.archive}>",
            f"Feedback-ID: {headers.feedback_id}",
        ]
        return "".join(f"{line}\r\n" for line in lines).encode()


class _Pieces:
    """A program, encoded: literals with the soft breaks that part them from the values between."""

    def __init__(self, program: Program) -> None:
        last = len(program.slots)
        self._slots = program.slots
        self._literals = [
            (SOFT_BREAK if n else b"") + quoted_printable(literal) + (SOFT_BREAK if n < last else b"")
            for n, literal in enumerate(program.literals)
        ]
        self._distinct = tuple(dict.fromkeys(program.slots))

    def filled(self, value: Callable[[Slot], str]) -> list[bytes]:
        """The encoded pieces with each slot's value between them."""
        encoded = {slot: quoted_printable(slot.led(value(slot))) for slot in self._distinct}
        parts = [self._literals[0]]
        for slot, literal in zip(self._slots, self._literals[1:], strict=True):
            parts += (encoded[slot], literal)
        return parts


def _shown(enclosed: Sequence[Enclosure], html: Program) -> list[Enclosure]:
    """Those of the enclosed pictures that `html` shows."""
    return [each for each in enclosed if any(f"cid:{each.id}" in literal for literal in html.literals)]


def _related(enclosed: Sequence[Enclosure], boundary: str) -> tuple[bytes, bytes]:
    """What stands before and behind the HTML where pictures travel with it; nothing where none do."""
    if not enclosed:
        return b"", b""
    opened = f'Content-Type: multipart/related; type="text/html"; boundary="{boundary}"\r\n\r\n--{boundary}\r\n'
    parts = (f"\r\n--{boundary}\r\n".encode() + _picture_part(each) for each in enclosed)
    return opened.encode(), b"".join([*parts, f"\r\n--{boundary}--\r\n".encode()])


def _picture_part(enclosure: Enclosure) -> bytes:
    header = (
        f"Content-Type: {enclosure.media_type}\r\n"
        f"Content-Transfer-Encoding: base64\r\n"
        f"Content-ID: <{enclosure.id}>\r\n"
        f'Content-Disposition: inline; filename="{PurePosixPath(enclosure.path).name}"\r\n\r\n'
    )
    return header.encode() + encodebytes(enclosure.data).rstrip(b"\n").replace(b"\n", b"\r\n")


def _part_header(kind: str) -> str:
    return f'Content-Type: text/{kind}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'


def _ascii_address(address: str) -> str:
    """`address` with its domain as A-labels (RFC 5891), so that no SMTPUTF8 is needed for it."""
    import idna

    local, _, domain = address.rpartition("@")
    return f"{local}@{domain if domain.isascii() else idna.encode(domain, uts46=True).decode()}"
