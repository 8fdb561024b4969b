"""sent.json: what an issue's folder says of its having been sent, for every clone of it. No address is in it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from newsletter.errors import ContentError, Place, StoreError

FILE_NAME = "sent.json"


class Sent(BaseModel):
    """What was sent: the slug of its page (empty in older records: the folder's name), the edition's hash and content
    digest (empty where another service sent it), the facts it says, from which git commit, when last, and the balance.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    slug: str = ""
    hash: str
    content_digest: str
    facts: dict[str, str] = Field(default_factory=dict)
    commit: str | None
    time: AwareDatetime
    provider: str
    balance: dict[str, Any]

    def says_otherwise(self, content_digest: str) -> bool:
        """Whether what was sent is known to have been other words."""
        return self.content_digest not in {"", content_digest}


def write_sent(folder: Path, sent: Sent) -> Path:
    """Write sent.json into the issue's folder, whole or not at all; raises StoreError."""
    path = folder / FILE_NAME
    draft = path.with_name(f".{FILE_NAME}.{os.getpid()}")
    try:
        draft.write_text(json.dumps(sent.model_dump(mode="json"), indent=2) + "\n", "utf-8")
        draft.replace(path)
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written: {error.strerror}",
            hint="is there room, and may you write there? `newsletter resume` goes on with a send, and writes it",
        ) from error
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
