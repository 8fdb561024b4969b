"""The default theme: what holds of every letter and page by construction, and what small issues look like.

`pytest tests/test_theme.py --update-golden` writes tests/golden anew; look at the difference before you commit it.
"""

import re
import shutil
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from posixpath import dirname, join, normpath
from urllib.parse import urldefrag

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.compile.colours import contrast, dark, light
from newsletter.compile.edition import Edition, Facts, SentBefore
from newsletter.compile.pipeline import compile_issue
from newsletter.compile.render import Theme, host
from newsletter.compile.slots import specimen_html, specimen_text
from newsletter.compile.text import columns_of
from newsletter.compile.values import stylesheet
from newsletter.compile.words import Words, direction
from newsletter.issue.load import latest_issue, load_issue
from newsletter.issue.model import Issue
from newsletter.workspace import Workspace, theme_root
from tests.everything import HOSTILE, everything
from tests.pages import Read

ROOT = Path(__file__).parent.parent
ISSUES = Path(__file__).parent / "issues"
TINY = ISSUES / "tiny"
LANGUAGES = ["arabic", "chinese", "german"]
GOLDEN = Path(__file__).parent / "golden"
ADDRESSES = ["1 Short Street", "1 Long Road, 00001 Example", "12 Harbour Lane"]
ADDRESSES += ["12 شارع المحطة، بيروت", "上海市车站路12号", "Bahnhofstraße 12, 1100 Wien"]
BRAND = st.integers(0, 0xFFFFFF).map("#{:06x}".format)


@dataclass(frozen=True)
class Made:
    """An issue and its edition, with the letter as nobody in particular gets it."""

    issue: Issue
    edition: Edition
    style: str

    @classmethod
    def of(cls, workspace: Workspace) -> "Made":
        issue = load_issue(workspace, latest_issue(workspace))
        theme = Theme.of(workspace)
        edition = compile_issue(issue, theme, Facts(), workspace.settings)
        return cls(issue, edition, stylesheet(theme, workspace.settings))

    @property
    def html(self) -> str:
        return self.edition.variants[0].html.fill(specimen_html)

    @property
    def text(self) -> str:
        return self.edition.variants[0].text.fill(specimen_text)

    @property
    def say(self) -> Words:
        return Words.of(self.issue.lang, (theme_root(),))

    def page(self, path: str) -> Read:
        return Read(next(page.html for page in self.edition.pages if page.path == path))


@pytest.fixture(scope="module")
def all_of_it(tmp_path_factory):
    return Made.of(everything(tmp_path_factory.mktemp("everything")))


@pytest.fixture(scope="module", params=["sample", "tiny", "everything", *LANGUAGES])
def made(request, all_of_it):
    match request.param:
        case "everything":
            return all_of_it
        case "sample":
            return Made.of(Workspace.open(ROOT))
        case name:
            return Made.of(Workspace.open(ISSUES / name))


@pytest.mark.parametrize("name", ["tiny", *LANGUAGES])
def test_an_issue_looks_as_it_did(request, name):
    made, golden = Made.of(Workspace.open(ISSUES / name)), GOLDEN / name
    pages = {f"web/{page.path}": page.html for page in made.edition.pages}
    now = {"email.html": made.html, "email.txt": made.text, **pages}
    if request.config.getoption("--update-golden"):
        shutil.rmtree(golden, ignore_errors=True)
        for path, text in now.items():
            (golden / path).parent.mkdir(parents=True, exist_ok=True)
            (golden / path).write_text(text, "utf-8")
    kept = {str(path.relative_to(golden)): path.read_text("utf-8") for path in golden.rglob("*") if path.is_file()}
    assert now == kept


def headings(page: Read) -> list[int]:
    return [int(element.tag[1]) for element in page.all("h1", "h2", "h3", "h4", "h5", "h6")]


