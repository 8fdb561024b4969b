"""A publication with an empty list, in a folder of its own: what the tests of delivery start from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsletter.compile.edition import Edition
from newsletter.config import Settings
from newsletter.delivery.plan import Plan, plan
from newsletter.delivery.send import Sender
from newsletter.providers.base import Provider
from newsletter.store.ledger import Ledger
from newsletter.store.schema import connect
from newsletter.store.subscribers import Newcomer, Subscribers
from newsletter.tokens import Keyring


@dataclass(frozen=True)
class Publication:
    """Its list, ledger, settings, keys, and the folder of its journals."""

    subscribers: Subscribers
    ledger: Ledger
    settings: Settings
    keyring: Keyring
    journals: Path

    @classmethod
    def at(cls, folder: Path, **settings: Any) -> Publication:
        engine = connect(f"sqlite:///{folder / 'newsletter.db'}")
        publication = {
            "id": "k3v9q2m8w1zt",
            "name": "News",
            "url": "https://news.example.org",
            "from": "jo@example.org",
        }
        return cls(
            Subscribers(engine),
            Ledger(engine),
            Settings.model_validate({"publication": publication} | settings),
            Keyring.open(folder / "keys.json"),
            folder / "journals",
        )

    def join(self, *names: str, **fields: str) -> None:
        """Each of `names`@example.org joins the list."""
        self.subscribers.add_all(
            [Newcomer(email=f"{name}@example.org", first_name=name.title(), fields=fields) for name in names],
            list="main",
            source="test",
        )

    def plan(self, edition: Edition) -> Plan:
        return plan(
            edition,
            provider="outbox",
            subscribers=self.subscribers,
            ledger=self.ledger,
            settings=self.settings,
            keyring=self.keyring,
            sent=None,
        )

    def sender(self, provider: Provider, **options: Any) -> Sender:
        return Sender(self.ledger, provider, self.journals, **({"pauses": ()} | options))
