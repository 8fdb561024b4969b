"""What is remembered of issues is what would be made of them now: whatever changes, a build with a cache that saw all
states before gives the same bytes as one without."""

from __future__ import annotations

import random
import shutil
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from PIL import Image

from newsletter.archive import build_archive, releases
from newsletter.compile.edition import Facts, Page
from newsletter.errors import ContentError
from newsletter.issue.catalogue import Catalogue
from newsletter.issue.remembered import Made, Remembered
from newsletter.issue.survey import read_catalogue
from newsletter.workspace import Workspace
from tests.three_issues import append, changed, kept, lines, picture, sent, settle, site, three_issues
from tests.workspaces import SETTINGS, article_file, compiled, issue_file


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return three_issues(tmp_path)


@pytest.fixture
def fresh(tmp_path: Path) -> Callable[..., dict[str, bytes] | str]:
    """fresh(root): the archive, made without anything remembered."""
    caches = (tmp_path / f"fresh-{n}" for n in range(1000))
    return lambda root, readers=None: site(root, next(caches), readers)


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
    "words": lambda root: append(root, "3-three/01-third.md", "More."),
    "words of an article shown elsewhere": lambda root: append(root, "1-one/01-deep-dive.md", "More."),
    "words of its translation": lambda root: append(root, "1-one/01-deep-dive.de.md", "Mehr."),
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
    "a fault": lambda root: append(root, "3-three/01-third.md", "[x](article:nowhere)"),
    "a record that is broken": lambda root: (root / "issues/2-two/sent.json").write_text("{}"),
    "a picture taken away": lambda root: (root / "issues/1-one/images/a.png").unlink(),
}
ASKING = "{% for one in issue.catalogue.issues %}{{ one.title }}{% endfor %}"
PO = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "Subscribe"\nmsgstr "Join us"\n'


def _text(root: Path, name: str, text: str) -> None:
    (root / "issues" / name).write_text(text, "utf-8")


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


def test_what_changes_while_it_is_read_is_not_remembered(ws, tmp_path):
    ws = Workspace(ws.root, ws.settings.model_copy(update={"cache_dir": tmp_path / "cache"}))
    remembered: Remembered[str] = Remembered(ws, read_catalogue(ws), "texts", str)
    path = ws.issues / "3-three" / "01-third.md"

    def read(_catalogue: Catalogue) -> Made[str]:
        text = path.read_text()
        append(ws.root, "3-three/01-third.md", "Somebody writes.")
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
    append(ws.root, "3-three/01-third.md", "[x](article:nowhere)")
    with pytest.raises(ContentError):
        build_archive(ws, releases(ws, lambda _: Facts()), out)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
