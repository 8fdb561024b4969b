"""What the MJML engine would do in silence is said before, with the line, or seen after."""

import contextlib
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.compile.mjml import to_html
from newsletter.compile.render import Theme
from newsletter.errors import TemplateError

SHELL = "<mjml><mj-body><mj-section><mj-column>\n{}\n</mj-column></mj-section></mj-body></mjml>"


def test_fragments_come_through_byte_for_byte():
    prose = "<p><b>this</b>\n<i>that</i> \u00a0 \\n <a title='say \"hi\"'>x</a> \\1 \\g<0></p>"
    html = to_html(SHELL.format("<mj-text>nlfragz</mj-text>"), {"nlfragz": prose})
    assert prose in html
    assert "nlfragz" not in html


@pytest.mark.parametrize(
    ("mjml", "said"),
    [
        ("<mj-text>a &nbsp; b</mj-text>", "(?s)line 2 .*write &#160;"),
        ("<mj-text>a < b</mj-text>", "line 2 .*not XML"),
        ("<mj-text><b>x</i></mj-text>", "line 2 .*mismatched tag"),
        ("<mj-text>\n\n<mj-button>x</mj-button></mj-text>", "line 4 .*<mj-button> stands inside <mj-text>"),
        ("<mj-foo />", "line 2 .*no element <mj-foo>"),
        ("<p>loose</p>", "line 2 .*no element <p>"),
        ('<mj-text colour="#000000">x</mj-text>', "line 2 .*no attribute colour"),
        ("<mj-section />", "<mj-section> cannot stand inside <mj-column>"),
        ("<mj-text>" + "<b>" * 70 + "</b>" * 70 + "</mj-text>", "nested more than 60 deep"),
        ('<mj-image src="a" alt="a\u00a0b" />', "without being encoded"),
    ],
)
def test_faults_are_said_with_their_line(mjml, said):
    with pytest.raises(TemplateError, match=said):
        to_html(SHELL.format(mjml), {})


def test_a_fragment_that_is_lost_or_doubled_is_seen():
    for text in ("nothing", "nlfragz nlfragz"):
        with pytest.raises(TemplateError, match="not exactly once"):
            to_html(SHELL.format(f"<mj-text>{text}</mj-text>"), {"nlfragz": "x"})


@given(st.text(max_size=200))
def test_nothing_but_a_template_error_comes_out_of_any_source(text):
    with contextlib.suppress(TemplateError):
        to_html(SHELL.format(text), {})


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=40))
def test_any_value_in_an_attribute_is_read_back(tmp_path_factory, value):
    from html.parser import HTMLParser

    folder = tmp_path_factory.mktemp("theme")
    (folder / "x.mjml.j2").write_text(SHELL.format('<mj-image src="a.png" alt="{{ value }}" />'))
    html = to_html(Theme((folder,)).render("x.mjml.j2", value=value), {})
    alts = []

    class Images(HTMLParser):
        def handle_starttag(self, tag, attrs):
            if tag == "img":
                alts.append(dict(attrs)["alt"])

    Images().feed(html)
    assert alts == [value]


def test_template_faults_have_file_and_line(tmp_path):
    (tmp_path / "a.txt.j2").write_text("one\n{{ nothing.there }}\n")
    (tmp_path / "b.txt.j2").write_text("one\n{% if %}\n")
    theme = Theme((tmp_path,))
    with pytest.raises(TemplateError, match=r"a\.txt\.j2:2: .*nothing"):
        theme.render("a.txt.j2")
    with pytest.raises(TemplateError, match=r"b\.txt\.j2:2: "):
        theme.render("b.txt.j2")
    with pytest.raises(TemplateError, match=r"no file c\.txt\.j2"):
        theme.render("c.txt.j2")


def test_the_first_folder_that_has_a_file_wins(tmp_path):
    own, default = tmp_path / "own", tmp_path / "default"
    for folder in (own, default):
        folder.mkdir()
        (folder / "a.txt.j2").write_text(folder.name)
    (default / "b.txt.j2").write_text("{% include 'a.txt.j2' %}")
    assert Theme((own, default)).render("b.txt.j2") == "own"


def test_a_file_that_is_added_or_changed_later_is_seen(tmp_path):
    own, default = tmp_path / "own", tmp_path / "default"
    for folder in (own, default):
        folder.mkdir()
    (default / "a.txt.j2").write_text("default")
    assert Theme((own, default)).render("a.txt.j2") == "default"
    (own / "a.txt.j2").write_text("own")
    assert Theme((own, default)).render("a.txt.j2") == "own"
    (own / "a.txt.j2").write_text("changed")
    os.utime(own / "a.txt.j2", (1, 1))
    assert Theme((own, default)).render("a.txt.j2") == "changed"
