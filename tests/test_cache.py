"""The cache of what was made of issues: broken files are as good as none, its folder is the user's own, and what is
built, checked or sent is never taken from it."""

from __future__ import annotations

import ast
import os
import shutil
import stat
import sys
import time
import zlib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from newsletter.cache import LIBRARIES, UNUSED
from newsletter.cli import run
from newsletter.workspace import Workspace
from tests.three_issues import append, kept, picture, settle, site, three_issues

PACKAGE = Path(__file__).parent.parent / "newsletter"


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return three_issues(tmp_path)


def tampered(cache: Path, old: bytes, new: bytes) -> int:
    """Put other words into what is remembered; how often they stood there."""
    count = 0
    for path in (cache / "releases").iterdir():
        data = zlib.decompress(path.read_bytes())
        count += data.count(old)
        path.write_bytes(zlib.compress(data.replace(old, new)))
    return count


def test_the_archive_is_built_from_what_is_remembered_and_nothing_else_is(ws, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("NEWSLETTER_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("NEWSLETTER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(ws.root)
    assert run(["archive", "build"]) == 0
    assert tampered(tmp_path / "cache", b"Short words", b"Faked words") > 1
    assert run(["archive", "build"]) == 0
    assert "Faked words" in (ws.build / "public/issues/1-one/index.html").read_text("utf-8")
    assert run(["build", "1"]) == 0
    assert run(["check", "1"]) in {0, 1}
    built = [path.read_text("utf-8") for path in (ws.build / "1-one").rglob("*") if path.suffix in {".html", ".txt"}]
    assert any("Short words" in text for text in built)
    assert not any("Faked words" in text for text in built)
    capsys.readouterr()


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def _flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _foreign(path: Path) -> None:
    path.write_bytes(zlib.compress(b'["0", "0", {"read": [], "there": [], "asked": [["nothing", "x"]]}, null]'))


def _others(path: Path) -> None:
    other = next(one for one in sorted(path.parent.iterdir()) if one != path)
    path.write_bytes(other.read_bytes())


BROKEN = {
    "cut": _cut,
    "flipped": _flipped,
    "empty": lambda path: path.write_bytes(b""),
    "not packed": lambda path: path.write_bytes(b"[]"),
    "of another kind": lambda path: path.write_bytes(zlib.compress(b'{"a": 1}')),
    "foreign": _foreign,
    "another issue's": _others,
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_file_is_as_good_as_none(ws, tmp_path, how):
    cache = tmp_path / "cache"
    before = site(ws.root, cache)
    for path in sorted((cache / "releases").iterdir()):
        BROKEN[how](path)
        if how == "a folder":
            path.rmdir()
            continue
        assert site(ws.root, cache) == before


def test_pictures_that_are_lost_from_the_cache_are_made_again(ws, tmp_path):
    cache = tmp_path / "cache"
    picture(ws.issues / "1-one" / "images" / "a.png", "green", 3000)
    settle()
    before = site(ws.root, cache)
    shutil.rmtree(cache / "images")
    assert site(ws.root, cache) == before


def test_the_cache_is_the_users_alone_and_grows_with_the_issues_only(ws, tmp_path):
    cache = tmp_path / "cache"
    site(ws.root, cache)
    assert stat.S_IMODE((cache / "releases").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (cache / "releases").iterdir()} == {0o600}
    for _ in range(3):
        append(ws.root, "3-three/01-third.md", "More.")
        settle()
        site(ws.root, cache)
    assert len(kept(cache)) == 3
    (cache / "releases" / "tmp123").write_text("left by a process that was killed")
    shutil.rmtree(ws.issues / "3-three")
    site(ws.root, cache)
    assert len(kept(cache)) == 4  # another process may be writing them
    old = time.time() - UNUSED - 1
    for path in (cache / "releases").iterdir():
        os.utime(path, (old, old))
    site(ws.root, cache)
    assert len(kept(cache)) == 2


def test_where_the_cache_cannot_be_written_is_said(ws, tmp_path):
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "releases").write_text("in the way")
    said = site(ws.root, cache)
    assert isinstance(said, str)
    assert f"the cache {cache}/releases cannot be written" in said
    assert "NEWSLETTER_CACHE_DIR" in said


def test_every_library_that_an_issue_passes_through_is_in_what_is_remembered() -> None:
    imported: set[str] = set()
    for path in (one for folder in ("issue", "compile", "archive") for one in (PACKAGE / folder).glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.partition(".")[0])
    holders = packages_distributions()
    foreign = imported - sys.stdlib_module_names - {"newsletter"}
    assert {holders[name][0].lower().replace("_", "-") for name in foreign} == set(LIBRARIES)
