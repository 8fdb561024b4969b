"""Issue -> Edition: who sees what, what the hash covers, and that the same input gives the same bytes."""

import dataclasses
import json
import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from newsletter.compile.audience import SUBSCRIBER, seen_by
from newsletter.compile.edition import Facts, from_bytes, sealed, to_bytes
from newsletter.compile.pipeline import compile_issue
from newsletter.compile.render import Theme
from newsletter.compile.slots import specimen_html, specimen_text
from newsletter.errors import ContentError
from newsletter.issue.blocks import DIRECTIVES, Cta, Divider, Prose, Quote, walk
from newsletter.issue.load import find_issue, load_issue
from newsletter.workspace import Workspace, theme_root
from tests.everything import everything

SETTINGS = """
[publication]
id = "testpubli001"
name = "Test & Sons"
url = "https://test.example.org"
from = "Jo <jo@test.example.org>"
postal_address = "1 Road"
"""
ISSUE = """---
id: abcdefghijkl
number: 3
title: The <title>
subject: ["Hey {{ subscriber.first_name | default(\\"you\\") }}", "Another"]
---
Hey {{ subscriber.first_name | default("there") }},

<!-- articles -->

Bye
"""
QUOTED_CTA = """---
title: A
---
before

:::quote by="Somebody"
The first half:

:::cta title="JOINTITLE" button="JOINBUTTON"
JOINWORDS
:::

the second half
:::

:::cta for=everyone title="ALLTITLE" button="ALLBUTTON"
ALLWORDS
:::
"""


@pytest.fixture
def compiled(tmp_path):
    """compiled({"01-a.md": ...}): the issue and its edition, in a workspace of its own."""

    def make(articles, issue=ISSUE, settings=SETTINGS):
        folder = tmp_path / "issues" / "3-three"
        folder.mkdir(parents=True, exist_ok=True)
        (tmp_path / "newsletter.toml").write_text(settings)
        (folder / "issue.md").write_text(issue)
        for name, text in articles.items():
            (folder / name).write_text(text)
        workspace = Workspace.open(tmp_path)
        loaded = load_issue(workspace, find_issue(workspace, "3"))
        return loaded, compile_issue(loaded, Theme.of(workspace), Facts(), workspace.settings)

    return make


def copy(edition) -> tuple[str, str]:
    variant = edition.variants[0]
    return variant.html.fill(specimen_html), variant.text.fill(specimen_text)


def test_an_invitation_to_subscribe_is_on_the_web_and_in_no_subscribers_bytes(compiled):
    _, edition = compiled({"01-a.md": QUOTED_CTA})
    html, text = copy(edition)
    for word in ("JOINTITLE", "JOINBUTTON", "JOINWORDS"):
        assert word not in html + text + edition.mjml
        assert sum(word in page.html for page in edition.pages) == 2
    for word in ("ALLWORDS", "ALLBUTTON"):
        assert word in html
    assert "ALLWORDS" in text
    assert "https://test.example.org/subscribe" in text
    page = next(page for page in edition.pages if page.path == "articles/a/index.html")
    assert "<form" in page.html
    assert 'action="https://test.example.org/subscribe"' in page.html


def test_what_is_hidden_leaves_no_gap():
    place = None
    prose = [Prose(nodes=(), place=place) for _ in range(3)]
    cta = Cta(place=place)
    divider = Divider(place=place)
    assert [block.name for block in seen_by(SUBSCRIBER, (prose[0], cta, prose[1]))] == ["prose"]
    assert [block.name for block in seen_by(SUBSCRIBER, (prose[0], divider, cta, divider, prose[1], divider))] == [
        "prose",
        "divider",
        "prose",
    ]
    assert seen_by(SUBSCRIBER, (cta, divider)) == ()
    quote = Quote(children=(prose[0], cta, prose[1]), place=place)
    (kept,) = seen_by(SUBSCRIBER, (quote,))
    assert [block.name for block in kept.children] == ["prose"]


