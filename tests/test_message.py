"""Edition + Recipient -> bytes, held against Python's own email package as the oracle."""

import email
import email.policy
import re
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.compile.edition import AudienceVariant, Edition, Headers
from newsletter.compile.slots import MissingValue, Program, as_html, as_text, cut
from newsletter.issue.slots import Slot
from newsletter.message import Composer, Recipient
from newsletter.mime import quoted_printable

DATE = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)
NAME = Slot("subscriber.first_name", "there")
UNSUBSCRIBE = "https://go.example.org/unsubscribe/" + "x" * 200

words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=120)


def edition(html="<p>Hello</p>\n", text="Hello\n", subject="A subject", sender="Jo Kim <jo@news.example.org>", **over):
    def program(value):
        return value if isinstance(value, Program) else cut(value)

    headers = {
        "sender": sender,
        "reply_to": None,
        "list_id": "The weekly <main.news.example.org>",
        "archive": "https://news.example.org/issues/126-x/",
        "feedback_id": "a1:main:newsletter:ovnight1",
    }
    return Edition(
        issue_id="abcdefghijkl",
        slug="126-x",
        number=126,
        title="X",
        list="main",
        subjects=(program(subject),),
        preheader=cut(""),
        headers=Headers(**(headers | over)),
        variants=(AudienceVariant(html=program(html), text=program(text)),),
        assets=(),
        pages=(),
        facts_used=(),
        content_digest="0" * 64,
        mjml="",
        hash="f" * 64,
    )


def recipient(**over):
    values = {"links.unsubscribe": UNSUBSCRIBE, "subscriber.first_name": "Łucja"}
    return Recipient(**({"id": "r1", "address": "l@example.org", "name": "Łucja Öz", "values": values} | over))


def composed(edition, recipient=None, **options) -> bytes:
    return Composer(edition, audience=0, subject=0, **options).message(recipient or globals()["recipient"](), DATE)


def parsed(raw: bytes) -> EmailMessage:
    return email.message_from_bytes(raw, policy=email.policy.default)


def parts(raw: bytes) -> tuple[str, str]:
    """The decoded text and HTML, as any reader of mail sees them."""
    message = parsed(raw)
    text, html = message.iter_parts()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    return text.get_content().replace("\r\n", "\n"), html.get_content().replace("\r\n", "\n")


def wire_rules(raw: bytes) -> None:
    assert raw.isascii()
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", raw), "a bare CR or LF"
    head, _, body = raw.partition(b"\r\n\r\n")
    assert all(len(line) <= 998 for line in head.split(b"\r\n"))
    assert all(len(line) <= 76 for line in body.split(b"\r\n") if b"boundary" not in line)
    assert not any(line.startswith(b".") for line in raw.split(b"\r\n"))


@given(before=words, after=words, value=words, text=words)
def test_a_joined_copy_decodes_to_the_plain_rendering(before, after, value, text):
    who = recipient(values={"links.unsubscribe": UNSUBSCRIBE, "subscriber.first_name": value})
    plain = Program((before, after, text), (NAME, Slot("subscriber.first_name", "")))
    raw = composed(edition(html=plain, text=plain), who)
    wire_rules(raw)

    def as_read(rendered):
        return rendered.replace("\r\n", "\n")

    got_text, got_html = parts(raw)
    assert as_read(got_text) == as_read(plain.fill(as_text(who.values)))
    assert as_read(got_html) == as_read(plain.fill(as_html(who.values)))


@given(words)
def test_quoted_printable_is_read_back_by_the_standard_library(text):
    import quopri

    encoded = quoted_printable(text)
    expected = text.replace("\r\n", "\n").replace("\n", "\r\n").encode()
    assert quopri.decodestring(encoded) == expected
    assert all(len(line) <= 76 and not line.endswith((b" ", b"\t")) for line in encoded.split(b"\r\n"))


