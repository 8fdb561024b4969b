"""Headers and quoted-printable, held against the standard library as the oracle."""

import quopri
import re
from email.header import decode_header, make_header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.mime import link, mailbox, quoted_printable, quoted_printable_ascii, unstructured

text = st.text(st.characters(codec="utf-8")) | st.text("ab.= \t\r\né", max_size=400)
printable = st.text(st.characters(min_codepoint=32, max_codepoint=126)) | st.text(".=x", max_size=400)


@given(text)
def test_quoted_printable_is_read_back(text):
    encoded = quoted_printable(text)
    assert quopri.decodestring(encoded) == text.replace("\r\n", "\n").replace("\n", "\r\n").encode()
    for line in encoded.split(b"\r\n"):
        assert len(line) <= 76
        assert not line.endswith((b" ", b"\t"))
        assert not line.startswith(b".")


@given(printable.map(str.rstrip))
def test_the_quick_way_of_ascii_is_no_other_way(line):
    assert quoted_printable_ascii(line) == quoted_printable(line)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("x" * 75, b"x" * 75),
        ("x" * 76, b"x" * 75 + b"=\r\nx"),
        ("x" * 74 + "é", b"x" * 74 + b"=\r\n=C3=A9"),
        ("." + "x" * 73, b"=2E" + b"x" * 72 + b"=\r\nx"),
        ("x" * 75 + ".", b"x" * 75 + b"=\r\n=2E"),
        ("a\tb\r", b"a=09b=0D"),
        ("x \n .\n. ", b"x=20\r\n .\r\n=2E=20"),
    ],
)
def test_rows_end_where_there_is_room_for_a_soft_break(line, expected):
    assert quoted_printable(line) == expected


@given(st.text("a é\u0301\u200d⚡\ufe0f👩🏽🚀李", max_size=200))
def test_encoded_words_are_whole_and_short(subject):
    value = unstructured("Subject", f"é{subject}").removeprefix("Subject: ")
    words = value.split("\r\n ")
    assert all(re.fullmatch(r"=\?utf-8\?b\?[A-Za-z0-9+/]+=*\?=", word) for word in words)
    assert all(len(line) <= 76 for line in f"Subject: {value}".split("\r\n"))
    assert str(make_header(decode_header(value))) == f"é{subject}".strip()


@pytest.mark.parametrize("words", ["x" * 2000, '"' * 900, "word " * 400, "\\" * 451])
def test_no_header_is_longer_than_a_line_may_be(words):
    for header in (unstructured("Subject", words), mailbox("To", words, "jo@example.org")):
        assert all(len(line) <= 998 for line in header.split("\r\n"))
    assert str(make_header(decode_header(unstructured("Subject", words)[9:]))).split() == words.split()


def test_an_address_cannot_add_a_header():
    assert mailbox("To", "Jo", "jo@example.org\r\nBcc: e@example.com").count("\r\n") == 0


def test_a_url_stays_as_it_is():
    url = "https://example.org/a%20b/?c=d&e='f'#g"
    assert link("List-Unsubscribe", url) == f"List-Unsubscribe: <{url}>"


def test_what_cannot_stand_in_a_url_is_percent_encoded():
    assert link("List-Archive", 'x>\r\nBcc: "é"') == "List-Archive: <x%3E%0D%0ABcc:%20%22%C3%A9%22>"


def test_a_url_longer_than_a_line_is_whole_again_without_white_space():
    url = "https://example.org/" + "x" * 3000
    lines = link("List-Unsubscribe", url).split("\r\n")
    assert all(len(line) <= 998 for line in lines)
    assert "".join(line.strip() for line in lines).removeprefix("List-Unsubscribe:").strip() == f"<{url}>"
