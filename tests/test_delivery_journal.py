from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from newsletter.delivery.journal import FileJournal, NoMore
from newsletter.delivery.stopping import Stop
from newsletter.errors import StoreError
from newsletter.providers.base import Outcome, Result

ANA, BO, CY = (f"{n}" * 32 for n in "abc")
ROOT = Path(__file__).parents[1]


def test_it_reads_back_what_was_written(tmp_path: Path) -> None:
    with FileJournal(tmp_path / "j") as journal:
        journal.intent([ANA])
        journal.answer(Result(recipient=ANA, outcome=Outcome.ACCEPTED))
        journal.intent([BO])
        assert journal.outcomes([ANA, BO, CY]) == {
            ANA: Outcome.ACCEPTED,
            BO: Outcome.UNCERTAIN,
            CY: Outcome.LATER,
        }


@pytest.mark.parametrize("outcome", list(Outcome))
def test_the_last_word_counts(tmp_path: Path, outcome: Outcome) -> None:
    with FileJournal(tmp_path / "j") as journal:
        journal.intent([ANA])
        journal.answer(Result(recipient=ANA, outcome=Outcome.LATER))
        journal.intent([ANA])
        assert journal.outcomes([ANA]) == {ANA: Outcome.UNCERTAIN}
        journal.answer(Result(recipient=ANA, outcome=outcome))
        assert journal.outcomes([ANA]) == {ANA: outcome}


def test_it_keeps_its_id_and_its_words_until_the_next_batch(tmp_path: Path) -> None:
    with FileJournal(tmp_path / "j") as first:
        first.intent([ANA])
    with FileJournal(tmp_path / "j") as second:
        assert second.id == first.id
        assert second.outcomes([ANA]) == {ANA: Outcome.UNCERTAIN}
        second.begin(1, 60, Stop())
        assert second.outcomes([ANA]) == {ANA: Outcome.LATER}
    (tmp_path / "j").unlink()
    with FileJournal(tmp_path / "j") as third:
        assert third.id != first.id


def test_a_second_holder_is_told_who_holds_it(tmp_path: Path) -> None:
    with FileJournal(tmp_path / "j"), pytest.raises(StoreError, match=rf"by process {os.getpid()} on .*, since 20"):
        FileJournal(tmp_path / "j")
    FileJournal(tmp_path / "j").close()


def test_nothing_is_intended_after_the_lease(tmp_path: Path) -> None:
    with FileJournal(tmp_path / "j") as journal:
        journal.begin(1, 0, Stop())
        with pytest.raises(NoMore):
            journal.intent([ANA])
        assert journal.outcomes([ANA]) == {ANA: Outcome.LATER}


def test_half_a_record_at_the_end_is_not_read(tmp_path: Path) -> None:
    with FileJournal(tmp_path / "j") as journal:
        journal.intent([ANA])
    with (tmp_path / "j").open("ab") as file:
        file.write(b"I" + bytes.fromhex(BO)[:7])
    with FileJournal(tmp_path / "j") as journal:
        assert journal.outcomes([ANA, BO]) == {ANA: Outcome.UNCERTAIN, BO: Outcome.LATER}


def test_a_full_disk_stops_the_handing_over(tmp_path: Path) -> None:
    program = """
import resource, signal, sys
from pathlib import Path
from newsletter.delivery.journal import FileJournal
from newsletter.errors import StoreError
from newsletter.providers.base import Outcome
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (256 + 16 + 7, 256 + 16 + 7))
journal = FileJournal(Path(sys.argv[1]))
journal.intent(["a" * 32])
try:
    journal.intent(["b" * 32])
except StoreError as error:
    print(error)
print(journal.outcomes(["a" * 32, "b" * 32])["b" * 32])
"""
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "j"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "cannot be written: the disk is full" in done.stdout
    assert done.stdout.endswith("later\n")


def test_it_survives_the_death_of_its_writer(tmp_path: Path) -> None:
    program = """
import os, signal, sys
from pathlib import Path
from newsletter.delivery.journal import FileJournal
FileJournal(Path(sys.argv[1])).intent(["a" * 32])
os.kill(os.getpid(), signal.SIGKILL)
"""
    died = subprocess.run([sys.executable, "-c", program, tmp_path / "j"], cwd=ROOT, check=False)
    assert died.returncode == -signal.SIGKILL
    with FileJournal(tmp_path / "j") as journal:
        assert journal.outcomes([ANA]) == {ANA: Outcome.UNCERTAIN}


def test_a_file_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "j").write_text("dear diary " * 100)
    with pytest.raises(StoreError, match="is not a journal"):
        FileJournal(tmp_path / "j")
    assert (tmp_path / "j").read_text() == "dear diary " * 100
