"""Words of the front matter and of directives' arguments stay words: whatever they hold, no output has an element or an
attribute more. The keys are those of the models, so that a new one is tried too.
"""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

import pytest
from pydantic import BaseModel

from newsletter.archive.build import build_archive
from newsletter.archive.release import released
from newsletter.compile.edition import Facts, SentBefore
from newsletter.compile.pipeline import compile_issue
from newsletter.compile.render import Theme
from newsletter.compile.slots import specimen_html
from newsletter.errors import ContentError, Place
from newsletter.issue.blocks import DIRECTIVES, Body
from newsletter.issue.front import AgainFront, ArticleFront, IssueFront, TranslationFront
from newsletter.issue.load import load_issue
from newsletter.issue.sent import Sent, write_sent
from newsletter.workspace import Workspace
from tests.workspaces import workspace

HARMLESS = "plain words"
PAYLOADS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=1>',
    "' onmouseover='alert(1)",
    "</style></title></textarea></mj-text></mj-raw>",
    "]]>",
    "--><!--",
    "&#60;b>&lt;i>",
    "`<b>`*<i>*[<u>](javascript:1)",
    "{{7*7}}",
    "{% raw %}{{ '<b>' }}",
    "\u202e<b>\u2066",
)
SHAPES = ("{}", "https://example.org/{}", "{} <jo@example.org>", "[{}]")
MODELS = {"issue.md": IssueFront, "01-a.md": ArticleFront, "01-a.de.md": TranslationFront, "02-b.md": AgainFront}
FIXED = {
    "issue.md": ('id: "hostile00001"', "title: T", "subject: S", "date: 2026-01-02"),
    "01-a.md": ("title: T", "slug: a"),
    "01-a.de.md": ("title: T",),
    "02-b.md": ("article: old",),
}
BODIES = {"issue.md": "Hello.\n\n<!-- articles -->\n", "01-a.md": "Words.\n", "01-a.de.md": "Worte.\n", "02-b.md": ""}
OLD = {
    "0-old/issue.md": '---\nid: "hostile00000"\ntitle: Old\nsubject: S\n---\n',
    "0-old/01-old.md": "---\ntitle: Old\n---\nWords.\n",
}
LISTS = {"tags": "[{}]", "errata": "[{{date: 2026-01-03, text: {}}}]"}
KEPT = {"place", "children", "line", "nodes", "entries"}


@dataclass(frozen=True)
class Spot:
    """A place for words: a key of a file's front matter, or an argument of a directive; `shape` is how they stand."""

    file: str
    directive: str
    key: str
    shape: str

    def line(self, words: str) -> str:
        said = self.shape.format(words)
        if not self.directive:
            quoted = f"'{said.replace(chr(39), chr(39) * 2)}'"
            return f"{self.key}: {LISTS.get(self.key, '{}').format(quoted)}"
        return f':::{self.directive} {self.key}="{said}"'


def written(spots: list[Spot], words: str) -> tuple[dict[str, str], dict[tuple[str, int], Spot]]:
    """The files of the issue with `words` in each of `spots`, and which of them stands in which line."""
    files, lines = {}, {}
    for name in MODELS:
        own = [spot for spot in spots if spot.file == name and not spot.directive]
        fixed = [line for line in FIXED[name] if line.partition(":")[0] not in {spot.key for spot in own}]
        text = ["---", *fixed]
        for spot in own:
            text.append(spot.line(words))
            lines[name, len(text)] = spot
        text += ["---", BODIES[name]] if BODIES[name] else ["---"]
        for spot in (spot for spot in spots if spot.file == name and spot.directive):
            text = "\n".join(text).split("\n")
            others = [f"{key}={value}" for key, value in required(spot.directive).items() if key != spot.key]
            text.append(" ".join([spot.line(words), *others]))
            lines[name, len(text)] = spot
            text += ["Words.", ":::"] if DIRECTIVES[spot.directive].body is not Body.NONE else []
        files[f"1-new/{name}"] = "\n".join(text) + "\n"
    return files, lines


def required(directive: str) -> dict[str, str]:
    """What else a directive needs to be one."""
    fields = DIRECTIVES[directive].model_fields
    known = {"url": "https://example.org"}
    needed = {info.alias or name for name, info in fields.items() if info.is_required() and name not in KEPT}
    found = {name: known.get(name, "x") for name in needed}
    return found or ({"who": "web"} if directive == "only" else {})


@cache
def spots() -> tuple[Spot, ...]:
    """Every key and argument that takes words, as the loader says itself."""
    found = []
    for spot in candidates():
        same = [one for one in found if (one.file, one.directive, one.key) == (spot.file, spot.directive, spot.key)]
        if not same and loads(spot):
            found.append(spot)
    return tuple(found)


