"""The command line as a person uses it: what it prints, what it writes, how it ends."""

import contextlib
import email
import email.policy
import json
import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from newsletter.cli import run

ROOT = Path(__file__).parent.parent
TINY = Path(__file__).parent / "issues" / "tiny"
PEOPLE = "email,first_name,tags\nada@example.org,Ada,\nno address,x,\nb@example.net,,pro\nc@example.net,Çağ,\n"


@pytest.fixture
def newsletter(tmp_path, monkeypatch, capsys):
    """newsletter("send", "7"): runs it in a copy of the tiny newsletter; gives (exit code, output, errors)."""
    shutil.copytree(TINY, tmp_path / "tiny")
    monkeypatch.chdir(tmp_path / "tiny")
    monkeypatch.setenv("NEWSLETTER_DATA_DIR", str(tmp_path / "data"))

    def ran(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(list(arguments))
        said = capsys.readouterr()
        return code, said.out, said.err

    return ran


@pytest.fixture
def listed(newsletter):
    """The same, with three people on the list."""
    Path("people.csv").write_text(PEOPLE)
    code, out, err = newsletter("subscribers", "import", "people.csv")
    assert code == 1  # one row is no address
    assert "added 3, already there 0, rejected 1" in out
    assert "people.csv:3:1" in err
    return newsletter


def balance(out: str) -> dict[str, int]:
    """The last balance sheet that was printed."""
    rows = re.findall(r"^[ =+] (\w+(?: \(.*?\))?) +([\d,]+)$", out, re.MULTILINE)
    last = max(n for n, (name, _) in enumerate(rows) if name == "selected")
    return {name: int(number) for name, number in rows[last:]}


def copies(tmp_path):
    """The messages in the outbox."""
    return [
        email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        for path in sorted((tmp_path / "data" / "outbox" / "new").glob("*"))
    ]


def test_a_new_newsletter_from_init_to_send(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NEWSLETTER_DATA_DIR", str(tmp_path / "data"))
    assert run(["init", "my-letter"]) == 0
    monkeypatch.chdir("my-letter")
    settings = Path("newsletter.toml")
    settings.write_text(
        settings.read_text()
        .replace('postal_address = ""', 'postal_address = "1 Road, Town"')
        .replace("you@example.org", "you@news.example.org")
    )
    Path("source.txt").write_text("A Headline Of Mine\n\nIt costs $5: “cheap”, as #126 says.\n")
    assert run(["new", "Second: the colon"]) == 0
    assert run(["add", "2", "source.txt"]) == 0
    assert run(["build", "2"]) == 0
    assert run(["check", "2"]) == 0
    assert run(["subscribers", "add", "jo@example.org", "--first-name", "Jo"]) == 0
    capsys.readouterr()
    assert run(["send", "2", "--yes"]) == 0
    assert balance(capsys.readouterr().out)["accepted"] == 1
    (copy,) = copies(tmp_path)
    assert "It costs $5: “cheap”, as #126 says." in copy.get_body(("plain",)).get_content()
    assert copy["Subject"] == "Second: the colon"


def test_nothing_is_sent_without_a_confirmation(listed, tmp_path):
    code, out, _ = listed("send", "7")
    assert code == 0
    assert "3 selected, 3 to be sent to" in out
    assert "nothing was sent" in out
    assert not copies(tmp_path)
    assert listed("send", "7", "--yes", "--dry-run")[0] == 0
    assert not copies(tmp_path)


@pytest.mark.parametrize(("typed", "sent"), [("2", 0), ("", 0), ("3", 3)])
def test_on_a_terminal_the_number_of_recipients_is_asked_for(listed, tmp_path, typed, sent):
    terminal, theirs = pty.openpty()
    command = [sys.executable, "-m", "newsletter", "send", "7"]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        said = b""
        while b"type the number of recipients (3)" not in said:
            said += os.read(terminal, 4096)
        os.write(terminal, typed.encode() + b"\n")
        with contextlib.suppress(OSError):  # the end of a terminal is an error on Linux
            while more := os.read(terminal, 4096):
                said += more
    os.close(terminal)
    assert process.returncode == 0
    assert len(copies(tmp_path)) == sent
    assert (b"nothing was sent" in said) == (not sent)


def test_a_send_is_to_everyone_once_however_often_it_is_run(listed, tmp_path):
    code, out, _ = listed("send", "7", "--yes", "--limit", "2")
    assert (code, len(copies(tmp_path))) == (0, 2)
    assert balance(out)["waiting"] == 1
    assert "sent to 2" in listed("issues")[1]
    for _ in range(2):
        assert listed("send", "7", "--yes")[0] == 0
    assert sorted(copy["To"].addresses[0].addr_spec for copy in copies(tmp_path)) == [
        "ada@example.org",
        "b@example.net",
        "c@example.net",
    ]
    listed("subscribers", "add", "new@example.org")
    assert listed("send", "7", "--yes")[0] == 0
    assert len(copies(tmp_path)) == 4
    assert "nobody is waiting" in listed("send", "7", "--yes")[1]


def test_what_was_approved_is_what_is_sent(listed, tmp_path):
    manifest = json.loads(listed("build", "7", "--json")[1])
    assert listed("send", "7", "--yes", "--hash", manifest["hash"][:12], "--limit", "1")[0] == 0
    issue = Path("issues/7-tiny/issue.md")
    issue.write_text(issue.read_text() + "\nOne more word.\n")
    code, _, err = listed("send", "7", "--yes", "--hash", manifest["hash"][:12])
    assert code == 1
    assert "something changed since" in err
    code, _, err = listed("send", "7", "--yes")
    assert code == 4
    assert manifest["hash"][:12] in err
    assert listed("resume", "7")[0] == 0
    assert not any("One more word" in copy.get_body(("plain",)).get_content() for copy in copies(tmp_path))
    assert len(copies(tmp_path)) == 3


def test_a_second_clone_sends_to_nobody(listed, tmp_path, monkeypatch):
    assert listed("send", "7", "--yes")[0] == 0
    monkeypatch.setenv("NEWSLETTER_DATA_DIR", str(tmp_path / "other-machine"))
    listed("subscribers", "add", "ada@example.org")
    code, _, err = listed("send", "7", "--yes")
    assert code == 4
    assert "this issue was sent on" in err


def test_sent_json_says_what_was_sent_and_holds_no_address(listed):
    listed("send", "7", "--yes")
    text = Path("issues/7-tiny/sent.json").read_text()
    said = json.loads(text)
    assert said["id"] == "tiny0000issu"
    assert said["balance"] == {
        "selected": 3,
        "accepted": 3,
        "failed": 0,
        "excluded": {},
        "uncertain": 0,
        "waiting": 0,
    }
    assert "@" not in text


def test_a_test_copy_leaves_no_trace_in_the_ledger(listed, tmp_path):
    assert listed("send", "7", "--test", "me@example.org")[0] == 0
    (copy,) = copies(tmp_path)
    assert copy["Subject"].startswith("[Test] ")
    assert "nothing was sent from this machine" in listed("status")[1]
    assert not Path("issues/7-tiny/sent.json").exists()


def test_cancel_ends_it_for_good(listed):
    listed("send", "7", "--yes", "--limit", "1")
    assert "excluded (cancelled)" in listed("cancel", "7")[1]
    code, out, _ = listed("resume", "7")
    assert code == 0
    assert (balance(out)["waiting"], balance(out)["excluded (cancelled)"]) == (0, 2)
    assert json.loads(listed("status", "7", "--json")[1])["excluded"] == {"cancelled": 2}


def test_a_removed_person_gets_nothing_and_stays_removed(listed, tmp_path):
    assert listed("subscribers", "remove", "ada@example.org")[0] == 0
    _, out, _ = listed("subscribers", "import", "people.csv")
    assert "left alone 1 (unsubscribed)" in out
    assert json.loads(listed("subscribers", "count", "--json")[1])["active"] == 2
    listed("send", "7", "--yes")
    assert "ada@example.org" not in {copy["To"].addresses[0].addr_spec for copy in copies(tmp_path)}
    assert listed("subscribers", "add", "ada@example.org")[0] == 1


def test_check_errors_keep_an_issue_from_being_sent(listed, tmp_path):
    settings = Path("newsletter.toml")
    settings.write_text(settings.read_text().replace("1 Short Street, 00001 Example", ""))
    code, _, err = listed("send", "7", "--yes")
    assert code == 1
    assert "[LEGAL001]" in err
    assert not copies(tmp_path)
    assert listed("check", "7")[0] == 1
    report = json.loads(listed("check", "7", "--format", "json")[1])
    assert (report["errors"], report["findings"][-1]["rule"]) == (1, "LEGAL001")


def test_the_same_input_gives_the_same_bytes(newsletter):
    first = json.loads(newsletter("build", "7", "--json")[1])
    before = {path: path.read_bytes() for path in sorted(Path("build").rglob("*")) if path.is_file()}
    assert json.loads(newsletter("build", "7", "--json")[1]) == first
    assert {path: path.read_bytes() for path in sorted(Path("build").rglob("*")) if path.is_file()} == before
    assert set(first) == {"id", "slug", "number", "hash", "content_digest", "commit", "files", "sizes"}


def test_a_fault_leaves_the_last_build_as_it_was(newsletter):
    newsletter("build", "7")
    before = sorted((str(path), path.read_bytes()) for path in Path("build").rglob("*") if path.is_file())
    Path("issues/7-tiny/01-x.md").write_text("no front matter")
    assert newsletter("build", "7")[0] == 1
    assert sorted((str(path), path.read_bytes()) for path in Path("build").rglob("*") if path.is_file()) == before


def test_a_folder_of_somebody_elses_is_never_replaced(newsletter, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "diary.txt").write_text("dear diary")
    for command in (["build", "7"], ["archive", "build"]):
        code, _, err = newsletter(*command, "-o", str(mine))
        assert code == 3
        assert "did not make" in err
    assert [path.name for path in mine.iterdir()] == ["diary.txt"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["build", "77"], 1, "there is no issue `77`"),
        (["send", "7", "--provider", "smpt", "--yes"], 3, "did you mean `smtp`?"),
        (["send", "7", "--provider", "smtp", "--yes"], 3, "`host` is missing"),
        (["send"], 2, "Missing argument"),
        (["nonsense"], 2, "No such command"),
        (["check", "--explain", "NOPE"], 2, "there is no rule `NOPE`"),
        (["check", "--format", "pdf"], 2, "is not text or json"),
        (["send", "7", "--test", "not an address"], 2, "--test"),
        (["resume", "7"], 4, "was never sent from here"),
        (["-C", "/nowhere", "issues"], 3, "newsletter.toml"),
        (["new", "Tiny again", "--number", "7"], 1, "number 7 is 7-tiny"),
        (["subscribers", "import", "nothing.csv"], 1, "nothing.csv"),
    ],
)
def test_faults_end_in_words_and_their_exit_code(newsletter, arguments, code, said):
    got, out, err = newsletter(*arguments)
    assert (got, out) == (code, "")
    assert said in err
    assert "Traceback" not in err


def test_where_names_places_outside_the_work_tree(newsletter, tmp_path):
    _, out, _ = newsletter("where")
    lines = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert lines["database"] == str(tmp_path / "data" / "newsletter.db")
    assert lines["outbox"].startswith(str(tmp_path / "data"))


def test_looking_makes_no_database(newsletter, tmp_path):
    for command in ("issues", "build", "check"):
        newsletter(command)
    assert not list((tmp_path / "data").glob("*")) if (tmp_path / "data").exists() else True


def test_the_demo_does_the_whole_job_and_leaves_only_build(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NEWSLETTER_DATA_DIR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for _ in range(2):
        assert run(["demo"]) == 0
        out = capsys.readouterr().out
        assert balance(out)["accepted"] == 36
        assert len(list((tmp_path / "build" / "outbox" / "new").iterdir())) == 36
    assert {path.name for path in tmp_path.iterdir()} <= {"build", "home"}
    for line in out.partition("look at\n")[2].partition("next")[0].splitlines():
        assert Path(line.split("  ")[1].strip()).exists(), line
    assert (tmp_path / "build" / "public" / "index.html").exists()
    assert not (ROOT / "issues" / "126-a-visit-in-2013" / "sent.json").exists()
