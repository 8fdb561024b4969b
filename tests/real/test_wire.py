"""Issues on their way: what a thousand readers get is what the preview shows, in messages by the book."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

import pytest

from newsletter.compile.slots import as_html, as_text
from newsletter.delivery.plan import recipient_of
from newsletter.issue.sent import read_sent
from newsletter.tokens import Action, Grant
from tests.real.desk import REPOSITORY, Desk
from tests.real.front import Front
from tests.real.sink import Arrived, Sink
from tests.real.wire import (
    assert_header_rules,
    assert_wire_rules,
    mailbox,
    read,
    text_and_html,
    words_of,
    words_of_html,
)

pytestmark = [pytest.mark.real, pytest.mark.slow]

SEEDS = REPOSITORY.parent / "shared" / "seeds"
SEED_OPTIONS = {"004_742a8ab964d61555.txt": ("--title", "A hundred thousand cars in 230 days")}  # it has no title
HIDING_NOTHING = tuple(  # what these make, no subscriber gets, or gets in capitals
    option for name in ("call-to-action", "stripped-button", "hook") for option in ("--keep", name)
)

FIRST_NAMES = (
    *("Amélie", "Łukasz", "李娜", "Юлия", "ليلى", "שרה", "Ñandú", "Nguyễn", "Þórdís", "Ἀθηνᾶ", "สมชาย", "さくら"),
    *(
        "🚗⚡️",
        "👩🏽‍🚀 Zoë",
        ".profile",
        "O’Brien",
        '"Jo"',
        "Ann, Dr.",
        "A&B <i>",
        "=?utf-8?q?Ana?=",
        "é" * 70,
        "e\u0301",
        "",
    ),
)
LAST_NAMES = (
    *("Müller", "Wiśniewski", "Смирнова", "حداد", "Ó Súilleabháin", "Παπαδόπουλος", "王", "Quispe", "García-Nuñez"),
    *(
        "İnönü",
        "Đặng",
        "Çelik",
        "Ek\u00a0Ström",
        "=",
        "\\",
        "x" * 80,
        "(Jr.)",
        "; DROP",
        "{{ name }}",
        "ß",
        "@home",
        "",
    ),
)


def _a_thousand_readers(path: Path) -> None:
    names = list(itertools.product(FIRST_NAMES, LAST_NAMES))
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["email", "first_name", "last_name"])
        for n in range(1000):
            domain = "bücher.example" if n % 10 == 0 else f"host{n % 7}.example.org"
            rows.writerow([f"Reader.{n}+ev@{domain}", *names[n % len(names)]])


def _send(desk: Desk, issue: str) -> dict[str, int]:
    with desk.serving():
        balance = desk.json("send", issue, "--yes", "--provider", "smtp")
    return {name: number for name, number in balance.items() if isinstance(number, int)}


def _assert_everybody_got_their_own(desk: Desk, issue: str, arrived: list[Arrived]) -> None:
    """One message each for everybody on the list: by the rules, and what the preview shows for them."""
    edition = desk.edition(issue)
    html, text = edition.variants[0].html, edition.variants[0].text
    readers = {reader.email: reader for reader in desk.readers()}
    settings, keyring = desk.workspace.settings, desk.store.keyring
    assert len(arrived) == len(readers)
    assert {copy.recipient for copy in arrived} == set(readers)
    identities = set()
    for copy in arrived:
        reader = readers[copy.recipient]
        recipient = recipient_of(reader, settings, keyring)
        page, _, token = recipient.values["links.unsubscribe"].rpartition("/")
        assert page == f"{desk.public.url}/unsubscribe"
        assert keyring.verify(token, Action.UNSUBSCRIBE) == Grant(reader.id, "main", Action.UNSUBSCRIBE)
        assert_wire_rules(copy.content)
        assert_header_rules(copy.content, unsubscribe=f"{page}/{token}")
        message = read(copy.content)
        identities.add(message["Message-ID"])
        assert mailbox(copy.content, "From") == ("Jö Kim", copy.sender)
        assert mailbox(copy.content, "To") == (recipient.name, recipient.address)
        assert message["Subject"] == edition.subjects[0].fill(as_text(recipient.values))
        assert text_and_html(message) == (text.fill(as_text(recipient.values)), html.fill(as_html(recipient.values)))
    assert len(identities) == len(arrived)


def test_both_seed_texts_reach_a_thousand_readers(desk: Desk, sink: Sink, front: Front, tmp_path: Path) -> None:
    seeds = sorted(SEEDS.glob("*.txt"))
    if not seeds:
        pytest.skip(f"the seed texts are not at {SEEDS.relative_to(REPOSITORY.parent)} beside this checkout")
    readers = tmp_path / "readers.csv"
    _a_thousand_readers(readers)
    desk.newsletter("new", "Lei Jun meets Elon Musk ⚡️", "--number", "126")
    for seed in seeds:
        desk.newsletter("add", "126", seed, *SEED_OPTIONS.get(seed.name, ()), *HIDING_NOTHING)
    assert desk.json("subscribers", "import", readers)["added"] == 1000
    desk.newsletter("build", "126")

    assert _send(desk, "126") == {"selected": 1000, "accepted": 1000, "failed": 0, "uncertain": 0, "waiting": 0}
    assert [(method, path.split("/")[1]) for method, path in front.requests] == [("POST", "unsubscribe")]
    arrived = sink.arrived()
    _assert_everybody_got_their_own(desk, "126", arrived)

    words = sum((words_of(seed.read_text("utf-8")) for seed in seeds), words_of(""))
    text, html = text_and_html(read(arrived[0].content))
    assert words - words_of(text) == words_of("")
    assert words - words_of_html(html) == words_of("")

    assert _send(desk, "126")["accepted"] == 1000
    assert len(sink.arrived()) == 1000


def test_the_sample_issue_reaches_its_own_list(sample: Desk, sink: Sink) -> None:
    number = sample.json("subscribers", "import", REPOSITORY / "issues" / "subscribers.csv")["added"]

    assert _send(sample, "126")["accepted"] == number
    arrived = sink.arrived()
    _assert_everybody_got_their_own(sample, "126", arrived)
    sent = read_sent(next((sample.root / "issues").glob("126-*")))
    assert sent is not None
    assert sent.hash == sample.edition("126").hash

    assert _send(sample, "126")["accepted"] == number
    assert len(sink.arrived()) == number
