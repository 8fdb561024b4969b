"""What real articles show of their neighbours: files, other languages, other articles and issues, and where each stands
on the web and in the archive. Each in mail, as text and on the web.
"""

from email import message_from_bytes, policy
from pathlib import Path

import feedparser
import pytest

from newsletter.cli import run
from newsletter.errors import ContentError
from tests.pages import Read
from tests.reading import FOLDER, SITE, folded, reading, with_words
from tests.workspaces import article_file, issue_file, workspace

OLDER = {
    "120-older/issue.md": issue_file(120, title='"The deep issue"', date="2023-12-01"),
    "120-older/01-deep.md": article_file("Deep words.", title="The deep dive"),
}


def addresses(page: Read, words: str) -> list[str]:
    return [link["href"] for link in page.all("a") if folded(link.text) == words]


def test_a_file_is_attached_and_its_link_says_what_it_is(tmp_path):
    body = "I have put up [the original, as a text file](files/brief.txt)."
    seen = reading(tmp_path, body, files={f"{FOLDER}/files/brief.txt": "原文。".encode()})
    (asset,) = seen.edition.assets
    assert asset.source.read_text("utf-8") == "原文。"
    words = "the original, as a text file"
    assert addresses(seen.letter, words) == [f"{SITE}/{asset.path}"]
    assert addresses(seen.page, words) == addresses(seen.whole, words) == [f"../../{asset.path}"]
    assert f"{words} [1]." in folded(seen.text)
    assert f"\n[1] {SITE}/{asset.path}\n" in seen.text
    assert [seen.found(rule) for rule in ("LINK003", "LINK009", "TXT002")] == [[], [], []]
    vague = reading(tmp_path, "I have put it up [here](files/brief.txt).")
    assert vague.found("LINK009") == ["the link text “here” does not say where it leads"]


def test_an_article_in_another_language_is_linked_and_speaks_it(tmp_path):
    translation = article_file("原文。\n\n:::cta\n每周一封。\n:::", title="灯", licence="CC BY 4.0")
    seen = reading(tmp_path, "Words.", files={f"{FOLDER}/01-one.zh.md": translation}, title="The lamp")
    for read, address in (
        (seen.letter, f"{SITE}/articles/one/zh/"),
        (seen.page, "zh/"),
        (seen.whole, "../../articles/one/zh/"),
    ):
        assert addresses(read, "中文") == [address]
    assert f"中文: {SITE}/articles/one/zh/\n" in seen.text
    there = seen.on("articles/one/zh")
    assert addresses(there, "English") == ["../"]
    assert (there.all("html")[0]["lang"], with_words(there, "灯", "h1") != []) == ("zh", True)
    assert [button.text for button in there.all("button")] == ["订阅", "订阅"]
    for page in (seen.page, there):
        pairs = {link["hreflang"]: link["href"] for link in page.all("link") if link["hreflang"]}
        assert pairs["en"] == pairs["x-default"] == f"{SITE}/articles/one/"
        assert pairs["zh"] == f"{SITE}/articles/one/zh/"


def test_a_link_to_an_article_goes_by_its_id(tmp_path):
    body = "After this, read [our deep dive](article:deep), or [](article:deep)."
    seen = reading(tmp_path, body, files=OLDER)
    for words in ("our deep dive", "The deep dive"):
        assert addresses(seen.letter, words) == [f"{SITE}/articles/deep/"]
        assert addresses(seen.page, words) == ["../deep/"]
        assert addresses(seen.whole, words) == ["../../articles/deep/"]
    assert "our deep dive [1], or The deep dive [1]." in folded(seen.text)
    assert f"\n[1] {SITE}/articles/deep/\n" in seen.text
    with pytest.raises(ContentError) as caught:
        reading(tmp_path, "Read [it](article:deeep).")
    assert "01-one.md:4:6: there is no article `deeep`" in str(caught.value)
    assert "did you mean `deep`?" in str(caught.value)


