"""Each fault that a relay can have while an issue is sent: where every recipient stands behind it, what the person is
told, and that going on loses nobody and sends to nobody twice."""

from __future__ import annotations

import re
import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest

from newsletter.cli import run
from newsletter.delivery.log import SendLog
from newsletter.delivery.pacing import Pacing
from newsletter.delivery.send import Sender
from newsletter.delivery.stopping import Stop
from newsletter.errors import ProviderError
from newsletter.providers.smtp import Security, Smtp, SmtpOptions
from newsletter.store.ledger import Balance
from tests.certificates import self_signed
from tests.providers.editions import an_edition
from tests.providers.relay import Relay, serving
from tests.providers.script import CUT, CUT_WITHIN, HUSH, Script, playing
from tests.publication import Publication
from tests.workspaces import SETTINGS, issue_file, workspace

EDITION = an_edition()
ISSUE = EDITION.issue_id
READERS = 8
ONE = "reader3@example.org"
UNKNOWN, GREY, BUSY = "550 5.1.1 User unknown", "450 4.2.0 greylisted", "421 4.3.2 busy"
AT_ONCE, LATER = Pacing(retries=(0,)), Pacing(patience=0)


class Hasty(Stop):
    """As if the time had passed."""

    def wait(self, seconds: float) -> bool:
        return self.asked


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What the relay says instead at steps of its script; how many are then not accepted; what is told of it.

    `error` is told where it ends the run. Of who is `uncertain`, ONE is.
    """

    at: Mapping[tuple[str, object], str]
    failed: int = 0
    uncertain: int = 0
    waiting: int = 0
    told: str = ""
    error: str = ""
    readers: int = READERS
    pacing: Pacing = AT_ONCE

    @property
    def balance(self) -> Balance:
        return Balance(
            selected=self.readers,
            accepted=self.readers - self.failed - self.uncertain - self.waiting,
            failed=self.failed,
            uncertain=self.uncertain,
            waiting=self.waiting,
        )


FAULTS = {
    "421 at the first connect": Fault(at={("connect", 1): BUSY}),
    "421 at every connect": Fault(
        at={("connect", n): BUSY for n in range(1, 30)}, waiting=8, error=f"takes nothing at the moment: {BUSY}"
    ),
    "554 at connect": Fault(
        at={("connect", 1): "554 5.7.1 go away"}, waiting=8, error="does not serve us: 554 5.7.1 go away"
    ),
    "421 at MAIL": Fault(at={("mail", 3): BUSY}),
    "450 at MAIL": Fault(at={("mail", 3): "450 4.3.0 later"}),
    "550 at MAIL": Fault(at={("mail", 3): "550 5.7.1 no"}, waiting=6, error="refuses the sender .*550 5.7.1 no"),
    "421 at RCPT, DATA said already": Fault(at={("rcpt", ONE): BUSY}),
    "421 at DATA": Fault(at={("data", ONE): BUSY}),
    "421 after the body": Fault(at={("dot", ONE): BUSY}),
    "451 after the body": Fault(at={("dot", ONE): "451 4.3.0 later"}),
    "greylisted, and taken the next time": Fault(at={("rcpt", ONE): GREY}, told=f"put-off .*recipients=1 .*{GREY}"),
    "greylisted for longer than one waits": Fault(
        at={("rcpt", ONE): GREY}, waiting=1, told=f"put-off .*recipients=1 .*{GREY}", pacing=LATER
    ),
    "550 for one of a hundred": Fault(
        at={("rcpt", ONE): UNKNOWN}, readers=100, failed=1, told=f"failed .*recipients=1 .*{UNKNOWN}"
    ),
    "550 after the body": Fault(
        at={("dot", ONE): "554 5.6.0 no"}, failed=1, told="failed .*recipients=1 .*554 5.6.0 no"
    ),
    "354 though nobody was taken": Fault(
        at={("rcpt", ONE): UNKNOWN, ("data", ONE): "354 go on"}, failed=1, told=f"failed .*recipients=1 .*{UNKNOWN}"
    ),
    "cut at connect": Fault(at={("connect", 1): CUT}),
    "cut at MAIL": Fault(at={("mail", 3): CUT}),
    "cut at RCPT": Fault(at={("rcpt", ONE): CUT}),
    "cut at DATA": Fault(at={("data", ONE): CUT}),
    "cut within the body": Fault(at={("dot", ONE): CUT_WITHIN}, uncertain=1, told="the relay closed the connection"),
    "cut after the body": Fault(at={("dot", ONE): CUT}, uncertain=1, told="the relay closed the connection"),
    "silence at connect": Fault(at={("connect", 1): HUSH}),
    "silence at MAIL": Fault(at={("mail", 3): HUSH}),
    "silence at RCPT": Fault(at={("rcpt", ONE): HUSH}),
    "silence at DATA": Fault(at={("data", ONE): HUSH}),
    "silence after the body": Fault(at={("dot", ONE): HUSH}, uncertain=1, told="the relay said nothing"),
}


@pytest.fixture
def script() -> Iterator[Script]:
    with playing(Script()) as script:
        yield script


@contextmanager
def _sender(publication: Publication, script: Script, pacing: Pacing, log: Path) -> Iterator[Sender]:
    options = SmtpOptions(host="127.0.0.1", port=script.port, security=Security.NONE, timeout=1)
    with closing(Smtp(options)) as smtp:
        yield publication.sender(smtp, pacing=pacing, stop=Hasty(), witnesses=(SendLog(log),))


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_of_the_relay(script: Script, tmp_path: Path, fault: Fault) -> None:
    publication, log = Publication.at(tmp_path), tmp_path / "log"
    publication.join(*(f"reader{n}" for n in range(fault.readers)))
    script.at = {step: [said] for step, said in fault.at.items()}
    ends = pytest.raises(ProviderError, match=fault.error) if fault.error else nullcontext()
    with _sender(publication, script, fault.pacing, log) as sender, ends:
        sender.send(publication.plan(EDITION))
    assert publication.ledger.balance(ISSUE) == fault.balance
    assert [delivery.address for delivery in publication.ledger.uncertain(ISSUE)] == [ONE] * fault.uncertain
    assert re.search(fault.told, log.read_text())

    script.at.clear()
    with _sender(publication, script, fault.pacing, log) as sender:
        sender.resume(ISSUE)
    without = {ONE} if fault.failed or fault.uncertain or fault.pacing is LATER else set()
    assert Counter(script.accepted) == Counter({f"reader{n}@example.org" for n in range(fault.readers)} - without)


def test_a_relay_that_is_slow_is_waited_for(script: Script, tmp_path: Path) -> None:
    publication = Publication.at(tmp_path)
    publication.join(*(f"reader{n}" for n in range(READERS)))

    def slowly(said: bytes) -> list[bytes]:
        time.sleep(0.05)
        return [said]

    script.pieces = slowly
    with _sender(publication, script, AT_ONCE, tmp_path / "log") as sender:
        assert sender.send(publication.plan(EDITION)) == Balance(selected=READERS, accepted=READERS)
    assert len(script.accepted) == READERS


def test_a_relay_that_puts_off_one_of_a_batch_and_takes_the_rest_is_not_given_up(
    script: Script, tmp_path: Path
) -> None:
    publication = Publication.at(tmp_path)
    publication.join(*(f"reader{n}" for n in range(150)))
    script.at["mail", 3] = ["451 4.3.0 later"]
    with _sender(publication, script, Pacing(failures=1), tmp_path / "log") as sender:
        assert sender.send(publication.plan(EDITION)) == Balance(selected=150, accepted=150)


@pytest.fixture
def newsletter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """newsletter("send", "1"): its exit code, with an issue, and eight readers who may get it."""
    monkeypatch.setenv("NEWSLETTER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("NEWSLETTER_SMTP_PASSWORD", "a word")
    workspace(tmp_path, {"1-one/issue.md": issue_file(1, "Hello.")})

    def run_(*arguments: str) -> int:
        return run(["-C", str(tmp_path), *arguments])

    for n in range(READERS):
        assert run_("subscribers", "add", f"reader{n}@example.org") == 0
    return run_


def _configure(root: Path, port: int, *options: str) -> None:
    smtp = ["[send]", 'provider = "smtp"', "[providers.smtp]", 'host = "127.0.0.1"', f"port = {port}", *options]
    (root / "newsletter.toml").write_text(SETTINGS + "\n".join(smtp))


SEND = ("send", "1", "--yes", "--unverified-unsubscribe")
GO_ON = ("resume", "1", "--provider", "smtp", "--unverified-unsubscribe")


@pytest.mark.slow
def test_a_certificate_that_nobody_vouches_for(
    newsletter: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    certificate, key = self_signed(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    with serving(Relay(), ssl_context=context) as relay:
        _configure(tmp_path, relay.port, 'security = "tls"')
        assert newsletter(*SEND) == 4
        out, err = capsys.readouterr()
        assert "+ waiting            8\n" in out
        assert f"error: the certificate of 127.0.0.1:{relay.port} is not to be trusted: self-signed" in err
        assert "hint: `ca_file` in [providers.smtp] names" in err
        assert relay.messages == []

        _configure(tmp_path, relay.port, 'security = "tls"', f'ca_file = "{certificate}"')
        assert newsletter(*GO_ON) == 0
        assert len({address for _, address, _ in relay.messages}) == len(relay.messages) == READERS


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "error", "hint"),
    [
        (['security = "starttls"'], "127.0.0.1:{port} does not offer STARTTLS", '`security` is "tls" on port 465'),
        (
            ['security = "none"', 'username = "me"'],
            "127.0.0.1 does not accept the username me: 535 5.7.8 wrong",
            "the password comes from NEWSLETTER_SMTP_PASSWORD",
        ),
    ],
)
def test_no_privacy_and_no_admittance(
    newsletter: Callable[..., int],
    script: Script,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    error: str,
    hint: str,
) -> None:
    script.ehlo = "250-relay.example\r\n250 AUTH PLAIN"
    script.at["auth", None] = ["535 5.7.8 wrong"]
    _configure(tmp_path, script.port, *options)
    assert newsletter(*SEND) == 4
    out, err = capsys.readouterr()
    assert "+ waiting            8\n" in out
    assert f"error: {error.format(port=script.port)}\n  hint: {hint}" in err
    assert not any(line.startswith("MAIL") for line in script.lines)

    _configure(tmp_path, script.port, 'security = "none"')
    assert newsletter(*GO_ON) == 0
    assert len(set(script.accepted)) == len(script.accepted) == READERS
