"""The real parts that tests need beside Python: how each is called, who packages it, where it lies.

`python tests/parts.py missing debian|npm` prints the packages that are not there yet, for tests/run to install;
`python tests/parts.py missing parts` prints the parts themselves.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

NODE_MODULES = Path(__file__).parent.parent / ".venv" / "node" / "node_modules"
FONTS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
_ADMIN_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")  # Debian leaves these out of a user's PATH


class Part(Protocol):
    """A part, the `package` that holds it, and the `registry` of the package."""

    registry: ClassVar[str]

    @property
    def package(self) -> str: ...

    def find(self) -> Path | None:
        """Where it lies, or None."""
        ...


@dataclass(frozen=True)
class Program:
    """An executable on the PATH."""

    registry: ClassVar[str] = "debian"
    command: str
    package: str

    def find(self) -> Path | None:
        found = shutil.which(self.command, path=os.pathsep.join([os.environ.get("PATH", ""), *_ADMIN_FOLDERS]))
        return Path(found) if found else None


@dataclass(frozen=True)
class Font:
    """A font among the machine's."""

    registry: ClassVar[str] = "debian"
    file: str
    package: str

    def find(self) -> Path | None:
        return next((path for folder in FONTS for path in folder.rglob(self.file)), None)


@dataclass(frozen=True)
class PlaywrightsNode:
    """The Node that Playwright brings and runs on: newer than Debian's, for which npm's mjml is too new."""

    registry: ClassVar[str] = "debian"
    package: str = "libatomic1"  # the one library it needs that a small Debian lacks

    def find(self) -> Path | None:
        playwright = importlib.util.find_spec("playwright")
        if playwright is None or playwright.origin is None:
            return None
        node = Path(playwright.origin).parent / "driver" / "node"
        runs = subprocess.run([node, "--version"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
        return node if runs.returncode == 0 else None


@dataclass(frozen=True)
class NodePackage:
    """A file of an npm package; `version` is the beginning of the version that will do."""

    registry: ClassVar[str] = "npm"
    name: str
    version: str
    file: str

    @property
    def package(self) -> str:
        return f"{self.name}@{self.version}"

    def find(self) -> Path | None:
        folder = NODE_MODULES / self.name
        try:
            installed = json.loads((folder / "package.json").read_text())["version"]
        except FileNotFoundError:
            return None
        return folder / self.file if f"{installed}.".startswith(f"{self.version}.") else None


PARTS: dict[str, Part] = {
    "chromium": Program("chromium", "chromium"),
    "postfix": Program("postfix", "postfix"),
    "smtp-sink": Program("smtp-sink", "postfix"),
    "smtp-source": Program("smtp-source", "postfix"),
    "spamassassin": Program("spamassassin", "spamassassin"),
    "node": PlaywrightsNode(),
    "npm": Program("npm", "npm"),
    "colour emoji": Font("NotoColorEmoji.ttf", "fonts-noto-color-emoji"),
    "Latin font": Font("DejaVuSans.ttf", "fonts-dejavu-core"),
    "CJK font": Font("NotoSansCJK-Regular.ttc", "fonts-noto-cjk"),
    "mjml": NodePackage("mjml", "5", "bin/mjml"),
    "markdown-it": NodePackage("markdown-it", "15", "dist/markdown-it.cjs.js"),
    "commonmark-spec": NodePackage("commonmark-spec", "0.31.2", "spec.txt"),
}


def _missing(kind: str) -> list[str]:
    absent = {name: part for name, part in PARTS.items() if part.find() is None}
    if kind == "parts":
        return list(absent)
    return sorted({part.package for part in absent.values() if part.registry == kind})


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["missing", "debian" | "npm" | "parts" as kind]:
            for package in _missing(kind):
                print(package)
        case _:
            sys.exit(__doc__)
