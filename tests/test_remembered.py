"""What is remembered of issues is what would be made of them now: whatever changes, a build with a cache that saw all
states before gives the same bytes as one without."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import stat
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from newsletter.archive import build_archive, releases
from newsletter.cache import UNUSED
from newsletter.cli import run
from newsletter.compile.edition import Facts, Page, SentBefore
from newsletter.errors import ContentError, NewsletterError
from newsletter.issue.catalogue import Catalogue, IssueEntry
from newsletter.issue.listing import list_issues
from newsletter.issue.remembered import Made, Remembered
from newsletter.issue.sent import read_sent
from newsletter.issue.survey import read_catalogue
from newsletter.workspace import Workspace
from tests.workspaces import SETTINGS, article_file, compiled, issue_file, workspace

FILES = {
    "1-one/issue.md": issue_file(1, title='"The first: a start"', date="2026-01-05"),
    "1-one/01-deep-dive.md": article_file("Deep words. [](article:short)", title="The deep dive", image="images/a.png"),
    "1-one/01-deep-dive.de.md": article_file("Tiefe Worte.", title="Tief"),
    "1-one/02-short.md": article_file("Short words, and [a file](files/list.csv)."),
    "1-one/files/list.csv": "a,b\n",
    "2-two/issue.md": issue_file(2, "Hello\n\n<!-- articles -->\n\nBye", date="2026-02-05"),
    "2-two/01-again.md": "---\narticle: deep-dive\n---\n",
    "2-two/02-new.md": article_file("See [](article:deep-dive.de), [](issue:1). ![A dot](images/b.png) in a line."),
    "3-three/issue.md": issue_file(3, "We are {{ subscribers.count | default('some') }}.", title="Three"),
    "3-three/01-third.md": article_file(":::also\n\nThird words.", title="Third"),
}
TEXTS = [f"issues/{name}" for name in FILES if name.endswith(".md")]


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    """Three issues that refer to each other, all of them sent."""
    root = tmp_path / "workspace"
    root.mkdir()
    made = workspace(root, FILES)
    for folder, name in (("1-one", "a"), ("2-two", "b")):
        picture(root / "issues" / folder / "images" / f"{name}.png", "red")
    for folder in made.issue_folders():
        sent(folder)
    settle()
    return made


def picture(path: Path, colour: str, width: int = 40) -> None:
    path.parent.mkdir(exist_ok=True)
    Image.new("RGB", (width, 20), colour).save(path)


def sent(folder: Path, **other: object) -> None:
    record = {"id": f"issue{int(folder.name[0]):07}", "hash": "0", "content_digest": "0", "commit": None}
    record |= {"time": "2026-03-01T00:00:00Z", "provider": "outbox", "balance": {"waiting": 0}, "facts": {}, **other}
    (folder / "sent.json").write_text(json.dumps(record))


def settle() -> None:
    """What was written just now may have been written while it was read, and is not remembered."""
    time.sleep(0.15)


def site(root: Path, cache: Path, readers: int | None = None) -> dict[str, bytes] | str:
    """The files of the archive, or why there is none."""
    opened = Workspace.open(root)
    ws = Workspace(opened.root, opened.settings.model_copy(update={"cache_dir": cache}))
    out = root.parent / "public"

    def facts(issue: IssueEntry) -> Facts:
        record = read_sent(ws.issues / issue.folder)
        said = record and SentBefore(hash="0", content_digest=record.content_digest, facts=(*record.facts.items(),))
        return Facts(readers=readers, as_of=date.today(), sent_before=said)

    try:
        build_archive(ws, releases(ws, facts), out)
    except NewsletterError as error:
        return re.sub('"[0-9a-z]{12}"', '"another"', str(error))
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


def lines(root: Path, cache: Path) -> list[Any]:
    """The list of issues; for one that cannot be read, how many faults it has."""
    opened = Workspace.open(root)
    listed = list_issues(Workspace(opened.root, opened.settings.model_copy(update={"cache_dir": cache})))
    return [one if one.line else (one.folder, len(one.problems)) for one in listed]


@pytest.fixture
def fresh(tmp_path: Path) -> Callable[..., dict[str, bytes] | str]:
    """fresh(root): the archive, made without anything remembered."""
    caches = (tmp_path / f"fresh-{n}" for n in range(1000))
    return lambda root, readers=None: site(root, next(caches), readers)


def kept(cache: Path, kind: str = "releases") -> dict[str, int]:
    """The files of the cache, each with what changes when it is written."""
    return {path.name: path.stat().st_ino for path in (cache / kind).iterdir()}


def renewed(ws: Workspace, cache: Path, change: Callable[[], object]) -> int:
    """How many issues are made anew after `change`."""
    settle()
    site(ws.root, cache)
    before = kept(cache)
    change()
    settle()
    site(ws.root, cache)
    after = kept(cache)
    return sum(after[name] != before.get(name) for name in after)


def changed(path: Path, old: str, new: str) -> Callable[[], object]:
    text = path.read_text("utf-8")
    assert old in text
    return lambda: path.write_text(text.replace(old, new), "utf-8")


@pytest.mark.slow
def test_new_words_make_one_issue_anew_and_a_new_title_those_that_name_it(ws, tmp_path):
    cache, issues = tmp_path / "cache", ws.issues
    assert renewed(ws, cache, lambda: None) == 0
    assert renewed(ws, cache, changed(issues / "3-three" / "01-third.md", "Third words", "Other words")) == 1
    assert renewed(ws, cache, changed(issues / "1-one" / "02-short.md", "Short words", "Brief words")) == 1
    assert renewed(ws, cache, changed(issues / "1-one" / "01-deep-dive.md", "Deep words", "Shown twice")) == 2
    assert renewed(ws, cache, changed(issues / "1-one" / "issue.md", "The first", "The very first")) == 2
    assert renewed(ws, cache, changed(issues / "1-one" / "01-deep-dive.de.md", "title: Tief", "title: Tiefer")) == 2
    assert renewed(ws, cache, changed(ws.root / "newsletter.toml", "1 Road", "2 Road")) == 3
    assert renewed(ws, cache, lambda: (issues / "3-three" / "notes.txt").write_text("not part of it")) == 0


EDITS: dict[str, Callable[[Path], object]] = {
    "words": lambda root: _append(root, "3-three/01-third.md", "More."),
    "words of an article shown elsewhere": lambda root: _append(root, "1-one/01-deep-dive.md", "More."),
    "words of its translation": lambda root: _append(root, "1-one/01-deep-dive.de.md", "Mehr."),
    "the title of a linked issue": lambda root: _replace(root, "1-one/issue.md", "The first", "The 1st"),
    "the title of a linked article": lambda root: _replace(root, "1-one/02-short.md", "title: T", "title: U"),
    "a picture": lambda root: picture(root / "issues/1-one/images/a.png", "blue"),
    "a picture's size": lambda root: picture(root / "issues/2-two/images/b.png", "red", 60),
    "a file": lambda root: (root / "issues/1-one/files/list.csv").write_text("c,d\n"),
    "a new translation": lambda root: _text(root, "1-one/01-deep-dive.fr.md", article_file("Profond.", title="F")),
    "a translation taken away": lambda root: (root / "issues/1-one/01-deep-dive.de.md").unlink(),
    "a new article": lambda root: _text(root, "3-three/02-more.md", article_file("More.", title="More")),
    "a renamed folder": lambda root: (root / "issues/3-three").rename(root / "issues/4-three"),
    "a date": lambda root: _replace(root, "1-one/issue.md", "2026-01-05", "2026-04-05"),
    "when it was sent": lambda root: sent(root / "issues/3-three", time="2026-05-01T00:00:00Z"),
    "what was sent": lambda root: sent(
        root / "issues/1-one", content_digest=compiled(Workspace.open(root), "1").content_digest
    ),
    "facts that were sent": lambda root: sent(root / "issues/3-three", facts={"subscribers.count": "340+"}),
    "another one sent": lambda root: _new_issue(root),  # noqa: PLW0108 - defined below
    "one not sent": lambda root: (root / "issues/1-one/sent.json").unlink(),
    "one taken away": lambda root: shutil.rmtree(root / "issues/3-three"),
    "a setting": lambda root: _toml(root, 'postal_address = "1 Road"', 'postal_address = "2 Road"'),
    "a colour": lambda root: (root / "newsletter.toml").write_text(SETTINGS + '[theme]\nbrand = "#aa2200"\n'),
    "a logo": lambda root: _logo(root, "red"),
    "a template": lambda root: _template(root, "web/byline.html.j2", "<p>By nobody.</p>"),
    "a template for one block": lambda root: _template(root, "blocks/prose.web.html.j2", "<p>Nothing.</p>"),
    "a template that asks for all issues": lambda root: _template(root, "web/byline.html.j2", ASKING),
    "words of the theme": lambda root: _template(root, "locale/en.po", PO),
    "a slug that stands twice": lambda root: _text(root, "3-three/02-short.md", article_file("x")),
    "an id that stands twice": lambda root: _replace(root, "3-three/issue.md", "issue0000003", "issue0000001"),
    "a fault": lambda root: _append(root, "3-three/01-third.md", "[x](article:nowhere)"),
    "a record that is broken": lambda root: (root / "issues/2-two/sent.json").write_text("{}"),
    "a picture taken away": lambda root: (root / "issues/1-one/images/a.png").unlink(),
}
ASKING = "{% for one in issue.catalogue.issues %}{{ one.title }}{% endfor %}"
PO = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "Subscribe"\nmsgstr "Join us"\n'


def _text(root: Path, name: str, text: str) -> None:
    (root / "issues" / name).write_text(text, "utf-8")


def _append(root: Path, name: str, words: str) -> None:
    path = root / "issues" / name
    path.write_text(f"{path.read_text('utf-8')}\n{words}\n", "utf-8")


def _replace(root: Path, name: str, old: str, new: str) -> None:
    changed(root / "issues" / name, old, new)()


def _toml(root: Path, old: str, new: str) -> None:
    changed(root / "newsletter.toml", old, new)()


def _template(root: Path, name: str, text: str) -> None:
    path = root / "templates" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def _logo(root: Path, colour: str) -> None:
    (root / "newsletter.toml").write_text(SETTINGS + '[theme]\nlogo = "logo.png"\n')
    Image.new("RGB", (60, 20), colour).save(root / "logo.png")


def _new_issue(root: Path) -> None:
    folder = root / "issues" / "5-five"
    folder.mkdir(exist_ok=True)
    _text(root, "5-five/issue.md", issue_file(5, date="2026-06-01", title="Five"))
    _text(root, "5-five/01-again.md", "---\narticle: third\n---\n")
    sent(folder)


@pytest.mark.parametrize("edit", EDITS)
def test_a_change_shows_as_if_nothing_were_remembered(ws, tmp_path, fresh, edit):
    cache = tmp_path / "cache"
    before = site(ws.root, cache)
    assert isinstance(before, dict)
    assert len(lines(ws.root, cache)) == 3
    EDITS[edit](ws.root)
    after = site(ws.root, cache)
    assert after == fresh(ws.root)
    assert after != before
    assert lines(ws.root, cache) == lines(ws.root, tmp_path / "other")
    settle()
    assert site(ws.root, cache) == after


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_any_row_of_changes_shows_as_if_nothing_were_remembered(ws, tmp_path, fresh, seed):
    """Changes are made and undone, so that states come back that the cache has seen."""
    chance, cache, states = random.Random(seed), tmp_path / "cache", tmp_path / "states"
    for step in range(12):
        shutil.copytree(ws.root, states / str(step))
        with pytest.MonkeyPatch.context() as tried:
            tried.chdir(ws.root)
            try:
                EDITS[chance.choice([*EDITS])](ws.root)
            except (OSError, AssertionError):
                continue  # what it changes is gone already
        if chance.random() < 0.5:
            settle()
        readers = chance.choice([None, 12, 345])
        assert site(ws.root, cache, readers) == fresh(ws.root, readers), step
        assert lines(ws.root, cache) == lines(ws.root, tmp_path / f"lines-{step}")
        if chance.random() < 0.5:
            shutil.rmtree(ws.root)
            shutil.copytree(states / str(chance.randint(0, step)), ws.root)


@pytest.mark.slow
def test_the_number_of_readers_is_that_of_today(ws, tmp_path, fresh):
    cache = tmp_path / "cache"
    for readers, said in ((None, "some"), (12, "12"), (12, "12"), (345, "300+"), (None, "some")):
        settle()
        found = site(ws.root, cache, readers)
        assert found == fresh(ws.root, readers)
        assert f"We are {said}.".encode() in found["issues/3-three/index.html"]


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
        _append(ws.root, "3-three/01-third.md", "More.")
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


def test_what_changes_while_it_is_read_is_not_remembered(ws, tmp_path):
    ws = Workspace(ws.root, ws.settings.model_copy(update={"cache_dir": tmp_path / "cache"}))
    remembered: Remembered[str] = Remembered(ws, read_catalogue(ws), "texts", str)
    path = ws.issues / "3-three" / "01-third.md"

    def read(_catalogue: Catalogue) -> Made[str]:
        text = path.read_text()
        _append(ws.root, "3-three/01-third.md", "Somebody writes.")
        return Made(text)

    remembered.of(path.parent, "", read)
    settle()
    now = path.read_text()
    for _ in range(2):
        assert remembered.of(path.parent, "", lambda _: Made(path.read_text())) == now


def test_what_cannot_be_read_is_listed_with_its_faults_until_it_is_mended(ws, tmp_path):
    cache = tmp_path / "cache"
    third = ws.issues / "3-three" / "01-third.md"
    text = third.read_text()
    third.write_text(f"{text}\n:::quote\n:::post\n")
    settle()
    for _ in range(2):
        assert lines(ws.root, cache)[2] == (ws.issues / "3-three", 2)
    third.write_text(text)
    assert [one.line.title for one in lines(ws.root, cache)] == ["The first: a start", "Issue 2", "Three"]


def test_a_site_of_many_issues_takes_little_more_memory_than_one_of_few(ws, tmp_path):
    """Each of these weighs a megabyte."""
    settings = ws.settings.model_copy(update={"cache_dir": tmp_path / "cache"})
    ws = Workspace(ws.root, settings)
    one = next(releases(ws, lambda _: Facts()))

    def many(count: int) -> Iterator[object]:
        for n in range(count):
            headline = replace(one.headline, slug=f"{n}-many", number=n, date=date(2020, 1, 1) + timedelta(n))
            yield replace(one, headline=headline, pages=(Page(path=f"issues/{n}-many/index.html", html="x" * 10**6),))

    def peak(count: int) -> int:
        tracemalloc.start()
        build_archive(ws, many(count), tmp_path / "public")
        try:
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few, more = peak(25), peak(100)
    assert more < few * 1.2


def test_a_build_that_fails_on_the_way_leaves_the_site_as_it_was(ws, tmp_path):
    cache = tmp_path / "cache"
    site(ws.root, cache)
    out = tmp_path / "public"
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    _append(ws.root, "3-three/01-third.md", "[x](article:nowhere)")
    with pytest.raises(ContentError):
        build_archive(ws, releases(ws, lambda _: Facts()), out)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
