"""One workspace: links by id in both directions, articles shown again, articles in other languages."""

import json
import re
import shutil

import pytest
from PIL import Image

from newsletter.checks import check
from newsletter.cli import run
from newsletter.compile.edition import Facts
from newsletter.errors import ContentError
from newsletter.issue.load import find_issue, load_issue
from newsletter.issue.survey import read_catalogue
from newsletter.workspace import Workspace
from tests.pages import Read
from tests.workspaces import article_file, compiled, issue_file, mail, page, workspace

SITE = "https://test.example.org"
TWO = {
    "1-one/issue.md": issue_file(1, title='"The first: a start"', date="2026-01-05"),
    "1-one/01-deep-dive.md": article_file("Deep words. [](article:short)", title="The deep dive"),
    "1-one/02-short.md": article_file("Short words.", title="A short one"),
    "2-two/issue.md": issue_file(2, date="2026-02-05"),
    "2-two/01-again.md": "---\narticle: deep-dive\n---\n",
    "2-two/02-new.md": article_file("See [the dive](article:deep-dive), [](issue:1) and [](issue:issue0000001)."),
}


def sent(ws, folder, **more):
    record = {
        "id": f"issue{int(folder[0]):07}",
        "hash": "0",
        "content_digest": "0",
        "commit": None,
        "provider": "outbox",
    }
    record |= {"time": "2026-03-01T00:00:00Z", "balance": {"waiting": 0}, **more}
    (ws.issues / folder / "sent.json").write_text(json.dumps(record))


def findings(ws, name, rule):
    issue = load_issue(ws, find_issue(ws, name))
    report = check(issue, compiled(ws, name), Facts(), ws.settings)
    return [(str(one.place), one.message) for one in report.findings if one.rule == rule]


def test_links_by_id_lead_across_the_workspace_and_bring_their_words(tmp_path):
    ws = workspace(tmp_path, TWO)
    html, text = mail(compiled(ws, "2"))
    assert f'href="{SITE}/articles/deep-dive/"' in html
    assert "#1: The first: a start" in html
    assert " ".join(text.split()).count("#1: The first: a start [") == 2
    assert f"{SITE}/issues/1-one/" in text
    assert "A short one" in mail(compiled(ws, "1"))[0].split("Deep words.")[1]
    article = Read(page(compiled(ws, "2"), "articles/new"))
    assert {one["href"] for one in article.all("a")} >= {"../deep-dive/", "../../issues/1-one/"}


def test_an_article_shown_again_is_the_same_in_both_issues_and_knows_both(tmp_path):
    ws = workspace(tmp_path, TWO)
    assert "Deep words." in mail(compiled(ws, "2"))[1]
    for folder in ("1-one", "2-two"):
        sent(ws, folder)
    for name, other in (("1", "Issue 2"), ("2", "The first: a start")):
        nav = Read(page(compiled(ws, name), "articles/deep-dive")).all("nav")[-1]
        assert other in nav.text
    assert [one.slug for one in read_catalogue(ws).appearances("deep-dive")] == ["1-one", "2-two"]


def test_a_draft_is_not_named_on_pages_of_others(tmp_path):
    ws = workspace(tmp_path, TWO)
    assert "Issue 2" not in page(compiled(ws, "1"), "articles/deep-dive")


def test_pictures_of_an_article_shown_again_come_with_it(tmp_path):
    files = TWO | {"1-one/01-deep-dive.md": article_file("![A dot](images/dot.png)", title="D")}
    ws = workspace(tmp_path, files)
    (ws.issues / "1-one" / "images").mkdir()
    Image.new("RGB", (40, 20), "red").save(ws.issues / "1-one" / "images" / "dot.png")
    edition = compiled(ws, "2")
    (asset,) = edition.assets
    assert f"{SITE}/{asset.path}" in mail(edition)[0]


def test_a_renamed_file_is_found_by_its_slug(tmp_path):
    files = TWO | {"1-one/01-deep-dive.md": article_file("Words.", slug="deep-dive")}
    ws = workspace(tmp_path, files)
    before = compiled(ws, "2").hash
    (ws.issues / "1-one" / "01-deep-dive.md").rename(ws.issues / "1-one" / "05-something-else.md")
    assert compiled(ws, "2").hash == before


