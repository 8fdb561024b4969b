"""Saved web pages: what of a page is the article, that none of its words is lost, and that no page does any harm."""

from __future__ import annotations

import base64
import datetime
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.errors import Collected, ConfigError, ContentError, Place
from newsletter.issue.blocks import Button, Figure, Post, Prose, Quote, walk
from newsletter.issue.importing import extras, webpage
from newsletter.issue.importing.addresses import Addresses, beside
from newsletter.issue.importing.article_html import converted
from newsletter.issue.importing.draft import Draft
from newsletter.issue.importing.hypertext import parse
from newsletter.issue.markdown import code_spans
from newsletter.issue.markdown import parse as parse_markdown
from newsletter.issue.slots import Vocabulary, edits
from newsletter.issue.source import Source
from tests.imports import words_of_blocks

SAVED = Path(__file__).parent / "data" / "saved"
PAGE = SAVED / "Forty stalls.html"
LONG = "On a Sunday evening in autumn, the park has forty stalls, and every one of them has a car in it. " * 2


def of(tmp_path: Path, html: str | bytes, name: str = "page.html") -> Draft:
    path = tmp_path / name
    path.write_bytes(html.encode() if isinstance(html, str) else html)
    return webpage.read(path)


def body_of(html: str, base: str = "") -> str:
    page = parse(f"<body>{html}</body>", Place(Path("page.html")))
    assert page.body is not None
    return converted(page.body, Addresses(base), Place(Path("page.html")))[0]


def loaded(markdown: str) -> tuple[object, ...]:
    """The blocks of an imported text; faults in it, in its slots too, are errors."""
    problems = Collected()
    source = Source.of(Path("article.md"), markdown)
    found = list(edits(markdown, Vocabulary((), {}), problems, source.place, code_spans(markdown)))
    blocks = parse_markdown(source, problems).blocks
    problems.stop_if_any()
    assert not found
    return blocks


def test_the_page_says_its_title_author_date_language_and_address() -> None:
    assert webpage.read(PAGE).front == {
        "title": "Forty stalls, and not one free",
        "author": "Ann Ode",
        "date": datetime.date(2024, 11, 13),
        "source_url": "https://volt.example.org/2024/forty-stalls",
        "lang": "en-GB",
    }


def test_nothing_around_the_article_is_in_it() -> None:
    body = webpage.read(PAGE).body
    for foreign in (
        "privacy",
        "Tweet this",
        "Subscribe to The Volt",
        "Most read",
        "Sign me up",
        "First!",
        "rights",
        "var x",
    ):
        assert foreign not in body


def test_no_word_of_the_article_is_lost_and_none_is_added() -> None:
    page = parse(PAGE.read_bytes(), Place(PAGE))
    article = page.find(class_="post-content")
    assert article is not None
    for script in article.find_all("script"):
        script.extract()
    for ending in article.find_all(["p", "li", "th", "td", "br"]):
        ending.insert_after(" ")
    said = "".join(article.strings)
    # the number of the note and the arrow back are marks of our own; so is the dash before a name
    wanted = said.replace("park1 ", "park ").replace("↩", "").replace("— Bo", "Bo").replace("(@botrand)", "@botrand")
    blocks = loaded(webpage.read(PAGE).body)
    assert sorted(words_of_blocks(blocks)) == sorted(wanted.replace(",", " ").replace("|", " ").split())


def test_pictures_beside_the_page_come_along_and_others_stay_links() -> None:
    draft = webpage.read(PAGE)
    assert draft.pictures == {"park.png": (SAVED / "Forty stalls_files" / "park.png").read_bytes()}
    figures = [block for block in walk(loaded(draft.body)) if isinstance(block, Figure)]  # type: ignore[arg-type]
    assert [figure.src for figure in figures] == ["images/park.png", "https://cdn.example.net/map.jpg"]
    assert figures[0].alt == "A row of cars under a roof, seen from above"


def test_cards_become_directives() -> None:
    blocks = walk(loaded(webpage.read(PAGE).body))  # type: ignore[arg-type]
    (post,) = (block for block in blocks if isinstance(block, Post))
    assert (post.platform, post.author, post.handle) == ("X", "Bo Trand", "@botrand")
    assert post.url == "https://twitter.com/botrand/status/1856000000000000000"
    (quote,) = (block for block in blocks if isinstance(block, Quote))
    assert (quote.by, quote.role) == ("Bo Trand", "driver")
    (button,) = (block for block in blocks if isinstance(block, Button))
    assert button.url == "https://volt.example.org/signup"


