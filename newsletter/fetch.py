"""The one guarded way to ask addresses on the web: for a file that somebody else’s text names, and whether the
publication’s own unsubscribe address answers.

A name is resolved once, and the connection is made to an address that was looked at, so that nothing can lead to
machines that only this one can reach: no private name, no redirect, no name server that answers otherwise next time.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from urllib.parse import SplitResult, urljoin, urlsplit

import newsletter
from newsletter.errors import ConfigError, ContentError, Place

REDIRECTS = 5
"""So many are followed; behind them there is most likely no end."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolver = Callable[[str, int], Sequence[str]]
"""Gives the IP addresses of a host, asked with its port; raises OSError where there are none."""

_PATIENCE = 10  # seconds
_AT_ONCE = 65_536  # bytes
_PORTS = {"http": 80, "https": 443}
_MOVED = {301, 302, 303, 307, 308}
_SQUEEZED = {"gzip": 31, "x-gzip": 31, "deflate": 47}  # zlib's word for the header to expect
_UNICAST = ipaddress.ip_network("2000::/3")
_NOT_PUBLIC = [
    ipaddress.ip_network(network)
    for network in (
        "192.88.99.0/24",  # 6to4 relays, RFC 7526
        "2001::/23",  # Teredo and others, RFC 2928
        "2001:db8::/32",  # documentation, RFC 3849
        "2002::/16",  # 6to4: an IPv4 address inside, RFC 3056
        "3fff::/20",  # documentation, RFC 9637
    )
]


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file from the web: the address at the end of all redirects, its media type in small letters, its bytes."""

    url: str
    content_type: str
    data: bytes


def addresses_of(host: str, port: int) -> list[str]:
    """The IP addresses of `host`, as this machine resolves names."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def fetch(
    url: str,
    *,
    limit: int,
    kinds: tuple[str, ...] = (),
    seconds: float = 30,
    where: Place | None = None,
    trusted: Sequence[Network] = (),
    resolve: Resolver = addresses_of,
) -> Fetched:
    """The file at `url`, http or https, of at most `limit` bytes, unpacked, within `seconds` all in all.

    `kinds` are beginnings of media types of which it has to be one ("image/"). Nothing is sent but the request: no
    cookie, no password. Addresses that are not public are refused unless they are in `trusted`. Raises ContentError
    with the reason, and `where` the address was written.
    """
    asking = _Asking(limit, kinds, time.monotonic() + seconds, tuple(trusted), resolve)
    try:
        return asking.for_file(url)
    except _Refused as refused:
        raise ContentError(f"{_shown(url)} {refused}", hint=refused.hint, where=where) from refused


