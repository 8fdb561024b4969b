"""Signed links: who (an opaque id), which list, what for. Knows no store.

A token holds no address and can be read by anyone, but made only with a key. A key is made on first use and kept in the
data folder; when a new one is added, old ones go on verifying, so that an unsubscribe link works for years.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
import time
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from newsletter.errors import StoreError

_MAC_BYTES = 16


class Action(StrEnum):
    """What a token allows its bearer to do."""

    UNSUBSCRIBE = "u"
    PREFERENCES = "p"
    CONFIRM = "c"
    NOTHING = "n"


class InvalidToken(ValueError):
    """The token is forged, damaged, of another scope or too old; which of them is not said to its bearer."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token says: `subscriber` (an opaque id) may do `action` on `list`."""

    subscriber: str
    list: str
    action: Action
    expires: int | None = None


class Keyring:
    """The publication's keys: signing keys by id, the newest signs; one ledger key that never changes."""

    def __init__(self, signing: dict[str, bytes], ledger: bytes) -> None:
        self._signing = signing
        self._ledger = ledger

    @classmethod
    def open(cls, path: Path) -> Keyring:
        """Read the keys at `path`, made there on first use and readable by their owner only."""
        try:
            if not path.exists():
                _create(path)
            data = json.loads(path.read_text("ascii"))
            return cls(
                {name: bytes.fromhex(key) for name, key in data["signing"].items()}, bytes.fromhex(data["ledger"])
            )
        except (OSError, ValueError, KeyError, AttributeError) as error:
            raise StoreError(
                f"the keys in {path} cannot be read: {error}",
                hint="restore the file from a backup: without it, links in sent mail stop working",
            ) from error

    @cached_property
    def _newest(self) -> tuple[str, bytes]:
        return list(self._signing.items())[-1]

    def keyed_hash(self, text: str) -> str:
        """32 hexadecimal digits that stand for `text` and cannot be turned back without the ledger key."""
        return hmac.digest(self._ledger, text.encode(), "sha256")[:16].hex()

    def sign(self, grant: Grant) -> str:
        """The token for `grant`: letters, digits, - and _ and dots, fit for a URL's path."""
        name, key = self._newest
        expires = "" if grant.expires is None else str(grant.expires)
        payload = "|".join((grant.action, grant.subscriber, grant.list, expires)).encode()
        return f"{name}.{_encode(payload)}.{_encode(_mac(key, payload))}"

    def verify(self, token: str, action: Action, now: float | None = None) -> Grant:
        """What `token` grants, if it was signed here for `action`; raises InvalidToken."""
        try:
            name, payload_text, mac_text = token.split(".")
            payload, mac = _decode(payload_text), _decode(mac_text)
            key = self._signing[name]
        except (ValueError, KeyError) as error:
            raise InvalidToken("not a token") from error
        if not hmac.compare_digest(mac, _mac(key, payload)):
            raise InvalidToken("not signed here")
        said, subscriber, list_name, expires = payload.decode().split("|")
        if said != action:
            raise InvalidToken("for something else")
        if expires and int(expires) < (time.time() if now is None else now):
            raise InvalidToken("too old")
        return Grant(subscriber, list_name, action, int(expires) if expires else None)


def _mac(key: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, payload, hashlib.sha256)[:_MAC_BYTES]


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    data = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if _encode(data) != text:
        raise ValueError("not canonical")
    return data


def _create(path: Path) -> None:
    keys = {"signing": {"a": secrets.token_hex(32)}, "ledger": secrets.token_hex(32)}
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(keys, file)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)  # fails if another process was quicker: its keys are the ones
    except FileExistsError:
        pass
    finally:
        draft.unlink()