@pytest.mark.parametrize(
    ("files", "faults"),
    [
        (
            {"2-two/02-new.md": article_file("[x](article:deep-drive)")},
            ["02-new.md:4:1: there is no article `deep-drive`"],
        ),
        ({"2-two/02-new.md": article_file("[x](issue:9)")}, ["02-new.md:4:1: there is no issue `9`"]),
        ({"2-two/02-new.md": article_file("[x](article:short.de)")}, ["there is no article `short.de`"]),
        ({"2-two/01-again.md": "---\narticle: nothing\n---\n"}, ["01-again.md:2:10: there is no article `nothing`"]),
        (
            {"2-two/01-again.md": "---\narticle: short\n---\nText.\n"},
            ["01-again.md:4:1: an article that is shown again"],
        ),
        ({"2-two/01-again.md": "---\narticle: short\ntitle: T\n---\n"}, ["01-again.md:3:8: unknown key `title`"]),
        (
            {"2-two/03-short.md": article_file("x")},
            ["03-short.md:1:1: the slug `short` is also that of 1-one/02-short.md"],
        ),
        (
            {"2-two/02-new.md": article_file("x", lang="en_US")},
            ["02-new.md:3:7: `lang`: must be a language tag such as en"],
        ),
        (
            {"3-uno/issue.md": issue_file(1, id="abcdefabcdef"), "2-two/02-new.md": article_file("[x](issue:1)")},
            ["02-new.md:4:1: `1` names 2 issues: 1-one, 3-uno"],
        ),
        ({"2-two/03-x.de.md": article_file("x")}, ["03-x.de.md:1: translates an article that is not there"]),
        ({"2-two/02-new.en.md": article_file("x")}, ["02-new.en.md:1:1: is in the language of the article"]),
        (
            {"2-two/02-new.md": article_file(":::button url=https://a.example\n:::")},
            ["02-new.md:4:1: a button needs words"],
        ),
        ({"2-two/02-new.old.md": article_file("x")}, ["02-new.old.md:1: `old` is no language"]),
        ({"2-two/01-again.de.md": article_file("x")}, ["01-again.de.md:1: translates an article that is written else"]),
    ],
)
def test_what_is_wrong_is_said_where_it_is(tmp_path, files, faults):
    ws = workspace(tmp_path, TWO | files)
    with pytest.raises(ContentError) as caught:
        compiled(ws, "2")
    for fault in faults:
        assert fault in str(caught.value)


def test_a_broken_draft_keeps_no_other_issue_from_being_built(tmp_path):
    ws = workspace(tmp_path, TWO | {"3-three/issue.md": "---\nid: [\n---\n", "3-three/01-x.md": "no front matter"})
    assert compiled(ws, "2").title == "Issue 2"


def test_links_to_what_is_gone_or_not_public_are_found_from_both_ends(tmp_path):
    files = {"0-zero/issue.md": issue_file(0), "0-zero/01-z.md": article_file("Before [that](article:new).")}
    ws = workspace(tmp_path, TWO | files)
    assert [place.rpartition("/")[2] for place, _ in findings(ws, "2", "REF001")] == [
        "01-deep-dive.md:4:13",
        *(f"02-new.md:4:{column}" for column in (36, 52)),
    ]
    sent(ws, "1-one")
    assert findings(ws, "2", "REF001") == []
    (ws.issues / "2-two" / "02-new.md").rename(ws.issues / "2-two" / "02-newer.md")
    ((place, message),) = findings(ws, "2", "REF002")
    assert place.endswith("0-zero/01-z.md:4:15")
    assert "no article `new`, which 0-zero links to" in message


ZH = TWO | {
    "1-one/01-deep-dive.zh.md": article_file("深入的话。\n\n:::cta\n订阅。\n:::", title="深入"),
    "1-one/01-deep-dive.ar.md": article_file("كلمات.", title="غوص"),
}


def test_an_article_in_other_languages_has_pages_that_name_each_other(tmp_path):
    ws = workspace(tmp_path, ZH)
    edition = compiled(ws, "1")
    paths = {"en": "articles/deep-dive", "zh": "articles/deep-dive/zh", "ar": "articles/deep-dive/ar"}
    for lang, path in paths.items():
        read = Read(page(edition, path))
        (root,) = read.all("html")
        assert (root["lang"], root["dir"]) == (lang, "rtl" if lang == "ar" else "ltr")
        pairs = {one["hreflang"]: one["href"] for one in read.all("link") if one["hreflang"]}
        assert pairs == {tag: f"{SITE}/{where}/" for tag, where in {**paths, "x-default": paths["en"]}.items()}
        links = {one["hreflang"]: one["href"] for one in read.all("a") if one["hreflang"]}
        assert set(links) == set(paths) - {lang}
    assert "订阅" in page(edition, paths["zh"])
    assert "Subscribe" not in page(edition, paths["zh"])
    html, text = mail(edition)
    assert "深入" not in html + text
    assert f'href="{SITE}/articles/deep-dive/zh/"' in html
    assert f"中文: {SITE}/articles/deep-dive/zh/" in text