def test_the_forms_of_an_article_in_mail(compiled):
    article = (
        "---\ntitle: {}\nemail: {}\n---\nFIRST[^1] of {}\n\n<!-- more -->\n\nREST[^2] of {}\n\n[^1]: one\n\n[^2]: two\n"
    )
    forms = ("full", "excerpt", "link", "none")
    issue, edition = compiled(
        {f"0{n}-{form}.md": article.format(form, form, form, form) for n, form in enumerate(forms)}
    )
    for said in copy(edition):
        assert [form for form in forms if f"of {form}" in said and "FIRST" in said] == ["full", "excerpt"]
        assert "of link" not in said
        assert "REST" in said
        assert said.count("of excerpt") == 1
        assert f"{edition.headers.archive.partition('/issues')[0]}/articles/link/" in said
        assert "/articles/none/" not in said
    pages = {page.path for page in edition.pages}
    assert pages == {"issues/3-three/index.html", *(f"articles/{form}/index.html" for form in forms)}
    assert len(issue.articles) == 4


def test_the_same_input_gives_the_same_bytes_in_every_process(tmp_path, compiled):
    compiled({"01-a.md": QUOTED_CTA})
    program = (
        "from pathlib import Path; from newsletter.workspace import Workspace; from newsletter.issue.load import *;"
        "from newsletter.compile.pipeline import *; from newsletter.compile.edition import *; import sys;"
        "w = Workspace.open(Path(sys.argv[1])); i = load_issue(w, find_issue(w, '3'));"
        "sys.stdout.buffer.write(to_bytes(compile_issue(i, Theme.of(w), Facts(), w.settings)))"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", program, tmp_path],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in (1, 2)
    ]
    assert runs[0] == runs[1]
    assert json.loads(runs[0])["hash"]


def test_an_edition_comes_back_from_the_store_as_it_was(compiled):
    _, edition = compiled({"01-a.md": QUOTED_CTA})
    assert from_bytes(to_bytes(edition)) == edition
    assert sealed(from_bytes(to_bytes(edition))).hash == edition.hash


def test_the_hash_covers_all_that_a_reader_gets_and_the_digest_the_words_alone(compiled, tmp_path):
    def of(*arguments, **options):
        edition = compiled(*arguments, **options)[1]
        return edition.hash, edition.content_digest

    article = {"01-a.md": "---\ntitle: A\n---\nwords\n"}
    first = of(article)
    assert of(article) == first
    assert of({"01-a.md": "---\ntitle: A\n---\n\n\nwords\n"}) == first  # blank lines are no words
    hashed, digest = of({"01-a.md": "---\ntitle: A\n---\nother words\n"})
    assert hashed != first[0]
    assert digest != first[1]
    changes = [
        of(article, issue=ISSUE.replace("Another", "A third")),
        of(article, settings=SETTINGS.replace("Jo <", "Joanna <")),
        of(article, settings=SETTINGS.replace("1 Road", "2 Road")),
        of(article, settings=SETTINGS + "[theme]\nbrand = '#aa0000'\n"),
    ]
    own = tmp_path / "templates" / "email"
    own.mkdir(parents=True)
    (own / "shell.txt.j2").write_text("changed\n")
    changes.append(of(article))
    assert len({changed for changed, _ in changes} | {first[0]}) == 6
    assert {changed for _, changed in changes} == {first[1]}


def test_the_hash_does_not_know_when_or_from_which_commit(compiled):
    _, edition = compiled({})
    fields = {field.name for field in dataclasses.fields(edition)}
    assert not fields & {"commit", "date", "time", "recipients"}


def test_the_workspaces_own_templates_win_file_by_file(compiled, tmp_path):
    own = tmp_path / "templates" / "blocks"
    own.mkdir(parents=True)
    (own / "divider.txt.j2").write_text("~ ~ ~\n")
    _, edition = compiled({"01-a.md": "---\ntitle: A\n---\none\n\n---\n\ntwo\n"})
    assert "~ ~ ~" in copy(edition)[1]


