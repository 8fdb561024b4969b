"""What every answer and every request must obey: headers, sizes, and what may stand in a log."""

from __future__ import annotations

import logging
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}

_log = logging.getLogger("newsletter.web")


class SafeHeaders:
    """Adds HEADERS to every answer that does not say otherwise, errors too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


_REFUSAL = PlainTextResponse("too large\n", 413, {"Connection": "close"})


class _TooLarge(Exception):
    pass


class SizeLimit:
    """Refuses a request body of more than `limit` bytes with 413, whatever Content-Length says."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        said = Headers(scope=scope).get("content-length", "")
        if said.isdecimal() and (len(said) > 9 or int(said) > self._limit):
            await _REFUSAL(scope, receive, send)
            return
        received, answering = 0, False

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._limit:
                raise _TooLarge
            return message

        async def send_noted(message: Message) -> None:
            nonlocal answering
            answering = True
            await send(message)

        try:
            await self._app(scope, receive_limited, send_noted)
        except _TooLarge:
            if not answering:
                await _REFUSAL(scope, receive, send)


class RequestLog:
    """One line a request: method, path, status, milliseconds. A token is a key, and an IP address is a person: neither
    is written down."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, spent, status = time.monotonic(), 0.0, 500

        async def send_noted(message: Message) -> None:
            nonlocal spent, status
            if message["type"] == "http.response.start":
                spent, status = 1000 * (time.monotonic() - begun), message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        finally:
            _log.info("%s %r %d %.0f ms", scope["method"], _without_token(scope["path"]), status, spent)


def _without_token(path: str) -> str:
    first, slash, _ = path.removeprefix("/").partition("/")
    return f"/{first}/…" if slash and first in {"unsubscribe", "confirm", "preferences"} else path
