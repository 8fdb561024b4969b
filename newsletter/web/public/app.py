"""The readers' server: its addresses, and what guards them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from newsletter.config import Settings
from newsletter.errors import StoreError
from newsletter.store.subscribers import Subscribers
from newsletter.tokens import InvalidToken, Keyring
from newsletter.web.guard import RequestLog, SafeHeaders, SizeLimit
from newsletter.web.public.archive import Archive
from newsletter.web.public.doors import Confirm, Doors
from newsletter.web.server import configure, listen, run_until_interrupted

_LARGEST_BODY = 16 * 1024
_Handler = Callable[[Request], Awaitable[Response]]


def create_app(
    settings: Settings,
    subscribers: Subscribers,
    keyring: Keyring,
    confirm: Confirm,
    archive: Path | None,
    *,
    theme: tuple[Path, ...] | None = None,
) -> Starlette:
    """The readers' server as an ASGI application.

    `confirm(subscriber, link)` sends the mail that asks for a confirmation, or raises NewsletterError; its calls never
    overlap. `archive` is a built site, served at `/`. `theme` are the folders where templates are looked for, the
    default theme if left out.
    """
    doors = Doors(settings, subscribers, keyring, confirm, theme)
    routes: list[BaseRoute] = [
        Route("/health", _health),
        _both("/subscribe", doors.subscribe_form, doors.subscribe),
        _both("/confirm/{token}", doors.confirm_form, doors.confirm),
        _both("/unsubscribe/{token}", doors.unsubscribe_form, doors.unsubscribe),
        Route("/preferences/{token}", doors.preferences),
        Mount("/", Archive(archive, settings.public_url)) if archive and archive.is_dir() else Route("/", _home),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(RequestLog), Middleware(SafeHeaders), Middleware(SizeLimit, _LARGEST_BODY)],
        exception_handlers={
            InvalidToken: doors.bad_link,
            HTTPException: doors.refused,
            ClientDisconnect: _gone,
            StoreError: doors.unavailable,
            500: doors.broken,
        },
    )


def run(app: Starlette, host: str, port: int) -> None:
    """Serve `app` until interrupted; raises ConfigError when the port is taken."""
    run_until_interrupted(uvicorn.Server(configure(app)), listen(host, port))


def _both(path: str, get: _Handler, post: _Handler) -> Route:
    async def answer(request: Request) -> Response:
        return await (post if request.method == "POST" else get)(request)

    return Route(path, answer, methods=["GET", "POST"])


async def _health(_request: Request) -> Response:
    return PlainTextResponse("ok\n")


async def _home(_request: Request) -> Response:
    return RedirectResponse("subscribe", 303)


async def _gone(_request: Request, _error: Exception) -> Response:
    return Response(status_code=400)
