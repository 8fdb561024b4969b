"""A send that is asked to stop ends behind the message under way, says what is left, and can be gone on with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from newsletter.delivery.stopping import Stop
from newsletter.store.ledger import Balance
from tests.providers.editions import an_edition
from tests.providers.relay import Relay, serving
from tests.publication import Publication
from tests.test_delivery_send import Service
from tests.workspaces import SETTINGS, issue_file, workspace

ROOT = Path(__file__).parents[1]
READERS = 400


def test_who_was_not_handed_over_waits_and_nobody_gets_it_twice(tmp_path: Path) -> None:
    publication, stop, service = Publication.at(tmp_path), Stop(), Service(batch_max=100)
    publication.join("ana", "bo", "cy", "di")

    def after_two() -> None:
        if len(service.handed) == 2:
            stop.ask()

    service.meanwhile = after_two
    balance = publication.sender(service, stop=stop).send(publication.plan(an_edition()))
    assert balance == Balance(selected=4, accepted=2, waiting=2)
    assert publication.sender(service).resume(an_edition().issue_id) == Balance(selected=4, accepted=4)
    assert Counter(service.handed) == Counter(["ana", "bo", "cy", "di"])


def test_asked_before_the_first_byte_nothing_is_sent(tmp_path: Path) -> None:
    publication, stop, service = Publication.at(tmp_path), Stop(), Service()
    publication.join("ana")
    stop.ask()
    assert publication.sender(service, stop=stop).send(publication.plan(an_edition())) == Balance(selected=1, waiting=1)
    assert service.batches == []


def test_asking_twice_is_an_interruption() -> None:
    stop = Stop()
    stop.ask()
    with pytest.raises(KeyboardInterrupt):
        stop.ask()


def test_signals_mean_what_they_meant_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Stop().on_signals() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(5)
    assert signal.getsignal(signal.SIGTERM) is before


def _newsletter(root: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "newsletter", "-C", str(root), *arguments]
    environment = os.environ | {"NEWSLETTER_DATA_DIR": str(root / "data"), "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _said(process: subprocess.Popen[str], code: int) -> tuple[str, str]:
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    return out, err


def _with_readers(tmp_path: Path, settings: str) -> None:
    workspace(tmp_path, {"1-one/issue.md": issue_file(1, "Hello.")}, SETTINGS + settings)
    rows = "".join(f"reader{n}@example.org\n" for n in range(READERS))
    (tmp_path / "people.csv").write_text(f"email\n{rows}")
    _said(_newsletter(tmp_path, "subscribers", "import", str(tmp_path / "people.csv")), 0)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_drains_settles_prints_the_balance_and_resume_goes_on(tmp_path: Path, number: signal.Signals) -> None:
    with serving(Relay()) as relay:
        smtp = f'[providers.smtp]\nhost = "127.0.0.1"\nport = {relay.port}\nsecurity = "none"\n'
        _with_readers(tmp_path, f'[send]\nprovider = "smtp"\n{smtp}')
        process = _newsletter(tmp_path, "send", "1", "--yes", "--json", "--unverified-unsubscribe")
        while len(relay.messages) < 20 and process.poll() is None:
            time.sleep(0.001)
        process.send_signal(number)
        out, _ = _said(process, 5)
        balance = json.loads(out)
        assert balance["uncertain"] == balance["failed"] == 0
        assert balance["accepted"] == len(relay.messages) >= 20
        assert balance["accepted"] + balance["waiting"] == READERS
        if balance["waiting"]:
            out, _ = _said(_newsletter(tmp_path, "resume", "1"), 0)
        assert set(Counter(address for _, address, _ in relay.messages).values()) == {1}
        assert len(relay.messages) == READERS


@pytest.mark.slow
def test_a_change_of_mind_while_it_is_held_sends_nothing_and_leaves_no_trace(tmp_path: Path) -> None:
    _with_readers(tmp_path, '[send]\nhold = "60s"\n')
    process = _newsletter(tmp_path, "send", "1", "--yes")
    assert process.stderr is not None
    assert process.stderr.readline() == "sending begins in 60 seconds; Ctrl-C sends nothing\n"
    process.send_signal(signal.SIGINT)
    out, _ = _said(process, 5)
    assert "nothing was sent" in out
    assert not (tmp_path / "data" / "outbox").exists()
    assert "nothing was sent from this machine" in _said(_newsletter(tmp_path, "status"), 0)[0]
    issue = tmp_path / "issues" / "1-one" / "issue.md"
    issue.write_text(issue.read_text().replace("Hello", "Dear all"))
    (tmp_path / "newsletter.toml").write_text(SETTINGS)
    assert f"{READERS}" in _said(_newsletter(tmp_path, "send", "1", "--yes"), 0)[0]


@pytest.mark.parametrize("said", ['"soon"', '"-3s"', "-3", '"3 weeks"'])
def test_a_hold_that_is_no_time_is_refused(tmp_path: Path, said: str) -> None:
    (tmp_path / "newsletter.toml").write_text(f"{SETTINGS}[send]\nhold = {said}\n")
    _, err = _said(_newsletter(tmp_path, "issues"), 3)
    assert "hold" in err