def test_code_tables_lists_and_footnotes_keep_their_shape() -> None:
    body = webpage.read(PAGE).body
    assert (
        "```python\ndef price(hour):\n    if hour < 6:\n\n        return 0.29  # *night*\n    return 0.49\n```" in body
    )
    assert "| Hour | Price |\n| --- | ---: |\n| Night \\| dawn | €0.29 |" in body
    assert "- Forty stalls, 120 kW each\n  - of which two for vans" in body
    assert "3. Third thing first.\n4. Then the fourth." in body
    assert "a second park[^1] further" in body
    assert body.endswith("[^1]: We were asked not to say where.")


def test_what_is_left_out_of_the_article_is_named(tmp_path: Path) -> None:
    draft = of(
        tmp_path,
        f"<article><p>{LONG}</p><p>{LONG}</p><div class='share-buttons'><a href=/x>Tell all</a></div></article>",
    )
    assert [(repair.name, repair.said) for repair in draft.repairs] == [
        ("left-out", "not part of the article: Tell all")
    ]


@pytest.mark.parametrize(
    ("html", "markdown"),
    [
        ("<p>Hello {{ name }} &amp; *all*</p>", "Hello \\{{ name }} & \\*all\\*"),
        ("<p>:<span>::cta</span></p>", "\\:::cta"),
        ("<p>1. not a list<br>- nor this</p>", "1\\. not a list\\\n\\- nor this"),
        ("<p>a [so to say] c, [d](e)</p>", "a [so to say] c, \\[d\\](e)"),
        ("<p>wow!<a href='https://e.example/'>x</a></p>", "wow\\![x](https://e.example/)"),
        ("<p>&amp;lt;b&amp;gt; &lt;b&gt;</p>", "\\&lt;b\\&gt; \\<b>"),
        ("<p>10<sup>6</sup> and H<sub>2</sub>O, the 1<sup>st</sup></p>", "10⁶ and H₂O, the 1st"),
        ("<p>one<br><br>two</p>", "one\n\ntwo"),
        ("<p>a <b>“loud”</b>word</p>", "a “**loud**”word"),
        ("<p><b>a</b><b>b</b> <i></i></p>", "**ab**"),
        ("<p>a<b> b </b>c</p>", "a **b** c"),
        ("<h2><div>Set in a division</div></h2>", "## Set in a division"),
        ("<ul><li>a</li></ul><ul><li>b</li></ul>", "- a\n\n* b"),
        ("<ul><li>a<ol start=2><li>b</li></ol></li></ul>", "- a\n\n  2. b"),
        ("<ul><li><input type=checkbox checked> done</li></ul>", "- [x] done"),
        ("<pre>a ``` b\n\n  c</pre>", "````\na ``` b\n\n  c\n````"),
        ("<table><tr><td><p>One</p></td><td><h2>Two</h2></td></tr></table>", "One\n\n## Two"),
        ("<blockquote><blockquote><p>in</p></blockquote></blockquote>", "> > in"),
        ("<a href='https://e.example/'><h3>Head</h3><p>Text</p></a>", "### [Head](https://e.example/)\n\n[Text](https://e.example/)"),
        ("<p><a href='javascript:alert(1)'>click</a> <a href='/x'>here</a></p>", "click here"),
        ("<p>see <a href='https://e.example/a_(b)?x=%zz {{y}}'>it</a></p>", "see [it](https://e.example/a_(b)?x=%25zz%20%7B%7By%7D%7D)"),
        ("<dl><dt>Term</dt><dd>What it is</dd></dl>", "Term\n\nWhat it is"),
        ("<div>a<p>b</p>c</div>", "a\n\nb\n\nc"),
        ("<figure><pre>x</pre><figcaption>Code</figcaption></figure>", "```\nx\n```\n\nCode"),
    ],
)  # fmt: skip
def test_markup_becomes_markdown(html: str, markdown: str) -> None:
    assert body_of(html) == markdown
    loaded(markdown)


