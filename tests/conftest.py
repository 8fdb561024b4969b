"""What several test files need: a home of their own, the real parts, a web application served on a real socket."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import uvicorn
from hypothesis import settings
from starlette.applications import Starlette

from newsletter.web.server import configure, listen
from tests.parts import PARTS

settings.register_profile("suite", settings.default, deadline=None)  # no test here is about time
settings.load_profile("suite")


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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if said := os.environ.get("TESTS_RUN_SUMMARY"):
        terminalreporter.write_line(said, red="FAILED" in said, bold=True)


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty home: no test reads or writes the data, settings and secrets of whoever runs it."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith(("NEWSLETTER_", "XDG_")):
                patch.delenv(name)
        patch.setenv("HOME", str(folder))
        yield folder


@pytest.fixture(scope="session")
def part() -> Callable[[str], Path]:
    """part("smtp-sink"): where that part of tests/parts.py lies. Without it the test is skipped; in CI it fails."""

    def find(name: str) -> Path:
        if found := PARTS[name].find():
            return found
        message = f"{name} is not on this machine (package {PARTS[name].package}); `tests/run` installs it where it may"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)

    return find