def test_an_article_knows_its_issues_and_a_number_is_no_heading(tmp_path):
    body = "#126 is where it was. Go back to [](issue:126), or to [#120](issue:120).\n\n# Not a number"
    files = OLDER | {"120-older/02-again.md": "---\narticle: one\n---\n"}
    (tmp_path / "issues" / "120-older").mkdir(parents=True)
    record = '{"id": "issue0000120", "hash": "0", "content_digest": "0", "commit": null, "provider": "outbox", '
    record += '"time": "2023-12-01T00:00:00Z", "balance": {}}'
    (tmp_path / "issues" / "120-older" / "sent.json").write_text(record)
    seen = reading(tmp_path, body, files=files, issue={"title": '"The light: a start"'})
    for words in seen.everywhere().values():
        assert "#126 is where it was. Go back to #126: The light: a start" in words
    for read, address in ((seen.letter, f"{SITE}/issues/{FOLDER}/"), (seen.page, f"../../issues/{FOLDER}/")):
        assert addresses(read, "#126: The light: a start") == [address]
        assert len(with_words(read, "#120", "a")) == 1
        assert [head.text for head in read.all("h1", "h2", "h3") if "126 is" in head.text] == []
    assert f"\n[1] {SITE}/issues/{FOLDER}/\n[2] {SITE}/issues/120-older/\n" in seen.text
    assert addresses(seen.page, "No. 126: The light: a start") == [f"../../issues/{FOLDER}/"]
    assert addresses(seen.page, "No. 120: The deep issue") == ["../../issues/120-older/"]


def test_what_else_is_in_the_issue_writes_itself(tmp_path):
    other = {
        f"{FOLDER}/02-two.md": article_file("x", title="The second"),
        f"{FOLDER}/03-x.md": article_file("x", title="C"),
    }
    seen = reading(tmp_path, "Words.\n\n:::also", files=other, title="The first")
    assert f"\nAlso in this issue:\n\n- The second\n  {SITE}/articles/two/\n- C\n  {SITE}/articles/x/\n" in seen.text
    for read in seen.on_paper().values():
        (title,) = with_words(read, "Also in this issue", "p")
        assert "eyebrow" in title.classes
        assert any(
            address.endswith("articles/two/") or address == "../two/" for address in addresses(read, "The second")
        )
    plain = reading(tmp_path, "Words.", title="The first")
    below = next(nav for nav in plain.page.all("nav") if "more" in nav.classes)
    assert folded(below.text) == "From issue No. 126: Issue 126 The second C"


NEWS = {
    "title": '"A hundred thousand"',
    "author": '"The Example Times"',
    "date": "2024-11-14",
    "source_url": "https://www.times.example.org/100000",
    "licence": '"CC BY 4.0"',
}


@pytest.mark.parametrize("form", ["full", "excerpt"])
def test_an_issue_of_an_own_article_and_somebody_elses(tmp_path, form):
    news = article_file("A hundred thousand in 230 days.\n\n<!-- more -->\n\nMore.", email=form, **NEWS)
    files = {f"{FOLDER}/02-news.md": news, f"{FOLDER}/03-last.md": article_file("Bye.", title="The last")}
    seen = reading(tmp_path, "Words.", files=files, title="The first", author="Mara", date="2024-01-03")
    titles = ["The first", "A hundred thousand", "The last"]
    assert "\nIn this issue:\n\n- The first\n- A hundred thousand\n- The last\n" in seen.text
    for read in (seen.letter, seen.whole):
        assert [head.text for head in read.all("h2") if head.text in titles] == titles
        assert [link.text for item in read.all("li") for link in read.all("a") if item in link.around][:3] == titles
    texts = {name: words for name, words in seen.everywhere().items() if name != "article"}
    for words in (*texts.values(), folded(seen.on("articles/news").text)):
        assert "The Example Times · 14 November 2024" in words
        assert "CC BY 4.0" in words
    for words in texts.values():
        assert "Mara · 3 January 2024" in words
    for read in (seen.letter, seen.whole, seen.on("articles/news")):
        assert addresses(read, "times.example.org") == ["https://www.times.example.org/100000"]
        assert "Source: times.example.org" in folded(read.text)
    assert "\nSource: https://www.times.example.org/100000\nCC BY 4.0\n" in seen.text
    said = "Read on the web" if form == "full" else "Read the rest on the web"
    assert f"{SITE}/articles/news/" in addresses(seen.letter, said)
    assert f"{said}: {SITE}/articles/news/" in seen.text


