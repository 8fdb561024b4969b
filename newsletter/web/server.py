"""How a server is run: on a socket that was bound first, so that a taken port is said in words."""

from __future__ import annotations

import socket
from contextlib import suppress

import uvicorn

from newsletter.errors import ConfigError


def listen(host: str, port: int) -> socket.socket:
    """A listening socket at `host` and `port` (0: any free one); raises ConfigError."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as error:
        raise ConfigError(
            f"cannot listen at {host}:{port}: {getattr(error, 'strerror', None) or error}",
            hint="is another server running there? `--port` names another port",
        ) from error


def configure(app: object, **options: object) -> uvicorn.Config:
    """uvicorn as both servers want it: no websockets, no second request log, nothing said about itself."""
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        ws="none",
        access_log=False,
        server_header=False,
        log_level="warning",
        **options,  # type: ignore[arg-type]
    )


def run_until_interrupted(server: uvicorn.Server, listening: socket.socket) -> None:
    """Run `server` until SIGINT or SIGTERM. Being interrupted is how a server ends, not a fault."""
    with suppress(KeyboardInterrupt):
        server.run([listening])
