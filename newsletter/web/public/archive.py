"""The built archive, served as it lies: index.html for a folder, and nothing outside of it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope


class Archive(StaticFiles):
    """Pages of our own making, whose forms lead to `public_url`. Pictures alone may come from elsewhere: a writer may
    show one."""

    def __init__(self, folder: Path, public_url: str) -> None:
        super().__init__(directory=folder, html=True)
        address = urlsplit(public_url)
        self._policy = (
            "default-src 'self'; img-src 'self' data: https:; script-src 'self' 'wasm-unsafe-eval'; "
            f"form-action 'self' {address.scheme}://{address.netloc}; object-src 'none'; base-uri 'none'; "
            "frame-ancestors 'none'"
        )

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Content-Security-Policy"] = self._policy
        return response
