"""The house keeps its walls: the import contracts of pyproject.toml, and the rules for files that no linter has.

Each rule is tried twice: on the package as it is, and on a copy that breaks it.
"""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LONGEST = 400
CATCH_ALLS = {"common", "helper", "helpers", "manager", "managers", "misc", "tools", "util", "utils"}
HEAVY = {"PIL", "alembic", "babel", "jinja2", "pydantic", "requests", "rich", "sqlalchemy", "starlette"}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package, to be broken."""
    shutil.copytree(ROOT / "newsletter", tmp_path / "newsletter", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def _lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    command = Path(sys.executable).with_name("lint-imports")
    return subprocess.run([command, "--no-cache", "--no-logo"], cwd=root, capture_output=True, text=True, check=False)


def test_imports_go_down_the_layers() -> None:
    done = _lint_imports(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("file", "line", "said"),
    [
        ("errors.py", "import newsletter.config", "newsletter.errors is not allowed to import newsletter.config"),
        ("issue/model.py", "from newsletter.compile import edition", "newsletter.issue is not allowed to import"),
        ("compile/text.py", "import newsletter.store.schema", "newsletter.compile is not allowed to import"),
        ("archive/__init__.py", "import newsletter.delivery.plan", "newsletter.archive is not allowed to import"),
        ("checks/rule.py", "import newsletter.store.ledger", "Illegal imports of protected package newsletter.store"),
        ("message.py", "import newsletter.store.ledger", "Illegal imports of protected package newsletter.store"),
        ("providers/outbox.py", "import newsletter.store.ledger", "protected package newsletter.store"),
        ("delivery/send.py", "import typer", "Illegal imports of protected package typer"),
        ("compile/text.py", "import jinja2", "Illegal imports of protected package jinja2"),
        ("cli/sending.py", "from sqlalchemy import select", "Illegal imports of protected package sqlalchemy"),
        ("compile/images.py", "import requests", "Illegal imports of protected package requests"),
        ("issue/load.py", "import pyromark", "Illegal imports of protected package pyromark"),
        ("compile/pipeline.py", "import mjml", "Illegal imports of protected package mjml"),
        ("extras.py", "", "newsletter.extras"),
    ],
)
def test_an_import_against_the_layers_is_found(copy: Path, file: str, line: str, said: str) -> None:
    with (copy / "newsletter" / file).open("a") as module:
        module.write(f"\n{line}\n")
    done = _lint_imports(copy)
    assert done.returncode == 1
    assert said in " ".join(done.stdout.split())


def _faults(root: Path) -> Iterator[str]:
    """What the package at `root` does against the rules for files."""
    for path in sorted((root / "newsletter").rglob("*.py")):
        name, text = path.relative_to(root).as_posix(), path.read_text()
        if path.stem in CATCH_ALLS:
            yield f"{name} says nothing of what is in it"
        if path.stem in sys.stdlib_module_names or path.parent.name in sys.stdlib_module_names:
            yield f"{name} is named like a module of the standard library"
        if (lines := text.count("\n")) > LONGEST:
            yield f"{name} has {lines} lines"
        if name != "newsletter/config.py" and _reads_environment(text):
            yield f"{name} reads the environment"


def _reads_environment(text: str) -> bool:
    words = {"environ", "environb", "getenv", "getenvb"}
    return any(
        (isinstance(node, ast.Attribute) and node.attr in words)
        or (isinstance(node, ast.ImportFrom) and node.module == "os" and words & {name.name for name in node.names})
        for node in ast.walk(ast.parse(text))
    )


def test_files_are_short_well_named_and_leave_the_environment_alone() -> None:
    assert list(_faults(ROOT)) == []


@pytest.mark.parametrize(
    ("file", "text", "fault"),
    [
        ("issue/utils.py", "", "says nothing of what is in it"),
        ("compile/email.py", "", "is named like a module of the standard library"),
        ("store/queue/__init__.py", "", "is named like a module of the standard library"),
        ("store/long.py", "pass\n" * (LONGEST + 1), f"has {LONGEST + 1} lines"),
        ("providers/eager.py", "import os\n\nKEY = os.environ['KEY']\n", "reads the environment"),
        ("providers/sly.py", "from os import getenv as ask\n", "reads the environment"),
    ],
)
def test_a_file_against_the_rules_is_found(copy: Path, file: str, text: str, fault: str) -> None:
    path = copy / "newsletter" / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    assert list(_faults(copy)) == [f"newsletter/{file} {fault}"]


def test_help_starts_without_the_heavy_libraries(tmp_path: Path) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "newsletter", "--help"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert {"newsletter", "typer"} <= imported
    assert imported & HEAVY == set()
    assert "subscribers" in done.stdout
