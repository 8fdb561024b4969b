"""Edition + Recipient -> MIME bytes.

What is the same for all is encoded once, as a template for `%`; of a recipient, each value is encoded once, however
often it stands there. Around each slot stands a soft line break (RFC 2045 section 6.7), so that no line's length
depends on a value.

Pictures that travel inside stand beside the HTML in a multipart/related (RFC 2387), and that stands in the
multipart/alternative: they belong to the HTML alone, so that who reads the text sees no attachments.
"""

from __future__ import annotations

import hashlib
import secrets
from base64 import encodebytes
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from operator import itemgetter
from pathlib import PurePosixPath

from newsletter.compile.edition import AudienceVariant, Edition, Enclosure
from newsletter.compile.slots import Program, as_text, in_html, in_text, value_of
from newsletter.issue.slots import Slot
from newsletter.mime import SOFT_BREAK, link, mailbox, phrase, quoted_printable, quoted_printable_ascii, unstructured

_ALIKE = bytes({*range(33, 127)} - {*b"&<>\"'"})  # what as_text and as_html leave alone
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
        self._test = test
        self._domain = envelope_sender(edition).rpartition("@")[2]
        self._subject = _subject(edition, subject, test)
        self._fixed_subject = None if self._subject.slots else unstructured("Subject", self._subject.literals[0])
        self._slots = tuple(dict.fromkeys((*variant.text.slots, *variant.html.slots)))
        self._template = _template(edition, variant, self._fixed_headers())
        text, html = ([self._slots.index(slot) for slot in part.slots] for part in (variant.text, variant.html))
        self._order = itemgetter(0, *(1 + 2 * n for n in text), *(2 + 2 * n for n in html))

    def message(self, recipient: Recipient, date: datetime) -> bytes:
        """The recipient's copy, with CRLF line ends and no line that begins with a dot.

        Raises MissingValue where a slot has neither a value nor a default.
        """
        own = [self._own_headers(recipient, date)]
        for slot in self._slots:
            own += _forms(slot, value_of(slot, recipient.values))
        copy: bytes = self._template % self._order(own)
        return copy

    def _own_headers(self, recipient: Recipient, date: datetime) -> bytes:
        if self._test:
            identity = f"<{secrets.token_hex(16)}@{self._domain}>"
        else:
            identity = message_id(self._edition.issue_id, recipient.id, self._domain)
        lines = [
            mailbox("To", recipient.name, recipient.address),
            self._fixed_subject or unstructured("Subject", self._subject.fill(as_text(recipient.values))),
            f"Date: {_written(date, date.utcoffset())}",
            f"Message-ID: {identity}",
        ]
        if unsubscribe := recipient.values.get(UNSUBSCRIBE.name):
            lines += [link("List-Unsubscribe", unsubscribe), "List-Unsubscribe-Post: List-Unsubscribe=One-Click"]
        return _header(lines)

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
            link("List-Archive", headers.archive),
            f"Feedback-ID: {headers.feedback_id}",
        ]
        return _header(lines)


def _forms(slot: Slot, value: str) -> tuple[bytes, bytes]:
    """What stands in `slot` in the text and in the HTML, encoded."""
    led = slot.led(value)
    if led.isascii() and not led.encode().translate(None, _ALIKE):
        shared = quoted_printable_ascii(led)
        return shared, shared
    text, html = slot.led(in_text(value)), slot.led(in_html(value))
    encoded = quoted_printable(text)
    return encoded, encoded if html == text else quoted_printable(html)


def _subject(edition: Edition, variant: int, test: bool) -> Program:
    subject = edition.subjects[variant] if edition.subjects else Program(("",))
    if not test:
        return subject
    first, *rest = subject.literals
    return replace(subject, literals=(f"[Test] {first}", *rest))


def _header(lines: Sequence[str]) -> bytes:
    return "\r\n".join([*lines, ""]).encode("utf-8", "replace")


@lru_cache(maxsize=1)
def _written(date: datetime, offset: timedelta | None) -> str:
    """`date` as a header has it. Dates are equal that are written differently, but for their `offset` from UTC."""
    return format_datetime(date)


def _template(edition: Edition, variant: AudienceVariant, headers: bytes) -> bytes:
    """A copy with `%b` for what is the recipient's: own headers, the values in the text, the values in the HTML."""
    name = edition.hash[:32] or "newsletter"
    boundary = f"=_{name}"  # "=_" cannot occur in quoted-printable text
    opened, closed = _related(_shown(edition.enclosed, variant.html), f"=_related_{name}")
    kind = f'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="{boundary}"\r\n'.encode()
    between = f"\r\n--{boundary}\r\n".encode()
    end = f"\r\n--{boundary}--\r\n".encode()
    return b"".join(
        (
            b"%b",
            _verbatim(headers + kind + between + _part_header("plain")),
            _with_places(variant.text),
            _verbatim(between + opened + _part_header("html")),
            _with_places(variant.html),
            _verbatim(closed + end),
        )
    )


def _with_places(program: Program) -> bytes:
    place = SOFT_BREAK + b"%b" + SOFT_BREAK
    return place.join(_verbatim(quoted_printable(literal)) for literal in program.literals)


def _verbatim(data: bytes) -> bytes:
    return data.replace(b"%", b"%%")


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


def _part_header(kind: str) -> bytes:
    header = f'Content-Type: text/{kind}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
    return header.encode()


def _ascii_address(address: str) -> str:
    """`address` with its domain as A-labels (RFC 5891), so that no SMTPUTF8 is needed for it."""
    import idna

    local, _, domain = address.rpartition("@")
    return f"{local}@{domain if domain.isascii() else idna.encode(domain, uts46=True).decode()}"
