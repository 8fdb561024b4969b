"""The sample issue through a real Postfix into a mailbox: read back; and where it refuses some, or lets them wait."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from newsletter.compile.slots import as_html, as_text
from newsletter.delivery.plan import recipient_of
from newsletter.message import Composer, message_id
from tests.real.desk import REPOSITORY, Desk
from tests.real.postfix import DOMAIN, Postfix, running_postfix
from tests.real.wire import assert_header_rules, assert_wire_rules, read, text_and_html

pytestmark = [pytest.mark.real, pytest.mark.slow]


@pytest.fixture
def postfix(part: Callable[[str], Path]) -> Iterator[Postfix]:
    program = part("postfix")
    if os.geteuid() != 0:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("Postfix starts as root only")
    with running_postfix(program) as postfix:
        yield postfix


def test_a_copy_comes_out_of_postfix_as_it_went_in(sample: Desk, postfix: Postfix) -> None:
    sample.relay_through(postfix.port)
    sample.newsletter("subscribers", "add", f"reader@{DOMAIN}", "--first-name", "Zoë", "--last-name", "Müller")
    [reader] = sample.readers()
    with sample.serving():
        assert sample.json("send", "126", "--yes", "--provider", "smtp")["accepted"] == 1
    [delivered] = postfix.delivered(1)

    edition = sample.edition("126")
    recipient = recipient_of(reader, sample.workspace.settings, sample.store.keyring)
    message = read(delivered)
    sent = Composer(edition, audience=0, subject=0).message(recipient, message["Date"].datetime)
    trace, copy, nothing = delivered.replace(b"\n", b"\r\n").partition(sent)
    assert (copy, nothing) == (sent, b""), "Postfix changed something"
    assert [line.partition(b":")[0] for line in trace.splitlines() if line[:1].isalpha()] == [
        *(b"Return-Path", b"X-Original-To", b"Delivered-To", b"Received"),
    ]
    assert "DKIM-Signature" not in message
    assert message["Return-Path"] == "<jo@news.example.org>"
    assert message["Message-ID"] == message_id(edition.issue_id, recipient.id, "news.example.org")
    assert_wire_rules(copy)
    assert_header_rules(copy, unsubscribe=recipient.values["links.unsubscribe"])
    text, html = edition.variants[0].text, edition.variants[0].html
    assert text_and_html(message) == (text.fill(as_text(recipient.values)), html.fill(as_html(recipient.values)))


READERS = [f"reader{n}@{DOMAIN}" for n in range(40)]
UNKNOWN, GREYLISTED, TAKEN = READERS[:3], READERS[3:7], READERS[7:]


def test_those_it_does_not_know_fail_and_those_it_greylists_get_it_later_and_once(
    sample: Desk, postfix: Postfix
) -> None:
    sample.relay_through(postfix.port)
    sample.configure('[send]\nprovider = "smtp"\npatience = "0s"')
    (sample.root / "people.csv").write_text("\n".join(["email", *READERS]))
    sample.newsletter("subscribers", "import", sample.root / "people.csv")
    unknown = dict.fromkeys(UNKNOWN, "550 5.1.1 User unknown")
    postfix.answers(unknown | dict.fromkeys(GREYLISTED, "451 4.7.1 Come back later"))

    said = _with_some_left(sample, "send", "126", "--yes", "--unverified-unsubscribe")
    assert _balance(said) == {"selected": 40, "accepted": 33, "failed": 3, "excluded": 0, "uncertain": 0, "waiting": 4}
    assert "4 recipients put off by the service, the first until" in said
    assert "next: `newsletter resume 126-a-visit-in-2013` sends to those who wait" in said
    assert _arrived(postfix, len(TAKEN)) == Counter(TAKEN)
    log = sample.newsletter("status", "126", "--log")
    assert 'failed batch=1 recipients=3 said="550 5.1.1 … Recipient address rejected: User unknown"' in log
    assert 'put-off batch=1 recipients=4 said="451 4.7.1 … Recipient address rejected: Come back later"' in log
    assert "reader" not in log

    postfix.answers(unknown)
    _an_hour_passes(sample)
    said = _with_some_left(sample, "resume", "126")
    assert _balance(said) == {"selected": 40, "accepted": 37, "failed": 3, "excluded": 0, "uncertain": 0, "waiting": 0}
    assert "next: " not in said
    assert _arrived(postfix, len(TAKEN) + len(GREYLISTED)) == Counter(TAKEN + GREYLISTED)
    sent = json.loads((sample.root / "issues" / "126-a-visit-in-2013" / "sent.json").read_text("utf-8"))
    assert (sent["balance"]["accepted"], sent["balance"]["failed"]) == (37, 3)

    _with_some_left(sample, "resume", "126")
    assert _arrived(postfix, len(TAKEN) + len(GREYLISTED)) == Counter(TAKEN + GREYLISTED)


def _with_some_left(desk: Desk, *arguments: str) -> str:
    """What the command prints; it says by its exit code that not everybody has it."""
    done = subprocess.run(
        [sys.executable, "-m", "newsletter", "-C", str(desk.root), *arguments],
        cwd=REPOSITORY,
        env=os.environ | desk.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (5, ""), done.stdout + done.stderr
    return done.stdout


def _balance(said: str) -> dict[str, int]:
    """The last balance that was printed."""
    rows = [line.removeprefix("=").removeprefix("+").split() for line in said.splitlines()]
    numbers = [(row[0], int(row[1])) for row in rows if len(row) == 2 and row[1].isdigit()]
    return dict(numbers[-6:])


def _an_hour_passes(desk: Desk) -> None:
    with closing(sqlite3.connect(desk.data / "newsletter.db")) as ledger, ledger:
        ledger.execute("UPDATE outcomes SET not_before = NULL")


def _arrived(postfix: Postfix, number: int) -> Counter[str]:
    """For whom something arrived, once it is so much."""
    return Counter(str(read(message)["Delivered-To"]) for message in postfix.delivered(number))
