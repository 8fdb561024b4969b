"""The preview as a server. Only for this machine: loopback, a checked Host (a page elsewhere may point its own name at
127.0.0.1), and a path that nobody can guess. Every request is a GET."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import FrameType

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import Mount, Route

from newsletter.compile.edition import Facts
from newsletter.errors import NewsletterError
from newsletter.issue.model import Issue
from newsletter.web.guard import SafeHeaders
from newsletter.web.preview.studio import Studio
from newsletter.web.preview.watch import watch
from newsletter.web.server import configure, listen, run_until_interrupted
from newsletter.workspace import Workspace

_HOST = "127.0.0.1"


def create_app(workspace: Workspace, facts: Callable[[Issue], Facts]) -> Starlette:
    """The preview of `workspace` as an ASGI application; `app.state.path` is the path of its list of issues.

    `facts()` says what is known of the world each time an issue is compiled.
    """
    path = f"/{secrets.token_urlsafe(16)}"
    studio = Studio(workspace, facts, path)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with anyio.create_task_group() as group:
            group.start_soon(watch, workspace.root, workspace.theme_folders, studio.touched)
            yield
            group.cancel_scope.cancel()

    pages = [
        Route("/", studio.issues),
        Route("/changes", studio.changes),
        Route("/live.js", studio.live),
        Route("/issue/{name}", studio.issue),
        Route("/frame/{name}/{scheme}/email", studio.email),
        Route("/frame/{name}/{scheme}/text", studio.text),
        Route("/frame/{name}/{scheme}/site/{path:path}", studio.site),
    ]
    app = Starlette(
        routes=[Mount(path, routes=pages)],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=[_HOST, "localhost"], www_redirect=False),
            Middleware(SafeHeaders),
        ],
        exception_handlers={NewsletterError: studio.fault},
        lifespan=lifespan,
    )
    app.state.path = f"{path}/"
    app.state.feed = studio.feed
    return app


def run(app: Starlette, *, port: int = 0, ready: Callable[[str], None]) -> None:
    """Serve `app` on this machine's loopback address until interrupted; raises ConfigError when the port is taken.

    `ready(url)` is called with the address of the list of issues; an issue is at issue/<its folder> below it.
    """

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            app.state.feed.close()  # it would wait for every open page otherwise
            super().handle_exit(sig, frame)

    listening = listen(_HOST, port)
    ready(f"http://{_HOST}:{listening.getsockname()[1]}{app.state.path}")
    run_until_interrupted(Server(configure(app, timeout_graceful_shutdown=2)), listening)
