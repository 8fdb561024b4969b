"""A newsletter's folder, its data folder, and the command line that sends it to a sink and is killed as it does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from newsletter.store.ledger import Balance
from newsletter.store.subscribers import Newcomer
from tests.killing.harness import ROOT, opened
from tests.killing.sink import Sink, Trap, Wire
from tests.workspaces import SETTINGS, article_file, issue_file, workspace

ISSUE = "issue0000001"
ARTICLE = "The first words of it."
SMTP = """
[send]
provider = "smtp"
[providers.smtp]
host = "127.0.0.1"
port = {port}
security = "none"
"""


@dataclass(frozen=True, slots=True)
class Newsroom:
    """One person's clone at `root`, with the data folder `data`."""

    root: Path
    data: Path
    sink: Sink

    @classmethod
    def at(cls, folder: Path, sink: Sink, readers: int) -> Newsroom:
        """With one issue, `1`, and so many readers."""
        root, data = folder / "news", folder / "data"
        root.mkdir()
        data.mkdir()
        files: dict[str, str | bytes] = {
            "1-one/issue.md": issue_file(1, "Hello.\n\n<!-- articles -->"),
            "1-one/1.md": article_file(ARTICLE),
        }
        workspace(root, files, SETTINGS + SMTP.format(port=sink.port))
        return cls(root, data, sink).joined(readers)

    @property
    def issue(self) -> Path:
        return self.root / "issues" / "1-one"

    @property
    def balance(self) -> Balance:
        with opened(self.data) as (_, ledger):
            return ledger.balance(ISSUE)

    def joined(self, readers: int) -> Newsroom:
        """Itself, with so many on the list."""
        with opened(self.data) as (people, _):
            newcomers = [Newcomer(email=f"reader{n}@example.org") for n in range(readers)]
            people.add_all(newcomers, list="main", source="test")
        return self

    def says(self, *arguments: str, code: int = 0) -> str:
        """What `newsletter ARGUMENTS` prints; it must end with `code`."""
        with self.running(*arguments) as process:
            said, _ = process.communicate(timeout=120)
        assert process.returncode == code, said
        return said

    def killed(self, *arguments: str, after: int) -> None:
        """`newsletter ARGUMENTS`, killed in mid-body of the `after`-th message."""
        trap = Trap(Wire.HALF, after)
        self.sink.set(trap)
        with self.running(*arguments) as process:
            trap.victim.set_result(process.pid)
            said, _ = process.communicate(timeout=120)
        assert process.returncode == -signal.SIGKILL, said
        self.sink.drain()

    @contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        command = [sys.executable, "-m", "newsletter", "-C", str(self.root), *arguments]
        environment = os.environ | {"NEWSLETTER_DATA_DIR": str(self.data), "PYTHONPATH": str(ROOT)}
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            try:
                yield process
            finally:
                process.kill()