def assert_sound(page: Read) -> None:
    """What holds of a letter and of a page alike."""
    assert page.unclosed == []
    assert [element.tag for element in page.elements if element.twice] == []
    ids = [element["id"] for element in page.elements if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    levels = headings(page)
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(below - above <= 1 for above, below in pairwise(levels)), levels
    assert all("alt" in image.attributes for image in page.all("img"))
    assert all(link.text.strip() or any(image["alt"] for image in page.all("img") if link in image.around)
               for link in page.all("a"))  # fmt: skip
    assert page.all("html")[0]["dir"] == direction(page.all("html")[0]["lang"])
    assert page.all("title")[0].text.strip()
    assert not page.all("script", "iframe", "object", "embed", "base")
    assert not [name for element in page.elements for name in element.attributes if name.startswith("on")]


def test_a_letter_is_sound(made):
    letter = Read(made.html)
    assert_sound(letter)
    wrapper = next(element for element in letter.all("div") if element["role"] == "article")
    assert (wrapper["lang"], wrapper["dir"]) == (made.issue.lang, made.say.dir)
    data = [nearest_table(cell) for cell in letter.all("th")]
    for table in letter.all("table"):
        assert table["role"] == ("" if any(table is one for one in data) else "presentation")
    metas = {meta["name"]: meta["content"] for meta in letter.all("meta")}
    assert metas["color-scheme"] == metas["supported-color-schemes"] == "light dark"


def nearest_table(element):
    return next(around for around in reversed(element.around) if around.tag == "table")


def test_a_letter_carries_its_look_with_it(made):
    letter = Read(made.html)
    style = "".join(element.text for element in letter.all("style"))
    ours = letter.all("style")[-1].text
    assert len(ours.encode()) < 8192
    assert len(style.encode()) < 16384
    assert "prefers-color-scheme: dark" in ours
    assert not letter.all("link", "form", "input")
    assert "@import" not in made.html
    assert "fonts.googleapis" not in made.html
    assert len(made.html.encode()) < 90 * 1024
    inline = "".join(element["style"] for element in letter.elements)
    assert not re.search(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{4})\b", inline + ours)
    for element in letter.elements:
        if found := re.search(r"max-width:(\d+)px", element["style"]):
            assert int(found[1]) <= 640
    read = [element for element in letter.all("p", "li", "h1", "h2", "h3", "a", "span") if element.text.strip()]
    sizes = [int(size) for element in read for size in re.findall(r"font-size:\s*(\d+)px", element["style"])]
    assert min(sizes) >= 13


def test_links_in_a_letter_can_be_seen_to_be_links(made):
    letter = Read(made.html)
    for link in letter.all("a"):
        title = "title" in link.classes and (link.around[-1].tag in {"h2", "td"})
        button = any("button" in around.classes for around in link.around)
        picture = any(link in image.around for image in letter.all("img"))
        assert title or button or picture or "underline" in link["style"], link.text


def test_the_preheader_is_there_and_not_to_be_seen(all_of_it):
    letter = Read(all_of_it.html)
    hidden = [element for element in letter.elements if "display:none;max" in element["style"]]
    assert [element["style"] for element in hidden] == ["display:none;max-height:0;overflow:hidden;mso-hide:all"]
    assert hidden[0].text.strip() == "All of it, dear <reader>."
    body = letter.text.strip()
    assert body.startswith("All of it")


def test_without_a_preheader_the_first_words_that_are_everybodys_stand_for_one():
    letter = Read(Made.of(Workspace.open(TINY)).html)
    (hidden,) = (element for element in letter.elements if "display:none" in element["style"])
    assert hidden.text.strip() == "Two small things this week."


def test_every_letter_says_who_why_and_how_to_leave(made):
    for program in (made.edition.variants[0].html, made.edition.variants[0].text):
        names = [slot.name for slot in program.slots]
        assert names.count("links.unsubscribe") == names.count("links.preferences") == 1
    for said in (made.html, made.text):
        assert made.say("Forwarded this?") in said
        assert (
            made.say("You get this because you subscribed at {host}.", host=host(made.edition.headers.archive)) in said
        )
        assert "/subscribe" in said
        assert any(address in said for address in ADDRESSES)


def test_contents_stand_where_there_are_three_articles(made):
    shown = [article for article in made.issue.articles if article.email != "none"]
    contents = made.say("In this issue")
    assert (contents in made.html) == (contents in made.text) == (len(shown) >= 3)


def test_articles_in_a_letter_lead_to_their_pages(made):
    letter = Read(made.html)
    for article in made.issue.articles:
        links = [link for link in letter.all("a") if link["href"].endswith(f"/articles/{article.slug}/")]
        assert bool(links) == (article.email != "none")


def test_an_article_in_another_language_says_so(all_of_it):
    heading = next(h2 for h2 in Read(all_of_it.html).all("h2") if h2.text == "只有链接")
    assert [around["lang"] for around in heading.around if around["lang"]][-1] == "zh"
    page = all_of_it.page("articles/link/index.html")
    assert page.all("html")[0]["lang"] == "zh"


def test_a_rule_goes_through_whatever_is_in_a_quotation(all_of_it):
    letter = Read(all_of_it.html)
    picture = next(image for image in letter.all("img") if image["alt"] == "A picture in a quote")
    words = next(p for p in letter.all("p") if p.text == "Last words.")
    ruled = [element for element in picture.around if "border-left:3px solid" in element["style"]]
    assert len(ruled) == 1
    assert ruled[0] in words.around
    assert int(picture["width"]) == 640 - 48 - 23


def test_hostile_words_are_shown_as_they_are(all_of_it):
    letter, page = Read(all_of_it.html), all_of_it.page("articles/hostile/index.html")
    said = f'{HOSTILE} "double"'
    for read in (letter, page, all_of_it.page("issues/9-everything/index.html")):
        assert not read.all("script")
        alts = [image["alt"] for image in read.all("img")]
        assert said in alts
        assert HOSTILE in alts
        assert read.text.count(HOSTILE) >= 10
    assert any(heading.text == said for heading in letter.all("h2"))
    text = " ".join(all_of_it.text.replace("\n> ", " ").split())
    assert text.count(" ".join(HOSTILE.split())) >= 10


def test_every_word_of_the_letter_is_in_its_text_part(made):
    def words(text):
        return set(re.findall(r"[\u4e00-\u9fff]|[^\W_\u4e00-\u9fff]+", text.casefold()))

    letter = Read(made.html)
    preheader = "".join(element.text for element in letter.elements if "display:none" in element["style"])
    spoken = {made.issue.lang, *(article.lang for article in made.issue.articles)}
    links = [Words.of(lang, (theme_root(),))("See it on {platform}", platform="") for lang in spoken]
    not_in_text = " ".join([*links, *map(str, range(10))])
    assert words(letter.text.replace(preheader, "", 1)) - words(made.text) <= words(not_in_text)


def test_the_text_part_is_72_columns_wide(made):
    long = [line for line in made.text.splitlines() if columns_of(line) > 72]
    assert [line for line in long if "https://" not in line] == []
    assert "\n\n\n\n" not in made.text
    assert "<td" not in made.text


def test_the_text_part_of_blocks(all_of_it):
    for piece in (
        "Somebody, a role:\n\n> Before the picture.\n>\n> [Picture: A picture in a quote]\n> Its caption.\n",
        "> After the picture.\n>\n> [A note in a quote]\n>\n>     Inside.\n>\n> Last words.\n",
        "Ida (@ida) on X, 13 November 2024, 07:40:\n\n> A post.\n>\n> [Picture: Dot]\n\nhttps://a.example\n",
        "[Sponsor: Brand]\n\n    An advertisement.\n\n    https://example.com/brand\n",
        '    print("a line of code")\n\n\n    print("after two empty lines")\n',
        "[Picture: A wide picture]\nA caption.\nAda\n",
        "KITCHEN SINK\n",
        "Ada · 4 March 2026 · first published 2 January 2020\n",
    ):
        assert piece in all_of_it.text


def test_pages_are_sound(made):
    for page in made.edition.pages:
        read = Read(page.html)
        assert_sound(read)
        assert page.html.count('rel="canonical"') == 1
        for field in read.all("input"):
            assert field["type"] == "hidden" or any(around.tag == "label" for around in field.around)
        ids = {element["id"] for element in read.elements}
        anchors = [link["href"][1:] for link in read.all("a") if link["href"].startswith("#")]
        assert [name for name in anchors if name not in ids] == []


def test_pages_ask_nobody_else_for_anything(made):
    paths = {asset.path for asset in made.edition.assets} | {"style.css"}
    for page in made.edition.pages:
        read = Read(page.html)
        asked = [image["src"] for image in read.all("img")]
        asked += [link["href"] for link in read.all("link") if link["rel"] == "stylesheet"]
        for address in asked:
            assert normpath(join(dirname(page.path), urldefrag(address)[0])) in paths
    assert "url(" not in made.style
    assert len(made.style.encode()) < 16384


def test_a_page_says_what_it_is(all_of_it):
    page = all_of_it.page("articles/prose/index.html")
    said = {meta["property"] or meta["name"]: meta["content"] for meta in page.all("meta")}
    assert said["og:title"].startswith("Everything that Markdown")
    assert said["og:url"] == "https://every.example.org/articles/prose/"
    assert said["og:image"].startswith("https://every.example.org/images/wide-")
    assert said["description"] == said["og:description"] != ""
    assert len(said["description"]) <= 160
    assert [link["href"] for link in page.all("link") if link["rel"] == "canonical"] == [said["og:url"]]
    back = next(link for link in page.all("a") if link.text == "No. 9: Everything")
    assert back["href"] == "../../issues/9-everything/"


def test_an_issue_that_changed_says_so_on_its_page_alone(tmp_path):
    workspace = everything(tmp_path)
    path = tmp_path / "issues" / "9-everything" / "issue.md"
    errata = "errata:\n  - date: 2026-03-09\n    text: It was <not> six.\n"
    path.write_text(path.read_text("utf-8").replace('hook: "Test"\n', errata), "utf-8")
    issue = load_issue(workspace, path.parent)
    facts = Facts(sent_before=SentBefore(hash="0", content_digest="another"))
    changed = compile_issue(issue, Theme.of(workspace), facts, workspace.settings)
    as_it_was = compile_issue(issue, Theme.of(workspace), Facts(), workspace.settings)
    assert changed.hash == as_it_was.hash
    assert "It was &lt;not&gt; six." in changed.pages[0].html
    assert "It was &lt;not&gt; six." not in as_it_was.pages[0].html


def test_a_language_from_right_to_left_is_set_from_right_to_left(tmp_path):
    (tmp_path / "newsletter.toml").write_text((TINY / "newsletter.toml").read_text("utf-8").replace('"en"', '"ar"'))
    shutil.copytree(TINY / "issues", tmp_path / "issues")
    letter = Read(Made.of(Workspace.open(tmp_path)).html)
    assert letter.all("html")[0]["dir"] == "rtl"
    paragraph = next(p for p in letter.all("p") if p.text.startswith("This is a dot"))
    directions = [found[1] for around in paragraph.around if (found := re.search(r"direction:(\w+)", around["style"]))]
    assert directions[-1] == "rtl"
    assert "text-align:right" in paragraph.around[-2]["style"]


def sides(read: Read, words: str) -> tuple[str, str, str]:
    """How a paragraph runs: its direction, where its lines begin, and on which side the rule beside it stands."""
    paragraph = next(p for p in read.all("p") if words in p.text)
    style = " ".join(element["style"] for element in (*paragraph.around, paragraph))
    directions = [element["dir"] for element in paragraph.around if element["dir"]]
    rules = re.findall(r"border-(left|right):\s*3px", style)
    return directions[-1], re.findall(r"text-align:\s*(left|right)", style)[-1], rules[-1] if rules else ""


def test_each_article_of_a_letter_is_set_its_own_way():
    arabic, german = (Read(Made.of(Workspace.open(ISSUES / name)).html) for name in ("arabic", "german"))
    assert sides(arabic, "لم نكن نظن") == ("rtl", "right", "right")
    assert sides(arabic, "Eleven minutes") == ("ltr", "left", "left")
    assert sides(german, "Wir hätten nicht gedacht") == ("ltr", "left", "left")
    assert sides(german, "إحدى عشرة دقيقة") == ("rtl", "right", "right")
    cells = [cell for cell in german.all("td") if "إلى النشرة الجوية" in cell.text and cell["align"]]
    assert cells[-2]["align"] == "right"


def test_lists_and_tables_of_a_letter_begin_where_its_lines_do():
    arabic = Read(Made.of(Workspace.open(ISSUES / "arabic")).html)
    (item,) = (item for item in arabic.all("li") if item.text.strip() == "عدد الخطوط: 27 خطًا")
    assert "padding: 0 24px 0 0" in item.around[-1]["style"]
    head, *_, last = arabic.all("th")
    assert "padding: 8px 0 8px 12px" in head["style"]
    assert "text-align: right" in head["style"]
    assert "padding-left: 0" in last["style"]
    code = next(code for code in arabic.all("pre") if "curl" in code.text)
    assert "direction: ltr" in code["style"]


def test_an_article_of_another_language_speaks_it_throughout():
    german = Made.of(Workspace.open(ISSUES / "german"))
    for said in (german.html, german.text):
        assert "القراءة على الويب" in said
        assert "2 مارس 2026" in said
    page = german.page("articles/platform/index.html")
    assert (page.all("html")[0]["lang"], page.all("html")[0]["dir"]) == ("ar", "rtl")
    back = next(link for link in page.all("a") if link.text == "العدد 12: \u2068Drei Bahnhöfe in einer Nacht\u2069")
    assert back["lang"] == "de"
    note = next(link for link in page.all("a") if link["aria-label"] == "العودة إلى النص")
    assert note.text == "↪"
    assert "letter-spacing: normal" in german.style
    physical = re.findall(r"(?:margin|padding|border)-(?:left|right)|[{;]\s*(?:left|right):", german.style)
    assert physical == []


@given(BRAND)
def test_any_brand_colour_is_legible(brand):
    for palette in (light(brand), dark(brand)):
        for ground in (palette.paper, palette.panel):
            for colour in (palette.text, palette.quiet, palette.brand):
                assert contrast(colour, ground) >= 4.5
        assert contrast(palette.quiet, palette.ground) >= 4.5
        assert contrast(palette.on_brand, palette.brand) >= 4.5
