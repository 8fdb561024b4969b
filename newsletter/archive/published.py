"""Which issues are public: those whose folder says that they were sent."""

from __future__ import annotations

from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from newsletter.errors import ContentError, Place

SENT = "sent.json"


class Record(BaseModel):
    """What the archive reads of sent.json, which `send` writes and says more in."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    hash: str
    content_digest: str
    time: AwareDatetime


def published(folder: Path) -> bool:
    """Whether the issue in `folder` is public: it has a sent.json."""
    return (folder / SENT).is_file()


def record_of(folder: Path) -> Record | None:
    """What the sent.json in `folder` says; None without one. Raises ContentError if it cannot be understood."""
    path = folder / SENT
    try:
        return Record.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise ContentError(
            "does not say what was sent",
            hint="`send` writes this file; take it from git again, do not edit it",
            where=Place(path),
        ) from error