def test_a_link_can_lead_to_a_translation(tmp_path):
    ws = workspace(tmp_path, ZH | {"2-two/02-new.md": article_file("[](article:deep-dive.zh)")})
    html = mail(compiled(ws, "2"))[0]
    assert f'href="{SITE}/articles/deep-dive/zh/"' in html
    assert ">深入</a>" in html


def test_what_an_issue_lacks_in_other_languages_is_reported(tmp_path):
    ws = workspace(tmp_path, ZH)
    assert [message for _, message in findings(ws, "1", "LANG001")] == [
        f"“A short one” is not there in {lang}; of the others, 1 can be read in it" for lang in ("ar", "zh")
    ]


def test_lists_of_contents_write_themselves(tmp_path):
    files = {
        "1-one/issue.md": issue_file(1, ":::toc\n\n<!-- articles -->"),
        "1-one/01-a.md": article_file(':::toc\n\n## A part\n\n## A part\n\n:::also title="Else"', title="First"),
        "1-one/02-b.md": article_file("Words.", title="Second"),
    }
    edition = compiled(workspace(tmp_path, files), "1")
    html, text = mail(edition)
    assert "- First\n- Second" in text
    assert "- A part\n- A part" in text
    assert f"Else:\n\n- Second\n  {SITE}/articles/b/" in text
    for read, prefix in (
        (Read(html), "a-"),
        (Read(page(edition, "articles/a")), ""),
        (Read(page(edition, "issues/1-one")), "a-"),
    ):
        ids = [one["id"] for one in read.all("h2", "h3") if one["id"]]
        assert [one for one in ids if "part" in one] == [f"{prefix}on-a-part", f"{prefix}on-a-part-2"]
        assert {f"#{id}" for id in ids if "part" in id} <= {one["href"] for one in read.all("a")}


def test_a_list_of_nothing_is_not_there(tmp_path):
    ws = workspace(
        tmp_path, {"1-one/issue.md": issue_file(1), "1-one/01-a.md": article_file("x\n\n:::also\n\n:::toc\n")}
    )
    edition = compiled(ws, "1")
    assert "Also in this issue" not in mail(edition)[0] + page(edition, "articles/a")


def test_a_copied_folder_is_told_that_it_has_another_issues_id(tmp_path, monkeypatch, capsys):
    ws = workspace(tmp_path, TWO)
    shutil.copytree(ws.issues / "1-one", ws.issues / "3-copy")
    monkeypatch.chdir(tmp_path)
    assert run(["build", "3-copy"]) == 1
    said = capsys.readouterr().err
    assert "the id issue0000001 is also that of 1-one" in said
    assert "the slug `deep-dive` is also that of 1-one/01-deep-dive.md" in said


def test_a_link_within_an_article_leads_there_wherever_the_article_stands(tmp_path):
    body = "[Down](#here)\n\n## Here {#here}\n\nWords.\n"
    ws = workspace(tmp_path, {"1-one/issue.md": issue_file(1), "1-one/01-a.md": article_file(body)})
    edition = compiled(ws, "1")
    html, text = mail(edition)
    for markup in (html, *(one.html for one in edition.pages)):
        (target,) = re.findall(r'href="#((?:a-)?here)"', markup)
        assert f'id="{target}"' in markup
    assert "\nDown\n" in text
    assert "#here" not in text


def test_anchors_of_raw_html_are_each_articles_own(tmp_path):
    body = '<a id="mark"></a>Here. <a href="#mark">Raw</a> and [Markdown](#mark).\n'
    files = {"1-one/issue.md": issue_file(1), "1-one/01-a.md": article_file(body), "1-one/02-b.md": article_file(body)}
    edition = compiled(workspace(tmp_path, files), "1")
    for markup in (mail(edition)[0], page(edition, "issues/1-one")):
        for name in ("a-mark", "b-mark"):
            assert markup.count(f'id="{name}"') == 1
            assert markup.count(f'href="#{name}"') == 2


