"""Markdown byte for byte as its specification has it; and as nobody meant it: no text breaks the parser or the page."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.compile.channels import safe
from newsletter.compile.prose_html import Surroundings, render_nodes
from newsletter.errors import Collected
from newsletter.issue.markdown import parse, parse_nodes
from newsletter.issue.source import Source

EXAMPLES = 652
_EXAMPLE = re.compile(r"^`{32} example\n(.*?)^\.\n(.*?)^`{32}$", re.DOTALL | re.MULTILINE)
_FILE = Path("article.md")


def _html(text: str) -> str:
    return render_nodes(parse_nodes(Source.of(_FILE, text), Collected()), Surroundings())


@pytest.mark.real
def test_every_example_of_commonmark_comes_out_as_written(part: Callable[[str], Path]) -> None:
    specification = part("commonmark-spec").read_text().replace("→", "\t")
    examples = _EXAMPLE.findall(specification)
    assert len(examples) == EXAMPLES
    wrong = {
        number: (markdown, expected, got)
        for number, (markdown, expected) in enumerate(examples, 1)
        if (got := _html(markdown)) != expected
    }
    assert wrong == {}


_PIECES = (
    *("*", "_", "**", "~~", "`", "```", "``` ", "#", "## ", "> ", "- ", "1. ", "+", "|", "|-|", "---", "===", "\\"),
    *("[", "]", "(", ")", "](", "![", "[^1]", "[^1]: ", "[a]: ", "<", ">", "&", "&#0;", "&colon;", "{#a}", "[ ] "),
    *(":::", "::: quote", ":::note title=a", ":::\n", "<!-- more -->", "<!-- articles -->", "<!--", "-->"),
    *("<script>", "</script>", "<img src=x onerror=a()>", "<a href='javascript:a()'>", "<svg/onload=a()>", "<style>"),
    *("javascript:a()", "JaVaScRiPt&colon;a()", "java\tscript:a()", "data:text/html,a", "<https://example.org>"),
    *("\n", "\n\n", "\t", "    ", " ", "a", "é", "\u202e", "\0", "𝕏", "\r\n", '"', "'"),
)
_writing = st.text() | st.lists(st.sampled_from(_PIECES), max_size=40).map("".join)


@given(_writing)
@example("[a](javascript:a())")
@example("<img src=x onerror=a()>")
@example("::: quote\n- a\n:::\n")
def test_any_text_parses_with_faults_that_have_a_place_or_none(text: str) -> None:
    faults = Collected()
    parse(Source.of(_FILE, text), faults)
    lines = text.count("\n") + 1
    for fault in faults.found:
        assert fault.message
        assert fault.where is not None
        assert fault.where.line is not None
        assert 1 <= fault.where.line <= lines


@given(_writing)
@example("[a](javascript:a())")
@example("<a href='javascript:a()'>")
@example("<img src=x onerror=a()>")
@example("<scr<script>ipt>")
def test_no_text_becomes_html_that_does_something(text: str) -> None:
    reader = _Doings()
    reader.feed(safe(_html(text)))
    reader.close()
    assert reader.found == []


class _Doings(HTMLParser):
    """Finds what a browser would run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "style", "iframe", "object", "embed", "svg", "math", "form", "base", "meta", "link"}:
            self.found.append(tag)
        for name, value in attrs:
            scheme = re.sub(r"[\0-\x20]", "", value or "").lower().partition(":")[0]
            if name.startswith("on") or name == "style" or scheme in {"javascript", "vbscript", "data"}:
                self.found.append(f"{tag} {name}={value}")
