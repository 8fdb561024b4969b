"""Whatever a writer's file holds, it becomes an issue or a ContentError that says where: never a traceback, never a
program that does not come back.
"""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsletter.checks import check
from newsletter.compile.edition import Edition, Facts
from newsletter.compile.pipeline import compile_issue
from newsletter.compile.render import Theme
from newsletter.compile.slots import specimen_html
from newsletter.errors import ContentError
from newsletter.issue.blocks import DIRECTIVES, Body
from newsletter.issue.front import ArticleFront, IssueFront
from newsletter.issue.load import load_issue
from tests.workspaces import article_file, issue_file, workspace

# What may stand in a file


def alternatives(*said: str) -> st.SearchStrategy[str]:
    return st.sampled_from(said)


ARGUMENTS = sorted({info.alias or name for kind in DIRECTIVES.values() for name, info in kind.model_fields.items()})
VALUES = alternatives("x", '"two words"', "https://example.org/a?b=c", "web", "everyone", "2026-01-02T03:04", "files/a")
VALUES |= alternatives(
    "article:a", "issue:1", "images/none.png", "javascript:a()", '""', '"{{ subscriber.name }}"', "é"
)
INLINE = alternatives(
    *("words", "*em*", "**strong**", "~~gone~~", "`code`", "[link](https://example.org/)", "[to](article:a)", "[a][b]"),
    *(
        "![](x.png)",
        "![alt](https://example.org/x.png)",
        "<b>raw</b>",
        "<i>",
        "</i>",
        "<img src=x onerror=a()>",
        "é𝕏\u202e",
    ),
    *(
        "{{ subscriber.name }}",
        '{{ subscriber.name | default("you") }}',
        "{{ no }}",
        "\\{{",
        "{%x%}",
        "[^1]",
        "[^2]",
        "&#1;",
    ),
    *(
        "<https://example.org>",
        "<a href='javascript:a()'>x</a>",
        "&lt;",
        "a\\\nb",
        "a  \nb",
        "<!-- note -->",
        "$ #1 | : [ ]",
    ),
)
LINE = st.lists(INLINE, min_size=1, max_size=5).map(" ".join)
LEAF = st.one_of(
    LINE,
    LINE.map(lambda line: f"## {line}"),
    st.lists(LINE, max_size=3).map(lambda lines: "\n".join(f"- {line}" for line in lines)),
    LINE.map(lambda line: f"| a | b |\n|---|--:|\n| {line} | c |"),
    LINE.map(lambda line: f"[^1]: {line}"),
    LINE.map(lambda line: f"```python\n{line}\n:::note\n```"),
    LINE.map(lambda line: f"<div class=x style=y>\n{line}\n</div>"),
    alternatives(
        "---", "<!-- more -->", "<!-- articles -->", "[b]: https://example.org/b", "![A](https://example.org/a.png)"
    ),
    alternatives("<script>a()</script>", "<!--", "<div>", "</div>", "<style>p{}</style>", "<pre>", ":::", "```", "\tx"),
)


@st.composite
def opening(draw: st.DrawFn) -> tuple[str, str]:
    """A directive's name, and a line that opens it: with what it needs, with what it can have, or with neither."""
    name = draw(st.sampled_from(sorted(DIRECTIVES)))
    known = {info.alias or key: info for key, info in DIRECTIVES[name].model_fields.items() if key in ARGUMENTS}
    keys = draw(st.lists(st.sampled_from([*known, *ARGUMENTS]), max_size=3, unique=True))
    needed = [key for key, info in known.items() if info.is_required() and key != "place"]
    bare = draw(alternatives("", "", " web", " tag=pro")) if name == "only" else ""
    said = [f"{key}={draw(VALUES)}" for key in dict.fromkeys([*needed, *keys])]
    return name, " ".join([f":::{name}{bare}", *said])


