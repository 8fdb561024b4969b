"""What one would send a personal issue with instead: each says what newsletter says, from templates made of the same
edition, and brings headers that mean the same. Only smtp-source, which is C, says nothing: it writes as many bytes.
"""

from __future__ import annotations

import csv
import importlib.util
import shutil
import smtplib
import subprocess
import sysconfig
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr, parseaddr
from pathlib import Path
from typing import Any, Protocol

import jinja2

from newsletter.compile.slots import Program
from newsletter.issue.slots import Encoding, Slot
from newsletter.message import Recipient, message_id
from tests.benchmarks.mailing import NOW, Mailing
from tests.benchmarks.measuring import Clock, timed

LOOP = "Jinja2 + EmailMessage + smtplib"
_POLICY = SMTP.clone(max_line_length=998)  # the library's own width turns List-Unsubscribe into encoded words
_SOURCE_HEADERS = 200  # bytes that smtp-source writes before those it is asked for


class Other(Protocol):
    """A way to send the mailing that is not newsletter's."""

    def specimen(self) -> bytes:
        """What the first recipient gets."""

    def send(self) -> Clock:
        """Send to everybody."""


class Loop:
    """Jinja2, EmailMessage and smtplib over one connection: the loop that one would write by hand."""

    def __init__(self, mailing: Mailing) -> None:
        self._mailing = mailing
        [variant] = mailing.edition.variants
        self._text = jinja2.Environment(keep_trailing_newline=True).from_string(_source(variant.text))
        self._html = jinja2.Environment(autoescape=True, keep_trailing_newline=True).from_string(_source(variant.html))

    def specimen(self) -> bytes:
        return self._message(self._mailing.recipients[0]).as_bytes()

    def send(self) -> Clock:
        with Clock() as clock, smtplib.SMTP("127.0.0.1", self._mailing.port) as connection:
            for recipient in self._mailing.recipients:
                connection.send_message(self._message(recipient))
        return clock

    def _message(self, recipient: Recipient) -> EmailMessage:
        values = _values(recipient)
        name, sender = parseaddr(self._mailing.edition.headers.sender)
        message = EmailMessage(_POLICY)
        message["From"] = Address(name, addr_spec=sender)
        message["To"] = Address(recipient.name, addr_spec=recipient.address)
        message["Subject"] = _subject(self._mailing)
        for field, value in _headers(self._mailing, recipient).items():
            message[field] = value
        message.set_content(self._text.render(values))
        message.add_alternative(self._html.render(values), subtype="html")
        return message


class Django:
    """Django's templates and EmailMultiAlternatives, over one connection of its SMTP backend."""

    def __init__(self, mailing: Mailing) -> None:
        from django.conf import settings
        from django.template import Engine

        if not settings.configured:
            settings.configure()
        self._mailing = mailing
        [variant] = mailing.edition.variants
        self._text = Engine(autoescape=False).from_string(_source(variant.text))
        self._html = Engine().from_string(_source(variant.html))

    def specimen(self) -> bytes:
        return bytes(self._message(self._mailing.recipients[0], None).message().as_bytes())

    def send(self) -> Clock:
        from django.core.mail import get_connection

        backend = "django.core.mail.backends.smtp.EmailBackend"
        with Clock() as clock, get_connection(backend, host="127.0.0.1", port=self._mailing.port) as connection:
            for recipient in self._mailing.recipients:
                assert self._message(recipient, connection).send() == 1
        return clock

    def _message(self, recipient: Recipient, connection: Any) -> Any:
        from django.core.mail import EmailMultiAlternatives
        from django.template import Context

        values = Context(_values(recipient))
        message = EmailMultiAlternatives(
            subject=_subject(self._mailing),
            body=self._text.render(values),
            from_email=self._mailing.edition.headers.sender,
            to=[formataddr((recipient.name, recipient.address))],
            headers=_headers(self._mailing, recipient),
            connection=connection,
        )
        message.attach_alternative(self._html.render(values), "text/html")
        return message


