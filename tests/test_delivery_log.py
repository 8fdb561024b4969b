"""A send's log: it tells what happened, and names nobody, whatever a service says."""

from __future__ import annotations

import re
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.discreet import HIDDEN, VOCABULARY, discreet
from newsletter.delivery.log import SendLog
from newsletter.errors import ProviderError
from newsletter.store.ledger import Balance, Claim, Delivery, DeliveryState, Send, Settlement, Worker

SEND = Send(issue_id="k3v9q2m8w1zt", edition_hash="e" * 64, list="main", provider="smtp", settings_digest="5" * 64)
WORKER = Worker(owner="process 7 on mars, since then", boot_id="boot", journal_id="a" * 32)


def _claim(*addresses: str, name: str = "", city: str = "") -> Claim:
    people = [
        Delivery(seq=n, key="", address=each, name=name, values={"subscriber.city": city}, audience=0, subject=0)
        for n, each in enumerate(addresses, 1)
    ]
    return Claim(id=7, issue_id=SEND.issue_id, worker=WORKER, lease_until=datetime.now(UTC), deliveries=tuple(people))


def _events(path: Path) -> list[str]:
    """The log without its times."""
    lines = path.read_text("utf-8").splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ", line) for line in lines)
    return [re.sub(r" seconds=[\d.]+", "", line.partition(" ")[2]) for line in lines]


def test_it_tells_what_happened(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "issue.log"
    log, claim = SendLog(path), _claim("ana@example.org", "bo@example.org", "cy@example.org", "di@example.org")
    log.begun(SEND, WORKER, Balance(selected=5, excluded={"bounced": 1}, waiting=4))
    uncertain = [Settlement(seq=n, state=DeliveryState.UNCERTAIN, detail="the journal of it is gone") for n in (1, 2)]
    log.recovered(_claim("ed@example.org", "flo@example.org"), uncertain)
    log.claimed(claim)
    refused = "550 5.1.1 <{}>: Recipient address rejected: User unknown"
    log.settled(
        claim,
        [
            Settlement(seq=1, state=DeliveryState.ACCEPTED, detail="250 2.0.0 Ok: queued as 4XyZ"),
            Settlement(seq=2, state=DeliveryState.FAILED, detail=refused.format("bo@example.org")),
            Settlement(seq=3, state=DeliveryState.FAILED, detail=refused.format("cy@example.org")),
        ],
    )
    log.waits(30, "421 4.7.0 too many connections from 192.0.2.7")
    log.broke(ProviderError("mail.example.org:587 cannot be reached: Connection refused"))
    log.ended(Balance(selected=5, accepted=1, failed=2, excluded={"bounced": 1}, waiting=1), stopped=True)
    begun, *others = _events(path)
    assert " issue=k3v9q2m8w1zt edition=eeeeeeeeeeee provider=smtp settings=555555555555 journal=aaaaaaaaaaaa" in begun
    assert others == [
        "recovered batch=7 recipients=2 accepted=0 uncertain=2 waiting=0",
        'uncertain batch=7 recipients=2 said="the journal of it is gone"',
        "claimed batch=7 recipients=4",
        "settled batch=7 accepted=1 failed=2 waiting=1",
        'failed batch=7 recipients=2 said="550 5.1.1 … Recipient address rejected: User unknown"',
        'waits said="421 4.7.0 too many connections from …"',
        'broke error=ProviderError said="… cannot be reached: Connection refused"',
        "stopped selected=5 accepted=1 failed=2 excluded=1 uncertain=0 waiting=1 excluded.bounced=1",
    ]


def test_reasons_that_are_many_are_counted(tmp_path: Path) -> None:
    log, claim = SendLog(tmp_path / "log"), _claim(*(f"reader{n}@example.org" for n in range(1, 41)))
    words = sorted(VOCABULARY)[:40]
    log.settled(
        claim, [Settlement(seq=n, state=DeliveryState.FAILED, detail=f"550 {words[n - 1]}") for n in range(1, 41)]
    )
    assert _events(tmp_path / "log")[-1] == 'failed batch=7 recipients=35 said="in 35 other ways"'


def test_it_is_for_its_owner_alone_and_goes_on_from_run_to_run(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "issue.log"
    for _ in range(2):
        SendLog(path).ended(Balance(), stopped=False)
    assert len(_events(path)) == 2
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_that_it_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("not a folder")
    SendLog(tmp_path / "logs" / "issue.log").ended(Balance(), stopped=False)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("250 2.0.0 Ok", "250 2.0.0 Ok"),
        ("550 5.1.1 <ana@example.org>: User unknown", "550 5.1.1 … User unknown"),
        ("550-5.1.1 ana does not exist", "550 5.1.1 … does not exist"),
        ("554 5.2.2 the mailbox of Ana María Ruiz (aruiz) is full", "554 5.2.2 the mailbox of … is full"),
        ("554 Ana is over quota, ANA is full", "554 … is over quota, … is full"),
        ("550 blocked, see https://www.spamhaus.org/query/ip/192.0.2.7", "550 blocked, see spamhaus.org"),
        ("451 greylisted for 287 seconds (id 4XyZ-99)", "451 greylisted for … seconds id …"),
        ("the service refuses everybody: 554 5.7.1 rejected", "the service refuses everybody: 554 5.7.1 rejected"),
        ("550 a\u200bna@exam\u00adple.org", "550 …"),
        ("", ""),
    ],
)
def test_words_of_services_pass_and_no_others(said: str, shown: str) -> None:
    assert discreet(said, ["ana@example.org", "Ana"]) == shown


