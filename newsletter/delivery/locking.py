"""What a system tells a process about others: who else holds a file, and whether the machine was started anew.

Both decide what can be known after an interruption. Linux and macOS tell both. Where there is no boot id (Windows, the
BSDs), nothing that another process wrote last is believed: its whole batch is uncertain.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

from newsletter.errors import StoreError

_PATIENCE, _AGAIN = 0.25, 0.05
_FAR = 1 << 30
"""Where the byte lies that is locked on Windows: others cannot read a locked byte, and no file here is so long."""


def hold(file: int) -> bool:
    """Hold the open `file` until it is closed; False if another one does, for longer than a look takes.

    Raises StoreError on a system without locks.
    """
    lock, ends = _lock_of_this_system(), time.monotonic() + _PATIENCE
    while not _locked(lock, file):
        if time.monotonic() >= ends:
            return False
        time.sleep(_AGAIN)
    return True


def is_held(path: Path) -> bool:
    """Whether another one holds the file at `path` at this moment."""
    try:
        file = os.open(path, os.O_RDWR | BINARY)
    except FileNotFoundError:
        return False
    try:
        return not _locked(_lock_of_this_system(), file)
    finally:
        os.close(file)


BINARY: int = getattr(os, "O_BINARY", 0)
"""For os.open: without it Windows writes two bytes for some."""


def _locked(lock: Callable[[int], None], file: int) -> bool:
    with suppress(BlockingIOError, PermissionError):
        lock(file)
        return True
    return False


@cache
def _lock_of_this_system() -> Callable[[int], None]:
    """Locks an open file at once, or raises BlockingIOError or PermissionError."""
    for lock in (_flock, _byte_lock):
        with suppress(ImportError):
            return lock()
    raise StoreError(
        "this system has no file locks: two could send the same issue at once",
        hint="send from Linux, macOS or Windows",
    )


def _flock() -> Callable[[int], None]:
    import fcntl

    return lambda file: fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _byte_lock() -> Callable[[int], None]:
    import msvcrt
    from typing import Any

    windows: Any = msvcrt

    def lock(file: int) -> None:
        os.lseek(file, _FAR, os.SEEK_SET)
        windows.locking(file, windows.LK_NBLCK, 1)

    return lock


def _of_linux() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()


def _of_macos() -> str:
    command = ["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=5).stdout.strip()


BOOT_IDS: list[Callable[[], str]] = [_of_linux, _of_macos]


@cache
def _boot_id() -> str | None:
    for source in BOOT_IDS:
        with suppress(OSError, subprocess.SubprocessError):
            if found := source():
                return found
    return None


@cache
def boot_id() -> str:
    """What is the same until the machine is started anew; where nobody says, what no other process has."""
    return _boot_id() or secrets.token_hex(16)


def tells_boots_apart() -> bool:
    """Whether this system says if it was started anew; see `promise`."""
    return _boot_id() is not None


def promise() -> str:
    """What of a batch can be known on this system after the process that sent it was killed, in words."""
    if tells_boots_apart():
        return "killed, a send leaves at most one recipient a connection uncertain; after a power cut, a whole batch"
    return "killed, a send leaves a whole batch uncertain: this system does not tell whether it was started anew since"
