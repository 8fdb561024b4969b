"""The archive: a site in which everything resolves, a feed, and a folder that is never half built."""

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from posixpath import dirname, join, normpath
from urllib.parse import unquote, urldefrag

import feedparser
import pytest

from newsletter.archive import build_archive, released, releases
from newsletter.archive.release import Release
from newsletter.compile.edition import Edition, Facts, SentBefore
from newsletter.compile.pipeline import compile_issue
from newsletter.compile.render import Theme
from newsletter.errors import ConfigError, ContentError, NewsletterError
from newsletter.issue.load import load_issue
from newsletter.issue.model import Issue
from newsletter.issue.sent import Sent, read_sent, write_sent
from newsletter.workspace import Workspace
from tests.everything import everything
from tests.pages import Read

SITE = "https://every.example.org/"


def compiled(workspace: Workspace) -> list[tuple[Issue, Edition]]:
    """Every issue, whether it was sent or not."""
    issues = [load_issue(workspace, folder) for folder in workspace.issue_folders()]
    theme = Theme.of(workspace)
    return [(issue, compile_issue(issue, theme, facts(issue), workspace.settings)) for issue in issues]


def facts(issue: Issue) -> Facts:
    sent = read_sent(issue.folder)
    return Facts(sent_before=SentBefore(hash=sent.hash, content_digest=sent.content_digest) if sent else None)


def public(workspace: Workspace, pairs: list[tuple[Issue, Edition]]) -> list[Release]:
    """Those that were sent."""
    found = (released(issue, edition, Theme.of(workspace), workspace.settings) for issue, edition in pairs)
    return [release for release in found if release]


def send(issue: Issue, edition: Edition) -> None:
    """As if it had been sent."""
    record = Sent(
        id=issue.id,
        hash=edition.hash,
        content_digest=edition.content_digest,
        commit=None,
        time=datetime(2026, 5, 6, 7, tzinfo=UTC),
        provider="outbox",
        balance={},
    )
    write_sent(issue.folder, record)


def short_issue(workspace: Workspace, number: int, date: str | None, title: str = "Short") -> None:
    folder = workspace.issues / f"{number}-short"
    folder.mkdir()
    dated = f"date: {date}\n" if date else ""
    front = f'---\nid: "short{number:07}"\nnumber: {number}\ntitle: "{title}"\nsubject: S\n{dated}---\n'
    (folder / "issue.md").write_text(f"{front}Hello.\n\n<!-- articles -->\n")
    (folder / "01-one.md").write_text(f"---\ntitle: One of {number}\nslug: one-{number}\n---\nWords.\n")


@pytest.fixture
def workspace(tmp_path):
    root = tmp_path / "workspace"
    root.mkdir()
    return everything(root)


@pytest.fixture
def built(workspace, tmp_path):
    """built(): the folder of the site of all issues in the workspace, sent on the way, and the report."""

    def build():
        pairs = compiled(workspace)
        for issue, edition in pairs:
            if not (issue.folder / "sent.json").exists():
                send(issue, edition)
        return tmp_path / "public", build_archive(workspace, public(workspace, pairs), tmp_path / "public")

    return build


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_link_and_file_of_the_site_is_there(workspace, built):
    for number, date in ((1, "2024-01-01"), (8, "2026-01-01")):
        short_issue(workspace, number, date)
    (workspace.issues / "1-short").rename(workspace.issues / "1 kürzer?")
    folder, report = built()
    written = files(folder)
    pages = {name: Read(text.decode()) for name, text in written.items() if name.endswith(".html")}
    assert len(pages) == report.issues + report.articles + 2
    for name, page in pages.items():
        assert page.unclosed == []
        for element in page.all("a", "img", "link"):
            address, fragment = urldefrag(element["href"] or element["src"])
            if ":" in address and element["hreflang"] and element.tag == "link":
                assert f"{address.removeprefix(SITE)}index.html" in written
                continue
            if ":" in address or element["rel"] == "canonical":
                assert not address.startswith(SITE) or element["rel"] == "canonical"
                continue
            target = normpath(join("/", dirname(name), unquote(address))).lstrip("/") if address else name
            target = join(target, "index.html").lstrip("/") if address.endswith("/") or target == "." else target
            target = target.removeprefix("./")
            assert target in written, f"{name}: {address}"
            if fragment:
                assert fragment in {one["id"] for one in pages[target].elements}, f"{name}: #{fragment}"
    addresses = written["sitemap.txt"].decode().split()
    assert len(addresses) == len(set(addresses)) == report.issues + report.articles + 1
    for address in addresses:
        assert f"{unquote(address).removeprefix(SITE)}index.html" in written
    assert f"Sitemap: {SITE}sitemap.txt" in written["robots.txt"].decode()


def test_the_front_page_has_the_newest_large_and_the_rest_by_year(workspace, built):
    for number, date, title in ((1, "2024-02-03", "Ape"), (2, "2024-02-03", "Bee"), (8, "2026-01-01", "Cat")):
        short_issue(workspace, number, date, title)
    folder, _ = built()
    page = Read((folder / "index.html").read_text("utf-8"))
    assert [(one.tag, one.text) for one in page.all("h1", "h2", "h3")] == [
        ("h1", "All that there is, in one letter."),
        ("h2", "Everything"),
        ("h2", "Earlier issues"),
        ("h3", "2026"),
        ("h3", "2024"),
    ]
    assert re.findall(r"\b(?:Ape|Bee|Cat)\b", page.text) == ["Cat", "Bee", "Ape"]
    assert "All of it, dear <reader>." in page.text
    form = page.all("form")[0]
    assert form["action"] == f"{SITE}subscribe"
    assert [field["name"] for field in page.all("input")] == ["email"]


