"""Folder -> Issue: what is wrong is said with file, line and a hint, all of it at once, and nothing is written."""

from pathlib import Path

import pytest

from newsletter.cli import run
from newsletter.errors import ContentError
from newsletter.issue.load import find_issue, latest_issue, load_issue
from newsletter.workspace import Workspace
from tests.workspaces import SETTINGS

INVALID = Path(__file__).parent / "issues_invalid"
TINY = Path(__file__).parent / "issues" / "tiny"
FRONT = "---\nid: {id}\ntitle: One\nsubject: One\n---\n"


def workspace(root: Path, files: dict[str, str | bytes]) -> Workspace:
    (root / "newsletter.toml").write_text(SETTINGS)
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Workspace.open(root)


def faults(root: Path, files: dict[str, str | bytes], issue: str = "1") -> str:
    ws = workspace(root, files)
    with pytest.raises(ContentError) as caught:
        load_issue(ws, find_issue(ws, issue))
    return str(caught.value)


@pytest.mark.parametrize("case", sorted(INVALID.iterdir()), ids=lambda path: path.name)
def test_every_fault_is_said_with_its_place(case, tmp_path, monkeypatch, capsys, request):
    files = {f"issues/1-{case.name}/{path.name}": path.read_bytes() for path in case.iterdir() if path.suffix == ".md"}
    workspace(tmp_path, files)
    (tmp_path.parent / "outside.png").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NEWSLETTER_DATA_DIR", str(tmp_path / "data"))

    assert run(["build", "1"]) == 1

    said = capsys.readouterr()
    expected = case / "expected.txt"
    without_ids = "\n".join(line if "`id: " not in line else line.split("`id: ")[0] for line in said.err.splitlines())
    if request.config.getoption("--update-golden"):
        expected.write_text(without_ids + "\n")
    assert without_ids + "\n" == expected.read_text()
    assert said.out == ""
    assert not (tmp_path / "build").exists()


def test_not_utf8_says_the_line(tmp_path):
    said = faults(tmp_path, {"issues/1-x/issue.md": b"---\ntitle: caf\xe9\n---\n"})
    assert "issue.md:2: is not UTF-8: byte 0xe9" in said


def test_a_symlink_out_of_the_workspace_is_refused(tmp_path):
    root = tmp_path / "workspace"
    root.mkdir()
    secret = tmp_path / "secret.md"
    secret.write_text("---\ntitle: Secret\n---\nwords")
    files = {"issues/1-x/issue.md": FRONT.format(id="abcdefghijkl")}
    workspace(root, files)
    (root / "issues/1-x/01-a.md").symlink_to(secret)
    said = faults(root, files)
    assert "01-a.md leaves the workspace" in said


def test_symlinks_in_a_circle_are_a_fault(tmp_path):
    files = {"issues/1-x/issue.md": FRONT.format(id="abcdefghijkl")}
    workspace(tmp_path, files)
    (tmp_path / "issues/1-x/01-a.md").symlink_to("01-a.md")
    assert "01-a.md cannot be read" in faults(tmp_path, files)


def test_no_slot_hides_inside_a_value_of_the_front_matter(tmp_path):
    front = FRONT.format(id="abcdefghijkl").replace(
        "---\n", "---\nerrata: [{date: 2026-01-01, text: 'Hi {{ x }}'}]\n", 1
    )
    assert "a personal slot cannot stand in `errata`" in faults(tmp_path, {"issues/1-x/issue.md": front})


def test_two_issues_with_one_id_are_refused(tmp_path):
    text = FRONT.format(id="abcdefghijkl")
    said = faults(tmp_path, {"issues/1-x/issue.md": text, "issues/2-copy/issue.md": text})
    assert "the id abcdefghijkl is also that of 2-copy" in said
    assert "issue.md:2:5" in said


def test_an_issue_is_found_by_folder_number_slug_and_id(tmp_path):
    ws = workspace(
        tmp_path,
        {
            "issues/7-lucky/issue.md": FRONT.format(id="abcdefghijkl"),
            "issues/12-dozen/issue.md": FRONT.format(id="bbcdefghijkl"),
            "issues/special/issue.md": FRONT.format(id="dbcdefghijkl").replace("---\n", "---\nnumber: 44\n", 1),
        },
    )
    assert find_issue(ws, "44").name == "special"
    folder = tmp_path / "issues" / "7-lucky"
    assert {find_issue(ws, name) for name in ("7-lucky", "7", "lucky", "abcdefghijkl", str(folder))} == {folder}
    assert latest_issue(ws).name == "12-dozen"
    with pytest.raises(ContentError, match="did you mean `7-lucky`"):
        find_issue(ws, "7-luky")


def test_what_was_written_is_what_is_loaded():
    ws = Workspace.open(TINY)
    issue = load_issue(ws, find_issue(ws, "7"))
    assert (issue.id, issue.number, len(issue.articles)) == ("tiny0000issu", 7, 2)
    assert [article.place.path.name[:2] for article in issue.articles] == ["01", "02"]
    assert issue.opening
    assert issue.closing


def test_windows_line_ends_and_a_byte_order_mark_are_read(tmp_path):
    text = "\ufeff" + FRONT.format(id="abcdefghijkl").replace("\n", "\r\n") + "one\r\n\r\ntwo\r\n"
    ws = workspace(tmp_path, {"issues/1-x/issue.md": text})
    issue = load_issue(ws, find_issue(ws, "1"))
    assert len(issue.opening[0].nodes) == 2
