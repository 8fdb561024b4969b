"""What a worker was about to do and what it was told, written so that it survives the worker's death (kill -9).

A file: a header of 256 bytes (a mark, the journal's own random id, the batch that it is of, the last one before that
anything was written of, who holds it), then records of 16 bytes: a letter, and the first 15 of the 16 bytes of a
recipient's id. Records are appended by one write(2), past any buffer of ours, and outlive the process in the page
cache. After a power loss the boot id of a claim differs: the journal is not believed.
"""

from __future__ import annotations

import math
import os
import platform
import secrets
import struct
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from newsletter.delivery.locking import BINARY, hold, is_held
from newsletter.delivery.stopping import Stop
from newsletter.errors import StoreError
from newsletter.providers.base import Outcome, Result

_MARK = b"newsletter j2\n\x00\x00"
_MARK_1 = b"newsletter j1\n\x00\x00"  # its header does not say of which batch it is
_ID = slice(16, 32)
_BATCHES = slice(32, 48)
_HOLDER = slice(48, 256)
_ANY_BATCH = 2**64 - 1
_HEADER_BYTES = 256
_NUMBERS = struct.Struct(">QQ")
_RECORD_BYTES = 16
_ID_DIGITS = (_RECORD_BYTES - 1) * 2
_INTENT = b"I"
_LETTERS = {Outcome.ACCEPTED: b"A", Outcome.REJECTED: b"R", Outcome.LATER: b"L", Outcome.UNCERTAIN: b"U"}
_MEANINGS = {letter: outcome for outcome, letter in _LETTERS.items()} | {_INTENT: Outcome.UNCERTAIN}


class NoMore(StoreError):
    """Nothing more of this batch may be handed over; those who were not wait for the next claim."""


class FileJournal:
    """The journal at `path`, held by this process until it is closed; raises StoreError if another one holds it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ends = math.inf
        self._stop = Stop()
        self.holder = _this_process()
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | BINARY, 0o600)
        try:
            self._lock()
            self._length = os.fstat(self._file).st_size
            self.id, self._batch, self._before = self._identify()
            self._write_header()
        except BaseException:
            os.close(self._file)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let others have it."""
        os.close(self._file)

    def begin(self, batch: int, lease: float, stop: Stop) -> None:
        """Empty it for the next batch, which must be handed over within `lease` seconds, and before `stop` is asked.

        To be called before the claim of `batch` is committed: one that the journal does not name was never begun.
        """
        if self._has_records and self._batch != _ANY_BATCH:
            self._before = self._batch
        os.ftruncate(self._file, _HEADER_BYTES)
        self._length = _HEADER_BYTES
        self._batch = batch
        self._write_header()
        self._ends = time.monotonic() + lease
        self._stop = stop

    def forget(self) -> None:
        """Empty it, of whatever batch it was: what it knew is in the ledger now, and is not to be found out again."""
        os.ftruncate(self._file, _HEADER_BYTES)
        self._length = _HEADER_BYTES
        self._batch = self._before = 0
        self._write_header()

    def intent(self, ids: Sequence[str]) -> None:
        """See providers.base.Journal. Raises StoreError; NoMore if nothing more may be handed over."""
        if self._stop.asked:
            raise NoMore("somebody asked to stop")
        if time.monotonic() >= self._ends:
            raise NoMore("the lease has ended: by now others may hand over the rest of the batch")
        self._append(b"".join([_INTENT + _short(id_) for id_ in ids]))

    def answer(self, result: Result) -> None:
        """See providers.base.Journal."""
        self._append(_LETTERS[result.outcome] + _short(result.recipient))

    def is_of(self, batch: int) -> bool:
        """Whether what is written in it is of this batch."""
        return self._batch in {batch, _ANY_BATCH}

    @property
    def used_for(self) -> set[int]:
        """The last batches in which something was written: a ledger that knows them not is older than the journal."""
        last = self._batch if self._has_records else 0
        return {self._before, last} - {0, _ANY_BATCH}

    def outcomes(self, ids: Sequence[str]) -> dict[str, Outcome]:
        """What is written of each: its last answer; UNCERTAIN for an intent without one; LATER for none of both."""
        data = _read(self._file, os.fstat(self._file).st_size, _HEADER_BYTES)
        starts = range(0, len(data) - _RECORD_BYTES + 1, _RECORD_BYTES)
        written = {data[at + 1 : at + _RECORD_BYTES]: _MEANINGS.get(data[at : at + 1]) for at in starts}
        return {id_: written.get(_short(id_), Outcome.LATER) or Outcome.UNCERTAIN for id_ in ids}

    def _append(self, records: bytes) -> None:
        try:
            if os.write(self._file, records) == len(records):
                self._length += len(records)
                return
            reason = "the disk is full"
        except OSError as error:
            reason = str(error.strerror)
        os.ftruncate(self._file, self._length)  # half a record would put all that follow it out of step
        raise StoreError(f"the journal {self._path} cannot be written: {reason}")

    def _lock(self) -> None:
        if not hold(self._file):
            raise StoreError(
                f"this issue is being sent already, by {_holder_in(_read(self._file, _HEADER_BYTES))}",
                hint="`newsletter status` shows how far it is",
            )

    @property
    def _has_records(self) -> bool:
        return self._length > _HEADER_BYTES

    def _identify(self) -> tuple[str, int, int]:
        """Its id and batches, made if they are not there yet."""
        header = _read(self._file, _HEADER_BYTES)
        if len(header) == _HEADER_BYTES:
            if header.startswith(_MARK_1):
                return header[_ID].hex(), _ANY_BATCH, 0
            if not header.startswith(_MARK):
                raise StoreError(f"{self._path} is not a journal", hint="move it away, whatever it is")
            return header[_ID].hex(), *_NUMBERS.unpack(header[_BATCHES])
        os.ftruncate(self._file, 0)
        self._length = 0
        self._append(bytes(_HEADER_BYTES))
        return secrets.token_hex(16), 0, 0

    def _write_header(self) -> None:
        numbers = _NUMBERS.pack(self._batch, self._before)
        start = _MARK + bytes.fromhex(self.id) + numbers
        header = start + self.holder.encode("ascii", "replace")[: _HEADER_BYTES - len(start)]
        try:
            with self._path.open("r+b", buffering=0) as file:  # the one that is held only appends
                file.write(header.ljust(_HEADER_BYTES, b"\x00"))
        except OSError as error:
            raise StoreError(f"the journal {self._path} cannot be written: {error.strerror}") from error


def holder(path: Path) -> str | None:
    """Who holds the journal at `path` at this moment, in words; None if nobody does."""
    if not is_held(path):
        return None
    with path.open("rb") as file:
        return _holder_in(file.read(_HEADER_BYTES))


def _holder_in(header: bytes) -> str:
    return header[_HOLDER].rstrip(b"\x00").decode() or "another process"


def _this_process() -> str:
    return f"process {os.getpid()} on {platform.node()}, since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _short(id_: str) -> bytes:
    return bytes.fromhex(id_[:_ID_DIGITS])


def _read(file: int, length: int, at: int = 0) -> bytes:
    """Windows has no pread; where one reads is of no matter to a file that is only appended to."""
    os.lseek(file, at, os.SEEK_SET)
    return os.read(file, length)
