"""The built archive, served as it lies: index.html for a folder, and nothing outside of it."""

from __future__ import annotations

from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

_POLICY = (
    "default-src 'none'; img-src 'self' data:; media-src 'self'; font-src 'self'; connect-src 'self'; "
    "style-src 'self' 'unsafe-inline'; script-src 'self' 'wasm-unsafe-eval'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


class Archive(StaticFiles):
    """Pages of our own making: their styles may be inline, their scripts and pictures come from here only."""

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder, html=True)

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Content-Security-Policy"] = _POLICY
        return response
