"""The outbox: a Maildir on this machine, one file a message. Nothing leaves the machine; the default, for that reason.

A Maildir (https://cr.yp.to/proto/maildir.html) is written without locks: a message is complete in tmp/ before it is
moved to new/. Its name is a function of the Message-ID, so that the same message is there once, however often it comes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Generator
from pathlib import Path
from typing import ClassVar

from pydantic import field_validator

from newsletter.errors import ProviderError
from newsletter.message import Composer
from newsletter.providers.base import Batch, Capabilities, Journal, Options, Outcome, Result

_MESSAGE_ID = re.compile(rb"^message-id:\s*(\S+)", re.IGNORECASE | re.MULTILINE)


class OutboxOptions(Options):
    """[providers.outbox]: the Maildir's folder, made on first use."""

    path: Path

    @field_validator("path")
    @classmethod
    def absolute(cls, path: Path) -> Path:
        if not path.is_absolute():
            raise ValueError("must be an absolute path")
        return path


class Outbox:
    """Puts messages into a Maildir."""

    Options: ClassVar[type[Options]] = OutboxOptions
    secrets: ClassVar[tuple[str, ...]] = ()
    pace: ClassVar[tuple[str, ...]] = ()
    capabilities = Capabilities(batch_max=2_000, local=True)

    def __init__(self, options: OutboxOptions) -> None:
        self._folder = options.path

    def send(self, batch: Batch, journal: Journal) -> Generator[Result, None, None]:
        """See providers.base."""
        composer = Composer(batch.edition, audience=batch.audience, subject=batch.subject, test=batch.test)
        for recipient in batch.recipients:
            draft = self._write(composer.message(recipient, batch.date))
            journal.intent([recipient.id])
            result = self._deliver(draft, recipient.id)
            journal.answer(result)
            yield result

    def carry(self, sender: str, recipient: str, message: bytes) -> Result:
        """See providers.base.Carrier."""
        return self._deliver(self._write(message), recipient)

    def close(self) -> None:
        """There is nothing to let go of."""

    def _write(self, message: bytes) -> Path:
        try:
            for part in ("tmp", "new", "cur"):
                (self._folder / part).mkdir(parents=True, exist_ok=True)
            draft = self._folder / "tmp" / _name(message)
            draft.write_bytes(message)
        except OSError as error:
            raise ProviderError(f"the outbox {self._folder} cannot be written: {error.strerror}") from error
        return draft

    def _deliver(self, draft: Path, recipient: str) -> Result:
        target = self._folder / "new" / draft.name
        try:
            there = target.exists()
            draft.replace(target)
        except OSError as error:
            raise ProviderError(f"the outbox {self._folder} cannot be written: {error.strerror}") from error
        detail = "this message was there already" if there else ""
        return Result(recipient=recipient, outcome=Outcome.ACCEPTED, detail=detail, provider_id=target.name)


def _name(message: bytes) -> str:
    header = message.partition(b"\r\n\r\n")[0]
    found = _MESSAGE_ID.search(header)
    return hashlib.sha256(found[1] if found else message).hexdigest()[:32] + ".eml"
