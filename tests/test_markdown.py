"""Markdown with directives -> blocks: structure, places, and what stands alone."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import Collected
from newsletter.issue.blocks import Button, Cta, Divider, Figure, Prose, Quote, Sponsor, walk
from newsletter.issue.markdown import code_spans, parse
from newsletter.issue.prose import CodeBlock, Footnotes, Link, Paragraph, Text, inlines_of, plain
from newsletter.issue.slots import Slot, Vocabulary, edits
from newsletter.issue.source import Edit, Source

PATH = Path("article.md")


def parsed(text: str):
    problems = Collected()
    found = parse(Source.of(PATH, text), problems)
    problems.stop_if_any()
    return found


def blocks(text: str):
    return parsed(text).blocks


def kinds(found) -> list[str]:
    return [block.name for block in found]


def test_directives_nest_and_part_the_prose_around_them():
    found = blocks(
        "before\n"
        ':::quote by="Lei Jun"\nfirst\n\n:::cta button="Go"\nOne *line*.\n:::\n\nsecond\n:::\n'
        "after\n:::divider\nend\n"
    )
    assert kinds(found) == ["prose", "quote", "prose", "divider", "prose"]
    quote = found[1]
    assert isinstance(quote, Quote)
    assert kinds(quote.children) == ["prose", "cta", "prose"]
    cta = quote.children[1]
    assert isinstance(cta, Cta)
    assert (cta.button, plain(cta.line), cta.audience) == ("Go", "One line.", "anonymous")
    assert kinds(walk(found)) == ["prose", "quote", "prose", "cta", "prose", "prose", "divider", "prose"]


def test_references_and_footnotes_reach_across_fences():
    found = blocks(
        "[a][x] and[^n]\n\n:::note\n[b][x]\n:::\n\n[x]: https://example.org/x\n\n[^n]: The note, with [c][x].\n"
    )
    links = [
        child.url
        for block in walk(found)
        if isinstance(block, Prose)
        for child in inlines_of(block.nodes)
        if isinstance(child, Link)
    ]
    assert links == ["https://example.org/x"] * 3
    assert isinstance(found[-1].nodes[-1], Footnotes)


def test_a_fence_in_code_or_in_raw_html_is_left_alone():
    found = blocks("```\n:::note\n```\n\n<div>\n:::note\n</div>\n\n    :::note\n")
    assert kinds(found) == ["prose"]
    assert [node.text for node in found[0].nodes if isinstance(node, CodeBlock)] == [":::note\n", ":::note\n"]


def test_a_comment_that_looks_like_a_marker_of_ours_is_the_writers_own():
    found = blocks("<!--0-->\n\n:::note\nwords\n:::\n\n<!--1-->\n")
    assert kinds(found) == ["note"]


def test_a_comment_is_the_writers_own_and_leaves_nothing_behind():
    found = blocks("one\n\n<!-- look this up\nlater -->\n\ntwo <!-- and this --> three\n")
    assert kinds(found) == ["prose"]
    assert [type(node).__name__ for node in found[0].nodes] == ["Paragraph", "Paragraph"]


def test_a_picture_alone_is_a_figure_and_its_title_the_caption():
    (figure,) = blocks('![What is seen](images/a.png "A caption")\n')
    assert isinstance(figure, Figure)
    assert (figure.src, figure.alt, plain(figure.line)) == ("images/a.png", "What is seen", "A caption")
    assert kinds(blocks("![a](b.png) and text\n")) == ["prose"]


def test_arguments_with_spaces_and_reserved_names():
    found = blocks(
        ':::sponsor name="Coil & Harbour" url=https://example.org/a?b=c\nwords\n:::\n'
        ":::button url=article:other-one\nRead *it*\n:::\n:::cta for=everyone\n:::\n---\n"
    )
    assert [type(block) for block in found] == [Sponsor, Button, Cta, Divider]
    assert (found[0].sponsor, found[0].url) == ("Coil & Harbour", "https://example.org/a?b=c")
    assert found[2].audience == "everyone"


def test_markers_say_where_the_text_goes_on():
    found = parsed("one\n\n<!-- more -->\n\ntwo\n\n:::divider\n")
    assert found.markers == {"more": 1}
    assert kinds(found.blocks) == ["prose", "prose", "divider"]


def test_places_are_those_of_the_written_text_in_spite_of_slots_fences_and_wide_characters():
    text = (
        "Ünï {{ subscriber.name }} [one](article:a)\n:::note\n"
        "é {{ subscriber.name }} ![x](a.png) y\n:::\n[two](article:b)\n"
    )
    problems = Collected()
    source = Source.of(PATH, text)
    words = Vocabulary(("subscriber.name",), {})
    slotted = source.edited(edits(text, words, problems, source.place))
    found = parse(slotted, problems).blocks
    problems.stop_if_any()
    places = {
        child.url if isinstance(child, Link) else child.src: (child.place.line, child.place.column)
        for block in walk(found)
        if isinstance(block, Prose)
        for child in inlines_of(block.nodes)
        if hasattr(child, "place")
    }
    expected = dict.fromkeys(("article:a", "a.png", "article:b"))
    for n, line in enumerate(text.splitlines(), 1):
        for name, mark in (("article:a", "[one]"), ("a.png", "![x]"), ("article:b", "[two]")):
            if mark in line:
                expected[name] = (n, line.index(mark) + 1)
    assert places == expected


@given(st.text(alphabet="ab\né⚡", max_size=60), st.data())
def test_an_edited_text_keeps_every_place(text, data):
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=8)))
    spans = [(a, b) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
    made = [Edit(a, b, data.draw(st.text("xyz", max_size=5))) for a, b in spans]
    source = Source.of(PATH, text)
    edited = source.edited(made)
    expected, at = "", 0
    kept = []
    for edit in [*made, Edit(len(text), len(text), "")]:
        kept += [(len(expected) + n, at + n) for n in range(edit.start - at)]
        expected += text[at : edit.start] + edit.new
        at = edit.end
    assert edited.text == expected
    for new, old in kept:
        assert edited.place(new) == source.place(old)


def test_nothing_in_a_comment_is_a_slot():
    text = "<!-- {{ a.b }} -->\n\nWords <!-- {{ c }} --> `<!--` {{ subscriber.name }} `-->`\n\n<!--\n{{ d }}\n-->\n"
    problems = Collected()
    found = list(
        edits(text, Vocabulary(("subscriber.name",), {}), problems, Source.of(PATH, text).place, code_spans(text))
    )
    problems.stop_if_any()
    assert [text[edit.start : edit.end] for edit in found] == ["{{ subscriber.name }}"]


def test_slots_stand_in_text_headings_and_query_values_and_not_in_code():
    text = (
        "# Hi {{ subscriber.name }}\n\n[x](https://e.org/?a={{ subscriber.name }}&b=1) `{{ no }}`\n\n"
        "```\n{{ neither }}\n```\n"
    )
    problems = Collected()
    source = Source.of(PATH, text)
    found = edits(text, Vocabulary(("subscriber.name",), {}), problems, source.place, code_spans(text))
    (prose,) = parse(source.edited(found), problems).blocks
    problems.stop_if_any()
    token = Slot("subscriber.name").token
    heading, paragraph, code = prose.nodes
    assert plain(heading.children) == f"Hi {token}"
    assert isinstance(paragraph, Paragraph)
    link = paragraph.children[0]
    assert isinstance(link, Link)
    assert link.url == f"https://e.org/?a={token.replace('nlslott', 'nlslotu')}&b=1"
    assert paragraph.children[1:] == (Text(" "), paragraph.children[2])
    assert plain(paragraph.children).endswith("{{ no }}")
    assert code.text == "{{ neither }}\n"


FENCES = st.sampled_from(
    [":::note", ":::", ":::quote by=x", ":::cta", ":::divider", ":::figure src=a.png", ":::nothing", "::::"]
)
LINES = st.one_of(
    FENCES,
    st.text("ab*_[]()<>!`#>-1. \t:|~^{}\\&;\"'", max_size=20),
    st.sampled_from(
        ["```", "<div>", "</div>", "<!-- more -->", "<!--", "-->", "- a", "> b", "[^1]", "[^1]: x", "|a|b|", "|-|-|"]
    ),
)


@given(st.lists(LINES, max_size=25))
def test_no_text_whatever_breaks_the_reader(lines):
    problems = Collected()
    parse(Source.of(PATH, "\n".join(lines)), problems)
    assert all(problem.where and problem.where.line for problem in problems.found)
