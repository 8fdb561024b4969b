"""A disk that is really full, under the data of a newsletter: before the first byte, and in the middle of a send."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.providers.script import Script, playing
from tests.real.desk import REPOSITORY
from tests.workspaces import SETTINGS, issue_file, workspace

pytestmark = [pytest.mark.real, pytest.mark.slow]

READERS = [f"reader{n}@example.org" for n in range(400)]
CONNECTIONS = 4
SMTP = '[send]\nprovider = "smtp"\n[providers.smtp]\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\n'


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of its own, of three megabytes."""
    folder = tmp_path / "data"
    folder.mkdir()
    mount = shutil.which("mount")
    command = [str(mount), "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    if mount is None or subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("no disk may be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def _fill(folder: Path) -> None:
    with suppress(OSError), (folder / "ballast").open("wb", buffering=0) as ballast:
        while True:
            ballast.write(bytes(4096))


def _make_room(folder: Path) -> None:
    (folder / "ballast").unlink()


@contextmanager
def _filled_while_it_takes(script: Script, number: int, folder: Path) -> Iterator[None]:
    def fill(said: bytes) -> list[bytes]:
        if len(script.accepted) >= number and not (folder / "ballast").exists():
            _fill(folder)
        return [said]

    script.pieces, before = fill, script.pieces
    yield
    script.pieces = before


def test_nobody_is_lost_and_nobody_gets_it_twice(tmp_path: Path, data: Path) -> None:
    def newsletter(*arguments: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "newsletter", "-C", str(tmp_path), *arguments],
            cwd=REPOSITORY,
            env=os.environ | {"NEWSLETTER_DATA_DIR": str(data)},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    with playing(Script()) as script:
        workspace(tmp_path, {"1-one/issue.md": issue_file(1, "Hello.")}, SETTINGS + SMTP.format(port=script.port))
        (tmp_path / "people.csv").write_text("\n".join(["email", *READERS]))
        assert newsletter("subscribers", "import", str(tmp_path / "people.csv"))[0] == 0

        _fill(data)
        code, _, said = newsletter("send", "1", "--yes", "--unverified-unsubscribe")
        assert code == 4
        assert said.startswith("error: the database could not be used: disk I/O error\n")
        assert script.bodies == []

        _make_room(data)
        with _filled_while_it_takes(script, 150, data):
            code, _, said = newsletter("send", "1", "--yes", "--unverified-unsubscribe")
        assert code == 4
        assert said.startswith("error: the database could not be used: database or disk is full\n")
        assert 150 <= len(script.accepted) < len(READERS)

        _make_room(data)
        code, said, _ = newsletter("resume", "1", "--json")
        assert Counter(script.accepted) == Counter(READERS)
        balance = json.loads(said)
        assert balance["accepted"] + balance["uncertain"] == len(READERS)
        assert balance["uncertain"] <= CONNECTIONS
        assert code == (5 if balance["uncertain"] else 0)
