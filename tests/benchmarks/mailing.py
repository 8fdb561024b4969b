"""What is sent when sending is measured: one personal issue of 42 KB, to people whose names are not ASCII; and how
newsletter sends it. What is not sending (the list, the templates, a database that is filled) is made before the clock
runs.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from newsletter.compile.edition import Edition, Facts
from newsletter.compile.pipeline import compile_issue
from newsletter.compile.render import Theme
from newsletter.delivery.plan import Plan, plan, recipient_of
from newsletter.delivery.send import Sender
from newsletter.issue.load import latest_issue, load_issue
from newsletter.message import Composer, Recipient
from newsletter.providers.base import Batch, Result
from newsletter.providers.smtp import Security, Smtp, SmtpOptions
from newsletter.store.ledger import Ledger
from newsletter.store.schema import connect
from newsletter.store.subscribers import Newcomer, Subscribers
from newsletter.tokens import Keyring
from tests.benchmarks import workspaces
from tests.benchmarks.measuring import Clock

NOW = datetime.now(UTC)
_FIRST = ("Zoë", "Łukasz", "José", "Anna", "小明", "Søren", "Mary", "Ірина")
_LAST = ("Müller", "Nowák", "O’Brien", "Smith", "王", "Sjöberg", "Okafor")
_CITIES = ("Zürich", "São Paulo", "Lisbon", "Kraków", "東京")


class Mailing:
    """The issue and `number` people; `port` is where a relay listens on loopback."""

    def __init__(self, scratch: Path, number: int, port: int) -> None:
        self._scratch = scratch
        self.port = port
        workspace = workspaces.personal(scratch / "workspace")
        self.settings = workspace.settings
        issue = load_issue(workspace, latest_issue(workspace))
        self.edition: Edition = compile_issue(issue, Theme.of(workspace), Facts(), self.settings)
        self._keyring = Keyring.open(scratch / "keys.json")
        self._newcomers = [newcomer(n) for n in range(number)]
        subscribers, _ = self._store()
        self.recipients = [recipient_of(each, self.settings, self._keyring) for each in subscribers.active("main")]

    @property
    def title(self) -> str:
        """So many messages of what."""
        size = len(self.message(self.recipients[0]))
        slots = [slot for program in self.edition.programs() for slot in program.slots]
        return (
            f"{len(self.recipients):,} messages of {size / 1000:.0f} KB, "
            f"{len({*slots})} values of a reader in {len(slots)} places"
        )

    def message(self, recipient: Recipient) -> bytes:
        """A copy as newsletter makes it."""
        return Composer(self.edition, audience=0, subject=0).message(recipient, NOW)

    def whole(self) -> Clock:
        """From the list to the balance, as `newsletter send` does it."""
        subscribers, ledger = self._store()
        with Clock() as clock, closing(self._provider()) as provider:
            balance = Sender(ledger, provider, self._journals()).send(self._plan(subscribers, ledger))
        assert balance.accepted == len(self.recipients)
        return clock

    def resumed(self) -> Clock:
        """The same to an audience that is frozen, as `newsletter resume` does it."""
        subscribers, ledger = self._store()
        planned = self._plan(subscribers, ledger)
        ledger.freeze(planned.send, planned.body, planned.audience)
        with Clock() as clock, closing(self._provider()) as provider:
            balance = Sender(ledger, provider, self._journals()).resume(self.edition.issue_id)
        assert balance.accepted == len(self.recipients)
        return clock

    def provided(self, connections: int = 4) -> Clock:
        """The provider alone: nothing is claimed, nothing written down."""
        batch = Batch(edition=self.edition, audience=0, subject=0, date=NOW, recipients=self.recipients)
        with Clock() as clock, closing(self._provider(connections)) as provider:
            results = [*provider.send(batch, NoJournal())]
        assert len(results) == len(self.recipients)
        return clock

    def composed(self) -> Clock:
        """The messages alone, which nobody sends."""
        with Clock() as clock:
            composer = Composer(self.edition, audience=0, subject=0)
            for recipient in self.recipients:
                composer.message(recipient, NOW)
        return clock

    def _provider(self, connections: int = 4) -> Smtp:
        return Smtp(SmtpOptions(host="127.0.0.1", port=self.port, security=Security.NONE, connections=connections))

    def _plan(self, subscribers: Subscribers, ledger: Ledger) -> Plan:
        return plan(
            self.edition,
            provider="smtp",
            subscribers=subscribers,
            ledger=ledger,
            settings=self.settings,
            keyring=self._keyring,
            sent=None,
        )

    def _journals(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self._scratch))

    def _store(self) -> tuple[Subscribers, Ledger]:
        """A new database with everybody in it."""
        engine = connect(f"sqlite:///{self._journals() / 'newsletter.db'}")
        subscribers = Subscribers(engine)
        subscribers.add_all(self._newcomers, list="main", source="benchmark")
        return subscribers, Ledger(engine)


def newcomer(number: int) -> Newcomer:
    """One of those who want the issue, with all that it says of its reader."""
    return Newcomer(
        email=f"reader{number}@example.org",
        first_name=_FIRST[number % len(_FIRST)],
        last_name=f"{_LAST[number % len(_LAST)]} {number}",
        fields={
            "city": _CITIES[number % len(_CITIES)],
            "company": f"Company {number % 1000}",
            "plan": "yearly" if number % 3 else "monthly",
            "member": sha256(str(number).encode()).hexdigest()[:16],
        },
    )


class NoJournal:
    """Remembers nothing."""

    def intent(self, ids: Sequence[str]) -> None:
        pass

    def answer(self, result: Result) -> None:
        pass
