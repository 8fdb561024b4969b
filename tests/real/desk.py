"""A newsletter in a folder of its own, worked on with the real command line as its writer and operator would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from newsletter.cli import opening
from newsletter.compile.edition import Edition
from newsletter.store.subscribers import Subscriber
from newsletter.workspace import Workspace
from tests.real.front import Front
from tests.real.sink import free_port

REPOSITORY = Path(__file__).parents[2]

_SETTINGS = """\
[publication]
id = "realinput001"
name = "The Overnight Charge"
url = "{public}"
language = "en"
from = "Jö Kim <jo@news.example.org>"
postal_address = "12 Harbour Lane, 20457 Example"
"""


@dataclass(frozen=True)
class Desk:
    """The workspace at `root` with its data beside it; `public` is where its readers' pages answer."""

    root: Path
    public: Front
    environment: dict[str, str] = field(default_factory=dict)

    @classmethod
    def at(cls, folder: Path, public: Front) -> Desk:
        root = folder / "workspace"
        root.mkdir()
        (root / "newsletter.toml").write_text(_SETTINGS.format(public=public.url), "utf-8")
        own = {"NEWSLETTER_DATA_DIR": str(folder / "data"), "REQUESTS_CA_BUNDLE": str(public.certificate)}
        return cls(root, public, own)

    def configure(self, toml: str) -> None:
        """Add tables to newsletter.toml."""
        with (self.root / "newsletter.toml").open("a", encoding="utf-8") as file:
            file.write(f"\n{toml}\n")

    def relay_through(self, port: int) -> None:
        """Let the smtp provider lead to the relay at `port` of this machine."""
        self.configure(f'[providers.smtp]\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"')

    def newsletter(self, *arguments: object) -> str:
        """What `newsletter ARGUMENTS` prints; it must succeed."""
        done = subprocess.run(
            self._command(*arguments),
            cwd=REPOSITORY,
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"newsletter {arguments}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def json(self, *arguments: object) -> Any:
        """The same with --json, read."""
        return json.loads(self.newsletter(*arguments, "--json"))

    @contextmanager
    def serving(self) -> Iterator[None]:
        """`newsletter serve`, behind the front, until the end of the block."""
        port = free_port()
        process = subprocess.Popen(
            self._command("serve", "--port", port), cwd=REPOSITORY, env=os.environ | self.environment
        )
        try:
            with self.public.before(port, process):
                yield
        finally:
            process.terminate()
            process.wait()

    @property
    def outbox(self) -> Path:
        """Where the outbox is that nobody configured."""
        return self.data / "outbox"

    @property
    def data(self) -> Path:
        return Path(self.environment["NEWSLETTER_DATA_DIR"])

    @property
    def workspace(self) -> Workspace:
        found = Workspace.open(self.root)
        return Workspace(found.root, found.settings.model_copy(update={"data_dir": self.data}))

    @property
    def store(self) -> opening.Store:
        return opening.Store.of(self.workspace)

    def edition(self, issue: str) -> Edition:
        """The issue, compiled here and now."""
        workspace = self.workspace
        return opening.compiled(workspace, opening.issue_named(workspace, issue), None)[1]

    def readers(self) -> list[Subscriber]:
        """Everybody whom an issue would go to."""
        return [*self.store.subscribers.active("main")]

    def _command(self, *arguments: object) -> list[str]:
        return [sys.executable, "-m", "newsletter", "-C", str(self.root), *map(str, arguments)]