class Mailmerge:
    """The command line tool mailmerge, a process of its own, with a template and a table in files.

    What it takes to start and to send the first message is taken off.
    """

    def __init__(self, mailing: Mailing, program: Path, folder: Path) -> None:
        self._command = [program, "--template", folder / "template.txt", "--config", folder / "server.conf"]
        self._table = folder / "database.csv"
        self._first = folder / "first.csv"
        folder.mkdir()
        (folder / "server.conf").write_text(f"[smtp_server]\nhost = 127.0.0.1\nport = {mailing.port}\n", "ascii")
        (folder / "template.txt").write_text(_whole_message(mailing), "utf-8")
        rows = [_row(mailing, recipient) for recipient in mailing.recipients]
        _write(self._table, [rows[0], *rows])
        _write(self._first, rows[:1])

    def specimen(self) -> bytes:
        command = [*self._command, "--database", self._first, "--dry-run", "--output-format", "raw"]
        said = subprocess.run([*map(str, command)], check=True, stdout=subprocess.PIPE).stdout
        return said.partition(b">>> message 1\n")[2].partition(b">>> message 1 sent")[0]

    def send(self) -> Clock:
        return self._sent(self._table).without(self._sent(self._first))

    def _sent(self, table: Path) -> Clock:
        return timed(*self._command, "--database", table, "--no-dry-run", "--no-limit", "--output-format", "raw")


def django_of(mailing: Mailing) -> Django | None:
    """Django's way, if it is installed."""
    return Django(mailing) if importlib.util.find_spec("django") else None


def mailmerge_of(mailing: Mailing, folder: Path) -> Mailmerge | None:
    """mailmerge's, with its files in the new `folder`, if it is installed."""
    found = shutil.which("mailmerge", path=sysconfig.get_path("scripts"))
    return Mailmerge(mailing, Path(found), folder) if found else None


def smtp_source(program: Path, mailing: Mailing) -> Clock:
    """As many messages of the same size as fast as C writes them: four connections that are kept, the same bytes."""
    size = len(mailing.message(mailing.recipients[0])) - _SOURCE_HEADERS
    number = len(mailing.recipients)
    return timed(program, "-s", 4, "-d", "-l", size, "-m", number, f"127.0.0.1:{mailing.port}")


def _source(program: Program) -> str:
    """`program` as a template that Jinja2 and Django read alike."""
    assert not any(mark in literal for literal in program.literals for mark in ("{{", "{%", "{#"))
    places = [
        f"{{{{ {_name(slot)}{'|urlencode' if slot.encoding is Encoding.QUERY else ''} }}}}" for slot in program.slots
    ]
    return "".join(part for pair in zip(program.literals, [*places, ""], strict=True) for part in pair)


def _name(slot: Slot) -> str:
    return slot.name.replace(".", "_")


def _values(recipient: Recipient) -> dict[str, str]:
    """What the places of a template are filled with."""
    return {name.replace(".", "_"): value for name, value in recipient.values.items()}


def _subject(mailing: Mailing) -> str:
    [subject] = mailing.edition.subjects
    [words] = subject.literals
    return words


def _headers(mailing: Mailing, recipient: Recipient) -> dict[str, str]:
    """Those beside From, To and Subject."""
    headers = mailing.edition.headers
    domain = parseaddr(headers.sender)[1].partition("@")[2]
    return {
        "Date": format_datetime(NOW),
        "Message-ID": message_id(mailing.edition.issue_id, recipient.id, domain),
        "List-Id": headers.list_id,
        "List-Archive": f"<{headers.archive}>",
        "Feedback-ID": headers.feedback_id,
        "List-Unsubscribe": f"<{recipient.values['links.unsubscribe']}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def _whole_message(mailing: Mailing) -> str:
    """The template of a message with its headers, as mailmerge wants it; Date is its own."""
    [variant] = mailing.edition.variants
    headers = _headers(mailing, mailing.recipients[0]) | {
        "Message-ID": "{{ message_id }}",
        "List-Unsubscribe": "<{{ links_unsubscribe }}>",
    }
    del headers["Date"]
    lines = [
        f"From: {mailing.edition.headers.sender}",
        "To: {{ subscriber_name }} <{{ subscriber_email }}>",
        f"Subject: {_subject(mailing)}",
        *(f"{field}: {value}" for field, value in headers.items()),
        "MIME-Version: 1.0",
        'Content-Type: multipart/alternative; boundary="=_boundary"',
    ]
    parts = [
        f"--=_boundary\nContent-Type: text/{kind}; charset=utf-8\n\n{_source(program)}"
        for kind, program in (("plain", variant.text), ("html", variant.html))
    ]
    return "\n".join([*lines, "", *parts, "--=_boundary--\n"])


def _row(mailing: Mailing, recipient: Recipient) -> dict[str, str]:
    return _values(recipient) | {"message_id": _headers(mailing, recipient)["Message-ID"]}


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, [*rows[0]])
        table.writeheader()
        table.writerows(rows)