@pytest.mark.parametrize(("said", "lang"), [("en-GB", "en-GB"), ("zz", None), ("english", None), ("", None)])
def test_a_language_that_there_is_not_is_not_taken_over(tmp_path: Path, said: str, lang: str | None) -> None:
    assert of(tmp_path, f"<html lang='{said}'><body><p>{LONG}<p>{LONG}").front.get("lang") == lang


def test_links_are_resolved_against_the_address_of_the_page() -> None:
    assert body_of("<p><a href='../b?c=1#d'>x</a></p>", "https://e.example/a/z/") == "[x](https://e.example/a/b?c=1#d)"


def test_a_picture_that_is_loaded_later_is_found() -> None:
    lazy = '<p><img src="data:image/gif;base64,R0lGOD" data-src="https://e.example/a.jpg" alt="A"></p>'
    assert body_of(lazy) == "![A](https://e.example/a.jpg)"
    assert body_of('<p><img srcset="https://e.example/s.jpg 1x, https://e.example/l.jpg 2x" alt="A"></p>') == (
        "![A](https://e.example/l.jpg)"
    )


def test_a_picture_inside_the_page_is_unpacked(tmp_path: Path) -> None:
    png = (SAVED / "Forty stalls_files" / "park.png").read_bytes()
    html = f'<p>{LONG}<p>{LONG}<p><img src="data:image/png;base64,{base64.b64encode(png).decode()}" alt="A">'
    draft = of(tmp_path, html)
    assert draft.pictures == {"picture.png": png}
    assert draft.body.endswith("![A](images/picture.png)")


def test_only_the_folder_saved_beside_the_page_is_looked_into(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for folder in ("page_files", "private"):
        (home / folder).mkdir(parents=True)
        shutil.copy(SAVED / "Forty stalls_files" / "park.png", home / folder / "a.png")
    (home / "page_files" / "b.png").symlink_to(home / "private" / "a.png")
    find = beside(home / "page.html")
    assert find("./page_files/a.png?v=1")
    for src in (
        "private/a.png",
        "page_files/../private/a.png",
        f"{home}/page_files/a.png",
        "page_files/b.png",
        "a\0b",
        "http://[x",
    ):
        assert find(src) is None


def test_what_is_no_picture_does_not_come_along(tmp_path: Path) -> None:
    (tmp_path / "page_files").mkdir()
    (tmp_path / "page_files" / "a.png").write_bytes(b"#!/bin/sh")
    draft = of(tmp_path, f"<p>{LONG}<p>{LONG}<p>before <img src='page_files/a.png' alt='gone'> after")
    assert draft.pictures == {}
    assert "before after" in " ".join(draft.body.split())
    assert [repair.name for repair in draft.repairs] == ["lost-picture"]


def test_two_pictures_of_one_name_keep_apart() -> None:
    files = {"a/x.png": b"\x89PNG\r\n\x1a\n1", "b/x.png": b"\x89PNG\r\n\x1a\n2", "c/x.png": b"\x89PNG\r\n\x1a\n1"}
    addresses = Addresses(find=files.get)
    assert [addresses.picture(src) for src in files] == ["images/x.png", "images/x-2.png", "images/x.png"]


@pytest.mark.parametrize(
    ("charset", "declared"),
    [("utf-8", ""), ("utf-8-sig", ""), ("windows-1252", "<meta charset=windows-1252>"), ("utf-16", "")],
)
def test_pages_in_other_encodings(tmp_path: Path, charset: str, declared: str) -> None:
    html = (
        f"<html><head>{declared}<title>Café – “late”</title></head><body><p>{LONG}</p><p>Café {LONG}</p></body></html>"
    )
    draft = of(tmp_path, html.encode(charset))
    assert draft.front["title"] == "Café – “late”"
    assert "Café On a Sunday" in draft.body


@pytest.mark.parametrize(
    ("html", "message"),
    [
        ("", "no article"),
        ("<html><body><script>x()</script></body></html>", "no article"),
        ("<ul>" + "<li><a href=/a>One of the many articles of the front page</a></li>" * 40 + "</ul>", "no article"),
        ("<div>" * 400 + LONG, "deep inside each other"),
        ("<p>" + "<b>x</b>" * 26_000, "elements"),
        ("<p>" + "A sentence of words. " * 50_000, "longer than 1,000,000 letters"),
        ("<p>" + "x" * 5_000_001, "larger than 5 MB"),
        ("\0\0\0", "no article"),
    ],
)
def test_what_is_no_article_is_refused_in_words(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], html: str, message: str
) -> None:
    with pytest.raises(ContentError, match=message) as error:
        of(tmp_path, html)
    assert error.value.problems[0].hint
    assert error.value.problems[0].where
    assert capfd.readouterr() == ("", "")