def candidates() -> Iterator[Spot]:
    for file, model in MODELS.items():
        yield from (Spot(file, "", key, shape) for key in keys(model) for shape in SHAPES)
    for directive, kind in DIRECTIVES.items():
        for key in keys(kind):
            yield from (Spot(file, directive, key, shape) for file in ("issue.md", "01-a.md") for shape in SHAPES)


def keys(model: type[BaseModel]) -> list[str]:
    return [info.alias or name for name, info in model.model_fields.items() if name not in KEPT]


def loads(spot: Spot) -> bool:
    with TemporaryDirectory() as folder:
        try:
            load(Path(folder), [spot], HARMLESS)
        except ContentError:
            return False
        return True


def load(root: Path, chosen: list[Spot], words: str) -> Workspace:
    files, _ = written(chosen, words)
    ws = workspace(root, {**OLD, **files})
    load_issue(ws, ws.issues / "1-new")
    return ws


@cache
def structure(chosen: tuple[Spot, ...], words: str) -> tuple[dict[str, Counter[str]], tuple[Spot, ...]]:
    """The elements and attributes of every output, by its name, and the spots in which `words` were accepted."""
    kept = list(chosen)
    with TemporaryDirectory() as folder:
        while True:
            try:
                ws = load(Path(folder), kept, words)
                return outputs(ws), tuple(kept)
            except ContentError as error:
                faults = {at(problem.where) for problem in error.problems}
            _, lines = written(kept, words)
            assert faults & lines.keys(), faults
            kept = [spot for spot in kept if spot not in {lines.get(fault) for fault in faults}]


def at(place: Place | None) -> tuple[str, int]:
    assert place is not None
    assert place.line is not None
    assert place.column is not None
    return place.path.name, place.line


def outputs(ws: Workspace) -> dict[str, Counter[str]]:
    """Everything that is made of the issue: email, MJML, pages, the archive’s front page and feed."""
    folder = ws.issues / "1-new"
    before = SentBefore(hash="0", content_digest="0")
    issue = load_issue(ws, folder)
    edition = compile_issue(issue, Theme.of(ws), Facts(sent_before=before), ws.settings)
    day = datetime.datetime(2026, 1, 3, tzinfo=datetime.UTC)
    sent = Sent(id=issue.id, hash="0", content_digest="0", commit=None, time=day, provider="outbox", balance={})
    write_sent(folder, sent)
    out = ws.root / "public"
    release = released(issue, edition, Theme.of(ws), ws.settings)
    assert release
    build_archive(ws, [release], out)
    found = {f"email {n}": html_of(variant.html.fill(specimen_html)) for n, variant in enumerate(edition.variants)}
    found["mjml"] = xml_of(edition.mjml)
    found["feed"] = feed_of((out / "feed.xml").read_text())
    pages = {str(path.relative_to(out)): html_of(path.read_text()) for path in out.rglob("*.html")}
    return found | pages


def html_of(html: str) -> Counter[str]:
    reader = _Elements()
    reader.feed(html)
    reader.close()
    return reader.found


def xml_of(text: str) -> Counter[str]:
    return Counter(
        f"{element.tag} {' '.join(sorted(element.attrib))}" for element in ElementTree.fromstring(text).iter()
    )


def feed_of(text: str) -> Counter[str]:
    """The elements of the feed, and those of the HTML that stands in it as text."""
    inside = [element.text or "" for element in ElementTree.fromstring(text).iter() if element.get("type") == "html"]
    return sum((html_of(html) for html in inside), xml_of(text))


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found[f"{tag} {' '.join(sorted(name for name, _ in attrs))}"] += 1


def test_the_keys_are_found() -> None:
    found = {(spot.directive, spot.key) for spot in spots()}
    assert {
        ("", key) for key in ("title", "hook", "author", "caption", "credit", "alt", "tags", "subject", "errata")
    } <= found
    assert {("quote", "by"), ("post", "handle"), ("figure", "alt"), ("button", "url"), ("cta", "button")} <= found
    assert len(spots()) > 60


@pytest.mark.parametrize("payload", PAYLOADS)
def test_words_stay_words(payload: str) -> None:
    hostile, accepted = structure(spots(), payload)
    harmless, _ = structure(accepted, HARMLESS)
    changed = {name: (hostile[name] - harmless[name], harmless[name] - hostile[name]) for name in harmless}
    assert {name: counts for name, counts in changed.items() if any(counts)} == {}
    assert hostile.keys() == harmless.keys()
    if not re.search(r"\{\{", payload):
        assert {"title", "hook", "author", "tags"} <= {spot.key for spot in accepted}