class _Refused(Exception):
    """Why a file was not fetched, in words that follow its address."""

    def __init__(self, reason: str, hint: str | None = None) -> None:
        super().__init__(reason)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class _Asking:
    """One fetch: what it may cost, until when, and whom it may reach."""

    limit: int
    kinds: tuple[str, ...]
    deadline: float
    trusted: tuple[Network, ...]
    resolve: Resolver

    def for_file(self, url: str) -> Fetched:
        asked = url
        for _ in range(REDIRECTS + 1):
            try:
                found = self._fetched_or_moved(asked)
            except _Refused as refused:
                if asked == url:
                    raise
                raise _Refused(f"leads to {_shown(asked)}, which {refused}", refused.hint) from refused
            if isinstance(found, Fetched):
                return found
            asked = found
        raise _Refused(f"leads on more than {REDIRECTS} times")

    def _fetched_or_moved(self, url: str) -> Fetched | str:
        """The file at `url`, or the address that it leads to."""
        with self._answer(url) as answer:
            if answer.status in _MOVED:
                return urljoin(url, answer.headers.get("Location") or "")
            found = self._fetched(url, answer)
            self._left()  # what was cut off at the deadline may look whole
            return found

    @contextmanager
    def _answer(self, url: str) -> Iterator[HTTPResponse]:
        """What `url` answers, its body unread; whatever goes wrong until it is read is _Refused."""
        parts, host, port = _parsed(url)
        try:
            with self._connected(parts, host, port) as connection, self._until_the_deadline(connection):
                client = HTTPConnection(host, port)
                client.sock = connection
                client.request("GET", _target(parts), headers=_headers(parts.scheme, host, port))
                with client.getresponse() as answer:
                    yield answer
        except (OSError, ValueError, HTTPException, zlib.error) as error:
            if time.monotonic() >= self.deadline:
                raise _Refused("takes too long", "fetch it by hand, or try again later") from error
            raise _Refused(f"cannot be fetched: {error or type(error).__name__}") from error

    def _connected(self, parts: SplitResult, host: str, port: int) -> socket.socket:
        connection = self._reached(host, port)
        if parts.scheme == "http":
            return connection
        try:
            return _context().wrap_socket(connection, server_hostname=host)
        except BaseException:
            connection.close()
            raise

    def _reached(self, host: str, port: int) -> socket.socket:
        """A connection to the first address of `host` that is allowed and answers."""
        allowed = [address for address in self.resolve(host, port) if self._is_allowed(address)]
        if not allowed:
            raise _Refused("is on a private network, or on this machine", "only public addresses are fetched")
        failed: OSError | None = None
        for address in allowed:
            try:
                return socket.create_connection((address, port), min(_PATIENCE, self._left()))
            except OSError as error:
                failed = error
        raise failed or OSError("no address")

    def _is_allowed(self, said: str) -> bool:
        try:
            address = ipaddress.ip_address(said)
        except ValueError:
            return False
        return _is_public(address) or any(address in network for network in self.trusted)

    @contextmanager
    def _until_the_deadline(self, connection: socket.socket) -> Iterator[None]:
        """Ends `connection` when time is up: a timeout of its own begins anew with every byte that drips in."""
        connection.settimeout(self._left())
        timer = threading.Timer(self._left(), _cut, [connection])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _left(self) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("time is up")
        return left

    def _fetched(self, url: str, answer: HTTPResponse) -> Fetched:
        if answer.status != 200:
            raise _Refused(f"answers {answer.status}, not 200")
        kind = answer.headers.get_content_type() if "Content-Type" in answer.headers else "application/octet-stream"
        if self.kinds and not kind.startswith(self.kinds):
            raise _Refused(f"is {kind}")
        if answer.length is not None and answer.length > self.limit:
            raise self._too_large()
        return Fetched(url, kind, b"".join(self._unpacked(answer)))

    def _unpacked(self, answer: HTTPResponse) -> Iterator[bytes]:
        """The body in pieces; what unpacks to more than the limit is not unpacked to its end."""
        coding = answer.headers.get("Content-Encoding", "identity").strip().lower()
        if coding not in {"identity", "", *_SQUEEZED}:
            raise _Refused(f"is packed as {coding}, which was not asked for")
        unpack = zlib.decompressobj(_SQUEEZED[coding]) if coding in _SQUEEZED else None
        room = self.limit
        while piece := answer.read(_AT_ONCE):
            if unpack:
                piece = unpack.decompress(piece, room + 1)
            room -= len(piece)
            if room < 0:
                raise self._too_large()
            yield piece
        if answer.length or (unpack and not unpack.eof):
            raise OSError("it ends before its end")

    def _too_large(self) -> _Refused:
        return _Refused(f"has more than {self.limit:,} bytes")


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether `address` is one machine's on the public internet, and none that holds another address inside."""
    if address.version == 6 and address not in _UNICAST:
        return False
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not any(address in network for network in _NOT_PUBLIC)
    )


def _parsed(url: str) -> tuple[SplitResult, str, int]:
    import idna

    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
        host = parts.hostname or ""
        host = host if host.isascii() else idna.encode(host, uts46=True).decode()
    except ValueError as error:
        raise _Refused("is no address on the web") from error
    if parts.scheme not in _PORTS or not host:
        raise _Refused("is no address on the web", "http:// and https:// are fetched")
    if "@" in parts.netloc:
        raise _Refused("holds a name or a password", "take them out of the address")
    return parts, host, port


def _target(parts: SplitResult) -> str:
    from requests.utils import requote_uri

    path = parts.path or "/"
    return requote_uri(f"{path}?{parts.query}" if parts.query else path)


def _headers(scheme: str, host: str, port: int) -> dict[str, str]:
    name = f"[{host}]" if ":" in host else host
    return {
        "Host": name if port == _PORTS[scheme] else f"{name}:{port}",
        "User-Agent": f"newsletter/{newsletter.__version__}",
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "Connection": "close",
    }


def _context() -> ssl.SSLContext:
    """Certificates are believed that this system believes, and those of the list that comes with requests."""
    from requests.utils import DEFAULT_CA_BUNDLE_PATH

    context = ssl.create_default_context()
    context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    return context


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)  # under TLS, which may be in the middle of a word


def _shown(url: str) -> str:
    """`url` without a password, and not longer than a line."""
    named = re.sub(r"//[^/]*@", "//", url)
    return named if len(named) < 100 else f"{named[:99]}…"


def try_unsubscribe(url: str) -> None:
    """Post to `url` as a mailbox does for one click (RFC 8058 section 3.2); raises ConfigError unless it answers 200.

    `url` ends in a token that can do nothing, so nobody is unsubscribed by asking.
    """
    import requests

    hint = "is `newsletter serve` running there? --unverified-unsubscribe sends all the same, if you know why"
    try:
        answer = requests.post(
            url, files={"List-Unsubscribe": (None, "One-Click")}, timeout=_PATIENCE, allow_redirects=False
        )
    except requests.RequestException as error:
        reason = type(error).__name__
        raise ConfigError(
            f"the unsubscribe address {_without_token(url)} does not answer: {reason}", hint=hint
        ) from error
    if answer.status_code != requests.codes.ok:
        raise ConfigError(
            f"the unsubscribe address {_without_token(url)} answers {answer.status_code}, not 200", hint=hint
        )


def _without_token(url: str) -> str:
    return url.rpartition("/")[0]
