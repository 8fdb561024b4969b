"""Edition + Recipient -> bytes, held against Python's own email package as the oracle."""

import email
import email.policy
import re
from datetime import UTC, datetime, timedelta, timezone
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.compile.edition import AudienceVariant, Edition, Headers
from newsletter.compile.slots import MissingValue, Program, as_html, as_text, cut
from newsletter.issue.slots import Encoding, Slot
from newsletter.message import Composer, Recipient

DATE = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)
NAME = Slot("subscriber.first_name", "there")
UNSUBSCRIBE = "https://go.example.org/unsubscribe/" + "x" * 200

words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=120)
tricky = st.sampled_from(
    [
        *".= %&<>\"'\\\t\n\r\0\x7f\x85\xa0\u2028\u200d\u0301\ud800",
        *("\r\n", "\n\n", "%b", "=?", "?=", "👩🏽‍🚀", "\r\nBcc: e@example.com", "--=_" + "f" * 32),
    ]
)
anything = st.text("ab.=&<>\"'%-", max_size=200) | st.builds(
    lambda pieces, times: "".join(pieces) * times,
    st.lists(tricky | st.text(st.characters(), max_size=40), max_size=6),
    st.sampled_from([1, 1, 1, 2, 40]),
)


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


SLOTS = (
    NAME,
    Slot("subscriber.first_name", "", lead=" "),
    Slot("subscriber.first_name", "", lead="\n"),
    Slot("subscriber.first_name", "there", Encoding.QUERY),
    Slot("subscriber.city", "a  town"),
    Slot("links.unsubscribe", "#"),
)


def programs():
    def program(slots):
        literals = st.lists(anything.map(lambda text: text.replace("\r", "")), min_size=len(slots) + 1)
        return literals.map(lambda found: Program(tuple(found[: len(slots) + 1]), tuple(slots)))

    return st.lists(st.sampled_from(SLOTS), max_size=6).flatmap(program)


@given(
    html=programs(),
    text=programs(),
    subject=programs(),
    name=anything,
    city=anything,
    unsubscribe=anything,
    to=anything,
)
def test_whatever_the_values_are_a_copy_keeps_the_rules_and_says_what_fill_says(
    html, text, subject, name, city, unsubscribe, to
):
    values = {"subscriber.first_name": name, "subscriber.city": city, "links.unsubscribe": unsubscribe}
    raw = composed(edition(html=html, text=text, subject=subject), recipient(values=values, name=to))
    wire_rules(raw)
    head = raw.partition(b"\r\n\r\n")[0].decode()
    names = re.findall(r"^[^ \t:]+(?=:)", head, re.MULTILINE)
    unsubscribing = ["List-Unsubscribe", "List-Unsubscribe-Post"] if unsubscribe else []
    assert names == [
        *("To", "Subject", "Date", "Message-ID", *unsubscribing),
        *("From", "List-Id", "List-Archive", "Feedback-ID", "MIME-Version", "Content-Type"),
    ]

    def as_read(rendered):
        return rendered.encode("utf-8", "replace").decode().replace("\r\n", "\n")

    got_text, got_html = parts(raw)
    assert as_read(text.fill(as_text(values))) == got_text
    assert as_read(html.fill(as_html(values))) == got_html


def test_a_copy_byte_for_byte():
    html = Program(
        ('<p style="x">Hé ', ", 100% of it: <a href='", "?n=", "'>out</a>\n."),
        (NAME, Slot("links.unsubscribe"), Slot("subscriber.first_name", "there", Encoding.QUERY)),
    )
    text = Program(("Hi", ",\n\nout: ", "\n"), (Slot("subscriber.first_name", "", lead=" "), Slot("links.unsubscribe")))
    unsubscribe = f"https://go.example.org/unsubscribe/{'x' * 40}.y"
    who = recipient(values={"links.unsubscribe": unsubscribe, "subscriber.first_name": 'Łucja & "Öz"'})
    raw = composed(edition(html=html, text=text, subject=Program(("For ", ""), (NAME,))), who)
    assert raw.decode().replace("\r\n", "\n") == (
        """\
To: =?utf-8?b?xYF1Y2phIMOWeg==?= <l@example.org>
Subject: =?utf-8?b?Rm9yIMWBdWNqYSAmICLDlnoi?=
Date: Fri, 20 Nov 2026 07:00:00 +0000
Message-ID: <c5dfdca1d9ec8772af6faf5cbbb9c89e@news.example.org>
List-Unsubscribe: <https://go.example.org/unsubscribe/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.y>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
From: Jo Kim <jo@news.example.org>
List-Id: The weekly <main.news.example.org>
List-Archive: <https://news.example.org/issues/126-x/>
Feedback-ID: a1:main:newsletter:ovnight1
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="=_ffffffffffffffffffffffffffffffff"

--=_ffffffffffffffffffffffffffffffff
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: quoted-printable

Hi=
 =C5=81ucja & "=C3=96z"=
,

out:=20=
https://go.example.org/unsubscribe/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx=
=2Ey=


--=_ffffffffffffffffffffffffffffffff
Content-Type: text/html; charset="utf-8"
Content-Transfer-Encoding: quoted-printable

<p style=3D"x">H=C3=A9=20=
=C5=81ucja &amp; &quot;=C3=96z&quot;=
, 100% of it: <a href=3D'=
https://go.example.org/unsubscribe/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx=
=2Ey=
?n=3D=
%C5%81ucja%20%26%20%22%C3%96z%22=
'>out</a>
=2E
--=_ffffffffffffffffffffffffffffffff--
"""
    )


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


def test_the_same_moment_is_written_as_its_zone_has_it():
    composer = Composer(edition(), audience=0, subject=0)
    east = DATE.astimezone(timezone(timedelta(hours=2)))
    assert east == DATE
    dates = [parsed(composer.message(recipient(), date))["Date"] for date in (DATE, east)]
    assert dates == ["Fri, 20 Nov 2026 07:00:00 +0000", "Fri, 20 Nov 2026 09:00:00 +0200"]


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


@pytest.mark.parametrize("value", ["A&B", "<i>", '"', "'", "a=b"])
def test_a_short_value_is_itself_in_text_and_escaped_in_html(value):
    program = Program(("", ""), (NAME,))
    raw = composed(edition(html=program, text=program), recipient(values={NAME.name: value}))
    assert parts(raw) == (value, as_html({NAME.name: value})(NAME))


def test_half_a_character_is_a_question_mark():
    program = Program(("", "", ""), (NAME, Slot(NAME.name, None, Encoding.QUERY)))
    raw = composed(edition(text=program), recipient(values={NAME.name: "x\ud83d"}))
    assert parts(raw)[0] == "x?x%3F"


def test_a_blank_value_is_a_missing_one():
    program = cut(f"Hey {NAME.token},")
    assert parts(composed(edition(text=program), recipient(values={"subscriber.first_name": "  "})))[0] == "Hey there,"
    with pytest.raises(MissingValue):
        composed(edition(text=cut(f"Hey {Slot('subscriber.city').token}")))


def test_the_configured_default_stands_in_where_the_slot_has_none():
    values = {"?subscriber.city": "your town", "?subscriber.first_name": "reader"}
    program = cut(f"{Slot('subscriber.city').token} {NAME.token}")
    assert parts(composed(edition(text=program), recipient(values=values)))[0] == "your town there"