def test_a_name_that_is_a_word_of_services_is_hidden_in_what_is_said_of_its_bearer() -> None:
    assert (
        discreet("550 the mailbox of Mark Will is full", ["x@example.org", "Mark Will"])
        == "550 the mailbox of … is full"
    )


NAMES = st.text(st.characters(categories=["L"]), min_size=3, max_size=12).filter(
    lambda name: name.lower() not in VOCABULARY
)
"""Names that could not be anything else; those that could are hidden in what is said of their bearers."""
SEPARATORS = st.sampled_from(
    [" ", "", ", ", ": <", "> ", "/", "-", " (", ")", "=", "\t", " '", '"', ".", "@", "\u00a0"]
)
SPELLINGS = st.sampled_from([str, str.upper, str.lower, str.title])


@st.composite
def _people_and_a_reply(draw: st.DrawFn) -> tuple[list[str], list[str], str]:
    """Some addresses, some names, and what a relay says that knows all of them."""
    names = draw(st.lists(NAMES, min_size=2, max_size=6))
    addresses = [f"{name}@{draw(NAMES)}.example" for name in names]
    known = [*names, *addresses, *(address.partition("@")[2] for address in addresses)]
    word = st.one_of(st.sampled_from(known), st.sampled_from(sorted(VOCABULARY)), st.text(max_size=8))
    said = "".join(draw(SPELLINGS)(draw(word)) + draw(SEPARATORS) for _ in range(draw(st.integers(1, 12))))
    return addresses, names, draw(st.sampled_from(["", "550 ", "450 4.2.0 ", "550-5.1.1 "])) + said


@given(_people_and_a_reply())
def test_nobody_is_named_whatever_the_relay_says(case: tuple[list[str], list[str], str]) -> None:
    addresses, names, said = case
    shown = set(re.findall(r"\w+", discreet(said, [addresses[0], names[0]]).lower())) - {"…"}
    assert not shown & {name.lower() for name in names}
    assert not shown & {address.partition("@")[2].lower() for address in addresses}
    assert {word for word in shown if word.isalpha()} <= VOCABULARY


@given(st.lists(st.tuples(NAMES, NAMES, st.text()), min_size=1, max_size=5), st.sampled_from(DeliveryState))
def test_the_whole_log_names_nobody(tmp_path_factory: pytest.TempPathFactory, people, state) -> None:
    path = tmp_path_factory.mktemp("log") / "log"
    everybody = " ".join(f"{name} <{name}@{domain}.example> {city}" for name, domain, city in people)
    log = SendLog(path)
    claim = _claim(*(f"{name}@{domain}.example" for name, domain, _ in people), name=people[0][0], city=people[0][2])
    settled = [Settlement(seq=n, state=state, detail=f"550 {everybody}") for n, _ in enumerate(people, 1)]
    log.recovered(claim, settled)
    log.settled(claim, settled)
    log.waits(1, everybody)
    log.broke(ProviderError(everybody))
    written = set(re.findall(r"\w+", path.read_text("utf-8").lower()))
    own = {"recovered", "settled", "waits", "broke", "batch", "recipients", "seconds", "said", "error", "put"}
    own |= {"providererror", "excluded", "claimed", *DeliveryState}
    assert not (written - own) & {word.lower() for name, domain, _ in people for word in (name, domain)}


def test_hidden_words_in_a_row_are_one() -> None:
    assert discreet("550 x1 y2 z3") == f"550 {HIDDEN}"