def test_the_issue_of_everything_has_every_block(tmp_path):
    ws = everything(tmp_path)
    issue = load_issue(ws, find_issue(ws, "9"))
    used = {block.name for article in issue.articles for block in walk(article.blocks)}
    assert used == {"prose", *DIRECTIVES}


def test_every_block_has_its_three_templates():
    for name in {"prose", *DIRECTIVES} - {"only"}:  # what stands in `only` stands in its place
        for form in ("mjml", "web.html", "txt"):
            assert (theme_root() / "blocks" / f"{name}.{form}.j2").is_file()


def test_hostile_words_are_words_everywhere(compiled):
    evil = "<script>alert(1)</script>\" onload='x' \\u{a0} \u00a0 👩🏽‍🚀 &amp;"
    article = f"---\ntitle: {json.dumps(evil, ensure_ascii=False)}\nhook: {json.dumps(evil, ensure_ascii=False)}\n---\n"
    article += "<script>alert(2)</script>\n\n<b onclick=x>bold</b> [x](javascript:alert(3)) <iframe src=x></iframe>\n"
    _, edition = compiled({"01-a.md": article})
    for said in (copy(edition)[0], *(page.html for page in edition.pages)):
        seen = Seen()
        seen.feed(said)
        assert not seen.tags & {"script", "iframe"}
        assert not [name for name in seen.attributes if name.startswith("on")]
        assert not [value for value in seen.attributes.values() if str(value).startswith("javascript:")]
        assert "alert(1)" in seen.text
    assert evil.replace("\u00a0", " ") in copy(edition)[1].replace("\n", " ").replace("\u00a0", " ")


class Seen(HTMLParser):
    """What a browser would make of a page: its tags, its attributes, its text."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.text = set(), {}, ""

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= dict(attrs)

    def handle_data(self, data):
        self.text += data


def test_links_by_id_lead_to_pages(compiled):
    _, edition = compiled(
        {
            "01-one.md": "---\ntitle: One\n---\n[two](article:two) and [this](issue:3)\n",
            "02-two.md": "---\ntitle: Two\n---\nwords\n",
        }
    )
    html, text = copy(edition)
    assert 'href="https://test.example.org/articles/two/"' in html
    assert "https://test.example.org/issues/3-three/" in text
    page = next(page for page in edition.pages if page.path == "articles/one/index.html")
    assert 'href="../two/"' in page.html
    assert 'href="../../issues/3-three/"' in page.html


def test_a_picture_that_is_none_is_said_with_its_place(compiled, tmp_path):
    folder = tmp_path / "issues" / "3-three" / "images"
    folder.mkdir(parents=True)
    (folder / "x.png").write_bytes(b"no picture")
    with pytest.raises(ContentError, match=r"01-a\.md:4:1: x\.png is not a picture"):
        compiled({"01-a.md": "---\ntitle: A\n---\n![An x](images/x.png)\n"})


def test_a_picture_has_a_name_of_its_content_and_its_width(compiled, tmp_path):
    from PIL import Image

    folder = tmp_path / "issues" / "3-three" / "images"
    folder.mkdir(parents=True)
    Image.new("RGB", (1280, 640), "#0b7a4b").save(folder / "A Picture.png")
    _, edition = compiled({"01-a.md": "---\ntitle: A\n---\n![An x](<images/A Picture.png>)\n"})
    (asset,) = edition.assets
    assert asset.path == f"images/a-picture-{asset.digest[:12]}.png"
    html = copy(edition)[0]
    assert f'src="https://test.example.org/{asset.path}"' in html
    assert 'width="592"' in html


def test_personal_data_never_lies_in_the_work_tree(tmp_path):
    root = Path(__file__).parent.parent
    workspace = Workspace.open(root)
    assert not workspace.data.is_relative_to(root)
