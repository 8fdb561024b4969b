"""The newsletter as its users have it: a wheel, an editable install, a checkout. Each does the whole job from an empty
folder with an empty home, and finds the theme and the samples that it ships.

The environments made here hold the package alone; what it depends on they take from the environment of the tests.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SAMPLE_LIST = 36
SHIPPED = "from newsletter.workspace import shipped_root; print(shipped_root())"


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, and an empty home."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    _pip(sys.executable, "wheel", "--wheel-dir", str(folder), str(ROOT))
    [built] = folder.glob("*.whl")
    return built


def _pip(python: Path | str, *arguments: str) -> None:
    """pip without the network: the build backend is the one beside the tests."""
    command = [sys.executable, "-m", "pip", "--quiet", "--python", str(python), *arguments]
    offline = ["--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run([*command, *offline], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _environment(folder: Path) -> Path:
    """The interpreter of an environment without newsletter, but with all that it depends on."""
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    asked = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
    Path(site, "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def _does_the_whole_job(command: list[str | Path], folder: Path) -> None:
    done = subprocess.run([*command, "demo"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list((folder / "build" / "outbox" / "new").iterdir())) == SAMPLE_LIST
    assert os.listdir(folder) == ["build"]  # noqa: PTH208


def _shipped_root(python: Path | str, folder: Path) -> Path:
    done = subprocess.run([python, "-c", SHIPPED], cwd=folder, capture_output=True, text=True, check=True)
    return Path(done.stdout.strip())


@pytest.mark.slow
def test_the_wheel_holds_what_the_newsletter_needs_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    shipped = {
        f"newsletter/_shipped/{path.relative_to(ROOT).as_posix()}"
        for path in (ROOT / "newsletter.toml", *_sources("templates"), *_sources("issues"))
    }
    modules = {path.relative_to(ROOT).as_posix() for path in _sources("newsletter")}
    metadata = {name for name in held if re.match(r"newsletter-[\d.]+\.dist-info/", name)}
    assert held - metadata == shipped | modules
    assert "newsletter/py.typed" in held
    assert any(name.endswith("/licenses/LICENSE") for name in metadata)


def _sources(folder: str) -> Iterator[Path]:
    """What git tracks in `folder`, or would."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", folder]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return (ROOT / name for name in listed.split("\0") if name)


@pytest.mark.slow
def test_a_wheel_does_the_whole_job(wheel: Path, empty: Path, tmp_path: Path) -> None:
    python = _environment(tmp_path / "venv")
    _pip(python, "install", str(wheel))
    assert _shipped_root(python, empty).is_relative_to(tmp_path / "venv")
    _does_the_whole_job([python.with_name("newsletter")], empty)


@pytest.mark.slow
def test_an_editable_install_does_the_whole_job(empty: Path, tmp_path: Path) -> None:
    python = _environment(tmp_path / "venv")
    _pip(python, "install", "--editable", str(ROOT))
    assert _shipped_root(python, empty) == ROOT
    _does_the_whole_job([python.with_name("newsletter")], empty)


@pytest.mark.slow
def test_a_checkout_does_the_whole_job(empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = _environment(tmp_path / "venv")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    assert _shipped_root(python, empty) == ROOT
    _does_the_whole_job([python, "-m", "newsletter"], empty)


def test_what_is_imported_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [
        wanted for extra, several in project["optional-dependencies"].items() if extra != "test" for wanted in several
    ]
    declared = {re.split(r"[<>=~!\[; ]", wanted)[0] for wanted in [*project["dependencies"], *extras]}
    holders = packages_distributions()
    undeclared = {
        package: modules
        for package in _imported()
        if not declared & (modules := {name.lower().replace("_", "-") for name in holders[package]})
    }
    assert undeclared == {}


def _imported() -> set[str]:
    """The packages from elsewhere that newsletter imports."""
    named: set[str] = set()
    for path in (ROOT / "newsletter").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                named |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                named.add(node.module.partition(".")[0])
    return named - sys.stdlib_module_names - {"newsletter"}
