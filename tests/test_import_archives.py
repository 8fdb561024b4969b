"""Archives of Ghost and Substack: what becomes of their posts, and how they become folders of issues."""

from __future__ import annotations

import json
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.cli import run
from newsletter.errors import Collected, ContentError
from newsletter.issue.blocks import Block, Button, Cta, Figure, Note, Only, Quote, walk
from newsletter.issue.blocks import Post as PostBlock
from newsletter.issue.importing.archives import unpacked
from newsletter.issue.importing.posts import Brought, Post, State, bring
from newsletter.issue.importing.sources import read_posts
from newsletter.issue.load import load_issue
from newsletter.issue.markdown import parse
from newsletter.issue.model import Issue
from newsletter.issue.source import Source
from newsletter.workspace import Workspace
from tests.exports import PICTURE, ghost_json, ghost_zip, packed, substack_zip
from tests.imports import words_of_blocks
from tests.workspaces import SETTINGS


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A newsletter without issues."""
    root = tmp_path / "letters"
    root.mkdir()
    (root / "newsletter.toml").write_text(
        '[publication]\nid = "k3v9q2m8w1zt"\nname = "N"\nurl = "https://n.example.org"\nfrom = "a@n.example.org"\n'
    )
    return Workspace.open(root)


def posts_of(source: str, archive: Path, site: str = "") -> dict[str, Post]:
    return {post.slug: post for post in read_posts(source, archive, site)}


def blocks_of(post: Post) -> list[Block]:
    problems = Collected()
    blocks = parse(Source.of(Path("a.md"), post.read().body), problems).blocks
    problems.stop_if_any()
    return walk(blocks)


def only(blocks: list[Block], kind: type[Any]) -> Any:
    (found,) = (block for block in blocks if isinstance(block, kind))
    return found


def loaded(workspace: Workspace) -> dict[str, Issue]:
    return {folder.name: load_issue(workspace, folder) for folder in workspace.issue_folders()}


def test_ghosts_posts(tmp_path: Path) -> None:
    posts = posts_of("ghost", ghost_zip(tmp_path))
    assert {slug: (post.state, str(post.date)) for slug, post in posts.items()} == {
        "forty-stalls": (State.PUBLISHED, "2024-11-13"),
        "ten-cars": (State.SENT, "2024-10-01"),
        "untitled": (State.DRAFT, "None"),
    }
    post = posts["forty-stalls"]
    assert (post.subject, post.preheader) == ("Forty!", "A queue on Sundays")
    assert post.said == ("was for members at Ghost: see `:::only` in its text",)
    assert posts["untitled"].said == ("was a draft at Ghost",)


def test_ghosts_front_matter_and_pictures(tmp_path: Path) -> None:
    draft = posts_of("ghost", ghost_zip(tmp_path), "https://volt.example.org")["forty-stalls"].read()
    assert {**draft.front, "date": str(draft.front["date"])} == {
        "date": "2024-11-13",
        "author": "Ann Ode",
        "hook": "A queue on Sundays",
        "source_url": "https://volt.example.org/forty-stalls/",
        "tags": ["Charging", "Cars"],
        "image": "images/park.png",
        "alt": "Cars",
        "caption": "Dusk",
    }
    assert draft.pictures == {"park.png": PICTURE}


def test_ghosts_cards(tmp_path: Path) -> None:
    post = posts_of("ghost", ghost_zip(tmp_path))["forty-stalls"]
    body, blocks = post.read().body, blocks_of(post)
    figures = [(block.src, block.alt, bool(block.line)) for block in blocks if isinstance(block, Figure)]
    assert figures == [
        ("images/park.png", "A row of cars", True),
        ("images/park.png", "One", False),
        ("https://cdn.example.net/two.jpg", "Two", True),
    ]
    assert only(blocks, Button).url == "https://volt.example.org/map"
    assert only(blocks, PostBlock).author == "Bo Trand"
    assert ":::note\n💡 Bring a **longer** cable.\n:::" in body
    assert only(blocks, Note)
    assert (
        "> [The vote](https://council.example.net/vote)\n>\n> What the council decided.\n>\n> Council · Bo Trand"
        in body
    )
    assert "[A film of the park](https://www.youtube.com/watch?v=abc_123)" in body
    assert "#### Why so many?\n\nNobody knows." in body
    cta = only(blocks, Cta)
    assert (cta.title, cta.button) == ("Never miss one", "Sign up")
    assert only(blocks, Only).who == "subscribers"
    assert body.index(":::only subscribers") < body.index("The second park")


def test_links_between_ghosts_posts_go_by_id_and_others_to_the_site(tmp_path: Path) -> None:
    archive = ghost_zip(tmp_path)
    assert "[ten cars](article:ten-cars)" in posts_of("ghost", archive)["forty-stalls"].read().body
    here = posts_of("ghost", archive, "https://volt.example.org/")["forty-stalls"].read().body
    assert "[the founder](https://volt.example.org/about/)" in here


def test_a_ghost_export_without_pictures_says_which_are_lost(tmp_path: Path) -> None:
    archive = ghost_json(tmp_path)
    lost = posts_of("ghost", archive)["forty-stalls"].read()
    assert {repair.name for repair in lost.repairs} == {"lost-picture"}
    found = posts_of("ghost", archive, "https://volt.example.org")["forty-stalls"].read()
    assert found.repairs == ()
    assert "src=https://volt.example.org/content/images/2024/11/park.png" in found.body


def test_what_ghost_had_for_those_who_pay(tmp_path: Path) -> None:
    whole = {"id": 7, "slug": "paid", "title": "Paid", "status": "published", "html": "<p>All of it.</p>"}
    assert posts_of("ghost", ghost_json(tmp_path, {**whole, "visibility": "paid"}))["paid"].read().body == (
        ":::only tag=paid\nAll of it.\n:::"
    )
    open_to_all = {**whole, "visibility": "public", "html": "<p>One.</p><!--members-only--><p>Two.</p>"}
    assert posts_of("ghost", ghost_json(tmp_path, open_to_all))["paid"].read().body == "One.\n\nTwo."


def test_an_old_ghost_export(tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    old = {
        "id": 1,
        "slug": "a",
        "title": "A",
        "html": "<p>Words.</p>",
        "status": "published",
        "page": 0,
        "author_id": 1,
    }
    data = {"posts": [old, {**old, "id": 2, "slug": "b", "page": 1}], "users": [{"id": 1, "name": "Jo"}]}
    path.write_text(json.dumps({"meta": {"version": "003"}, "data": data}))
    posts = posts_of("ghost", path)
    assert list(posts) == ["a"]
    assert posts["a"].read().front == {"author": "Jo"}


def test_substacks_posts(tmp_path: Path) -> None:
    posts = posts_of("substack", substack_zip(tmp_path))
    assert {slug: (post.title, post.state, str(post.date)) for slug, post in posts.items()} == {
        "forty-stalls": ("Forty stalls, not one free", State.SENT, "2024-11-13"),
        "ten-cars": ("Ten cars", State.PUBLISHED, "2024-10-01"),
        "not-yet": ("not-yet", State.DRAFT, "None"),
        "heard": ("Heard", State.SENT, "2024-12-01"),
    }
    assert posts["heard"].read().body == "[heard.mp3](https://cdn.example.net/heard.mp3)"


def test_substacks_widgets(tmp_path: Path) -> None:
    post = posts_of("substack", substack_zip(tmp_path), "https://volt.substack.com")["forty-stalls"]
    body, blocks = post.read().body, blocks_of(post)
    assert "[ten cars](article:ten-cars) became forty[^1]." in body
    assert body.endswith("[^1]: On the last day.")
    figure = only(blocks, Figure)
    assert (figure.src, figure.link) == ("https://media.example.com/public/images/park_640x360.jpeg", None)
    assert [(cta.button) for cta in blocks if isinstance(cta, Cta)] == ["Subscribe", "Join us"]
    assert only(blocks, Button).url == "https://volt.example.org/map"
    assert "Share" not in body
    assert ":::quote\nNobody waits forty minutes twice.\n:::" in body
    assert only(blocks, Quote)
    tweet = only(blocks, PostBlock)
    assert (tweet.author, tweet.handle, str(tweet.time)) == ("Bo Trand", "@botrand", "2024-11-12 20:00:00")
    assert "> [Ten cars](article:ten-cars)\n>\n> A caption\n>\n> The Volt" in body
    assert "(https://www.youtube.com/watch?v=abc_123)" in body
    assert only(blocks, Only).tag == "paid"


@pytest.mark.parametrize("archive", [ghost_zip, substack_zip])
def test_no_word_of_a_post_is_lost(tmp_path: Path, archive: Any) -> None:
    source = "ghost" if archive is ghost_zip else "substack"
    said = " ".join(words_of_blocks(blocks_of(posts_of(source, archive(tmp_path))["forty-stalls"])))
    for words in (
        "On Sundays ten cars became forty",
        "The park at dusk",
        "Get the map",
        "Forty cars.",
        "The second park is in the south.",
    ):
        assert words in said


@pytest.mark.parametrize(("source", "archive"), [("ghost", ghost_zip), ("substack", substack_zip)])
def test_every_post_becomes_an_issue_with_one_article(
    tmp_path: Path, workspace: Workspace, source: str, archive: Any
) -> None:
    brought = list(bring(workspace, read_posts(source, archive(tmp_path))))
    assert all(one.folder and one.article for one in brought)
    issues = loaded(workspace)
    slugs = {
        "ghost": ["ten-cars", "forty-stalls", "untitled"],
        "substack": ["ten-cars", "forty-stalls", "heard", "not-yet"],
    }
    found = {issue.number: issue.articles[0].slug for issue in issues.values()}
    assert found == dict(enumerate(slugs[source], 1))
    assert all(len(issue.articles) == 1 and issue.title == issue.articles[0].title for issue in issues.values())
    assert sorted(path.name for path in workspace.root.iterdir()) == ["issues", "newsletter.toml"]


def test_a_second_run_leaves_what_is_there(tmp_path: Path, workspace: Workspace) -> None:
    archive = ghost_zip(tmp_path)
    list(bring(workspace, read_posts("ghost", archive)))
    changed = workspace.issues / "2-forty-stalls" / "issue.md"
    changed.write_text(changed.read_text().replace("Forty!", "Mine"))
    before = {path: path.read_bytes() for path in workspace.root.rglob("*") if path.is_file()}
    again = list(bring(workspace, read_posts("ghost", archive)))
    assert [one.article for one in again] == [None, None, None]
    assert {path: path.read_bytes() for path in workspace.root.rglob("*") if path.is_file()} == before


def test_a_post_that_is_an_article_already_is_left_alone(tmp_path: Path, workspace: Workspace) -> None:
    folder = workspace.issues / "1-mine"
    folder.mkdir(parents=True)
    (folder / "issue.md").write_text('---\nid: "abcdefabcdef"\ntitle: Mine\n---\n')
    (folder / "01-ten-cars.md").write_text("---\ntitle: Ten cars\n---\n\nMine.\n")
    first, *_ = bring(workspace, read_posts("ghost", ghost_zip(tmp_path)))
    assert (first.post.slug, first.folder, first.article) == ("ten-cars", folder, None)
    assert len(loaded(workspace)) == 3


def test_numbers_go_on_from_the_issues_that_are_there(tmp_path: Path, workspace: Workspace) -> None:
    (workspace.issues / "41-mine").mkdir(parents=True)
    (workspace.issues / "41-mine" / "issue.md").write_text('---\nid: "abcdefabcdef"\ntitle: Mine\n---\n')
    list(bring(workspace, read_posts("ghost", ghost_zip(tmp_path))))
    assert [folder.name for folder in workspace.issue_folders()] == [
        "41-mine",
        "42-ten-cars",
        "43-forty-stalls",
        "44-untitled",
    ]


def test_a_post_that_cannot_be_read_stops_no_other(tmp_path: Path, workspace: Workspace) -> None:
    one = {"id": "1", "slug": "a", "title": "A", "html": None, "status": "published", "lexical": "{}"}
    archive = ghost_json(tmp_path, one, {**one, "id": "2", "slug": "b", "html": "<p>Words.</p>"})
    first, second = bring(workspace, read_posts("ghost", archive))
    assert first.folder is None
    assert "“A” has no HTML" in first.problems[0].message
    assert second.folder == workspace.issues / "1-b"


def test_posts_of_one_slug_keep_apart(tmp_path: Path, workspace: Workspace) -> None:
    one = {"id": "1", "slug": "a", "title": "A", "html": "<p>Words.</p>", "status": "draft"}
    archive = ghost_json(tmp_path, one, {**one, "id": "2"}, {**one, "id": "3", "slug": "../../etc"})
    brought: list[Brought] = list(bring(workspace, read_posts("ghost", archive)))
    assert sorted(found.folder.name for found in brought if found.folder) == ["1-etc", "2-a", "3-a-2"]
    assert [found.article for found in bring(workspace, read_posts("ghost", archive))] == [None] * 3


def test_a_folder_is_whole_or_not_there(tmp_path: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    (workspace.issues).mkdir()
    (workspace.issues / "1-ten-cars").mkdir()
    (workspace.issues / "1-ten-cars" / "mine.txt").write_text("mine")
    with pytest.raises(ContentError, match="1-ten-cars cannot be written"):
        list(bring(workspace, read_posts("ghost", ghost_zip(tmp_path))))
    assert [str(path.relative_to(workspace.root)) for path in sorted(workspace.root.rglob("*"))] == [
        "issues",
        "issues/1-ten-cars",
        "issues/1-ten-cars/mine.txt",
        "newsletter.toml",
    ]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.json", b"{", "is not JSON"),
        ("a.json", b"[" * 200_000, "is not JSON"),
        ("a.json", b"[]", "is no export of Ghost"),
        ("a.json", b'{"db":[]}', "is no export of Ghost"),
        ("a.json", b'{"data":{"posts":[{"slug":[]}]}}', "posts.0"),
        ("a.json", b"\xff\xfe\x00", "is not JSON"),
        ("a.zip", b"PK", "cannot be unpacked"),
    ],
)
def test_what_is_no_ghost_export_is_refused_in_words(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ContentError, match=message) as error:
        list(read_posts("ghost", tmp_path / name))
    assert error.value.problems[0].where


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a.txt": "a"}, "holds no posts.csv"),
        ({"../posts.csv": "post_id\n1.a\n"}, "holds no posts.csv"),
        ({"posts.csv": "id,title\n1,A\n"}, "no column post_id"),
        ({"posts.csv": b"\xff\xfe"}, "cannot be read"),
        ({"posts.csv": "post_id\n" + "x" * 200_000}, "cannot be read"),
    ],
)
def test_what_is_no_substack_export_is_refused_in_words(
    tmp_path: Path, files: dict[str, str | bytes], message: str
) -> None:
    with pytest.raises(ContentError, match=message):
        list(read_posts("substack", packed(tmp_path / "a.zip", files)))


def test_at_the_command_line(
    tmp_path: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = str(ghost_zip(tmp_path))
    monkeypatch.chdir(workspace.root)
    assert run(["add", "--from", "ghost", archive, "--source-url", "https://volt.example.org"]) == 0
    said = capsys.readouterr().out
    assert "wrote issues/1-ten-cars/  sent 2024-10-01  Ten cars\n" in said
    assert "  was for members at Ghost: see `:::only` in its text\n" in said
    assert said.endswith("3 posts brought in, 0 there already, 0 not\n")
    assert run(["add", "--from", "ghost", archive]) == 0
    assert capsys.readouterr().out.endswith("0 posts brought in, 3 there already, 0 not\n")
    assert all(run(["build", str(number)]) == 0 for number in (1, 2, 3))


def test_what_cannot_be_read_is_said_at_the_end_of_the_command(
    tmp_path: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one = {"id": "1", "slug": "a", "title": "A", "html": None, "status": "draft"}
    archive = ghost_json(tmp_path, one, {**one, "id": "2", "slug": "b", "html": "<p>Words.</p>"})
    monkeypatch.chdir(workspace.root)
    assert run(["add", "--from", "ghost", str(archive)]) == 1
    said = capsys.readouterr()
    assert "1 post brought in, 0 there already, 1 not" in said.out
    assert "“A” has no HTML in it" in said.err
    assert run(["add", "--from", "gohst", str(archive)]) == 2
    assert "did you mean `ghost`" in " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert run(["add", "--from", "ghost", str(archive), "--title", "x"]) == 2


def test_there_is_no_such_archive(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="no such file"):
        read_posts("ghost", tmp_path / "nothing.zip")


def test_bombs_are_not_unpacked(tmp_path: Path) -> None:
    bomb = packed(tmp_path / "a.zip", {"posts.csv": b"post_id\n" + b" " * 30_000_000})
    with pytest.raises(ContentError, match="would unpack to 30 MB"):
        list(read_posts("substack", bomb))


def test_a_file_longer_than_it_says_is_not_read_on(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", {"a": b"x" * 1000})
    data = bytearray(path.read_bytes())
    entry = data.index(b"PK\1\2")
    data[entry + 24 : entry + 28] = (10).to_bytes(4, "little")
    path.write_bytes(data)
    with unpacked(path) as archive, pytest.raises(ContentError, match="damaged"):
        archive.read("a")


def test_a_locked_file_is_named(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", {"a": b"x"})
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        data[data.index(mark) + offset] |= 1
    path.write_bytes(data)
    with unpacked(path) as archive, pytest.raises(ContentError, match="password"):
        archive.read("a")


def test_names_that_climb_are_not_there(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", {"../a": b"", "/b": b"", "c\\d": b"", "e/../../f": b"", "g/": b"", "h": b""})
    with unpacked(path) as archive:
        assert archive.names == ["h"]


def test_a_zip_of_too_many_files_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(50_001):
            archive.writestr(str(number), b"")
    with pytest.raises(ContentError, match="50,001 files"), unpacked(path):
        pass


values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.sampled_from(["p1", "published", "<p>x"])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["id", "slug", "html"]), inner)
    ),
    max_leaves=6,
)
TABLES = ("posts", "posts_meta", "tags", "posts_tags", "users")
COLUMNS = ("id", "slug", "title", "html", "status", "type", "visibility", "published_at", "post_id", "tag_id")
rows = st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(COLUMNS, values)), max_size=3)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(TABLES), rows | values))
def test_whatever_an_export_holds_it_is_refused_in_words_or_read(tmp_path: Path, tables: dict[str, Any]) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"data": tables}))
    with suppress(ContentError):
        for post in read_posts("ghost", path):
            post.read()


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.text(max_size=200), st.binary(max_size=200))
def test_whatever_a_table_holds_it_is_refused_in_words_or_read(tmp_path: Path, table: str, html: bytes) -> None:
    files: dict[str, str | bytes] = {
        "posts.csv": f"post_id,title,is_published,post_date\n1.a,{table}",
        "posts/1.a.html": html,
    }
    with suppress(ContentError):
        for post in read_posts("substack", packed(tmp_path / "a.zip", files)):
            post.read()


def test_what_was_public_elsewhere_is_archived_and_not_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "mine"
    root.mkdir()
    (root / "newsletter.toml").write_text(SETTINGS)
    monkeypatch.chdir(root)
    monkeypatch.setenv("NEWSLETTER_DATA_DIR", str(tmp_path / "data"))
    assert run(["add", "--from", "ghost", str(ghost_zip(tmp_path))]) == 0
    assert run(["subscribers", "add", "ann@example.org"]) == 0
    capsys.readouterr()
    assert run(["issues", "--json"]) == 0
    states = {row["folder"]: row["state"] for row in json.loads(capsys.readouterr().out)}
    assert states == {"1-ten-cars": "sent", "2-forty-stalls": "sent", "3-untitled": "draft"}
    assert run(["send", "2", "--yes"]) == 4
    said = capsys.readouterr().err
    assert "elsewhere through ghost" in said
    assert "remove its sent.json" in said
    assert run(["archive", "build", "-o", "site"]) == 0
    pages = {str(path.relative_to("site")) for path in Path("site").rglob("index.html")}
    assert {"issues/2-forty-stalls/index.html", "articles/forty-stalls/index.html"} <= pages
    assert not any("untitled" in page for page in pages)
    page = Path("site/issues/2-forty-stalls/index.html").read_text()
    assert "Updated" not in page
    assert page.count("Forty stalls</a></h2>") == 0
