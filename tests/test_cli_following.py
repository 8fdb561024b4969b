"""What an operator sees of a send that was begun, and decides about those of whom nobody can know."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.cli import run
from newsletter.delivery.journal import FileJournal
from newsletter.store.ledger import Claim, DeliveryState, Ledger, Settlement, Worker
from newsletter.store.schema import connect
from tests.providers.relay import Relay, serving
from tests.workspaces import SETTINGS, issue_file, workspace

ISSUE = "issue0000001"
NO_ANSWER = "handed over, but sending was interrupted before the service answered"

SMTP = (
    '[send]\nprovider = "smtp"\npatience = "0s"\n[providers.smtp]\nhost = "127.0.0.1"\nport = {}\nsecurity = "none"\n'
)

Newsletter = Callable[..., tuple[int, str, str]]


@pytest.fixture
def newsletter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Newsletter:
    """newsletter("send", "1"): runs it, with five people on the list; gives (exit code, output, errors)."""
    workspace(tmp_path, {"1-one/issue.md": issue_file(1, "Hello.")}, SETTINGS)
    people = "".join(f"{name}@example.org,{name.title()}\n" for name in ("ana", "bo", "cy", "di", "el"))
    (tmp_path / "people.csv").write_text(f"email,first_name\n{people}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NEWSLETTER_DATA_DIR", str(tmp_path / "data"))

    def ran(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run([*arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    ran("subscribers", "import", "people.csv")
    return ran


@pytest.fixture
def ledger(newsletter: Newsletter, tmp_path: Path) -> Ledger:
    """The ledger, once the issue was sent to one of the five."""
    assert newsletter("send", "1", "--yes", "--limit", "1")[0] == 0
    return Ledger(connect(f"sqlite:///{tmp_path / 'data' / 'newsletter.db'}"))


def _settle_the_next(ledger: Ledger, *settled: dict[str, object]) -> None:
    worker = Worker(owner="process 7", boot_id="boot", journal_id="journal")
    claim = ledger.claim(ISSUE, worker, limit=len(settled))
    assert isinstance(claim, Claim)
    ledger.settle(claim, [Settlement(seq=one.seq, **said) for one, said in zip(claim.deliveries, settled, strict=True)])


@pytest.fixture
def doubtful(ledger: Ledger, newsletter: Newsletter) -> Newsletter:
    """Of the five, three are uncertain."""
    unsure = {"state": DeliveryState.UNCERTAIN, "detail": NO_ANSWER}
    _settle_the_next(ledger, unsure, unsure, {"state": DeliveryState.UNCERTAIN, "detail": "no answer: it timed out"})
    return newsletter


def _uncertain(newsletter: Newsletter, *arguments: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(newsletter("uncertain", "1", "--json", *arguments)[1])["uncertain"]
    return found


def test_the_uncertain_are_listed_by_what_is_known_each_as_a_relays_log_knows_them(doubtful: Newsletter) -> None:
    code, out, _ = doubtful("uncertain", "1")
    assert code == 0
    first, *two, second, one, _, how = out.splitlines()
    assert (first, second) == (f"{NO_ANSWER}:", "no answer: it timed out:")
    assert len(two) == 2
    for line in (*two, one):
        assert re.fullmatch(
            r"  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC  \w+@example\.org  <[0-9a-f]{32}@test\.example\.org>", line
        )
    assert how == "  `newsletter uncertain 1 [ADDRESS]... --assume-sent` or `--resend`"


def test_the_message_id_is_that_of_the_copy(doubtful: Newsletter, tmp_path: Path) -> None:
    listed = {one["message_id"] for one in _uncertain(doubtful)}
    assert doubtful("uncertain", "1", "--resend")[0] == 0
    assert doubtful("resume", "1")[0] == 0
    outbox = (path.read_text("utf-8") for path in (tmp_path / "data" / "outbox" / "new").iterdir())
    sent = {re.search(r"^Message-ID: (\S+)", mail, re.MULTILINE)[1] for mail in outbox}  # type: ignore[index]
    assert len(listed) == 3
    assert listed < sent


def test_it_is_decided_for_some_and_then_for_the_others(doubtful: Newsletter) -> None:
    ana, bo, cy = (one["address"] for one in _uncertain(doubtful))
    code, out, _ = doubtful("uncertain", "1", ana.upper(), cy, "--assume-sent")
    assert (code, out) == (0, "2 recipients taken as sent\n")
    assert [one["address"] for one in _uncertain(doubtful)] == [bo]
    assert doubtful("uncertain", "1", "--resend")[1] == "1 recipient waiting again: `newsletter resume 1`\n"
    assert doubtful("uncertain", "1")[1] == "nobody is uncertain\n"
    log = doubtful("status", "1", "--log")[1]
    assert re.findall(r" decided (.*)$", log, re.MULTILINE) == ["recipients=2 now=accepted", "recipients=1 now=waiting"]
    code, out, _ = doubtful("resume", "1", "--json")
    assert (code, json.loads(out)["accepted"]) == (0, 5)


def test_a_decision_about_somebody_who_is_not_uncertain_decides_nothing(doubtful: Newsletter) -> None:
    code, _, err = doubtful("uncertain", "1", _uncertain(doubtful)[0]["address"], "zoe@example.org", "--resend")
    assert code == 2
    assert "not uncertain: zoe@example.org" in err
    assert len(_uncertain(doubtful)) == 3


def test_a_decision_says_as_json_what_was_decided_about_whom(doubtful: Newsletter) -> None:
    said = json.loads(doubtful("uncertain", "1", "--assume-sent", "--json")[1])
    assert said["decided"] == "assume-sent"
    assert len(said["uncertain"]) == 3


def test_status_says_since_when_and_that_nobody_sends(ledger: Ledger, newsletter: Newsletter) -> None:
    _, out, _ = newsletter("status", "1")
    assert re.search(r"^begun \d{4}-\d\d-\d\d \d\d:\d\d UTC; nobody is sending it now$", out, re.MULTILINE)
    said = json.loads(newsletter("status", "1", "--json")[1])
    assert said["sending"] is None
    assert said["put_off"] == {"recipients": 0, "until": None}
    assert (said["provider"], said["cancelled"], said["waiting"]) == ("outbox", None, 4)
    newsletter("cancel", "1")
    assert "; cancelled 20" in newsletter("status", "1")[1]


def test_status_says_who_is_sending_and_is_not_in_their_way(
    ledger: Ledger, newsletter: Newsletter, tmp_path: Path
) -> None:
    with FileJournal(tmp_path / "data" / "journals" / f"{ISSUE}.journal") as journal:
        assert f"; being sent by {journal.holder}" in newsletter("status")[1]
        assert json.loads(newsletter("status", "1", "--json")[1])["sending"] == journal.holder
        code, _, err = newsletter("resume", "1")
        assert code == 4
        assert f"being sent already, by {journal.holder}" in err
    assert newsletter("resume", "1")[0] == 0


def test_status_says_how_many_were_put_off_until_when(ledger: Ledger, newsletter: Newsletter) -> None:
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    greylisted = {"state": DeliveryState.WAITING, "detail": "450 4.2.0 greylisted", "not_before": until}
    _settle_the_next(ledger, greylisted, greylisted)
    assert (
        f"2 recipients put off by the service, the first until {until:%Y-%m-%d %H:%M:%S} UTC" in newsletter("status")[1]
    )
    said = json.loads(newsletter("status", "1", "--json")[1])["put_off"]
    assert said["recipients"] == 2
    assert datetime.fromisoformat(said["until"]) == until


def test_after_a_kill_it_is_said_that_resume_finds_out(ledger: Ledger, newsletter: Newsletter) -> None:
    long_ago = timedelta(seconds=-1)
    ledger.claim(ISSUE, Worker(owner="dead", boot_id="boot", journal_id="journal"), limit=3, lease=long_ago)
    said = "interrupted: `newsletter resume {}` finds out which of 3 recipients got it, and goes on"
    assert said.format("1-one") in newsletter("status")[1]
    assert newsletter("uncertain", "1")[1] == f"nobody is uncertain\n{said.format(1)}\n"
    assert json.loads(newsletter("status", "1", "--json")[1])["left_behind"] == 3
    assert newsletter("resume", "1")[0] == 5
    assert json.loads(newsletter("status", "1", "--json")[1])["left_behind"] == 0
    assert len(_uncertain(newsletter)) == 3


def test_who_failed_is_listed_with_the_services_words(ledger: Ledger, newsletter: Newsletter) -> None:
    assert newsletter("status", "1", "--failed") == (0, "nobody failed\n", "")
    _settle_the_next(ledger, {"state": DeliveryState.FAILED, "detail": "550 5.1.1 unknown"})
    [refused] = ledger.failed(ISSUE)
    assert newsletter("status", "1", "--failed") == (0, f"{refused.address}  550 5.1.1 unknown\n", "")
    [said] = json.loads(newsletter("status", "1", "--failed", "--json")[1])
    assert (said["address"], said["said"]) == (refused.address, "550 5.1.1 unknown")
    assert newsletter("status", "--failed")[0] == 2


def test_the_log_can_be_shown(ledger: Ledger, newsletter: Newsletter) -> None:
    code, out, _ = newsletter("status", "1", "--log")
    assert code == 0
    assert [line.split()[1] for line in out.splitlines()] == ["begun", "claimed", "settled", "ended"]
    assert "example" not in out
    assert newsletter("status", "--log")[0] == 2
    newsletter("cancel", "1")
    assert " cancelled selected=5 accepted=1 " in newsletter("status", "1", "--log")[1]


def test_without_a_send_there_is_no_log(newsletter: Newsletter) -> None:
    code, _, err = newsletter("status", "1", "--log")
    assert code == 4
    assert "it was never sent from here" in err


def test_where_says_what_can_be_known_after_a_kill(newsletter: Newsletter) -> None:
    assert re.search(r"^promise +killed, a send leaves ", newsletter("where")[1], re.MULTILINE)


@pytest.fixture
def relay(newsletter: Newsletter) -> Iterator[Relay]:
    """The relay that the newsletter is sent through, by one connection; no unsubscribe address is there to be tried."""
    with serving(Relay()) as relay:
        Path("newsletter.toml").write_text(SETTINGS + SMTP.format(relay.port))
        yield relay


def test_when_the_service_fails_it_what_was_sent_is_told_all_the_same(newsletter: Newsletter, relay: Relay) -> None:
    relay.mail += ["250 OK", "250 OK", *["550 5.7.1 you are not known here"] * 9]
    code, out, err = newsletter("send", "1", "--yes", "--json", "--unverified-unsubscribe")
    assert code == 4
    assert "the relay refuses the sender jo@test.example.org: 550 5.7.1 you are not known here" in err
    balance = json.loads(out)
    assert (balance["accepted"], balance["waiting"]) == (2, 3)
    assert json.loads(Path("issues/1-one/sent.json").read_text())["balance"]["accepted"] == 2
    assert (
        'broke error=ProviderError said="the relay refuses the sender … 550 5.7.1 you are not known here"'
        in (newsletter("status", "1", "--log")[1])
    )
    relay.mail.clear()
    assert newsletter("resume", "1")[0] == 0
    assert len(relay.messages) == 5


def test_whoever_was_put_off_is_told_of_with_the_time(newsletter: Newsletter, relay: Relay) -> None:
    relay.rcpt["bo@example.org"] = ["450 4.2.0 greylisted, bo, come back later"] * 9
    code, out, _ = newsletter("send", "1", "--yes", "--json", "--unverified-unsubscribe")
    said = json.loads(out)
    assert (code, said["accepted"], said["waiting"], said["put_off"]["recipients"]) == (5, 4, 1, 1)
    assert datetime.fromisoformat(said["put_off"]["until"]) > datetime.now(UTC)
    assert (
        'put-off batch=1 recipients=1 said="450 4.2.0 greylisted, … come back later"'
        in newsletter("status", "1", "--log")[1]
    )
    code, out, _ = newsletter("resume", "1")
    assert code == 5
    assert "1 recipient put off by the service, the first until 20" in out