def directive(inside: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def written(parts: tuple[tuple[str, str], list[str], str]) -> str:
        (name, line), blocks, end = parts
        return line if DIRECTIVES[name].body is Body.NONE else "\n".join([line, "\n\n".join(blocks), end])

    return st.tuples(opening(), st.lists(inside, max_size=3), alternatives(":::", ":::", ":::", "")).map(written)


def indented(inside: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    marks = alternatives("> ", "- ", "1. ", "    ")
    return st.tuples(marks, inside).map(lambda pair: "\n".join(pair[0] + line for line in pair[1].split("\n")))


BLOCK = st.recursive(LEAF, lambda inside: directive(inside) | indented(inside), max_leaves=6)
BODY = st.lists(BLOCK, max_size=6).map("\n\n".join) | st.text(max_size=80)

SCALAR = st.one_of(
    st.text(max_size=30).map(lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'),
    st.text(max_size=20),
    st.integers().map(str),
    st.floats().map(str),
    st.dates().map(str),
    alternatives(
        "", "~", "yes", "[a, b]", "{a: b}", "*a", "&a b", "!!set {a}", "!!binary aGk=", "!x y", "|\n  a\n  b", "- a"
    ),
    alternatives(
        '"\\ud800"', '"\\0"', '"\\uffff"', "2026-02-30", "0x1F", "1e999", ".inf", "<<", "? a", "%a", "@a", "`a`"
    ),
    alternatives(
        "full", "excerpt", "link", "none", "zh", "ar", "de-AT", "not-a-language", "main", "Jo <jo@example.org>"
    ),
)


def front(model: type[IssueFront | ArticleFront]) -> st.SearchStrategy[str]:
    """Front matter with some of the keys there are, whatever their values, and sometimes one that there is not."""
    keys = [info.alias or name for name, info in model.model_fields.items() if name not in {"id", "title"}]
    lines = st.dictionaries(st.sampled_from([*keys, "no-key"]), SCALAR, max_size=3)
    return lines.map(lambda values: "".join(f"{key}: {value}\n" for key, value in values.items()))


# What becomes of it


def tried(files: dict[str, str | bytes]) -> Edition | None:
    """The edition of the issue in `files`; None, if they have faults, each of which has its place."""
    with TemporaryDirectory() as folder:
        ws = workspace(Path(folder), files)
        try:
            issue = load_issue(ws, ws.issues / "1-a")
            edition = compile_issue(issue, Theme.of(ws), Facts(), ws.settings)
        except ContentError as error:
            for problem in error.problems:
                assert problem.message
                assert problem.where is not None
                lines = problem.where.path.read_bytes().replace(b"\r\n", b"\n").replace(b"\r", b"\n").count(b"\n") + 1
                assert problem.where.line is not None
                assert 1 <= problem.where.line <= lines
            return None
        check(issue, edition, Facts(), ws.settings)
        ElementTree.fromstring(edition.mjml)
        for html in [
            *(one.html.fill(specimen_html) for one in edition.variants),
            *(page.html for page in edition.pages),
        ]:
            reader = _Doings()
            reader.feed(html)
            reader.close()
            assert reader.found == []
        return edition


class _Doings(HTMLParser):
    """Finds what a browser would run, outside what the theme itself says."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "iframe", "object", "embed", "svg", "base"}:
            self.found.append(tag)
        for name, value in attrs:
            if name.startswith("on") or (value or "").lower().lstrip().startswith(("javascript:", "vbscript:")):
                self.found.append(f"{tag} {name}={value}")


@settings(max_examples=80)
@given(BODY, BODY)
@example(":::figure\n![]()\n:::", "![]()")
@example(":::button url=https://example.org\n&#1;\n:::", "")
@example("> <!--\n\n:::note\n", "<div\n")
def test_any_markdown_is_compiled_or_refused_with_a_place(article: str, issue: str) -> None:
    tried({"1-a/issue.md": issue_file(1, issue), "1-a/01-a.md": article_file(article)})


@settings(max_examples=80)
@given(front(IssueFront), front(ArticleFront))
@example("", "image: ''\n")
@example("", "image: ''\ncaption: '<b>'\n")
@example("", "caption: '# x'\nimage: https://example.org/x.png\n")
@example("", "? [a]\n: b\n")
def test_any_front_matter_is_read_or_refused_with_a_place(issue: str, article: str) -> None:
    files = {
        "1-a/issue.md": f'---\nid: "aaaaaaaaaaaa"\ntitle: T\n{issue}---\nHello.\n',
        "1-a/01-a.md": f"---\ntitle: T\n{article}---\nWords.\n\n<!-- more -->\n\nMore.\n",
    }
    tried({name: text.encode("utf-8", "surrogatepass") for name, text in files.items()})


DEEP = 1_000


@pytest.mark.parametrize(
    "text",
    [
        ">" * DEEP + " x",
        "\n".join("  " * n + "- x" for n in range(DEEP)),
        ":::note\n" * DEEP + "x\n" + ":::\n" * DEEP,
        ":::note\n" * DEEP,
        "<div>" * DEEP,
        "<div>\n\n" * DEEP,
        "x " + "<b>" * DEEP,
        "![" * DEEP + "](x)" * DEEP,
        "[^1]\n\n[^1]: " + "> " * DEEP + "x",
    ],
)
def test_what_nests_a_thousand_deep_is_one_fault_with_a_place(text: str) -> None:
    assert tried({"1-a/issue.md": issue_file(1), "1-a/01-a.md": article_file(text)}) is None


@pytest.mark.parametrize("text", ["[" * DEEP + "]" * DEEP, "*_" * DEEP + "x" + "_*" * DEEP, "**a *b " * DEEP])
def test_marks_that_nest_in_themselves_alone_are_text(text: str) -> None:
    assert tried({"1-a/issue.md": issue_file(1), "1-a/01-a.md": article_file(text)})


def test_as_deep_as_it_may_be() -> None:
    quotes = "".join(f":::{name}\n" for name in ("quote by=a", "note", "sponsor name=b", "author name=c") * 2)
    text = quotes + "> " * 30 + "- " * 4 + "x\n" + ":::\n" * 8 + "\n" + "<div>" * 100
    assert tried({"1-a/issue.md": issue_file(1), "1-a/01-a.md": article_file(text)})


def test_front_matter_a_thousand_deep_is_refused() -> None:
    assert tried({"1-a/issue.md": issue_file(1, tags="[" * DEEP + "]" * DEEP)}) is None


@pytest.mark.parametrize(
    ("data", "sound"),
    [
        (b"\xef\xbb\xbf---\r\ntitle: T\r\n---\r\none\r\n\r\ntwo\r\n", True),
        (b"---\rtitle: T\r---\rone\r", True),
        ("---\ntitle: T\n---\na\u202eb\u2066c\u2069 \u200f\n".encode(), True),
        (b"---\ntitle: T\n---\na\0b\n", False),
        (b"---\ntitle: T\n---\na\xff\n", False),
        (b"---\ntitle: T\n---\na\xed\xa0\x80\n", False),
        (b'---\ntitle: "a\\ud83d"\n---\n', False),
        (b'---\ntitle: "a\\0b"\n---\n', False),
        (b'---\ntitle: "a\\u202eb"\n---\n', True),
        ("---\ntitle: T\n---\n\ufffe\n".encode(), False),
        (b"---\ntitle: T\n---\n![x](" + b"a" * 5000 + b".png)\n", False),
        (b"---\ntitle: T\n---\n[x](files/%00)\n", False),
        (b"", False),
        (b"---", False),
    ],
)
def test_bytes_that_are_no_letters(data: bytes, sound: bool) -> None:
    assert (tried({"1-a/issue.md": issue_file(1), "1-a/01-a.md": data}) is not None) == sound


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "word *em* [l](https://a.example/c) " * 10_000,
        "`a` {{ subscriber.name | default('x') }} b\n\n" * 8_000,
        ":::note\n{{ subscriber.name | default('x') }} `a`\n:::\n\n" * 1_500,
        "```\n:::\n```\n" * 30_000,
        "x" * 1_000_000,
        "漢字" * 170_000,
        "[a][b] [^c] " * 80_000,
        "{{" + " " * 500_000,
        "{{" * 500_000,
        "<a " * 100_000,
        "<!--" * 250_000 + "-->",
        ":::a" + " " * 500_000 + "x",
        "[" * 50_000 + "*a" * 50_000,
    ],
    ids=lambda text: text[:12],
)
def test_a_megabyte_comes_back(text: str) -> None:
    """Each took minutes or forever when something looked at every part of a text for every other part of it."""
    tried({"1-a/issue.md": issue_file(1), "1-a/01-a.md": article_file(text)})
