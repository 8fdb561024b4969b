"""Each rule finds its one fault at its place, and says nothing of an issue without faults."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import pytest
from PIL import Image

from newsletter.checks import RULES, CheckReport, Severity, check
from newsletter.checks.rule import rule
from newsletter.compile.edition import AudienceVariant, Edition, Facts
from newsletter.compile.pipeline import compile_issue
from newsletter.compile.render import Theme
from newsletter.compile.slots import Program, cut
from newsletter.errors import ChecksFailed
from newsletter.issue.load import load_issue
from newsletter.workspace import Workspace, theme_root

E, W = Severity.ERROR, Severity.WARNING

SETTINGS = """
[publication]
id = "k3v9q2m8w1zt"
name = "Volts"
url = "https://news.example.org"
from = "Ann <ann@news.example.org>"
postal_address = "1 Example Street, 12345 Example"
"""
ISSUE = """\
---
id: abcdefabcdef
title: Forty stalls
subject: Forty stalls and not one free
preheader: A Sunday evening at the park, and what its builder says.
---

Hello {{ subscriber.first_name | default("there") }}, here we are.
"""
ARTICLE = """\
---
title: The park by the motorway
author: Ann Ode
---

It was [built in a year](https://park.example.org/story).

## What it cost

![A row of cars at the stalls](images/row.png "Sunday, seven o’clock")
"""
BODY = 9  # the line of ARTICLE behind which there is more to write


def png() -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (8, 4), "#0b7a4b").save(data, "PNG")
    return data.getvalue()


def noise(width: int) -> bytes:
    """A square picture that nothing makes smaller: three bytes a pixel."""
    data = io.BytesIO()
    Image.frombytes("RGB", (width, width), random.Random(1).randbytes(3 * width * width)).save(data, "PNG")
    return data.getvalue()


@dataclass
class Case:
    """A small workspace without faults, to be changed in one place and checked."""

    root: Path
    settings: str = SETTINGS
    issue: str = ISSUE
    article: str = ARTICLE
    picture: bytes = field(default_factory=png)
    facts: Facts = field(default_factory=Facts)
    edition: Callable[[Edition], Edition] = lambda edition: edition

    def checked(self) -> CheckReport:
        folder = self.root / "issues" / "1-stalls"
        (folder / "images").mkdir(parents=True)
        (self.root / "newsletter.toml").write_text(self.settings)
        (folder / "issue.md").write_text(self.issue)
        (folder / "01-park.md").write_text(self.article)
        (folder / "images" / "row.png").write_bytes(self.picture)
        workspace = Workspace.open(self.root)
        issue = load_issue(workspace, folder)
        edition = compile_issue(issue, Theme((theme_root(),)), self.facts, workspace.settings)
        return check(issue, self.edition(edition), self.facts, workspace.settings)


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def found(report: CheckReport) -> list[tuple[str, Severity, str, int | None]]:
    return [
        (finding.rule, finding.severity, finding.place.path.name, finding.place.line)
        if finding.place
        else (finding.rule, finding.severity, "", None)
        for finding in report.findings
    ]


def in_html(change: Callable[[str], str]) -> Callable[[Edition], Edition]:
    return lambda edition: replace(edition, variants=tuple(_changed(v, html=change) for v in edition.variants))


def in_text(change: Callable[[str], str]) -> Callable[[Edition], Edition]:
    return lambda edition: replace(edition, variants=tuple(_changed(v, text=change) for v in edition.variants))


def _changed(variant: AudienceVariant, **parts: Callable[[str], str]) -> AudienceVariant:
    programs: dict[str, Program] = {
        name: cut(change(getattr(variant, name).fill(lambda slot: slot.token))) for name, change in parts.items()
    }
    return replace(variant, **programs)


def test_an_issue_without_faults(case: Case) -> None:
    report = case.checked()
    assert report == CheckReport((), ())
    report.stop_on_errors()


@pytest.mark.parametrize(
    ("rule", "severity", "line", "old", "new"),
    [
        ("SUBJ001", E, 1, "subject: Forty stalls and not one free\n", ""),
        ("SUBJ001", E, 4, "Forty stalls and not one free", "[Forty, \"{{ subscriber.name | default('') }}\"]"),
        ("SUBJ002", W, 4, "and not one free", "and not one of them is free on a Sunday evening at the park"),
        ("SUBJ002", E, 4, "and not one free", "and not one free" * 70),
        ("SUBJ006", E, 4, "subject: Forty", 'subject: "Re: Forty'),
        ("SUBJ006", E, 4, "subject: Forty", 'subject: "Fwd : Forty'),
        ("PRE002", W, 1, "preheader: A Sunday evening at the park, and what its builder says.\n", ""),
        ("PRE002", W, 5, "A Sunday evening at the park, and what its builder says.", "A Sunday evening."),
        ("PRE002", W, 5, "A Sunday evening", "A Sunday evening " * 8),
        ("PRE003", W, 5, "A Sunday evening at the park, and what its builder says.", "Forty stalls and not one free!"),
        ("CONT001", E, 4, "not one free", "not one *|FREE|*"),
        ("CONT001", E, 5, "its builder", "${builder}"),
        ("CONT003", E, 5, "its builder", "TK"),
        ("CONT003", E, 3, "Forty stalls", "TBD"),
    ],
)
def test_a_fault_in_the_head_of_the_issue(
    case: Case, *, rule: str, severity: Severity, line: int, old: str, new: str
) -> None:
    assert old in case.issue
    closing = '"\npreheader' if new.startswith('subject: "') else "\npreheader"
    case.issue = case.issue.replace(old, new, 1).replace("\npreheader", closing)
    assert found(case.checked()) == [(rule, severity, "issue.md", line)]


@pytest.mark.parametrize(
    ("rule", "severity", "line", "column", "text"),
    [
        ("CONT010", E, 2, 8, "First.\nHello \\{{ first_name }}."),
        ("CONT001", E, 1, 7, "Hello *|FNAME|*, again."),
        ("CONT001", E, 1, 7, "Hello %%first_name%%."),
        ("CONT010", E, 1, 7, "Hello {% if name %}."),
        ("CONT010", W, 1, 8, "Hello \\{{ first name."),
        ("CONT001", E, 1, 7, "Hello <% name %>."),
        ("CONT001", E, 1, 7, "Hello %recipient.name%."),
        ("CONT010", E, 1, 7, "| a | {%b%} |\n|---|-------|"),
        ("CONT011", W, 1, 5, "See [the park][nowhere]."),
        ("CONT011", W, 1, 5, "See [the *park*][no where]."),
        ("CONT011", W, 3, 3, "- one\n\n- [two][]"),
        ("CONT011", W, 1, 9, "The park[^nowhere]."),
        ("CONT011", W, 1, 3, "| [a][b] |\n|---|"),
        ("HTML016", W, 1, 5, "See <blink>this</blink>."),
        ("HTML016", W, 1, 15, "It costs map[]<string> or so."),
        ("HTML016", W, 1, 5, "See <b style='color:red'>this</b>."),
        ("HTML016", W, 1, 5, "See <a href='javascript:alert(1)'>this thing</a>."),
        ("HTML016", W, 3, 1, "<div>\n<b>one</b>\n<IFRAME src='https://park.example.org'></IFRAME>\n</div>"),
        ("HTML016", W, 2, 3, "> one\n> <script>alert(1)</script>"),
        ("HTML016", W, 1, 13, "<b>one</b>, <b onclick=a()>two</b>"),
        ("HTML016", W, 2, 5, ":::button url=https://park.example.org/a\nSee <blink>this</blink> park\n:::"),
        ("LINK003", E, 1, 5, "See [the park](ftp://park.example.org)."),
        ("CONT013", W, 3, 8, "That’s it for the charging park.\n\nWell – this is it for the *charging* park."),
        ("CONT003", E, 1, 7, "It is TODO to write this."),
        ("CONT003", E, 1, 9, "- Then *FIXME* said."),
        ("CONT003", E, 1, 1, "Lorem ipsum dolor sit amet."),
        ("CONT003", E, 1, 15, ":::note title=TBD\nA note.\n:::"),
        ("IMG001", E, 1, 1, "![](images/row.png)"),
        ("IMG001", E, 1, 8, "Inline ![](images/row.png) here."),
        ("IMG001", E, 1, 1, ":::figure src=images/row.png\nA row of cars.\n:::"),
        ("IMG002", W, 1, 1, "![row.png](images/row.png)"),
        ("IMG002", W, 1, 1, "![row](images/row.png)"),
        ("IMG002", W, 1, 1, f"![{'long ' * 26}](images/row.png)"),
        ("IMG002", W, 1, 1, '![A row of cars](images/row.png "A row of cars")'),
        ("LINK002", W, 1, 5, "See [the park](http://park.example.org/old)."),
        ("LINK003", E, 1, 5, "See [the park](park.html)."),
        ("LINK003", E, 1, 5, "See [the park](www.park.example.org)."),
        ("LINK003", E, 1, 5, "See [the park](#)."),
        ("LINK003", E, 1, 5, "See [the park]()."),
        ("LINK003", E, 1, 5, "See [the park](javascript:alert)."),
        ("LINK004", W, 1, 5, "See [the park](https://www.example.com/park)."),
        ("LINK004", W, 1, 5, "See [the park](https://park.test/)."),
        ("LINK004", E, 1, 5, "See [the park](https://localhost:8000/)."),
        ("LINK004", E, 1, 5, "See [the park](https://127.0.0.1/)."),
        ("LINK004", E, 1, 5, "See [the park](https://10.1.2.3/)."),
        ("LINK004", E, 1, 5, "See [the park](https://[::1]/)."),
        ("LINK004", E, 1, 1, ":::button url=https://192.168.0.1/\nThe park, live\n:::"),
        ("LINK005", E, 1, 5, "See [https://bank.org/park](https://park.example.org)."),
        ("LINK005", E, 1, 5, "See [www.bank.org](https://park.example.org)."),
        ("LINK005", W, 1, 5, "See [bank.org](https://park.example.org)."),
        ("LINK009", W, 1, 13, "The park is [here](https://park.example.org)."),
        ("LINK009", W, 1, 5, "Now [*Read more …*](https://park.example.org)."),
        ("LINK009", W, 1, 1, ":::button url=https://park.example.org\nClick here!\n:::"),
        ("A11Y005", W, 1, 1, "#### Too deep"),
        ("A11Y005", W, 2, 1, ":::quote by=Ann\n#### Too deep\n:::"),
    ],
)
def test_a_fault_in_an_article(case: Case, *, rule: str, severity: Severity, line: int, column: int, text: str) -> None:
    lines = case.article.split("\n")
    case.article = "\n".join([*lines[:BODY], text, "", *lines[BODY:]])
    report = case.checked()
    assert found(report) == [(rule, severity, "01-park.md", BODY + line)]
    assert report.findings[0].place is not None
    assert report.findings[0].place.column == column


@pytest.mark.parametrize(
    "text",
    [
        "As code: `{{ subscriber.first_name }}`, `*|FNAME|*` and `TODO`.",
        "```\n{% if TODO %} ${HOME} %recipient.name% <% x %>\n```",
        "Such: [a] [b], [*c*](article:park)[d], \\[e][f], `[g][h]`, [x][i][^j].\n\n[i]: article:park\n\n[^j]: Note.",
        "```\n[a][b]\n```\n\n    [^c]\n\n- [ ] to do\n- [x] done",
        "H<sub>2</sub>O, <kbd>K</kbd> <a href='#note' title=t>the park</a>, <b class=\"a&amp;b\">c</b>.",
        "<table><tr><td align=left>One</td></tr></table>\n\n<details>\n<summary>More</summary>\n\nWords.\n\n</details>",
        "<!-- a note for me -->\n\n<br/>\n\nA [*stall*](article:park) <em>and</em> <p>a paragraph.</p>",
        "It costs US$4 billion {or so}, 100 % sure, 50%% off, a | b.",
        "The TKs and todo lists of MXXX, TK-421, and a word about lorem.",
        "That is all there is at the park.\n\n:::quote\nThis is all there is at the park.\n:::",
        "Not one was free. Not one was free.",
        ":::only web\nThat is all there is at the park.\n:::\n\n:::only email\nThat is all there is at the park.\n:::",
        "Write to [the builder](mailto:builder@park.example.org).",
        "See [what it cost](#what-it-cost) or [the park](article:park).",
        "See [https://www.park.example.org/a](https://park.example.org/a).",
        "See [park.example.org](https://live.park.example.org/) and [Node.js](https://nodejs.org/).",
        "See [https://park.example.org/ü](https://park.example.org/ü), [one](https://park.example.org/a%20b).",
        "See [the *story*](https://park.example.org/?name={{ subscriber.first_name | default('x') }}).",
        "### Deeper\n\nWords.\n\n## Back\n\n### Deeper again",
        ":::note title=Note\n### Inside\n:::",
    ],
)
def test_what_is_no_fault(case: Case, text: str) -> None:
    lines = case.article.split("\n")
    case.article = "\n".join([*lines[:BODY], text, "", *lines[BODY:]])
    assert case.checked() == CheckReport((), ())


@pytest.mark.parametrize(
    ("link", "rules"), [("[The plan](files/plan.txt).", []), ('<a href="files/plan.txt">The plan</a>.', ["LINK003"])]
)
def test_a_file_of_the_issue_is_published_but_raw_html_is_left_as_it_is(
    case: Case, link: str, rules: list[str]
) -> None:
    (case.root / "issues" / "1-stalls" / "files").mkdir(parents=True)
    (case.root / "issues" / "1-stalls" / "files" / "plan.txt").write_text("Forty stalls.")
    case.article += f"\n{link}\n"
    assert [finding.rule for finding in case.checked().findings] == rules


DATED = ("preheader:", "date: 2025-11-24\npreheader:")


@pytest.mark.parametrize(
    ("line", "column", "text"),
    [
        (1, 6, "Make 2024 the year you keep up with the industry."),
        (2, 16, "One week is over.\nNow let’s make 2024 count."),
        (1, 27, ':::cta title="The best of 2024"\nWords.\n:::'),
        (2, 8, ":::button url=https://park.example.org/a\nGo for 2024\n:::"),
    ],
)
def test_a_year_that_is_over(case: Case, line: int, column: int, text: str) -> None:
    case.issue = case.issue.replace(*DATED)
    lines = case.article.split("\n")
    case.article = "\n".join([*lines[:BODY], text, "", *lines[BODY:]])
    report = case.checked()
    assert found(report) == [("CONT012", W, "01-park.md", BODY + line)]
    assert report.findings[0].place is not None
    assert report.findings[0].place.column == column


@pytest.mark.parametrize(
    "text",
    [
        "Make 2025 the year you keep up. Make 2026 another one.",
        "It was made in 2024. See the 2019 report. Make the most of our 2019 one. Make no mistake: in 2013 it was so.",
        "Join the 2019 park. Start with our 2024 story.",
        ':::cta title="Trusted since 2019"\n© 2020 Volts, 2019–2024\n:::',
    ],
)
def test_years_that_may_be_over(case: Case, text: str) -> None:
    case.issue = case.issue.replace(*DATED)
    lines = case.article.split("\n")
    case.article = "\n".join([*lines[:BODY], text, "", *lines[BODY:]])
    assert case.checked() == CheckReport((), ())


def test_without_a_date_no_year_is_over(case: Case) -> None:
    case.article += "\nMake 2024 the year you keep up.\n"
    report = case.checked()
    assert report.findings == ()
    assert [skipped.rule for skipped in report.skipped] == ["CONT012"]


def test_the_day_the_list_was_counted_says_which_years_are_over(case: Case) -> None:
    case.facts = Facts(readers=60, as_of=date(2025, 1, 2))
    case.article += "\nMake 2024 the year you keep up.\n"
    assert found(case.checked()) == [("CONT012", W, "01-park.md", 12)]


def test_the_publications_own_host_is_no_placeholder(case: Case) -> None:
    case.settings = case.settings.replace("https://news.example.org", "http://localhost:8000")
    case.article = case.article.replace("https://park.example.org/story", "https://localhost/story")
    report = case.checked()
    assert [finding.rule for finding in report.findings] == ["LINK002"]


def test_the_lead_picture_and_the_source_of_an_article(case: Case) -> None:
    case.article = case.article.replace(
        "author: Ann Ode", "author: Ann Ode\nimage: images/row.png\nsource_url: http://old.example.org/1"
    )
    assert found(case.checked()) == [("IMG001", E, "01-park.md", 4), ("LINK002", W, "01-park.md", 5)]


def test_raw_html_is_found_in_the_file_too(case: Case) -> None:
    case.article += '\n<p>See <a href="http://park.example.org/raw">the raw park</a>.</p>\n'
    assert ("LINK002", W, "01-park.md", 12) in found(case.checked())


@pytest.mark.parametrize(("size", "severity"), [(200_001, W), (5_000_001, E)])
def test_a_heavy_picture(case: Case, size: int, severity: Severity) -> None:
    case.edition = lambda edition: replace(edition, assets=tuple(replace(asset, size=size) for asset in edition.assets))
    assert found(case.checked()) == [("IMG004", severity, "01-park.md", 10)]


@pytest.mark.parametrize(("name", "severity"), [("row.webp", W), ("row.SVG", E), ("row.avif?w=2", E), ("row.tiff", E)])
def test_a_picture_on_the_web_that_mail_programs_do_not_show(case: Case, name: str, severity: Severity) -> None:
    case.article = case.article.replace("images/row.png", f"https://park.example.org/{name}")
    assert ("IMG006", severity, "01-park.md", 10) in found(case.checked())


@pytest.mark.parametrize(("scheme", "severity"), [("https", W), ("http", E)])
def test_a_picture_on_somebody_elses_server(case: Case, scheme: str, severity: Severity) -> None:
    case.article = case.article.replace("images/row.png", f"{scheme}://park.example.org/row.png")
    report = case.checked()
    assert found(report) == [("IMG008", severity, "01-park.md", 10)]
    assert {skipped.rule for skipped in report.skipped} == {"IMG004"}


def test_a_message_is_weighed_with_what_travels_inside(case: Case) -> None:
    case.picture = noise(420)
    case.settings += '[theme]\nimages = "inline"\n'
    assert ("MSG015", W, "issue.md", 1) in found(case.checked())


def test_a_message_that_servers_refuse(case: Case) -> None:
    case.picture = noise(1000)
    case.edition = lambda edition: replace(
        edition, enclosed=tuple(replace(each, data=each.data * 4) for each in edition.enclosed)
    )
    case.settings += '[theme]\nimages = "inline"\n'
    assert ("MSG015", E, "issue.md", 1) in found(case.checked())


@pytest.mark.parametrize("part", [in_html, in_text])
def test_a_part_without_the_unsubscribe_link(case: Case, part: Callable[..., Callable[[Edition], Edition]]) -> None:
    def without(text: str) -> str:
        program = cut(text)
        return program.fill(
            lambda slot: "https://news.example.org/" if slot.name == "links.unsubscribe" else slot.token
        )

    case.edition = part(without)
    assert ("LIST007", E, "", None) in found(case.checked())


def test_a_service_that_puts_its_own_unsubscribe_link(case: Case) -> None:
    case.facts = Facts(manages_unsubscribe=True, provider="courier")
    case.edition = in_text(lambda text: cut(text).fill(lambda _: "https://news.example.org/"))
    report = case.checked()
    assert "LIST007" not in {finding.rule for finding in report.findings}
    (skipped,) = report.skipped
    assert skipped.rule == "LIST007"
    assert "courier" in skipped.reason


def test_no_postal_address_is_configured(case: Case) -> None:
    case.settings = case.settings.replace("postal_address", "# postal_address")
    assert found(case.checked()) == [("LEGAL001", E, "", None)]


@pytest.mark.parametrize("part", [in_html, in_text])
def test_a_part_without_the_postal_address(case: Case, part: Callable[..., Callable[[Edition], Edition]]) -> None:
    case.edition = part(lambda text: text.replace("12345 Example", "elsewhere"))
    assert found(case.checked()) == [("LEGAL001", E, "", None)]


def test_a_postal_address_may_be_broken_into_lines(case: Case) -> None:
    case.edition = in_html(lambda text: text.replace("1 Example Street, 12345", "1 Example<br>Street<br>12345"))
    assert found(case.checked()) == []


@pytest.mark.parametrize(("size", "severity"), [(93_000, W), (103_000, E)])
def test_html_that_gmail_cuts_off(case: Case, size: int, severity: Severity) -> None:
    case.edition = in_html(lambda html: html.replace("</body>", f"<p>{'x' * (size - len(html))}</p></body>"))
    report = case.checked()
    assert found(report) == [("HTML001", severity, "issue.md", 1)]
    assert "The park by the motorway" in (report.findings[0].hint or "")


def test_size_is_that_of_the_largest_copy(case: Case) -> None:
    case.facts = Facts(largest={"subscriber.first_name": "ß" * 60_000})
    assert [finding.rule for finding in case.checked().findings] == ["HTML001", "MSG015"]


def test_what_only_the_theme_says(case: Case) -> None:
    case.edition = in_html(
        lambda html: html.replace(
            "</body>", '<p>Dear *|FNAME|*, <img src="dot.gif"><a href="/about">about us</a></p></body>'
        )
    )
    assert found(case.checked()) == [("CONT001", E, "", None), ("IMG001", E, "", None), ("LINK003", E, "", None)]


def test_a_merge_tag_in_the_text_part_only(case: Case) -> None:
    case.edition = in_text(lambda text: f"{text}\nDear {{{{ first\nname }}}}")
    assert found(case.checked()) == [("CONT010", E, "", None)]


def test_a_link_that_the_text_part_has_lost(case: Case) -> None:
    case.edition = in_text(lambda text: text.replace("https://park.example.org/story", "the web"))
    assert found(case.checked()) == [("TXT002", W, "01-park.md", 6)]


def test_errors_stop_and_are_all_named(case: Case) -> None:
    case.issue = case.issue.replace("preheader: A", "preheader: TODO, a")
    case.article = case.article.replace("A row of cars at the stalls", "")
    report = case.checked()
    assert (report.errors, report.warnings) == (2, 0)
    with pytest.raises(ChecksFailed) as failed:
        report.stop_on_errors()
    said = str(failed.value)
    assert "01-park.md:10:1: the picture images/row.png has no alt text [IMG001]" in said
    assert "issue.md:5:12: `TODO` is left over [CONT003]" in said


def test_an_issue_that_begins_with_no_words_has_no_preheader(case: Case) -> None:
    case.issue = case.issue.replace("preheader: A Sunday evening at the park, and what its builder says.\n", "")
    case.article = case.article.replace("It was [built in a year](https://park.example.org/story).\n", "")
    assert found(case.checked()) == [("PRE001", W, "issue.md", 1)]


def test_warnings_do_not_stop(case: Case) -> None:
    case.issue = case.issue.replace("preheader: A Sunday evening at the park, and what its builder says.\n", "")
    report = case.checked()
    assert (report.errors, report.warnings) == (0, 1)
    report.stop_on_errors()


def test_every_rule_is_explained_and_stands_under_its_id() -> None:
    assert len(RULES) >= 18
    for key, one in RULES.items():
        assert key == one.id
        assert one.title
        assert len(one.explanation) > 80
        assert "Source: " in one.explanation or "RFC" in one.explanation


def test_an_id_is_used_once() -> None:
    with pytest.raises(ValueError, match="SUBJ001"):
        rule("SUBJ001", E, "another")(lambda case: iter(()))
