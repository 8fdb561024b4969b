"""Systems that lack something: locks of another kind, none at all, no boot id. Each is a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from newsletter.delivery.journal import FileJournal, holder
from newsletter.store.ledger import Balance
from tests.providers.editions import an_edition
from tests.publication import Publication

ROOT = Path(__file__).parents[1]
EDITION = an_edition()

NO_FCNTL = """
import sys
sys.modules["fcntl"] = None
"""
AS_ON_WINDOWS = """
import errno, fcntl, os, struct, subprocess, sys, types
def locking(file, mode, length):
    assert os.lseek(file, 0, os.SEEK_CUR) > 1_000_000, "where others read"
    byte = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_CUR, 0, length, 0)
    try:
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, byte)
    except OSError as error:
        raise PermissionError(errno.EACCES, "Permission denied") from error
sys.modules["msvcrt"] = types.SimpleNamespace(locking=locking, LK_NBLCK=2)
sys.modules["fcntl"] = None
del os.pread
"""
NO_BOOT_ID = """
from newsletter.delivery import locking
locking.BOOT_IDS.clear()
"""
HOLD = """
import os, sys
from pathlib import Path
from newsletter.delivery.journal import FileJournal, holder
from newsletter.providers.base import Outcome, Result
path = Path(sys.argv[1])
with FileJournal(path) as journal:
    journal.intent(["a" * 32, "b" * 32])
    journal.answer(Result(recipient="a" * 32, outcome=Outcome.ACCEPTED))
    print(*journal.outcomes(["a" * 32, "b" * 32, "c" * 32]).values(), flush=True)
    sys.stdin.read()
"""
RESUME = """
import sys
from pathlib import Path
from newsletter.delivery.send import Sender
from newsletter.errors import Place
from newsletter.providers import open_provider
from newsletter.store.ledger import Ledger
from newsletter.store.schema import connect

folder, issue = sys.argv[1:]
provider = open_provider("outbox", {"path": f"{folder}/outbox"}, Place(Path("newsletter.toml")))
ledger = Ledger(connect(f"sqlite:///{folder}/newsletter.db"))
Sender(ledger, provider, Path(folder) / "journals").resume(issue)
"""
DIE_ON_THE_WAY = """
import os, signal
from newsletter.providers.outbox import Outbox
kept = Outbox.send
def send(self, batch, journal):
    for n, result in enumerate(kept(self, batch, journal)):
        yield result
        if n == 2:
            os.kill(os.getpid(), signal.SIGKILL)
Outbox.send = send
"""


def _python(program: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", program, *map(str, arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


@pytest.mark.parametrize("system", ["", AS_ON_WINDOWS], ids=["here", "as on Windows"])
def test_the_journal_is_held_by_one_process_at_a_time(tmp_path: Path, system: str) -> None:
    with _python(system + HOLD, tmp_path / "j") as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "accepted uncertain later\n"
        with _python(system + HOLD, tmp_path / "j") as second:
            out, err = second.communicate(timeout=30)
        assert (out, second.returncode) == ("", 1)
        assert f"this issue is being sent already, by process {first.pid} on " in err
        assert first.communicate("go", timeout=30) == ("", "")
    with _python(system + HOLD, tmp_path / "j") as third:
        assert third.communicate("go", timeout=30) == ("accepted uncertain later\n", "")


def test_without_any_locks_nothing_is_sent(tmp_path: Path) -> None:
    with _python(NO_FCNTL + HOLD, tmp_path / "j") as process:
        out, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert out == ""
    assert "this system has no file locks: two could send the same issue at once" in err


def test_a_look_says_who_holds_it_and_is_in_nobodys_way(tmp_path: Path) -> None:
    path = tmp_path / "j"
    assert holder(path) is None
    assert not path.exists()
    with FileJournal(path) as journal:
        assert holder(path) == journal.holder
        assert f"process {os.getpid()} on " in journal.holder
    assert holder(path) is None
    FileJournal(path).close()


@pytest.fixture
def publication(tmp_path: Path) -> Publication:
    made = Publication.at(tmp_path)
    made.join("ana", "bo", "cy", "di", "el")
    plan = made.plan(EDITION)
    made.ledger.freeze(plan.send, plan.body, plan.audience)
    return made


@pytest.mark.slow
@pytest.mark.parametrize(
    ("system", "uncertain", "accepted"),
    [("", 0, 5), (NO_BOOT_ID, 5, 0), (AS_ON_WINDOWS + NO_BOOT_ID, 5, 0)],
    ids=["here", "no boot id", "as on Windows"],
)
def test_killed_without_a_boot_id_the_whole_batch_is_uncertain_and_nobody_gets_it_twice(
    publication: Publication, tmp_path: Path, system: str, uncertain: int, accepted: int
) -> None:
    with _python(system + DIE_ON_THE_WAY + RESUME, tmp_path, EDITION.issue_id) as first:
        assert first.wait(timeout=60) == -signal.SIGKILL
    with _python(system + RESUME, tmp_path, EDITION.issue_id) as second:
        assert second.communicate(timeout=60) == ("", "")
    assert publication.ledger.balance(EDITION.issue_id) == Balance(selected=5, uncertain=uncertain, accepted=accepted)
    known = {each.detail for each in publication.ledger.uncertain(EDITION.issue_id)}
    assert known <= {"sending was interrupted, perhaps when the machine stopped, and what was written last may be lost"}
    assert len([*(tmp_path / "outbox" / "new").iterdir()]) == (5 if accepted else 3)


def test_which_promise_holds_is_said() -> None:
    program = "from newsletter.delivery.locking import promise\nprint(promise())"
    with _python(program) as here, _python(NO_BOOT_ID + program) as elsewhere:
        assert "at most one recipient a connection uncertain" in here.communicate()[0]
        assert "a whole batch uncertain: this system does not tell" in elsewhere.communicate()[0]
