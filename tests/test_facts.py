"""The number of readers in the text: floored, dated, the same when built and when sent, never more than the truth."""

import datetime
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.cli import run
from newsletter.compile.edition import Facts, SentBefore
from newsletter.compile.facts import floored
from newsletter.errors import ContentError
from tests.workspaces import SETTINGS, article_file, compiled, issue_file, mail, page, workspace

DAY = datetime.date(2026, 5, 4)


@pytest.mark.parametrize(
    ("readers", "said"),
    [
        *((0, 0), (1, 1), (49, 49), (50, 50), (51, 50), (99, 90), (100, 100), (149, 100), (5_523, 5_500)),
        *((999, 950), (10_050, 10_000), (99_999, 99_000), (123_456, 120_000), (1_999_999, 1_900_000)),
    ],
)
def test_the_steps(readers, said):
    assert floored(readers) == said


@given(st.integers(0, 10**9))
def test_it_never_claims_more_than_there_are_nor_much_less(readers):
    assert readers * 2 / 3 <= floored(readers) <= readers


def one(tmp_path, said, settings=SETTINGS, **front):
    files = {
        "1-one/issue.md": issue_file(1, f"{said}\n\n<!-- articles -->", **front),
        "1-one/01-a.md": article_file(said),
    }
    return workspace(tmp_path, files, settings)


@pytest.mark.parametrize(
    ("lang", "readers", "said"),
    [("en", 5_523, "5,500+"), ("de", 5_523, "5.500+"), ("en", 5_500, "5,500"), ("en", 7, "7")],
)
def test_it_is_said_everywhere_in_the_language_of_the_issue(tmp_path, lang, readers, said):
    ws = one(tmp_path, "Join {{ subscribers.count }} readers.", lang=lang, preheader='"{{ subscribers.count }} of us"')
    edition = compiled(ws, "1", Facts(readers=readers, as_of=DAY))
    for text in (*mail(edition), page(edition, "articles/a"), page(edition, "issues/1-one")):
        assert f"Join {said} readers." in text
    assert edition.preheader.literals == (f"{said} of us",)
    assert dict(edition.facts_used).keys() == {"subscribers.count"}


def test_the_date_is_part_of_the_edition_only_where_it_is_said(tmp_path):
    facts = Facts(readers=60, as_of=DAY)
    tomorrow = replace(facts, as_of=datetime.date(2026, 5, 5))
    ws = one(tmp_path, "{{ subscribers.count }} on {{ subscribers.as_of }}")
    assert "60 on 4 May 2026" in mail(compiled(ws, "1", facts))[0]
    assert compiled(ws, "1", facts).hash != compiled(ws, "1", tomorrow).hash
    ws = one(tmp_path, "{{ subscribers.count }}")
    assert compiled(ws, "1", facts).hash == compiled(ws, "1", tomorrow).hash


def test_what_nobody_knows_is_an_error_with_its_place_or_its_default(tmp_path):
    ws = one(tmp_path, "{{ subscribers.count | default('many') }} <b>")
    assert "many" in mail(compiled(ws, "1"))[1]
    ws = one(tmp_path, "Join\n\n{{ subscribers.count }} readers.")
    with pytest.raises(ContentError) as caught:
        compiled(ws, "1")
    assert "issue.md:9:1: nobody knows `subscribers.count`" in str(caught.value)


@pytest.mark.parametrize(
    "said", ["- of {}", "| {} |\n|---|\n| x |", "*{}*", ":::button url=https://a.example\n{}\n:::"]
)
def test_what_nobody_knows_is_said_where_it_is(tmp_path, said):
    body = "First.\n\n" + said.format("{{ subscribers.count }}")
    ws = workspace(tmp_path, {"1-one/issue.md": issue_file(1), "1-one/01-a.md": article_file(body)})
    with pytest.raises(ContentError, match=r"01-a\.md:\d"):
        compiled(ws, "1")


def test_in_an_address_it_is_percent_encoded(tmp_path):
    query = 'n={{ subscribers.count }}&on={{ subscribers.as_of }}&to={{ subscriber.first_name | default("A friend") }}'
    ws = one(tmp_path, f"[Share](https://a.example/?{query})")
    edition = compiled(ws, "1", Facts(readers=5_523, as_of=DAY))
    html, text = mail(edition)
    known = "https://a.example/?n=5%2C500%2B{0}on=4%20May%202026{0}to=A%20friend"
    for page_or_mail in (html, page(edition, "articles/a"), page(edition, "issues/1-one")):
        assert f'href="{known.format("&amp;")}"' in page_or_mail
    assert known.format("&") in text


def test_an_issue_keeps_saying_what_it_said_when_it_was_sent(tmp_path):
    ws = one(tmp_path, "{{ subscribers.count }} readers")
    first = compiled(ws, "1", Facts(readers=5_523, as_of=DAY))
    sent = SentBefore(hash=first.hash, content_digest=first.content_digest, facts=first.facts_used)
    later = compiled(ws, "1", Facts(readers=7_000, as_of=DAY, sent_before=sent))
    assert later.hash == first.hash
    assert "5,500+ readers" in page(later, "issues/1-one")


def test_build_and_send_say_the_same_and_those_who_join_later_get_it_too(tmp_path, monkeypatch, capsys):
    one(tmp_path, "We are {{ subscribers.count }}.")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NEWSLETTER_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "people.csv").write_text("email\n" + "".join(f"p{n}@example.org\n" for n in range(57)))
    assert run(["subscribers", "import", "people.csv"]) == 0
    assert run(["build", "1"]) == 0
    assert "We are 50+." in (tmp_path / "build" / "1-one" / "email.txt").read_text()
    hash = json.loads((tmp_path / "build" / "1-one" / "manifest.json").read_text())["hash"]
    assert run(["send", "1", "--yes", "--hash", hash]) == 0
    assert json.loads((tmp_path / "issues" / "1-one" / "sent.json").read_text())["facts"] == {
        "subscribers.count": "50+"
    }
    for n in range(10):
        assert run(["subscribers", "add", f"late{n}@example.org"]) == 0
    capsys.readouterr()
    assert run(["send", "1", "--yes", "--hash", hash]) == 0
    assert len(list((tmp_path / "data" / "outbox" / "new").iterdir())) == 67


def test_a_translation_says_it_in_its_own_language(tmp_path):
    ws = one(tmp_path, "{{ subscribers.count }} on {{ subscribers.as_of }}")
    (ws.issues / "1-one" / "01-a.de.md").write_text(article_file("{{ subscribers.count }}, {{ subscribers.as_of }}"))
    edition = compiled(ws, "1", Facts(readers=5_523, as_of=DAY))
    assert "5,500+ on 4 May 2026" in page(edition, "articles/a")
    assert "5.500+, 4. Mai 2026" in page(edition, "articles/a/de")