def test_entities_are_only_htmls_own(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret words")
    declared = f'<!ENTITY x SYSTEM "file://{tmp_path}/secret"><!ENTITY y "&y1;&y1;">'
    html = f"<!DOCTYPE html [{declared}]><p>{LONG}</p><p>{LONG} &x; &y;"
    assert "secret words" not in of(tmp_path, html).body


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(ConfigError) as error:
        webpage.read(PAGE)
    assert error.value.problems[0].hint == 'pip install "newsletter[html]"'


TAGS = (  # noqa: SIM905
    "p div span b strong i em a ul ol li blockquote h1 h2 h3 pre code table caption thead tbody tr td th br hr "
    "img figure figcaption section dl dt dd sup sub details summary iframe button cite footer q center script style "
    "svg nav form"
).split()
ATTRIBUTES = (
    "",
    *(
        'class="twitter-tweet"',
        'class="btn"',
        'class="share"',
        'href="#a"',
        'id="a"',
        'href="/x_y(z"',
        'href="http://[x"',
    ),
    *(
        'href="#b" id="c"',
        'href="#c" id="b"',
        'href="https://e.example/?a={{b}}&copy;=1"',
        'src="a.png"',
        'colspan="3"',
    ),
    *(
        'src="https://e.example/a.png" alt="An *alt* [x]"',
        'start="7"',
        'start="²"',
        'cite="https://e.example/"',
        "hidden",
    ),
    *('align="right"', 'style="display:none"', 'role="dialog"', 'lang="§"'),
)
texts = st.one_of(
    st.sampled_from(
        [*r"\`*_~[]{}()<>#+-.!|&;:=^$% ab1", "\n", ":::", "{{ x }}", "1. ", "- ", "[^1]", "&amp;", "&lt;b&gt;"]
    ),
    st.text(max_size=3),
)
trees = st.recursive(
    texts,
    lambda inner: st.tuples(st.sampled_from(TAGS), st.sampled_from(ATTRIBUTES), st.lists(inner, max_size=4)).map(
        lambda made: f"<{made[0]} {made[1]}>{''.join(made[2])}</{made[0]}>"
    ),
    max_leaves=25,
)
tags = [f"<{name} {attribute}>" for name in TAGS for attribute in ATTRIBUTES[:3]] + [f"</{name}>" for name in TAGS]
soups = st.lists(st.one_of(texts, st.sampled_from(tags)), max_size=30)
pages = st.one_of(st.lists(trees, max_size=6), soups).map("".join)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(pages)
def test_whatever_a_page_holds_it_is_refused_or_loads(tmp_path: Path, html: str) -> None:
    try:
        draft = of(tmp_path, html)
    except ContentError:
        return
    loaded(draft.body)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(trees.filter(lambda html: "#b" not in html and "#c" not in html))
def test_whatever_an_article_holds_none_of_its_letters_is_lost(html: str) -> None:
    page = parse(f"<body>{html}</body>", Place(Path("page.html")))
    assert page.body is not None
    for gone in page.find_all(["script", "style", "svg", "iframe"]):
        gone.extract()
    for button in page.find_all("button"):
        if not button.find_parent("a"):
            button.extract()
    wanted = list("".join(page.body.strings).translate(dict.fromkeys(range(32))))
    said = list("".join(words_of_blocks(loaded(body_of(html)))))
    for letter in wanted:
        if letter.isalnum() and letter.isascii():
            assert letter in said or letter in "0123456789"
            if letter in said:
                said.remove(letter)


def test_blocks_of_prose_only_hold_what_markdown_can_say() -> None:
    assert all(isinstance(block, Prose) for block in loaded(body_of("<p>a</p><ul><li>b</li></ul>")))
