"""Messages a second into Postfix's smtp-sink, and the sender's CPU for each, against the loop that one would write by
hand: Jinja2, EmailMessage and smtplib, one connection. Both say the same words to the same people.
"""

from __future__ import annotations

import email
import smtplib
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, default
from email.utils import format_datetime, parseaddr
from pathlib import Path

import jinja2

from newsletter.compile.edition import Edition, Facts
from newsletter.compile.pipeline import compile_issue
from newsletter.compile.render import Theme
from newsletter.compile.slots import Program
from newsletter.config import Settings
from newsletter.delivery.plan import plan, recipient_of
from newsletter.delivery.send import Sender
from newsletter.issue.load import latest_issue, load_issue
from newsletter.message import Composer, Recipient, message_id
from newsletter.providers.base import Batch, Result
from newsletter.providers.smtp import Security, Smtp, SmtpOptions
from newsletter.store.ledger import Ledger
from newsletter.store.schema import connect
from newsletter.store.subscribers import Newcomer, Subscribers
from newsletter.tokens import Keyring
from newsletter.workspace import Workspace, shipped_root
from tests.benchmarks.measuring import Clock, Series, in_rounds, say_table
from tests.parts import PARTS
from tests.real.sink import smtp_sink

LOOP = "Jinja2 + EmailMessage + smtplib"
WHOLE = "newsletter: plan, ledger, journal, smtp"
PROVIDER = "its smtp provider alone"
COMPOSER = "its messages alone, not sent"
NOW = datetime.now(UTC)
POLICY = SMTP.clone(max_line_length=998)  # the library's own width turns List-Unsubscribe into encoded words


def main(rounds: int = 5, messages: int = 1000) -> None:
    """Print the table."""
    program = PARTS["smtp-sink"].find()
    if program is None:
        print("\nSend: smtp-sink is not on this machine (package postfix)")
        return
    workspace = Workspace.open(shipped_root())
    issue = load_issue(workspace, latest_issue(workspace))
    edition = compile_issue(issue, Theme.of(workspace), Facts(), workspace.settings)
    with tempfile.TemporaryDirectory(prefix="newsletter-benchmark-") as scratch, smtp_sink(str(program)) as sink:
        mailing = Mailing(Path(scratch), edition, workspace.settings, messages, sink.port)
        mailing.compare()
        contenders: dict[str, Callable[[], Clock]] = {
            LOOP: mailing.by_hand,
            WHOLE: mailing.whole,
            PROVIDER: mailing.provider,
            COMPOSER: mailing.composed,
        }
        found = in_rounds(contenders, rounds)
    rates = {name: Series([messages / clock.wall for clock in clocks]) for name, clocks in found.items()}
    costs = {name: Series([clock.cpu * 1e6 / messages for clock in clocks]) for name, clocks in found.items()}
    rows = [
        [
            name,
            rates[name].said(0),
            rates[name].over(rates[LOOP]).said(1),
            costs[name].said(0),
            costs[LOOP].over(costs[name]).said(1),
        ]
        for name in contenders
    ]
    size = len(mailing.message(mailing.recipients[0]))
    title = f"Send: {messages:,} messages of {size / 1000:.0f} KB in each of {rounds} rounds, into smtp-sink"
    say_table(title, ["", "messages/s", "x the loop", "CPU µs/message", "times less"], rows)


