"""Jekyll's posts become drafts: what is kept, what is changed and said so, and what is lost and said so."""

import datetime
import io
from pathlib import Path

import pytest
from PIL import Image

from newsletter.cli import run
from newsletter.errors import ContentError
from newsletter.issue.importing import jekyll
from newsletter.issue.importing.draft import Draft, Repair
from newsletter.issue.importing.posts import State, bring
from newsletter.issue.load import load_issue
from tests.workspaces import workspace

POST = """---
layout: post
title: "Writers: to the front"
category: Volume 5
tags: unions writing
author: {name: Ann Ode}
preview: What the "strike" is about
image:
    file: gate.png
    alt: A gate, "closed"
    caption: The gate of *no* studio
    source_link: https://park.example.org/gate
---

First words.

<!-- DO NOT remove the excerpt tag -->
<!--excerpt-->
<!-- remaining content goes below here -->

{% include post_image.html %}

Then [the rest]({{ site.url }}/rest).
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "site" / "_posts").mkdir(parents=True)
    return tmp_path / "site"


def read(site: Path, text: str, name: str = "2023-06-13-writers.md") -> Draft:
    post = site / "_posts" / name
    post.write_text(text)
    (found,) = jekyll.read(site, "")
    return found.read()


def body(site: Path, text: str) -> str:
    return read(site, f"---\ntitle: T\n---\n{text}").body


def picture() -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (8, 4)).save(data, "PNG")
    return data.getvalue()


def test_front_matter_becomes_an_articles(site: Path) -> None:
    (site / "assets" / "img").mkdir(parents=True)
    (site / "assets" / "img" / "gate.png").write_bytes(picture())
    draft = read(site, POST)
    assert draft.front == {
        "title": "Writers: to the front",
        "slug": "2023-06-13-writers",
        "date": datetime.date(2023, 6, 13),
        "author": "Ann Ode",
        "hook": 'What the "strike" is about',
        "tags": ["Volume 5", "unions", "writing"],
        "image": "images/gate.png",
        "alt": 'A gate, "closed"',
        "caption": r"[The gate of \*no\* studio](<https://park.example.org/gate>)",
    }
    assert draft.pictures == {"gate.png": picture()}
    assert draft.body.startswith("\nFirst words.\n")
    assert draft.first_line == 14


def test_a_picture_that_is_not_there_leaves_its_caption_and_a_report(site: Path) -> None:
    draft = read(
        site, POST + "\n![A *map*](maps/one.png)\n\nIn words ![small](two.png), and [![three](three.png)](/3).\n"
    )
    assert "image" not in draft.front
    caption = r"[The gate of \*no\* studio](<https://park.example.org/gate>)"
    assert draft.body.startswith(f':::figure alt="A gate, ”closed”"\n{caption}\n:::\n\n\nFirst words.\n')
    assert draft.body.endswith('\n:::figure alt="A map"\nA map\n:::\n\nIn words small, and [three](/3).\n')
    lost = [(repair.line, repair.said) for repair in draft.repairs if repair.name == "lost-picture"]
    assert lost == [
        (9, "not there: gate.png"),
        (25, "not there: maps/one.png"),
        (27, "not there: two.png"),
        (27, "not there: three.png"),
    ]


def test_liquid_stays_as_text_and_is_reported(site: Path) -> None:
    draft = read(site, POST)
    assert "\n{% include post_image.html %}\n" in draft.body
    assert r"[the rest](\{{ site.url }}/rest)" in draft.body
    assert [repair for repair in draft.repairs if repair.name == "liquid"] == [
        Repair("liquid", 21, "kept as text: {% include post_image.html %}"),
        Repair("liquid", 23, "kept as text: {{ site.url }}"),
    ]
    code = read(site, "---\ntitle: T\n---\n```\n{{ x }}\n```\n")
    assert code.body == "```\n{{ x }}\n```\n"
    assert [repair.line for repair in code.repairs] == [5]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\n\n<!--more-->\n\nb\n", "a\n\n<!-- more -->\n\nb\n"),
        ("a\n\n<!-- Excerpt -->\n\nb\n\n<!--more-->\n\nc\n", "a\n\n<!-- more -->\n\nb\n\n\n\nc\n"),
        ("<!--excerpt-->\n\nb\n", "\n\nb\n"),
        ("a\n\n<!--excerpt-->\n<!-- nothing behind it -->\n", "a\n\n\n<!-- nothing behind it -->\n"),
        ("a <!--more--> b\n", "a <!--more--> b\n"),
    ],
)
def test_the_excerpt_ends_where_it_ended_if_there_is_something_behind(site: Path, text: str, expected: str) -> None:
    assert body(site, text) == expected


def test_what_would_be_a_directive_here_is_none(site: Path) -> None:
    assert body(site, "::: warning\nText\n:::\n\n```\n:::\n```\n") == "\\::: warning\nText\n\\:::\n\n```\n:::\n```\n"


@pytest.mark.parametrize(
    ("front", "key", "value"),
    [
        ("", "title", "the park"),
        ("title: 2024", "title", "2024"),
        ('title: "a b {{ c }}"', "title", "a b { { c }}"),
        ("title: T\nslug: Some Slug", "slug", "some-slug"),
        ("title: T\ncategories: [a b, c]\ntags: d e", "tags", ["a b", "c", "d", "e"]),
        ("title: T\nauthor: [Ann, Bo]", "author", "Ann, Bo"),
        ("title: T\nauthor:\nexcerpt: E\npreview: P", "hook", "E"),
        ("title: T\nimage: https://park.example.org/a.png", "image", "https://park.example.org/a.png"),
        ("title: T\nimage: {path: http://park.example.org/a.png}", "image", "https://park.example.org/a.png"),
    ],
)
def test_keys_of_the_front_matter(site: Path, front: str, key: str, value: object) -> None:
    draft = read(site, f"---\n{front}\n---\ntext\n", "2024-01-02-the-park.md")
    assert draft.front[key] == value


def test_keys_that_are_not_imported_are_reported(site: Path) -> None:
    draft = read(site, "---\nlayout: post\ntitle: T\nweather: fine\n---\ntext\n")
    assert draft.repairs == (Repair("dropped-key", 4, "front matter that is not imported: weather"),)


def test_pictures_of_one_name_are_kept_apart(site: Path) -> None:
    for folder, data in (("a", b"1"), ("b", b"2")):
        (site / folder).mkdir()
        (site / folder / "x.png").write_bytes(data)
    draft = read(site, '---\ntitle: T\n---\n![one](/a/x.png) ![two](/b/x.png "Two") ![one](/a/x.png)\n')
    assert draft.pictures == {"x.png": b"1", "b-x.png": b"2"}
    assert draft.body == '![one](<images/x.png>) ![two](<images/b-x.png> "Two") ![one](<images/x.png>)\n'


def test_a_picture_outside_the_site_is_not_there(site: Path) -> None:
    (site.parent / "secret.png").write_bytes(b"1")
    assert read(site, "---\ntitle: T\n---\n![one](../../secret.png) ![one](/secret.png)\n").pictures == {}


def test_a_folder_without_posts_says_so(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="holds no posts"):
        jekyll.read(tmp_path, "")


def test_posts_become_issues_and_one_that_cannot_be_read_is_reported(site: Path) -> None:
    for name, text in (
        ("2024-01-02-b.md", "---\ntitle: B\npreview: P\n---\n{% raw %}\n"),
        ("2024-01-01-a.md", "---\ntitle: A\npublished: false\n---\nText.\n"),
        ("2024-01-03-c.md", "No front matter.\n"),
    ):
        (site / "_posts" / name).write_text(text)
    (site / "about.md").write_text("---\ntitle: About\n---\n")
    ws = workspace(site.parent, {})
    brought = list(bring(ws, jekyll.read(site, "")))
    assert [(one.folder.name if one.folder else None, one.post.state) for one in brought] == [
        ("1-2024-01-01-a", State.DRAFT),
        ("2-2024-01-02-b", State.PUBLISHED),
        (None, State.PUBLISHED),
    ]
    assert "there is no front matter" in brought[2].problems[0].message
    issue = load_issue(ws, ws.issues / "2-2024-01-02-b")
    assert (issue.title, issue.preheader, issue.date) == ("B", "P", datetime.date(2024, 1, 2))
    assert [article.title for article in issue.articles] == ["B"]


def test_the_command_says_the_posts_file_and_line(
    site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (site / "_posts" / "2024-01-02-b.md").write_text("---\ntitle: B\n---\n\n{% raw %}\n")
    workspace(site, {})
    monkeypatch.chdir(site)
    assert run(["add", "--from", "jekyll", "."]) == 0
    assert "_posts/2024-01-02-b.md:5: liquid: kept as text: {% raw %}" in capsys.readouterr().out