def test_what_an_import_was_not_given_is_named_and_taken_when_it_is(tmp_path, monkeypatch, capsys):
    workspace(tmp_path, {f"{FOLDER}/issue.md": issue_file(126)})
    monkeypatch.chdir(tmp_path)
    (tmp_path / "news.txt").write_text("A lamp has burned for a year, which is a long time for a lamp.\n")
    assert run(["add", "126", "news.txt"]) == 0
    assert "not given: title, author, date, source_url" in capsys.readouterr().out
    assert run(["build", "126"]) == 1
    said = capsys.readouterr().err
    assert f"{FOLDER}/01-news.md" in said
    assert "`title` is missing" in said
    Path("issues", FOLDER, "01-news.md").unlink()
    given = {
        "title": "A year",
        "author": "The Example Times",
        "date": "2024-11-14",
        "source-url": "https://x.example.org/1",
    }
    assert run(["add", "126", "news.txt", *(part for key, value in given.items() for part in (f"--{key}", value))]) == 0
    assert "not given" not in capsys.readouterr().out
    assert run(["build", "126"]) == 0
    built = Path("build", FOLDER)
    text = (built / "email.txt").read_text("utf-8")
    assert "\nA year\n======\nThe Example Times · 14 November 2024\n" in text
    assert "\nSource: https://x.example.org/1\n" in text
    for name in ("email.html", "web/articles/a-year/index.html", f"web/issues/{FOLDER}/index.html"):
        words = folded(Read((built / name).read_text("utf-8")).text)
        assert "A year The Example Times · 14 November 2024" in words
        assert "Source: x.example.org" in words


def test_one_source_is_a_part_of_the_letter_a_page_and_an_entry_of_the_archive(tmp_path, monkeypatch):
    letter = issue_file(126, "Opening words.\n\n<!-- articles -->\n\nClosing words.", date="2024-01-05")
    article = article_file("One source.\n\n:::only web\nOn the web.\n:::", title="The lamp", author="Mara")
    workspace(tmp_path, {f"{FOLDER}/issue.md": letter, f"{FOLDER}/01-lamp.md": article})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NEWSLETTER_DATA_DIR", str(tmp_path / "data"))
    assert run(["subscribers", "add", "ann@example.org"]) == 0
    assert run(["send", "126", "--yes"]) == 0
    assert run(["archive", "build"]) == 0
    (sent,) = (tmp_path / "data" / "outbox" / "new").iterdir()
    message = message_from_bytes(sent.read_bytes(), policy=policy.default)
    mail, text = (message.get_body((kind,)).get_content() for kind in ("html", "plain"))
    site = tmp_path / "build" / "public"
    page, whole, front = (
        (site / path / "index.html").read_text("utf-8") for path in ("articles/lamp", f"issues/{FOLDER}", ".")
    )
    (entry,) = feedparser.parse((site / "feed.xml").read_bytes()).entries
    for said in (mail, text, page, whole, entry.content[0].value):
        assert "One source." in said
        assert ("On the web." in said) == (said not in {mail, text})
        assert ("Opening words." in said and "Closing words." in said) == (said != page)
    assert addresses(Read(mail), "The lamp") == [f"{SITE}/articles/lamp/"]
    assert addresses(Read(whole), "The lamp") == ["../../articles/lamp/"]
    assert addresses(Read(page), "No. 126: Issue 126") == [f"../../issues/{FOLDER}/"]
    assert addresses(Read(front), "The lamp") == ["articles/lamp/"]
    assert (entry.link, entry.author) == (f"{SITE}/issues/{FOLDER}/", "Mara")
