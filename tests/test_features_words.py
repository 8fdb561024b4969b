"""What real articles show of words: titles, greetings, dates, money, marks. Each in mail, as text and on the web."""

import re
from itertools import pairwise

import pytest

from newsletter.checks import check
from newsletter.compile.edition import Facts
from newsletter.compile.render import Theme
from newsletter.compile.text import columns_of
from newsletter.compile.values import stylesheet
from newsletter.errors import ContentError
from newsletter.issue.importing.article import import_article
from newsletter.web.preview.desk import Sheet
from newsletter.web.preview.letter import letter_of
from tests.reading import folded, inside, reading, with_words

BOLT = "\u26a1\ufe0f"
LONG = (
    "Whoever lived on the coast in those years knew the keeper by her lamp and not by her face, since she came down to "
    "the harbour twice a year, for oil and for letters, and went up again before anybody had thought of a question. "
)


def test_a_title_is_neither_the_subject_nor_the_address(tmp_path):
    title = "Exclusive: the lamp that burned, 1931 in full"
    seen = reading(tmp_path, "Words.", title=f'"{title}"', issue={"subject": '"What she wrote down: all of it"'})
    assert seen.subject == "What she wrote down: all of it"
    assert with_words(seen.letter, title, "h2")
    assert f"\n{title}\n{'=' * len(title)}\n" in seen.text
    assert with_words(seen.page, title, "h1")
    assert with_words(seen.whole, title, "h2")
    assert seen.page.all("title")[0].text == f"{title} · Test"


def test_a_colon_that_is_not_quoted_is_said_with_its_line_and_an_import_quotes_it(tmp_path):
    with pytest.raises(ContentError) as caught:
        reading(tmp_path, "Words.", title="Exclusive: all of it")
    assert "01-one.md:2" in str(caught.value)
    assert "needs quotes" in str(caught.value)
    (tmp_path / "a.txt").write_text("Exclusive: all of it\n\nWords of it, which end here.\n")
    files = {"126-light/02-two.md": import_article(tmp_path / "a.txt").markdown}
    assert "Exclusive: all of it" in reading(tmp_path, "Words.", files=files).text


def test_an_emoji_with_its_variation_selector_survives(tmp_path):
    hook = f"Mind your eyes! {BOLT}"
    seen = reading(
        tmp_path,
        f"It flashed {BOLT} once.",
        hook=f'"{hook}"',
        issue={
            "subject": f'"{BOLT} Sparks, and a long line that a header has to fold: {BOLT}"',
            "hook": f'"Now: {BOLT}"',
        },
    )
    assert seen.subject == f"{BOLT} Sparks, and a long line that a header has to fold: {BOLT}"
    for read in seen.on_paper().values():
        assert [each for each in with_words(read, hook, "p") if "eyebrow" in each.classes]
    assert f"{hook.upper()}\nT\n=\n" in seen.text
    assert f"NOW: {BOLT}\nIssue 126\n" in seen.text
    assert with_words(seen.letter, f"Now: {BOLT}", "p")
    assert with_words(seen.whole, f"No. 126 · Now: {BOLT}", "p")
    assert all(f"It flashed {BOLT} once." in said for said in seen.everywhere().values())


@pytest.mark.parametrize(("reader", "said"), [("Ann", "Hey Ann, Mara here."), ("", "Hey, Mara here.")])
def test_a_greeting_names_the_reader_and_has_no_hole_without_a_name(tmp_path, reader, said):
    hello = 'Hey {{ subscriber.first_name | default("") }}, Mara here.'
    seen = reading(tmp_path, hello, opening=hello, reader=reader, issue={"subject": f"'{hello}'"})
    assert seen.subject == said
    assert len(with_words(seen.letter, said, "p")) == 2
    assert seen.text.count(f"\n{said}\n") == 2
    for page in (seen.page, seen.whole):
        assert with_words(page, "Hey, Mara here.", "p")


def test_the_first_words_are_the_preheader_where_none_is_written(tmp_path):
    lede = "Two letters from one winter, and neither writer knew of the other."
    opening = f'Hey {{{{ subscriber.first_name | default("you") }}}},\n\n:::only web\nNot in mail.\n:::\n\n{lede}'
    seen = reading(tmp_path, "Words.", opening=opening)
    (hidden,) = (each for each in seen.letter.all("div") if "display:none" in each["style"])
    assert hidden.text.strip() == lede
    assert folded(seen.letter.text).startswith(lede)
    (said,) = (each for each in seen.whole.all("meta") if each["name"] == "description")
    assert said["content"] == lede
    report = check(seen.issue, seen.edition, Facts(), seen.workspace.settings)
    assert letter_of(Sheet(seen.issue, seen.edition, report, "", "")).preheader == lede
    assert not [found for found in report.findings if found.rule.startswith("PRE")]


