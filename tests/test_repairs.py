"""Every repair of an import: what it makes of a text, and what stays when it is switched off."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import Collected
from newsletter.issue.blocks import Prose
from newsletter.issue.importing.article import Imported, import_article
from newsletter.issue.importing.draft import Draft, Form, Repair
from newsletter.issue.importing.escaping import escape
from newsletter.issue.importing.manuscript import Manuscript
from newsletter.issue.importing.repairs import MENDINGS, mend
from newsletter.issue.markdown import parse
from newsletter.issue.prose import Paragraph, SoftBreak, Text, inlines_of, plain
from newsletter.issue.source import Source
from tests.imports import letters, loaded, read_words

DATA = Path(__file__).parent / "data" / "importing"
GOLDEN = Path(__file__).parent / "golden" / "importing"
SEEDS = Path(__file__).parents[2] / "shared" / "seeds"
LONG = "The charging park by the motorway has forty stalls, and on Sunday evenings every one of them has a car in it."
MORE = (
    "Whoever comes at six finds the coffee sold out and the toilets closed, and waits for an hour in the rain outside."
)


def mended(text: str, *, keep: str = "", form: Form = Form.TEXT, lang: str = "en", **front: object) -> Manuscript:
    return mending(text, keep=keep, form=form, lang=lang, **front)[0]


def mending(
    text: str, *, keep: str = "", form: Form = Form.TEXT, lang: str = "en", **front: object
) -> tuple[Manuscript, list[tuple[str, int]]]:
    """The manuscript of `text` with its repairs, and their names and lines."""
    result, repairs = mend(Manuscript.of(Draft(front, text, form=form, first_line=1), {}, lang), {keep})
    return result, [(repair.name, repair.line) for repair in repairs]


def body(*passages: str) -> str:
    return "\n\n".join(passages)


@dataclass(frozen=True)
class Example:
    """A text, the body that a repair makes of it, and the body without that repair."""

    text: str
    made: str
    kept: str
    line: int = 1


EXAMPLES = {
    "single-newlines": Example(f"{LONG}\n{MORE}", body(LONG, MORE), f"{LONG}\n{MORE}"),
    "no-break-space": Example("12\u00a0km and 4\u202fh", "12\u00a0km and 4\u202fh", "12\u00a0km and 4\u202fh"),
    "dollar": Example("It costs $5, not $6.", "It costs $5, not $6.", "It costs $5, not $6."),
    "stale-year": Example(
        "Make 2019 the year of walks.", "Make 2019 the year of walks.", "Make 2019 the year of walks."
    ),
    "stale-count": Example("Our 900+ readers walk.", "Our 900+ readers walk.", "Our 900+ readers walk."),
    "lost-link": Example(
        "The plan is old. You can read it here.",
        "The plan is old. You can read it here.",
        "The plan is old. You can read it here.",
    ),
    "mixed-quotes": Example(
        '“Yes”, said the driver\'s "friend".',
        "“Yes”, said the driver’s “friend”.",
        '“Yes”, said the driver\'s "friend".',
    ),
    "unmarked-heading": Example(
        body(LONG, "Forty stalls and none free", MORE),
        body(LONG, "## Forty stalls and none free", MORE),
        body(LONG, "Forty stalls and none free", MORE),
        line=3,
    ),
    "hook": Example(body("Hold on tight! 🚗", LONG), LONG, body("Hold on tight! 🚗", LONG)),
    "lost-picture": Example(
        body(LONG, "Ann Ode, who built the park", MORE),
        body(LONG, ":::figure\nAnn Ode, who built the park\n:::", MORE),
        body(LONG, "Ann Ode, who built the park", MORE),
        line=3,
    ),
    "stripped-button": Example(
        body(LONG, "Join the discussion", "or to reply."),
        body(LONG, ':::comments title="Join the discussion"\n:::', "<!-- or to reply. -->"),
        body(LONG, "Join the discussion", "or to reply."),
        line=5,
    ),
    "call-to-action": Example(
        "Do you like it? Subscribe to our newsletter here:",
        ":::cta\nDo you like it? Subscribe to our newsletter here.\n:::",
        "Do you like it? Subscribe to our newsletter here:",
    ),
    "social-post": Example(
        body("On Bluesky, Ann Ode wrote:", "“Full again.”"),
        body("On Bluesky, Ann Ode wrote:", ':::post platform="Bluesky" author="Ann Ode"\nFull again.\n:::'),
        body("On Bluesky, Ann Ode wrote:", "“Full again.”"),
        line=3,
    ),
    "long-quotation": Example(
        body(f"“{LONG}", f"{MORE}”", "So she said."),
        body(f":::quote\n{LONG}", f"{MORE}\n:::", "So she said."),
        body(f"“{LONG}", f"{MORE}”", "So she said."),
    ),
    "speaker": Example(
        body("Ann Ode, who built the park:", f"“{LONG}”"),
        f':::quote by="Ann Ode" role="who built the park"\n{LONG}\n:::',
        body("Ann Ode, who built the park:", f":::quote\n{LONG}\n:::"),
    ),
    "dash-at-line-start": Example("- nor is this", "\\- nor is this", "- nor is this"),
    "square-brackets": Example("see [this](that)", "see \\[this](that)", "see [this](that)"),
    "hash-number": Example("# 126 was good", "\\# 126 was good", "# 126 was good"),
    "double-braces": Example("Hello {{ name }}", "Hello \\{{ name }}", "Hello {{ name }}"),
    "escaped": Example("*both* of <them>", "\\*both\\* of \\<them>", "*both* of <them>"),
}


@pytest.mark.parametrize("name", [mending.name for mending in MENDINGS])
def test_a_repair_is_made_and_named_with_its_line(name: str) -> None:
    example = EXAMPLES[name]
    result, repairs = mending(example.text, title="T")
    assert result.body == example.made
    assert (name, example.line) in repairs


@pytest.mark.parametrize("name", [mending.name for mending in MENDINGS])
def test_a_repair_that_is_switched_off_leaves_the_text_as_it_is(name: str) -> None:
    example = EXAMPLES[name]
    result, repairs = mending(example.text, title="T", keep=name)
    assert result.body == example.kept
    assert name not in dict(repairs)


def test_every_repair_explains_itself_in_a_sentence() -> None:
    assert len({mending.name for mending in MENDINGS}) == len(MENDINGS)
    assert all(mending.explanation.endswith(".") and "\n" not in mending.explanation for mending in MENDINGS)


# Paragraphs and headings


def test_a_paragraph_wrapped_by_hand_stays_one() -> None:
    wrapped = (
        "The charging park by the motorway has forty stalls,\n"
        "and on Sunday evenings every one of them has a car\n"
        "in it."
    )
    assert mending(body(wrapped, wrapped)) == (mended(body(wrapped, wrapped)), [])
    assert mended(body(wrapped, wrapped)).body == body(wrapped, wrapped)


def test_headings_among_lines_that_are_paragraphs() -> None:
    result, repairs = mending(f"{LONG}\nForty Stalls and Not One Free\n{MORE}\n“Never again,” she said.\n")
    assert repairs == [("single-newlines", 1), ("unmarked-heading", 2)]
    assert result.body == body(LONG, "## Forty Stalls and Not One Free", MORE, "“Never again,” she said.")


def test_lines_with_final_punctuation_or_among_short_ones_are_no_headings() -> None:
    text = body(LONG, "Shall we?", MORE, "Read on", "Or not", LONG)
    assert mended(text).body == text


@pytest.mark.parametrize("line", ["Hello everybody!", "Hi!", "It is here.", "!", "A" * 70 + "!"])
def test_what_is_no_hook(line: str) -> None:
    assert "hook" not in mended(body(line, LONG), title="T").front


def test_a_hook_stands_below_a_title() -> None:
    assert mended(body("A title", "Look out! ⚡️", LONG)).front == {"title": "A title", "hook": "Look out! ⚡️"}
    assert "hook" not in mended(body("Look out! ⚡️", LONG)).front


# Pictures


def test_the_same_caption_twice_is_two_figures() -> None:
    caption = "Ann Ode, who built the park"
    result = mended(body(LONG, caption, MORE, caption, "She was right."))
    assert result.body.count(f":::figure\n{caption}\n:::") == 2


def test_a_sentence_about_this_picture_is_its_caption() -> None:
    assert mended(body("T", LONG, "Ann is in this picture with her car.", MORE)).body.count(":::figure") == 1


def test_the_caption_of_a_picture_that_is_there_was_not_lost() -> None:
    text = body(LONG, "![Ann](images/ann.png)", "Ann Ode, who built the park", MORE)
    assert mended(text, form=Form.MARKDOWN).body == text


# Quotations


def test_a_call_to_action_and_a_caption_inside_a_quotation_are_no_part_of_its_words() -> None:
    ask = "Quick break: subscribe to our newsletter, you will like it:"
    result = mended(body("Ann Ode:", f"“{LONG}", ask, MORE, "Ann Ode, who built the park", f"{LONG}”"))
    assert result.body == (
        f':::quote by="Ann Ode"\n{LONG}\n\n'
        f":::cta\n{ask[:-1]}.\n:::\n\n{MORE}\n\n:::figure\nAnn Ode, who built the park\n:::\n\n{LONG}\n:::"
    )


def test_a_quotation_may_open_with_a_mark_in_each_of_its_paragraphs() -> None:
    result = mended(body(f"“{LONG}", "“A “short” one.", f"“{MORE}”"))
    assert result.body == body(f":::quote\n{LONG}", "A “short” one.", f"{MORE}\n:::")


@pytest.mark.parametrize("marks", ["“”", "„“", "„”", "«»", "»«", "「」", '""'])
def test_the_marks_of_any_language_open_and_close_a_quotation(marks: str) -> None:
    assert mended(body(f"{marks[0]}{LONG}", f"{MORE}{marks[1]}"), keep="mixed-quotes").body == body(
        f":::quote\n{LONG}", f"{MORE}\n:::"
    )


@pytest.mark.parametrize(
    "text",
    [
        body(f"“{LONG}", MORE),  # it never closes
        body(f"“{LONG}", f"{MORE}” she said."),  # it does not end with its paragraph
        body(f"“{LONG}", "## A heading", f"{MORE}”"),
        body("“Yes.”", "“No.”"),
        body("He said:", "“No.”"),
        f"“{LONG}” “{MORE}”",
    ],
)
def test_what_is_no_long_quotation(text: str) -> None:
    assert mended(text, form=Form.MARKDOWN).body == text


def test_a_long_quotation_behind_a_colon_is_a_block_without_a_name() -> None:
    assert mended(body("This is what it said:", f"“{LONG}”")).body == body(
        "This is what it said:", f":::quote\n{LONG}\n:::"
    )


def test_speakers_who_answer_each_other() -> None:
    talk = body("Ann Ode, who built it:", "“Why?”", "Bo:", "“Because.”", "Ann Ode, who built it:", "“I see.”")
    assert mended(talk).body == body(
        ':::quote by="Ann Ode" role="who built it"\nWhy?\n:::',
        ':::quote by="Bo"\nBecause.\n:::',
        ':::quote by="Ann Ode" role="who built it"\nI see.\n:::',
    )


def test_speakers_whose_words_have_no_marks_are_bold() -> None:
    talk = body("Ann Ode:", "Why?", "Bo:", "Because *it* is.", "Ann Ode:", "I see.")
    assert mended(talk).body == body(
        "**Ann Ode:**", "Why?", "**Bo:**", "Because \\*it\\* is.", "**Ann Ode:**", "I see."
    )
    assert mended(body("Ann Ode:", "Why?")).body == body("Ann Ode:", "Why?")


def test_straight_quotes_in_an_argument_become_typographic() -> None:
    assert '\n:::comments title="Reply to “this”"\n' in mended(body(LONG, 'Reply to "this"', "or to comment.")).body


# Invitations


@pytest.mark.parametrize(
    "text",
    [
        "Tesla asks its customers to subscribe to a package for driving.",
        "I send out everything in a newsletter every week.",
        "You can join our walk on Sunday.",
        "If you were subscribed to the old mailing list, you are on the new one now.",
        "You want to join the majority in forming a union? Send an email to our office.",
    ],
)
def test_what_asks_nobody_to_subscribe(text: str) -> None:
    assert mended(text).body == text


def test_a_label_without_its_button_is_pointed_out_and_stays() -> None:
    result, repairs = mending(body(LONG, "Share this post", MORE), title="T", keep="unmarked-heading")
    assert (result.body, repairs) == (body(LONG, "Share this post", MORE), [("stripped-button", 3)])


# Years and numbers


def test_the_articles_own_year_is_not_stale() -> None:
    assert mending("Make 2019 the year of walks.", date="2019-01-01")[1] == []


# Quotation marks


@pytest.mark.parametrize(
    ("lang", "said"),
    [("en", "“He said “it’s” so”"), ("de", "“He said „it’s“ so”"), ("fr", "“He said «\u00a0it’s\u00a0» so”")],
)
def test_quotation_marks_are_those_of_the_language(lang: str, said: str) -> None:
    assert mended('“He said "it\'s" so”', lang=lang).body == said


def test_marks_inside_marks_are_those_of_the_language() -> None:
    assert mended("„So“ sagt man's: \"Das ist 'so' hier\".", lang="de").body == "„So“ sagt man’s: „Das ist ‚so‘ hier“."


@pytest.mark.parametrize(
    ("straight", "typographic"),
    [
        ("’ rock 'n' roll", "’ rock ’n’ roll"),
        ("’ the '90s, '24", "’ the ’90s, ’24"),
        ("’ the drivers' car", "’ the drivers’ car"),
        ("’ 'single' marks", "’ ‘single’ marks"),
        ("’ \"('nested')\"", "’ “(‘nested’)”"),
        ('’ an 18" wheel, 6\'2" tall', '’ an 18" wheel, 6\'2" tall'),
        ('’ the "iPhone 6" is', "’ the “iPhone 6” is"),
        ('’ so — "there" ("here")', "’ so — “there” (“here”)"),
        ("’ see https://x.org/it's", "’ see https://x.org/it's"),
    ],
)
def test_straight_marks_among_typographic_ones(straight: str, typographic: str) -> None:
    assert mended(straight).body == typographic


def test_a_text_with_straight_marks_alone_keeps_them() -> None:
    assert mended('It\'s "so".').body == 'It\'s "so".'


def test_quotation_marks_in_code_addresses_and_html_are_left_alone() -> None:
    text = body(
        "’ `it's` [it's](https://x.org/it's 'a title') <b class=\"x\">it's</b> &quot;",
        "    it's",
        "```\nit's\n```",
        "- it's\n- `it's`",
        "<p title='x'>\nit's\n</p>",
        "[ref]: https://x.org/ 'it'",
        "{% include picture.html caption='it' %}",
    )
    assert mended(text, form=Form.MARKDOWN).body == (
        text.replace("[it's](", "[it’s](").replace(">it's</b>", ">it’s</b>").replace("- it's\n", "- it’s\n")
    )


quoted = st.lists(st.sampled_from([*"\"'“”‘’„« (—-.,", "a", "it's ", "18", "\u00a0", "\n\n"]), max_size=40).map("".join)


@given(quoted, st.sampled_from(["en", "de", "fr", "sv", "ar"]))
def test_typographic_marks_are_made_once(text: str, lang: str) -> None:
    once = mended(f"’ {text}", lang=lang, keep="long-quotation")
    twice = mended(once.body, lang=lang, keep="long-quotation", form=Form.MARKDOWN)
    assert "mixed-quotes" not in dict(mending(once.body, lang=lang, form=Form.MARKDOWN)[1])
    assert letters(twice.body) == letters(once.body)


# Markdown's own marks


@pytest.mark.parametrize(
    "line",
    [
        "— Jaan",
        "#126 was the best issue",
        "RMB 60,000, 1,287 km/h",
        "an aside [as it were] in brackets",
        "2 * 3 = 6 and snake_case_names stay",
        "a < b & c > d, about ~5 km",
        "an ellipsis… and ⚡️",
        "1,000 cars",
    ],
)
def test_what_markdown_reads_as_it_stands_is_left_alone(line: str) -> None:
    result, repairs = mending(body(LONG, line))
    assert (result.body, repairs) == (body(LONG, line), [])


@pytest.mark.parametrize(
    ("line", "escaped"),
    [
        ("1. is not a list", "1\\. is not a list"),
        ("# A heading", "\\# A heading"),
        ("> all", "\\> all"),
        ("*both* and _both_", "\\*both\\* and \\_both\\_"),
        ("<b>loud</b>", "\\<b>loud\\</b>"),
        ("R&amp;D", "R\\&amp;D"),
        (":::cta", "\\:::cta"),
        ("``code``", "\\`\\`code\\`\\`"),
        ("C:\\*", "C:\\\\*"),
    ],
)
def test_what_markdown_would_read_otherwise_is_escaped(line: str, escaped: str) -> None:
    result, repairs = mending(body(LONG, line), title="T")
    assert (result.body, repairs) == (body(LONG, escaped), [("escaped", 3)])


def test_braces_in_code_are_no_slot() -> None:
    text = body("Code: `{{ a }}`.", "    {{ b }}", "And {{ c }}.")
    assert mended(text, form=Form.MARKDOWN).body == text.replace("{{ c", "\\{{ c")


# Anything at all


texts = st.lists(
    st.one_of(
        st.sampled_from([*r"\`*_~[]{}()<>#+-.!|&;:=^$% ab1", "\n", "\n\n", "\u00a0", ":::", "&amp;", "[a]:", "<b>"]),
        st.characters(exclude_categories=("Cc", "Cs")),
    ),
    max_size=60,
).map("".join)


@given(texts)
def test_an_escaped_paragraph_is_words_and_nothing_else(text: str) -> None:
    paragraphs = [" ".join(part.split()) for part in text.split("\n\n")]
    problems = Collected()
    blocks = parse(Source.of(Path("x.md"), body(*map(escape, paragraphs))), problems).blocks
    problems.stop_if_any()
    nodes = tuple(node for block in blocks if isinstance(block, Prose) for node in block.nodes)
    assert all(isinstance(inline, (Text, SoftBreak)) for inline in inlines_of(nodes))
    words = [word for node in nodes if isinstance(node, Paragraph) for word in plain(node.children).split()]
    assert words == text.split()


triggers = st.lists(
    st.one_of(
        st.sampled_from(
            [
                *(example.text for example in EXAMPLES.values()),
                *[
                    "“",
                    "”",
                    '"',
                    "'",
                    "\n",
                    "\n\n",
                    "- ",
                    "{{ a }}",
                    "# ",
                    "[",
                    "](",
                    "*",
                    ":::",
                    "$",
                    "`",
                    "<!--",
                    "-->",
                ],
                *[LONG, "Ann Ode:", "Ann Ode, *engineer*", "Reply", "or to \\ comment.", "Stop!", "A title", "\u00a0"],
            ]
        ),
        texts,
    ),
    max_size=14,
).map("".join)


@given(triggers, st.sampled_from(["en", "de", "fr"]))
def test_no_letter_of_any_text_is_lost_and_the_article_loads(
    tmp_path_factory: pytest.TempPathFactory, text: str, lang: str
) -> None:
    folder = tmp_path_factory.mktemp("import")
    source = folder / "source.txt"
    source.write_text(f"{text} end.", "utf-8", newline="\n")
    result = import_article(source, lang=lang)
    given_title = "Untitled" if "title" in result.missing else ""
    if given_title:
        result = import_article(source, lang=lang, title=given_title)
    (article,) = loaded(folder, result)
    assert letters(read_words(article)) == letters(f"{given_title} {source.read_text('utf-8')}")


@given(texts)
def test_markdown_from_elsewhere_keeps_its_letters(text: str) -> None:
    result = mended(text, form=Form.MARKDOWN)
    assert letters("".join(map(str, result.front.values())) + result.body) == letters(text)


# Whole texts


def printed(result: Imported) -> str:
    said = "".join(f"{repair.line}: {repair.name}: {repair.said}\n" for repair in result.repairs)
    return f"{result.markdown}\n=== repairs\n{said}"


def test_a_whole_text_becomes_the_article_that_is_expected(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    source = DATA / "the-lamp-that-outlived-us.txt"
    result = import_article(source)
    golden = GOLDEN / f"{source.stem}.md"
    if request.config.getoption("--update-golden"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(printed(result), "utf-8")
    assert printed(result) == golden.read_text("utf-8")
    (article,) = loaded(tmp_path, result)
    assert letters(read_words(article)) == letters(source.read_text("utf-8"))


def test_the_sample_text_needs_every_repair_but_one() -> None:
    made = {repair.name for repair in import_article(DATA / "the-lamp-that-outlived-us.txt").repairs}
    assert {mending.name for mending in MENDINGS} - made == {"single-newlines"}


def test_the_lines_of_a_source_without_lines_are_those_of_the_article(tmp_path: Path) -> None:
    from newsletter.issue.importing.article import imported

    draft = Draft({}, body("# A title", LONG, "An aside with {{ braces }}."), (Repair("x", 3, "said"),))
    result = imported(draft, {}, "name")
    lines = result.markdown.split("\n")
    assert not result.in_source
    assert [(repair.name, lines[repair.line - 1][:8]) for repair in result.repairs] == [
        ("x", LONG[:8]),
        ("double-braces", "An aside"),
    ]


seed = pytest.mark.skipif(not SEEDS.is_dir(), reason="the seed texts are not beside this repository")


@seed
@pytest.mark.parametrize(
    ("name", "title"), [("000_83a864b131782bb5.txt", ""), ("004_742a8ab964d61555.txt", "Untitled")]
)
def test_no_letter_of_a_seed_text_is_lost(tmp_path: Path, name: str, title: str) -> None:
    (article,) = loaded(tmp_path, import_article(SEEDS / name, title=title))
    assert letters(read_words(article)) == letters(f"{title} {(SEEDS / name).read_text('utf-8')}")


@seed
def test_the_first_seed_text_is_repaired() -> None:
    result = import_article(SEEDS / "000_83a864b131782bb5.txt")
    _, header, text = result.markdown.split("---\n", 2)
    assert yaml.safe_load(header)["hook"] == "Caution! High Voltage! ⚡️"
    fences = [line for line in text.split("\n") if line.startswith(":::")]
    assert fences == [
        *(":::figure", ":::"),
        ':::quote by="Lei Jun" role="founder of Xiaomi"',
        *(":::figure", ":::"),
        *(":::cta", ":::"),
        *(":::figure", ":::"),
        ":::",
        *(":::cta", ":::"),
        *(':::comments title="Join the conversation"', ":::"),
    ]
    assert "\n\n— Jaan\n\n" in text
    assert "[looks like it’s meant here in the context of a computer system crashing]" in text
    assert not set("\"'") & set(text.replace('="', "").replace('" ', "").replace('"\n', ""))


@seed
def test_the_second_seed_text_is_repaired() -> None:
    result = import_article(SEEDS / "004_742a8ab964d61555.txt")
    text = result.markdown
    assert [line for line in text.split("\n") if line.startswith(("## ", ":::"))] == [
        "## 100,000 SU7 Electric Cars Produced in Just 230 Days",
        ':::post platform="X" author="Lei Jun"',
        ":::",
        "## A Nod to Elon Musk’s Iconic Factory Moments",
        "## Xiaomi’s Rapid Growth in the Electric Vehicle Market",
        "## Financial Struggles and Challenges for Xiaomi’s EV Division",
    ]
    assert result.missing == ("title", "author", "date", "source_url")
