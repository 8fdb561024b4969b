"""A publication with an empty list, in a folder of its own: what the tests of delivery start from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsletter.compile.edition import Edition
from newsletter.config import Settings
from newsletter.delivery.log import Witness
from newsletter.delivery.pacing import Pacing
from newsletter.delivery.plan import Plan, plan
from newsletter.delivery.send import Sender
from newsletter.providers.base import Provider
from newsletter.store.ledger import Balance, Ledger
from newsletter.store.schema import connect
from newsletter.store.subscribers import Newcomer, Subscribers
from newsletter.tokens import Keyring

IMPATIENT = Pacing(patience=0, back_off=0.01, failures=2)
"""Waits for nobody: what a test sees is one try, or two where the service itself fails."""


class Told(Witness):
    """Keeps what a send tells of itself."""

    def __init__(self) -> None:
        self.balances: list[Balance] = []
        self.waited: list[tuple[float, str]] = []

    def progress(self, balance: Balance) -> None:
        self.balances.append(balance)

    def waits(self, seconds: float, why: str) -> None:
        self.waited.append((seconds, why))


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
        return Sender(self.ledger, provider, self.journals, **({"pacing": IMPATIENT} | options))
