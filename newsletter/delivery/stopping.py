"""The wish to stop: SIGINT or SIGTERM ask for it, and a send ends behind the message that is being handed over."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """Whether somebody asked to stop. Asking twice ends the process at once: what was under way is then uncertain."""

    def __init__(self) -> None:
        self._event = threading.Event()

    @property
    def asked(self) -> bool:
        return self._event.is_set()

    def ask(self) -> None:
        """Ask to stop; raises KeyboardInterrupt when it was asked already."""
        if self.asked:
            raise KeyboardInterrupt
        self._event.set()

    def wait(self, seconds: float) -> bool:
        """Wait so long, or until somebody asks to stop; True if so."""
        return self._event.wait(seconds)

    @contextmanager
    def on_signals(self) -> Iterator[Self]:
        """Within, SIGINT and SIGTERM ask to stop; afterwards they do what they did before."""

        def asked(_number: int, _frame: FrameType | None) -> None:
            self.ask()

        before = {number: signal.signal(number, asked) for number in SIGNALS}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
