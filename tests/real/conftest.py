"""Newsletters with real parts beside them: a web front with TLS, Postfix's smtp-sink."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.real.desk import REPOSITORY, Desk
from tests.real.front import Front, tls_front
from tests.real.sink import Sink, smtp_sink

pytest.register_assert_rewrite("tests.real.wire")


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    with tls_front(tmp_path) as front:
        yield front


@pytest.fixture
def desk(tmp_path: Path, front: Front) -> Desk:
    """A new newsletter without issues and subscribers."""
    return Desk.at(tmp_path, front)


@pytest.fixture
def sample(desk: Desk) -> Desk:
    """A newsletter with the sample issue, number 126."""
    shutil.copytree(REPOSITORY / "issues", desk.root / "issues", ignore=shutil.ignore_patterns("sent.json"))
    return desk


@pytest.fixture
def sink(tmp_path: Path, desk: Desk, part: Callable[[str], Path]) -> Iterator[Sink]:
    """A relay that keeps what it takes, and that the newsletter's smtp provider leads to."""
    dumps = tmp_path / "dumps"
    dumps.mkdir()
    with smtp_sink(str(part("smtp-sink")), dumps) as sink:
        desk.relay_through(sink.port)
        yield sink
