"""What several test files need: a web application served on a real socket."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
import uvicorn
from starlette.applications import Starlette

from newsletter.web.server import configure, listen


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="Write what is now made as what is expected.")


@contextmanager
def _served(app: Starlette) -> Iterator[str]:
    listening = listen("127.0.0.1", 0)
    server = uvicorn.Server(configure(app, timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server ended before it began"
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def serve() -> Iterator[Callable[[Starlette], str]]:
    """serve(app): its address, on a free port of 127.0.0.1, until the test is over."""
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(_served(app))