def test_a_written_preheader_goes_before_the_first_words_and_long_ones_are_cut_at_a_sentence(tmp_path):
    seen = reading(tmp_path, "Words.", opening="The first words.", issue={"preheader": "Something else."})
    assert seen.edition.preheader.literals == ("Something else.",)
    first = "Forty years beside the sea, and not one letter home until the very last of them."
    assert reading(tmp_path, "Words.", opening=f"{first} {LONG}").edition.preheader.literals == (first,)
    assert reading(tmp_path, first, opening="").edition.preheader.literals == (first,)


def test_a_line_between_two_parts_and_a_divider(tmp_path):
    seen = reading(tmp_path, "Before.\n\nReady?\n\n---\n\nBehind.")
    assert "\nBefore.\n\nReady?\n\n* * *\n\nBehind.\n" in seen.text
    for read in seen.on_paper().values():
        assert with_words(read, "Ready?", "p")
    assert [each for each in seen.letter.all("p") if "border-top" in each["style"] and "64px" in each["style"]]
    assert len(seen.page.all("hr")) == len(seen.whole.all("hr")) == 1


def test_square_brackets_are_words(tmp_path):
    said = "What if it stops? [she seems to mean the current, not the lamp]"
    seen = reading(tmp_path, said)
    for channel, words in seen.everywhere().items():
        assert said in words, channel
    assert not [link for read in seen.on_paper().values() for link in read.all("a") if "current" in link.text]
    assert seen.found("CONT011") == []


def test_questions_and_answers_are_no_list(tmp_path):
    body = (
        "The first question: What if it stops?\n\nIt does not.\n\nThe second question is when.\n\nThe third, by whom?"
    )
    seen = reading(tmp_path, body)
    assert body in seen.text
    for read in seen.on_paper().values():
        assert [p.text for p in read.all("p") if p.text in body.split("\n\n")] == body.split("\n\n")
        assert not [item for item in read.all("li") if "question" in item.text]


def test_marks_inside_marks_arrive_as_they_are_written(tmp_path):
    said = "“He said 'now', and \"at once\" she said ‘when?’, since it isn’t hers; it's his.”"
    for words in reading(tmp_path, said).everywhere().values():
        assert said in words


MONEY = (
    "Valued at US$4 billion, then $20 billion, it cost RMB 60,000, or $252 million, $9,200 each: 230 days, 30% lost.",
    "18650 cells, 1,287 km/h, 0–100 in 3.7 s, 4,750 buyers, a Model S and an SU7 Ultra.",
    "1,000 of them. 2.5 times as many. $x$ and $$y$$ and a{b}c and 2*3*4 and 5_6_7.",
)


@pytest.mark.parametrize("said", MONEY)
def test_money_and_numbers_are_words(tmp_path, said):
    seen = reading(tmp_path, said.replace("*", "\\*"))
    for channel, words in seen.everywhere().items():
        assert said in words, channel
    for read in seen.on_paper().values():
        assert with_words(read, said, "p")
    assert [finding for finding in ("CONT001", "CONT010", "CONT011") if seen.found(finding)] == []
    (meta,) = (meta for meta in seen.letter.all("meta") if meta["name"] == "format-detection")
    assert "telephone=no" in meta["content"]
    assert "date=no" in meta["content"]


def test_long_paragraphs_are_set_to_be_read(tmp_path):
    seen = reading(tmp_path, LONG * 4)
    assert max(columns_of(line) for line in seen.text.splitlines() if "https://" not in line) <= 72
    (paragraph,) = with_words(seen.letter, folded(LONG * 4), "p")
    style = " ".join(each["style"] for each in paragraph.around)
    assert "max-width:640px" in style.replace(": ", ":")
    sizes = [re.search(r"font-size: ?(\d+)px; ?.*?line-height: ?(\d+)px", each["style"]) for each in paragraph.around]
    size, leading = next((int(found[1]), int(found[2])) for found in reversed(sizes) if found)
    assert size >= 16
    assert 1.4 <= leading / size <= 1.8
    css = stylesheet(Theme.of(seen.workspace), seen.workspace.settings)
    width = int(re.search(r"\.text[^{]*\{[^}]*max-width: (\d+)px", css)[1]) - 2 * 20
    assert 45 <= width / (18 * 0.48) <= 80  # characters on a line: an average one is about half as wide as high
    for read in (seen.letter, seen.page):
        assert [meta for meta in read.all("meta") if meta["name"] == "viewport" and "device-width" in meta["content"]]