def test_references_are_read_as_links_are(tmp_path):
    literal = "`[x](article:code)` <!-- [x](issue:comment) -->\n\n```\n[x](article:fence)\n```\n"
    links = (
        "[a](article:one) [b](<issue:two and half> 'T') <article:three>\n\n[r]: issue:four\n\n"
        ':::button url=article:five\nx\n:::\n\n:::quote by="Z" source="issue:six of them"\nx\n:::\n'
    )
    ws = workspace(tmp_path, {"1-one/issue.md": issue_file(1), "1-one/01-a.md": article_file(f"{literal}\n{links}")})
    said = [f"{reference.kind}:{reference.name}" for reference in read_catalogue(ws).references]
    found = ["article:one", "issue:two and half", "article:three", "issue:four", "article:five", "issue:six of them"]
    assert said == found


def test_a_folder_of_any_name_has_addresses(tmp_path):
    files = {"5 Uhr. früh?/issue.md": issue_file(5, "<!-- articles -->"), "5 Uhr. früh?/01-a.md": article_file("x")}
    links = article_file("[](issue:5) and [once more](<issue:5 Uhr. früh?>)")
    edition = compiled(workspace(tmp_path, files | {"6-six/issue.md": issue_file(6), "6-six/01-b.md": links}), "6")
    name = "issues/5%20Uhr.%20fr%C3%BCh%3F/"
    assert f'<a href="../../{name}">once more</a>' in page(edition, "articles/b")
    html, text = mail(edition)
    assert html.count(f'href="{SITE}/{name}"') == 2
    assert f"{SITE}/{name}" in text
    assert compiled(Workspace.open(tmp_path), "5").headers.archive == f"{SITE}/{name}"


def test_a_heading_with_a_slot_has_an_id_without_it(tmp_path):
    body = ':::toc\n\n## {{ subscriber.first_name | default("My \\"dear\\" friend") }}, look\n'.replace('\\"', "")
    ws = workspace(tmp_path, {"1-one/issue.md": issue_file(1), "1-one/01-a.md": article_file(body)})
    html, _ = mail(compiled(ws, "1"))
    assert 'href="#a-on-look"' in html
    assert 'id="a-on-look"' in html


def test_a_button_without_words_has_the_title_of_where_it_leads(tmp_path):
    ws = workspace(tmp_path, TWO | {"2-two/02-new.md": article_file(":::button url=article:short\n:::")})
    edition = compiled(ws, "2")
    assert '<a class="button" href="../short/">A short one</a>' in page(edition, "articles/new")
    assert f"A short one:\n{SITE}/articles/short/" in mail(edition)[1]


def test_a_button_is_one_link(tmp_path):
    body = ":::button url=https://a.example/go\nGo *there*, [now](https://b.example)\n:::\n"
    ws = workspace(tmp_path, {"1-one/issue.md": issue_file(1), "1-one/01-a.md": article_file(body)})
    edition = compiled(ws, "1")
    assert '<a class="button" href="https://a.example/go">Go there, now</a>' in edition.pages[1].html
    assert "Go there, now:\nhttps://a.example/go" in mail(edition)[1]


def test_a_folder_renamed_after_it_was_sent_keeps_its_page_and_its_edition(tmp_path):
    ws = workspace(tmp_path, TWO)
    before = compiled(ws, "1")
    sent(ws, "1-one", slug="1-one")
    (ws.issues / "1-one").rename(ws.issues / "1-uno")
    after = compiled(ws, "1-uno")
    assert after.hash == before.hash
    assert f"{SITE}/issues/1-one/" in mail(after)[0]
    assert "issues/1-one/index.html" in {page.path for page in after.pages}
    assert f'href="{SITE}/issues/1-one/"' in mail(compiled(ws, "2"))[0]
    assert find_issue(ws, "1-uno") == ws.issues / "1-uno"


def test_the_page_of_an_issue_that_was_sent_is_nobody_elses(tmp_path):
    ws = workspace(tmp_path, TWO)
    sent(ws, "1-one", slug="1-one")
    (ws.issues / "1-one").rename(ws.issues / "5-uno")
    (ws.issues / "2-two").rename(ws.issues / "1-one")
    with pytest.raises(ContentError, match="the page issues/1-one/ is that of 5-uno"):
        compiled(ws, "1-one")
