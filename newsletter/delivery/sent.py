"""sent.json: what an issue's folder says of its having been sent, for every clone of it. No address is in it."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from newsletter.compile.edition import Edition
from newsletter.errors import ContentError, Place, StoreError
from newsletter.store.ledger import Balance, Ledger

FILE_NAME = "sent.json"


class Sent(BaseModel):
    """What was sent: the edition's hash and content digest, from which git commit, when last, and the balance."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    hash: str
    content_digest: str
    commit: str | None
    time: AwareDatetime
    provider: str
    balance: dict[str, Any]


def sent_record(edition: Edition, balance: Balance, *, commit: str | None, provider: str) -> Sent:
    """The record of `edition` as it stands now."""
    return Sent(
        id=edition.issue_id,
        hash=edition.hash,
        content_digest=edition.content_digest,
        commit=commit,
        time=datetime.now(UTC).replace(microsecond=0),
        provider=provider,
        balance=balance.as_json(),
    )


def write_sent(folder: Path, sent: Sent) -> Path:
    """Write sent.json into the issue's folder, whole or not at all."""
    path = folder / FILE_NAME
    draft = path.with_name(f".{FILE_NAME}.{os.getpid()}")
    draft.write_text(json.dumps(sent.model_dump(mode="json"), indent=2) + "\n", "utf-8")
    draft.replace(path)
    return path


def read_sent(folder: Path) -> Sent | None:
    """What sent.json in the issue's folder says, if there is one; raises ContentError if it cannot be understood."""
    path = folder / FILE_NAME
    try:
        return Sent.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise ContentError(
            "does not say what was sent",
            hint="`send` writes this file; take it from git again, do not edit it",
            where=Place(path),
        ) from error


def refuse_if_sent_elsewhere(sent: Sent | None, issue_id: str, ledger: Ledger) -> None:
    """Raise StoreError if the folder says that the issue was sent and this machine's ledger knows nothing of it."""
    if sent is None or sent.id != issue_id or ledger.send(issue_id):
        return
    raise StoreError(
        f"this issue was sent on {sent.time:%Y-%m-%d} as edition {sent.hash[:12]}, and the ledger on this machine "
        "knows nothing of it: everybody would get it again",
        hint="send where it was sent before, or restore that machine's backup here",
    )