def test_a_phrase_that_stands_twice_is_pointed_out(tmp_path):
    body = "That’s it for the keeper's own words.\n\nMore.\n\nThis is it for the keeper's own words — now, go back."
    (found,) = reading(tmp_path, body).found("CONT013")
    assert "“This is it for the keeper's own words” stands there before" in found
    quoted = f":::quote\n{LONG}\n:::\n\n{LONG}\n\nShort again.\n\nShort again."
    assert reading(tmp_path, quoted).found("CONT013") == []


def test_a_name_behind_a_dash_is_no_list(tmp_path):
    seen = reading(tmp_path, "So much for today.\n\n— Mara", closing="Until then.\n\n— Mara")
    assert seen.text.count("\n\n— Mara\n") == 2
    for read in seen.on_paper().values():
        assert not read.all("li") or "Mara" not in " ".join(item.text for item in read.all("li"))
    assert len(with_words(seen.letter, "— Mara", "p")) == len(with_words(seen.whole, "— Mara", "p")) == 2
    assert with_words(seen.page, "— Mara", "p")


KEPT = "She wrote “to\u00a0day” and XIaomi’s… twice, 12\u00a0km and 4\u202fh, naïve and nai\u0308ve, a\u00adb, 中文."


def test_what_was_written_arrives_to_the_letter(tmp_path):
    (tmp_path / "source.txt").write_bytes(f"A title\n\n{LONG}\n\n{KEPT}".encode())
    files = {"126-light/02-two.md": import_article(tmp_path / "source.txt").markdown}
    seen = reading(tmp_path, KEPT, files=files)
    for channel, words in seen.everywhere().items():
        assert words.count(KEPT) == (1 if channel == "article" else 2), channel
    assert KEPT in folded(seen.on("articles/a-title").text)


def test_an_article_says_when_it_was_written_first_and_when_it_was_published(tmp_path):
    seen = reading(
        tmp_path, "Words.", author="Mara", date="2024-01-03", original_date="2013-10-28", issue={"date": "2024-01-05"}
    )
    said = "Mara · 3 January 2024 · first published 28 October 2013"
    for channel, words in seen.everywhere().items():
        assert said in words, channel
        assert ("5 January 2024" in words) == (channel != "article")
    times = {time["datetime"] for time in seen.whole.all("time")}
    assert times == {"2024-01-05", "2024-01-03", "2013-10-28"}


SOURCE = (
    f"{LONG}\n"
    "What the Harbour Master Said\n"
    f"{LONG}\n"
    "His answer was short.\n"
    f"{LONG}\n"
    "A Second Lamp, and No Answer\n"
    f"{LONG}\n"
)


def test_lines_become_paragraphs_and_short_ones_headings_below_the_title(tmp_path):
    (tmp_path / "news.txt").write_text(SOURCE)
    result = import_article(tmp_path / "news.txt", title="Two lamps")
    seen = reading(tmp_path, "Words.", files={"126-light/02-two.md": result.markdown})
    page, heads = seen.on("articles/two-lamps"), ["What the Harbour Master Said", "A Second Lamp, and No Answer"]
    for read, tag in ((seen.letter, "h3"), (seen.whole, "h3"), (page, "h2")):
        assert [head.text for head in read.all(tag) if head.text in heads] == heads
        assert len(with_words(read, LONG.strip(), "p")) == 4
        assert with_words(read, "His answer was short.", "p")
        assert not any(inside(one, "li") for one in read.all("p"))
    for head in heads:
        assert f"\n\n{head}\n{'-' * len(head)}\n\n" in seen.text
    assert {repair.name for repair in result.repairs} == {"single-newlines", "unmarked-heading"}
    levels = [int(head.tag[1]) for head in seen.letter.all("h1", "h2", "h3", "h4")]
    assert all(below - above <= 1 for above, below in pairwise(levels))


def test_an_excerpt_is_of_the_beginning(tmp_path):
    body = f"The news is this: a lamp has burned for a year.\n\n<!-- more -->\n\n{LONG}\n\nIn short, a lamp burned."
    seen = reading(tmp_path, body, email="excerpt")
    for mailed in (seen.everywhere()["mail"], seen.everywhere()["text"]):
        assert "The news is this" in mailed
        assert "In short" not in mailed
    assert "In short, a lamp burned." in folded(seen.page.text)
    descriptions = [
        meta["content"] for meta in seen.page.all("meta") if "description" in meta["name"] + meta["property"]
    ]
    assert len(descriptions) == 2
    assert all(said.startswith("The news is this") and "In short" not in said for said in descriptions)
