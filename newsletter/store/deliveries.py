"""What the ledger speaks in: the states of a delivery, what is handed in and out, and the balance."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

_NOT_SET = "not set"


class DeliveryState(StrEnum):
    """Where one person's copy of one issue stands."""

    WAITING = "waiting"  # certainly not handed over
    CLAIMED = "claimed"  # taken by a worker
    ACCEPTED = "accepted"  # the service has taken responsibility
    FAILED = "failed"  # the service will not carry it
    EXCLUDED = "excluded"  # selected, and not to be sent to, for a reason
    UNCERTAIN = "uncertain"  # handed over perhaps; a person must decide


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """Somebody an issue is for. `key` is the keyed hash of the address; `excluded` says why they get none after all."""

    key: str
    subscriber: str
    address: str
    name: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    audience: int = 0
    subject: int = 0
    excluded: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """The sending of an issue: which edition, to which list, as it was approved.

    `settings` are the others by which it is sent, without secrets; `settings_digest` covers them, list and provider.
    None where it was begun by a version that kept the digest alone.
    """

    issue_id: str
    edition_hash: str
    list: str
    provider: str
    settings_digest: str
    audience_digest: str = ""
    frozen_at: datetime | None = None
    cancelled_at: datetime | None = None
    settings: Mapping[str, Any] | None = None

    def differences(self, known: Send) -> tuple[str, ...]:
        """What this one would do otherwise than `known` does, key by key: "provider: smtp, was outbox"."""
        both = self.settings is not None and known.settings is not None
        now, was = (
            {"list": one.list, "provider": one.provider} | (_flat(one.settings or {}) if both else {})
            for one in (self, known)
        )
        return tuple(
            f"{key}: {now.get(key, _NOT_SET)}, was {was.get(key, _NOT_SET)}"
            for key in dict.fromkeys([*was, *now])
            if now.get(key, _NOT_SET) != was.get(key, _NOT_SET)
        )


def _length(window: timedelta) -> str:
    units = {86_400: "a day", 3_600: "an hour", 60: "a minute", 1: "a second"}
    return units.get(round(window.total_seconds()), f"{window.total_seconds():g} seconds")


def _flat(settings: Mapping[str, Any], before: str = "") -> dict[str, str]:
    """Each value in words, by its key; that of a table within a table is "options.host"."""
    flat: dict[str, str] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{before}{key}.")
        else:
            flat[before + key] = value if isinstance(value, str) else json.dumps(value)
    return flat


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """Who claims: in words, and what a recovery must know: the boot of the machine, and the journal that is written."""

    owner: str
    boot_id: str
    journal_id: str


class Delivery(NamedTuple):
    """One person's copy, as it is handed to a provider; what was said of it last, and when.

    A tuple, as Settlement is, since there is one for every recipient: to make it costs a quarter of a frozen dataclass.
    """

    seq: int
    key: str
    address: str
    name: str
    values: dict[str, str]
    audience: int
    subject: int
    tries: int = 0
    detail: str = ""
    at: datetime | None = None

    @property
    def domain(self) -> str:
        """What the address has behind its @, in small letters."""
        return self.address.rpartition("@")[2].lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """So many may be handed over within any `window` of that length: in all, or to the addresses of one `domain`."""

    number: int
    window: timedelta
    domain: str = ""

    def __str__(self) -> str:
        whom = f" to {self.domain}" if self.domain else ""
        return f"the limit of {self.number:,}{whom} within {_length(self.window)} is reached"


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """There are some who wait, and none who may be sent to before `until`: for a limit, or since they were put off."""

    until: datetime
    limit: Limit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A batch that is being sent, or was when its worker died; `excluded` counts those left out while claiming."""

    id: int
    issue_id: str
    worker: Worker
    lease_until: datetime
    deliveries: tuple[Delivery, ...]
    excluded: Mapping[str, int] = field(default_factory=dict)


class Settlement(NamedTuple):
    """What became of one delivery: waiting (again, and not before), accepted, failed, excluded (for a reason) or
    uncertain; with the service's words and id."""

    seq: int
    state: DeliveryState
    reason: str = ""
    detail: str = ""
    provider_id: str = ""
    tries: int = 0
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """selected = accepted + failed + excluded + uncertain + waiting, at every moment; claimed ones count as waiting."""

    selected: int = 0
    accepted: int = 0
    failed: int = 0
    excluded: Mapping[str, int] = field(default_factory=dict)
    uncertain: int = 0
    waiting: int = 0

    def __post_init__(self) -> None:
        accounted = self.accepted + self.failed + sum(self.excluded.values()) + self.uncertain + self.waiting
        assert self.selected == accounted, f"{self.selected} selected, {accounted} accounted for"

    @classmethod
    def of(cls, counts: Mapping[tuple[DeliveryState, str], int]) -> Balance:
        """The balance of deliveries counted by state and reason."""

        def total(*states: DeliveryState) -> int:
            return sum(number for (state, _), number in counts.items() if state in states)

        return cls(
            selected=sum(counts.values()),
            accepted=total(DeliveryState.ACCEPTED),
            failed=total(DeliveryState.FAILED),
            excluded={
                reason: number
                for (state, reason), number in sorted(counts.items())
                if state is DeliveryState.EXCLUDED and number
            },
            uncertain=total(DeliveryState.UNCERTAIN),
            waiting=total(DeliveryState.WAITING, DeliveryState.CLAIMED),
        )

    def after(self, settled: Mapping[DeliveryState, int], excluded: Mapping[str, int]) -> Balance:
        """The balance when so many of those who waited were settled, and so many excluded for a reason."""
        return replace(
            self,
            accepted=self.accepted + settled.get(DeliveryState.ACCEPTED, 0),
            failed=self.failed + settled.get(DeliveryState.FAILED, 0),
            uncertain=self.uncertain + settled.get(DeliveryState.UNCERTAIN, 0),
            excluded=dict(Counter(self.excluded) + Counter(excluded)),
            waiting=self.waiting - sum(settled.values()) - sum(excluded.values()),
        )

    def as_json(self) -> dict[str, Any]:
        """As `status --json` and sent.json say it."""
        return {
            "selected": self.selected,
            "accepted": self.accepted,
            "failed": self.failed,
            "excluded": dict(self.excluded),
            "uncertain": self.uncertain,
            "waiting": self.waiting,
        }