class Mailing:
    """The same edition for the same people, each way. What is not sending (the list, the templates) is made before."""

    def __init__(self, scratch: Path, edition: Edition, settings: Settings, number: int, port: int) -> None:
        self._scratch = scratch
        self.edition = edition
        self._settings = settings
        self._port = port
        self._smtp = SmtpOptions(host="127.0.0.1", port=port, security=Security.NONE)
        self._keyring = Keyring.open(scratch / "keys.json")
        self._newcomers = [
            Newcomer(email=f"reader{n}@example.org", first_name=f"Zoë {n}", last_name="Müller") for n in range(number)
        ]
        subscribers, _ = self._store()
        self.recipients = [recipient_of(person, settings, self._keyring) for person in subscribers.active("main")]
        variant = edition.variants[0]
        self._text, self._html = _template(variant.text, markup=False), _template(variant.html, markup=True)

    def message(self, recipient: Recipient) -> bytes:
        """A copy as newsletter makes it."""
        return Composer(self.edition, audience=0, subject=0).message(recipient, NOW)

    def compare(self) -> None:
        """Stop if the loop says something else than newsletter does."""
        recipient = self.recipients[0]
        ours, theirs = (
            email.message_from_bytes(content, policy=default)
            for content in (self.message(recipient), self._by_hand(recipient).as_bytes())
        )
        assert {*ours.keys()} == {*theirs.keys()}
        for part, other in zip(ours.iter_parts(), theirs.iter_parts(), strict=True):
            assert part.get_content().split() == other.get_content().split()

    def by_hand(self) -> Clock:
        with Clock() as clock, smtplib.SMTP("127.0.0.1", self._port) as connection:
            for recipient in self.recipients:
                connection.send_message(self._by_hand(recipient))
        return clock

    def whole(self) -> Clock:
        subscribers, ledger = self._store()
        with Clock() as clock, closing(Smtp(self._smtp)) as provider:
            planned = plan(
                self.edition,
                provider="smtp",
                subscribers=subscribers,
                ledger=ledger,
                settings=self._settings,
                keyring=self._keyring,
                sent=None,
            )
            with tempfile.TemporaryDirectory(dir=self._scratch) as journals:
                balance = Sender(ledger, provider, Path(journals)).send(planned)
        assert balance.accepted == len(self.recipients)
        return clock

    def provider(self) -> Clock:
        batch = Batch(edition=self.edition, audience=0, subject=0, date=NOW, recipients=self.recipients)
        with Clock() as clock, closing(Smtp(self._smtp)) as provider:
            results = [*provider.send(batch, NoJournal())]
        assert len(results) == len(self.recipients)
        return clock

    def composed(self) -> Clock:
        with Clock() as clock:
            composer = Composer(self.edition, audience=0, subject=0)
            for recipient in self.recipients:
                composer.message(recipient, NOW)
        return clock

    def _by_hand(self, recipient: Recipient) -> EmailMessage:
        headers, values = self.edition.headers, recipient.values
        name, sender = parseaddr(headers.sender)
        message = EmailMessage(POLICY)
        message["From"] = Address(name, addr_spec=sender)
        message["To"] = Address(recipient.name, addr_spec=recipient.address)
        message["Subject"] = self.edition.subjects[0].fill(lambda slot: values[slot.name])
        message["Date"] = format_datetime(NOW)
        message["Message-ID"] = message_id(self.edition.issue_id, recipient.id, sender.partition("@")[2])
        message["List-Id"] = headers.list_id
        message["List-Archive"] = f"<{headers.archive}>"
        message["Feedback-ID"] = headers.feedback_id
        message["List-Unsubscribe"] = f"<{values['links.unsubscribe']}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message.set_content(self._text.render(values=values))
        message.add_alternative(self._html.render(values=values), subtype="html")
        return message

    def _store(self) -> tuple[Subscribers, Ledger]:
        """A new store with everybody in it."""
        folder = Path(tempfile.mkdtemp(dir=self._scratch))
        engine = connect(f"sqlite:///{folder / 'newsletter.db'}")
        subscribers = Subscribers(engine)
        subscribers.add_all(self._newcomers, list="main", source="benchmark")
        return subscribers, Ledger(engine)


def _template(program: Program, *, markup: bool) -> jinja2.Template:
    """`program` as one would write it by hand."""
    values = [f'{{{{ values["{slot.name}"] or "{slot.default or ""}" }}}}' for slot in program.slots]
    literals = [f"{{% raw %}}{literal}{{% endraw %}}" for literal in program.literals]
    source = "".join(part for pair in zip(literals, [*values, ""], strict=True) for part in pair)
    return jinja2.Environment(autoescape=markup, keep_trailing_newline=True).from_string(source)


class NoJournal:
    """Remembers nothing."""

    def intent(self, ids: Sequence[str]) -> None:
        pass

    def answer(self, result: Result) -> None:
        pass