def test_an_issue_without_a_date_stands_where_it_was_sent(workspace, built):
    short_issue(workspace, 10, None)
    folder, _ = built()
    page = Read((folder / "index.html").read_text("utf-8"))
    assert page.all("h2")[0].text == "Short"
    assert "6 May 2026" in page.text


def test_an_archive_without_issues_is_one(workspace, tmp_path):
    build_archive(workspace, [], tmp_path / "public")
    assert "The first issue is being written." in (tmp_path / "public" / "index.html").read_text("utf-8")
    feed = feedparser.parse((tmp_path / "public" / "feed.xml").read_bytes())
    assert (feed.bozo, feed.entries) == (False, [])


def test_the_feed(workspace, built):
    short_issue(workspace, 8, "2026-01-01")
    folder, _ = built()
    feed = feedparser.parse((folder / "feed.xml").read_bytes(), sanitize_html=False, resolve_relative_uris=False)
    assert not feed.bozo
    assert feed.version == "atom10"
    assert feed.feed.title == "Every & Thing"
    assert {link.rel: link.href for link in feed.feed.links} == {"self": f"{SITE}feed.xml", "alternate": SITE}
    assert feed.feed.updated == "2026-03-04T00:00:00Z"
    newest, older = feed.entries
    assert (newest.title, older.title) == ("Everything", "Short")
    assert newest.link == f"{SITE}issues/9-everything/"
    assert newest.updated == newest.published == "2026-03-04T00:00:00Z"
    assert newest.id.startswith("urn:uuid:")
    assert len({newest.id, older.id, feed.feed.id}) == 3
    content = Read(newest.content[0].value)
    assert "Hello dear <reader>" in content.text
    assert "Nobody yet" not in content.text
    assert not content.all("form", "input", "script", "style")
    assert [one["href"] or one["src"] for one in content.all("a", "img")]
    for one in content.all("a", "img"):
        assert (one["href"] or one["src"]).startswith(("https://", "#", "mailto:"))


def test_the_id_of_an_entry_outlives_a_rename_and_a_move(workspace, built):
    def ids():
        folder, _ = built()
        return [entry.id for entry in feedparser.parse((folder / "feed.xml").read_bytes()).entries]

    before = ids()
    (workspace.issues / "9-everything").rename(workspace.issues / "009-renamed")
    moved = workspace.settings.publication.model_copy(update={"url": "https://elsewhere.example.org"})
    object.__setattr__(workspace, "settings", workspace.settings.model_copy(update={"publication": moved}))
    assert ids() == before


def test_drafts_are_left_out(workspace, built, tmp_path):
    short_issue(workspace, 8, "2026-01-01")
    built()
    for number in (11, 12):
        short_issue(workspace, number, "2026-09-09", "Not for your eyes")
    copied = workspace.issues / "12-short" / "sent.json"  # a folder begun as a copy of an older one
    shutil.copy(workspace.issues / "8-short" / "sent.json", copied)
    report = build_archive(workspace, public(workspace, compiled(workspace)), tmp_path / "public")
    assert report.issues == 2
    for content in files(tmp_path / "public").values():
        assert b"Not for your eyes" not in content


def test_an_issue_that_was_changed_says_so(workspace, built):
    built()
    path = workspace.issues / "9-everything" / "issue.md"
    text = path.read_text("utf-8").replace("Bye.", "Farewell.")
    path.write_text(text.replace('hook: "Test"\n', "errata:\n  - date: 2026-06-07\n    text: We said bye.\n"), "utf-8")
    folder, report = built()
    assert report.updated == ("9-everything",)
    page = Read((folder / "issues" / "9-everything" / "index.html").read_text("utf-8"))
    assert "Updated" in page.text
    assert "7 June 2026: We said bye." in page.text
    entry = feedparser.parse((folder / "feed.xml").read_bytes()).entries[0]
    assert entry.updated == "2026-06-07T00:00:00Z"
    assert entry.published == "2026-03-04T00:00:00Z"


def test_the_same_issues_give_the_same_site(built):
    folder, _ = built()
    first = files(folder)
    folder, _ = built()
    assert files(folder) == first


def test_what_is_gone_from_the_issues_is_gone_from_the_site(workspace, built):
    short_issue(workspace, 8, "2026-01-01")
    folder, _ = built()
    shutil.rmtree(workspace.issues / "8-short")
    folder, _ = built()
    assert not (folder / "issues" / "8-short").exists()
    assert [path.name for path in folder.parent.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("what", ["a folder with files", "a file"])
def test_what_is_not_ours_is_never_replaced(workspace, tmp_path, what):
    out = tmp_path / "public"
    if what == "a file":
        out.write_text("mine")
    else:
        out.mkdir()
        (out / "thesis.txt").write_text("mine")
    with pytest.raises(ConfigError):
        build_archive(workspace, [], out)
    assert (out if what == "a file" else out / "thesis.txt").read_text() == "mine"


def test_a_build_that_fails_leaves_the_site_as_it_was(workspace, built):
    folder, _ = built()
    before = files(folder)
    ready = public(workspace, compiled(workspace))
    (workspace.issues / "9-everything" / "images" / "s.png").unlink()  # after it was compiled
    with pytest.raises(NewsletterError):
        build_archive(workspace, ready, folder)
    (workspace.issues / "9-everything" / "sent.json").write_text("{}")
    with pytest.raises(ContentError):
        build_archive(workspace, releases(workspace, lambda _: Facts()), folder)
    assert files(folder) == before
    assert [path.name for path in folder.parent.iterdir() if path.name.startswith(".")] == []
