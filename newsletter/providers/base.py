"""The seam between delivery and the services that carry mail.

To add a provider: write providers/<name>.py with a class that has `Options` (pydantic, its configuration), `secrets`
(the options that come from the environment, NEWSLETTER_<PROVIDER>_<OPTION>), `pace` (those that say how fast, and may
change while an issue is under way), `capabilities`, `send` and `close`; add one line to the table in
providers/__init__.py; subclass the contract in tests/providers/contract.py.

The rules of `send`:
* it yields exactly one Result for each recipient of the batch, in any order;
* it calls `journal.intent(ids)` directly before the body (SMTP) or the request (HTTP) that hands these recipients over;
  if that raises, nothing is handed over;
* it calls `journal.answer(result)` as soon as the service's answer is known, before it yields the result;
* one bad recipient is a Result, never an exception; ProviderError means that nothing more was handed over than results
  and intents say;
* an outcome that cannot be known is UNCERTAIN, never a guess;
* closed early, it hands nothing over any more, and leaves no thread behind. What was under way stands in the journal;
* the journal is called from one thread at a time.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict

from newsletter.compile.edition import Edition
from newsletter.errors import Place
from newsletter.message import Recipient

__all__ = [
    "Batch",
    "Capabilities",
    "Carrier",
    "Fault",
    "Journal",
    "Options",
    "Outcome",
    "Place",
    "Provider",
    "ProviderType",
    "Result",
]


class Outcome(StrEnum):
    """What a provider says of one recipient."""

    ACCEPTED = "accepted"  # the service has taken responsibility for the message
    REJECTED = "rejected"  # the service will not carry it to this recipient, now or later
    LATER = "later"  # certainly not handed over; may be tried again
    UNCERTAIN = "uncertain"  # handed over, and the answer is not known


class Fault(StrEnum):
    """Whose fault it is that a message was not taken; a reply of SMTP says it by its subject (RFC 3463 section 2)."""

    RECIPIENT = "recipient"  # their address, mailbox or server (x.1.x, x.2.x): nobody else is concerned
    SENDER = "sender"  # who sends, or what, or how much (x.7.x): others may be refused for the same
    SERVICE = "service"  # the connection or the service, or nobody says


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The outcome for one recipient, with the service's words and its own id of the message.

    `fault` is of one who was not accepted. `retry_after`: the seconds to wait, where the service says so.
    """

    recipient: str
    outcome: Outcome
    detail: str = ""
    provider_id: str = ""
    fault: Fault = Fault.SERVICE
    retry_after: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a provider can do. `batch_max` is in recipients; `local` means that no mail leaves this machine."""

    batch_max: int = 500
    manages_unsubscribe: bool = False
    local: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What is handed to a provider at once: not MIME, so that services that merge by themselves fit.

    `audience` and `subject` are indexes into the edition's variants and subjects; `date` goes into the Date header.
    `test` marks a copy that nobody but its tester gets: a random Message-ID and "[Test]" before the subject.
    """

    edition: Edition
    audience: int
    subject: int
    date: datetime
    recipients: Sequence[Recipient]
    test: bool = False


class Journal(Protocol):
    """Where intents and answers are written down so that they survive the process (delivery/journal.py)."""

    def intent(self, ids: Sequence[str]) -> None:
        """Write down that these recipients are about to be handed over; if it raises, they must not be."""

    def answer(self, result: Result) -> None:
        """Write down what the service said."""


class Options(BaseModel):
    """The base of every provider's options: frozen, unknown keys are faults."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Provider(Protocol):
    """A way to carry mail; owns a connection until it is closed."""

    capabilities: Capabilities

    def send(self, batch: Batch, journal: Journal) -> Generator[Result, None, None]:
        """Hand the batch over; see the rules above."""

    def close(self) -> None:
        """Let go of the connection; what was not handed over is not."""


@runtime_checkable
class Carrier(Protocol):
    """A provider that also carries single messages that are no part of an issue, such as confirmations."""

    def carry(self, sender: str, recipient: str, message: bytes) -> Result:
        """Hand one finished message (CRLF line ends) over, between two bare addresses; rules as for `send`."""

    def close(self) -> None:
        """Let go of the connection."""


class ProviderType(Protocol):
    """A provider's class."""

    Options: ClassVar[type[BaseModel]]
    secrets: ClassVar[tuple[str, ...]]
    pace: ClassVar[tuple[str, ...]]

    def __call__(self, options: Any) -> Provider: ...
