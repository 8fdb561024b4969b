"""Two real newsletters, 511 issues of them: each goes in and comes out whole.

They lie in ../shared/corpus beside the checkout; where they do not, these tests are skipped.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from newsletter.checks import CheckReport, Finding, check
from newsletter.checks.writing import links_of
from newsletter.compile.edition import Edition, Facts
from newsletter.compile.pipeline import compile_issue
from newsletter.compile.render import Theme
from newsletter.compile.slots import specimen_html, specimen_text
from newsletter.issue.importing import jekyll
from newsletter.issue.importing.article import Imported
from newsletter.issue.importing.posts import bring
from newsletter.issue.load import load_issue
from newsletter.issue.model import Issue
from newsletter.issue.survey import read_catalogue
from newsletter.workspace import Workspace
from tests.real.desk import REPOSITORY

CORPUS = REPOSITORY.parent / "shared" / "corpus"
POSTS = {"lwkd": 386, "techworkers": 125}

pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpora are not beside this checkout, in ../shared/corpus"),
]
SETTINGS = """
[publication]
id = "corpora00000"
name = "Corpora"
url = "https://corpora.example.org"
from = "Jo <jo@corpora.example.org>"
postal_address = "1 Road"
"""
AS_IT_IS = ("call-to-action",)  # an invitation that became a form would not be in a subscriber's mail
_LIQUID = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)


@dataclass(frozen=True)
class Journey:
    """One post on its way: the file, what the import said of it, the issue, the edition, the findings."""

    post: Path
    article: Imported
    issue: Issue
    edition: Edition
    report: CheckReport

    @property
    def html(self) -> str:
        return self.edition.variants[0].html.fill(specimen_html)

    @property
    def text(self) -> str:
        return self.edition.variants[0].text.fill(specimen_text)

    @property
    def source(self) -> str:
        return self.post.read_text("utf-8-sig")

    @property
    def body(self) -> str:
        """What the post says behind its front matter."""
        return self.source.split("\n---\n", 1)[1]

    @property
    def front(self) -> dict[str, Any]:
        found: dict[str, Any] = yaml.safe_load(self.source.split("\n---\n", 1)[0])
        return found

    def findings(self, *rules: str) -> list[Finding]:
        return [finding for finding in self.report.findings if finding.rule in rules]


@pytest.fixture(scope="module", params=POSTS)
def journeys(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Journey]:
    """Every post of a corpus, read, written into a workspace, loaded, compiled and checked."""
    root = tmp_path_factory.mktemp(request.param)
    (root / "newsletter.toml").write_text(SETTINGS)
    workspace = Workspace.open(root)
    brought = list(bring(workspace, jekyll.read(CORPUS / request.param, ""), keep=AS_IT_IS))
    catalogue, theme, facts = read_catalogue(workspace), Theme.of(workspace), Facts()
    found = []
    for one in brought:
        assert one.post.file
        assert one.folder
        assert one.article, one.problems
        issue = load_issue(workspace, one.folder, catalogue)
        edition = compile_issue(issue, theme, facts, workspace.settings)
        report = check(issue, edition, facts, workspace.settings)
        found.append(Journey(one.post.file, one.article, issue, edition, report))
    assert len(found) == POSTS[request.param]
    return found


def test_every_link_that_goes_in_comes_out(journeys: list[Journey]) -> None:
    wrong = {}
    for journey in journeys:
        written = Counter(links_in_post(journey))
        loaded = Counter(unquote(link.url) for link in links_of(journey.issue))
        mailed = Counter(links_in_html(journey.html))
        listed = set(links_in_text(journey.text, written))
        refused = " ".join(unquote(finding.message) for finding in journey.findings("LINK003"))
        unable = {url: count for url, count in (written - mailed).items() if url in refused}
        kept = written - Counter(unable)
        if not (written == loaded and kept == mailed - Counter({"": sum(unable.values())}) and set(written) == listed):
            wrong[journey.post.name] = {
                "not loaded": written - loaded,
                "invented": loaded - written,
                "not mailed": kept - mailed,
                "not in the text": set(written) ^ listed,
            }
    assert wrong == {}


def test_what_liquid_leaves_is_reported_with_file_and_line(journeys: list[Journey]) -> None:
    for journey in journeys:
        tags = list(_LIQUID.finditer(journey.source))
        lines = [journey.source.count("\n", 0, tag.start()) + 1 for tag in tags]
        assert [repair.line for repair in journey.article.repairs if repair.name == "liquid"] == lines
        findings = journey.findings("CONT010")
        assert {" ".join(tag[0].split()) for tag in tags} == {
            finding.message.removeprefix("`").partition("` is left over")[0] for finding in findings
        }
        assert all(finding.place and finding.place.column for finding in findings)


def test_pictures_that_are_not_there_leave_their_words_and_a_report(journeys: list[Journey]) -> None:
    for journey in journeys:
        reported = [repair for repair in journey.article.repairs if repair.said.startswith("not there: ")]
        image = journey.front.get("image", {})
        locally = [src for src in pictures_in_markdown(journey.body) if not src.startswith("http")]
        assert len(reported) == len(locally) + bool(image.get("file"))
        assert journey.article.pictures == {}
        if image.get("file"):
            lead = str(image.get("caption") or image.get("alt") or "")
            assert words_of(lead) in words_of(journey.text)


def words_of(text: str) -> str:
    """The words of `text`, whatever its spaces and quotation marks."""
    return " ".join(re.sub(r"[‘’“”\"']", "", text).split())


def links_in_post(journey: Journey) -> Iterator[str]:
    """The addresses that a post links to: those of its text as markdown-it reads it, and that of its lead picture."""
    yield from (unquote(str(token.attrs["href"])) for token in tokens_of(journey.body) if token.type == "link_open")
    image = journey.front.get("image", {})
    if image.get("file") and image.get("source_link"):
        yield unquote(image["source_link"])


def pictures_in_markdown(text: str) -> list[str]:
    return [str(token.attrs["src"]) for token in tokens_of(text) if token.type == "image"]


def tokens_of(text: str) -> list[Token]:
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    return [child for token in parser.parse(text) for child in (token, *(token.children or ()))]


def links_in_html(html: str) -> list[str]:
    """The addresses of the links in what writers wrote, as Python’s HTML parser reads it."""
    reader = _Prose()
    reader.feed(html)
    reader.close()
    return reader.links


def links_in_text(text: str, known: Counter[str]) -> Iterator[str]:
    """The addresses that `text` lists under a number, and those of `known` that it says in passing."""
    for paragraph in text.split("\n\n"):
        lines = [re.fullmatch(r"\[\d+\] (\S+)", line) for line in paragraph.strip("\n").split("\n")]
        yield from (unquote(line[1]) for line in lines if line and all(lines))
    yield from (url for url in known if url.removeprefix("mailto:") in unquote(text))


class _Prose(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag == "div":
            self._depth += bool(self._depth) or not {"prose", "caption"}.isdisjoint((said.get("class") or "").split())
        elif tag == "a" and self._depth:
            self.links.append(unquote(said.get("href") or ""))

    def handle_endtag(self, tag: str) -> None:
        self._depth -= tag == "div" and self._depth > 0
