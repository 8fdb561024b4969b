"""How often a stranger may make this server send mail. Kept in memory: a restart forgets, and that is enough."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import ip_address, ip_network

Clock = Callable[[], float]


def network(host: str | None) -> str:
    """The network of a client's address: /24 for IPv4, /48 for IPv6; what is no address stands for itself."""
    try:
        address = ip_address(host or "")
    except ValueError:
        return host or ""
    return str(ip_network((address, 24 if address.version == 4 else 48), strict=False))


class Cooldown:
    """At most once in `seconds` for each key; remembers `most` keys."""

    def __init__(self, seconds: float, *, most: int = 10_000, clock: Clock = time.monotonic) -> None:
        self._seconds, self._most, self._clock = seconds, most, clock
        self._until: OrderedDict[str, float] = OrderedDict()

    def allow(self, key: str) -> bool:
        """Whether `key` may go now; if so, it may not again until the time is over."""
        now = self._clock()
        if self._until.get(key, now) > now:
            return False
        self._until[key] = now + self._seconds
        self._until.move_to_end(key)
        if len(self._until) > self._most:
            self._until.popitem(last=False)
        return True

    def forget(self, key: str) -> None:
        """Let `key` go again: what it was allowed did not happen."""
        self._until.pop(key, None)


class Buckets:
    """A token bucket for each key: `burst` at once, then one every `seconds`; remembers `most` keys."""

    def __init__(self, burst: int, seconds: float, *, most: int = 10_000, clock: Clock = time.monotonic) -> None:
        self._burst, self._seconds, self._most, self._clock = burst, seconds, most, clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> bool:
        """Take one token from the bucket of `key`; False if it is empty."""
        now = self._clock()
        level, then = self._levels.pop(key, (float(self._burst), now))
        level = min(self._burst, level + (now - then) / self._seconds)
        enough = level >= 1
        self._levels[key] = (level - 1 if enough else level, now)
        if len(self._levels) > self._most:
            self._levels.popitem(last=False)
        return enough