@given(subject=words, display=words)
def test_subject_and_names_survive(subject, display):
    message = parsed(composed(edition(subject=Program((subject,))), recipient(name=display)))

    def clean(value):
        import unicodedata

        kept = (" " if c in "\t\r\n" else c for c in value if c in "\t\r\n" or unicodedata.category(c) != "Cc")
        return "".join(kept).strip()

    assert " ".join(message["Subject"].split()) == " ".join(clean(subject).split())
    assert message["To"].addresses[0].addr_spec == "l@example.org"
    assert message.keys().count("Subject") == 1
    assert set(message.keys()) == {
        *("To", "Subject", "Date", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post", "From", "List-Id"),
        *("List-Archive", "Feedback-ID", "MIME-Version", "Content-Type"),
    }


@pytest.mark.parametrize(
    "subject",
    [
        "A visit in 2013, a car in 2024 ⚡️",
        "⚡️" * 40,
        "👩🏽‍🚀 " * 20,
        "Prix : 10 €",
        "=?utf-8?q?not_one?=",
        "x" * 200,
        "word " * 40,
        "",
    ],
)
def test_subjects_with_emoji_are_cut_between_whole_ones(subject):
    raw = composed(edition(subject=subject))
    assert parsed(raw)["Subject"] == subject.strip()
    for word in re.findall(rb"=\?utf-8\?b\?[^?]*\?=", raw):
        assert len(word) <= 75
        first = email.header.decode_header(word.decode())[0][0].decode("utf-8")
        assert not first.startswith(("\ufe0f", "\u200d"))


def test_a_long_unsubscribe_address_stays_one_address():
    raw = composed(edition())
    assert f"List-Unsubscribe: <{UNSUBSCRIBE}>\r\n".encode() in raw
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in raw


@pytest.mark.parametrize(
    ("display", "expected"),
    [
        ("Jo Kim", "Jo Kim"),
        ("Kim, Jo", "Kim, Jo"),
        ('Jo "The" Kim', 'Jo "The" Kim'),
        ("Юлия Öz", "Юлия Öz"),
        ("李雷", "李雷"),
        ("Jo\r\nBcc: evil@example.com", "Jo  Bcc: evil@example.com"),
    ],
)
def test_names_are_read_back_and_cannot_add_a_header(display, expected):
    message = parsed(composed(edition(), recipient(name=display)))
    assert message["To"].addresses[0].display_name == expected
    assert "Bcc" not in message


def test_an_international_domain_is_written_in_ascii():
    raw = composed(edition(sender="Jö <post@bücher.example>"))
    message = parsed(raw)
    assert message["From"].addresses[0].addr_spec == "post@xn--bcher-kva.example"
    assert message["Message-ID"].endswith("@xn--bcher-kva.example>")
    assert b"?=@" not in raw


def test_the_message_id_is_a_function_of_issue_and_recipient():
    first, again = parsed(composed(edition())), parsed(composed(edition(subject="Another")))
    other = parsed(composed(edition(), recipient(id="r2")))
    assert first["Message-ID"] == again["Message-ID"] != other["Message-ID"]


def test_a_test_copy_says_so_and_is_never_the_real_one():
    test = [parsed(composed(edition(), test=True)) for _ in range(2)]
    assert test[0]["Subject"] == "[Test] A subject"
    assert len({test[0]["Message-ID"], test[1]["Message-ID"], parsed(composed(edition()))["Message-ID"]}) == 3


def test_a_value_that_begins_with_a_dot_keeps_it():
    program = Program(("Hi ", "!\n.hidden\n"), (NAME,))
    who = recipient(values={"subscriber.first_name": ".profile"})
    raw = composed(edition(text=program), who)
    wire_rules(raw)
    assert parts(raw)[0] == "Hi .profile!\n.hidden\n"


def test_values_are_escaped_in_html_and_percent_encoded_in_links():
    html = cut(f'<a href="https://e.org/?n={NAME.token.replace("nlslott", "nlslotu")}">{NAME.token}</a>')
    who = recipient(values={"subscriber.first_name": 'A&B "<x>'})
    assert parts(composed(edition(html=html), who))[1] == (
        '<a href="https://e.org/?n=A%26B%20%22%3Cx%3E">A&amp;B &quot;&lt;x&gt;</a>'
    )


def test_a_blank_value_is_a_missing_one():
    program = cut(f"Hey {NAME.token},")
    assert parts(composed(edition(text=program), recipient(values={"subscriber.first_name": "  "})))[0] == "Hey there,"
    with pytest.raises(MissingValue):
        composed(edition(text=cut(f"Hey {Slot('subscriber.city').token}")))


def test_the_configured_default_stands_in_where_the_slot_has_none():
    values = {"?subscriber.city": "your town", "?subscriber.first_name": "reader"}
    program = cut(f"{Slot('subscriber.city').token} {NAME.token}")
    assert parts(composed(edition(text=program), recipient(values=values)))[0] == "your town there"
