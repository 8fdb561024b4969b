"""A copy of the sample issue through a real Postfix, into a mailbox, and read back."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from newsletter.compile.slots import as_html, as_text
from newsletter.delivery.plan import recipient_of
from newsletter.message import Composer, message_id
from tests.real.desk import Desk
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
