"""What is backed up comes back whole, and nobody gets an issue twice for it: real files, real processes, real kills."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import time
import zipfile
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from newsletter.delivery.keeping import Places, back_up, restore
from newsletter.errors import StoreError
from newsletter.store.ledger import Balance
from newsletter.tokens import Action, Grant, Keyring
from tests.providers.editions import an_edition
from tests.publication import Publication
from tests.test_delivery_send import Service
from tests.workspaces import SETTINGS, issue_file, workspace

ROOT = Path(__file__).parents[1]
EDITION = an_edition()
ISSUE = EDITION.issue_id
PUBLICATION = "k3v9q2m8w1zt"
READERS = 400


def _places(data: Path, database: Path | None = None) -> Places:
    return Places(data=data, database=database or data / "newsletter.db", keys=data / "keys.json")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def publication(data: Path) -> Publication:
    made = Publication.at(data)
    made.join("ana", "bo", "cy", "di", "el")
    return made


def test_a_backup_brings_back_people_ledger_and_keys(publication: Publication, data: Path, tmp_path: Path) -> None:
    publication.sender(Service()).send(publication.plan(EDITION))
    token = publication.keyring.sign(Grant("somebody", "main", Action.UNSUBSCRIBE))
    manifest = back_up(tmp_path / "b.zip", PUBLICATION, _places(data))
    restored = restore(tmp_path / "b.zip", PUBLICATION, _places(tmp_path / "new"), replace=False)
    there = Publication.at(tmp_path / "new")
    assert (restored.manifest, restored.kept, restored.uncertain) == (manifest, (), {})
    assert there.ledger.balance(ISSUE) == Balance(selected=5, accepted=5)
    assert there.ledger.edition(ISSUE) == publication.ledger.edition(ISSUE)
    assert len([*there.subscribers.active("main")]) == 5
    assert there.keyring.verify(token, Action.UNSUBSCRIBE).subscriber == "somebody"
    assert there.keyring.keyed_hash("ana") == publication.keyring.keyed_hash("ana")


def test_it_is_for_its_owner_only_and_says_what_it_is(publication: Publication, data: Path, tmp_path: Path) -> None:
    publication.sender(Service(), limit=2).send(publication.plan(EDITION))
    before = {path.name for path in tmp_path.iterdir()}
    back_up(tmp_path / "b.zip", PUBLICATION, _places(data))
    assert {path.name for path in tmp_path.iterdir()} == before | {"b.zip"}
    assert stat.S_IMODE((tmp_path / "b.zip").stat().st_mode) == 0o600
    with zipfile.ZipFile(tmp_path / "b.zip") as packed:
        said = json.loads(packed.read("manifest.json"))
        assert set(packed.namelist()) == {"manifest.json", "newsletter.db", "keys.json"}
    assert said["publication"] == PUBLICATION
    assert said["under_way"][ISSUE]["waiting"] == 3
    assert {"made", "newsletter", "schema_version"} <= set(said)
    restore(tmp_path / "b.zip", PUBLICATION, _places(tmp_path / "new"), replace=False)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "new").iterdir()}
    assert modes == {"newsletter.db": 0o600, "keys.json": 0o600}
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_who_waited_is_uncertain_and_who_was_sent_to_since_gets_nothing_again(
    publication: Publication, data: Path, tmp_path: Path
) -> None:
    service = Service()
    publication.sender(service, limit=2).send(publication.plan(EDITION))
    back_up(tmp_path / "b.zip", PUBLICATION, _places(data))
    publication.sender(service).resume(ISSUE)  # after the backup
    restored = restore(tmp_path / "b.zip", PUBLICATION, _places(tmp_path / "new"), replace=False)
    there = Publication.at(tmp_path / "new")
    assert restored.uncertain == {ISSUE: 3}
    assert there.ledger.balance(ISSUE) == Balance(selected=5, accepted=2, uncertain=3)
    assert all("restored from a backup of" in each.detail for each in there.ledger.uncertain(ISSUE))
    there.sender(service).resume(ISSUE)
    there.sender(service).send(there.plan(EDITION))
    assert set(Counter(service.handed).values()) == {1}


def test_a_batch_that_was_being_sent_is_uncertain_though_its_journal_is_gone(
    publication: Publication, data: Path, tmp_path: Path
) -> None:
    service = Service(batch_max=5)

    def in_the_middle() -> None:
        if len(service.handed) == 2:
            back_up(tmp_path / "b.zip", PUBLICATION, _places(data))

    service.meanwhile = in_the_middle
    publication.sender(service).send(publication.plan(EDITION))
    restore(tmp_path / "b.zip", PUBLICATION, _places(tmp_path / "new"), replace=False)
    there = Publication.at(tmp_path / "new")
    assert there.sender(service).resume(ISSUE) == Balance(selected=5, uncertain=5)
    assert there.ledger.open_claims(ISSUE) == []
    assert len(service.handed) == 5


def test_a_data_folder_that_is_not_empty_is_kept_or_kept_aside(
    publication: Publication, data: Path, tmp_path: Path
) -> None:
    back_up(tmp_path / "b.zip", PUBLICATION, _places(data))
    there = tmp_path / "new"
    there.mkdir()
    (there / "letter.txt").write_text("mine")
    with pytest.raises(StoreError, match=r"is not empty[\s\S]*--replace"):
        restore(tmp_path / "b.zip", PUBLICATION, _places(there), replace=False)
    assert [path.name for path in there.iterdir()] == ["letter.txt"]
    [kept] = restore(tmp_path / "b.zip", PUBLICATION, _places(there), replace=True).kept
    assert kept.parent == tmp_path
    assert (kept / "letter.txt").read_text() == "mine"
    assert {path.name for path in there.iterdir()} == {"newsletter.db", "keys.json"}


def test_a_database_elsewhere_goes_there(publication: Publication, data: Path, tmp_path: Path) -> None:
    back_up(tmp_path / "b.zip", PUBLICATION, _places(data))
    places = _places(tmp_path / "new", tmp_path / "srv" / "news.db")
    places.database.parent.mkdir()
    assert restore(tmp_path / "b.zip", PUBLICATION, places, replace=False).kept == ()
    assert Keyring.open(places.keys).keyed_hash("a") == publication.keyring.keyed_hash("a")
    assert [path.name for path in places.database.parent.iterdir()] == ["news.db"]
    with pytest.raises(StoreError, match="is not empty"):
        restore(tmp_path / "b.zip", PUBLICATION, places, replace=False)
    kept = restore(tmp_path / "b.zip", PUBLICATION, places, replace=True).kept
    assert [path.parent for path in kept] == [tmp_path, tmp_path / "srv"]
    assert places.database.exists()


def _rewritten(archive: Path, **manifest: Any) -> None:
    """The archive with other things in its manifest, or with other files."""
    with zipfile.ZipFile(archive) as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    members["manifest.json"] = json.dumps(json.loads(members["manifest.json"]) | manifest).encode()
    with zipfile.ZipFile(archive, "w") as packed:
        for name, content in members.items():
            packed.writestr(name, content)


def _refused(archive: Path, there: Path, words: str) -> None:
    before = sorted(archive.parent.iterdir())
    with pytest.raises(StoreError, match=words):
        restore(archive, PUBLICATION, _places(there), replace=True)
    assert sorted(archive.parent.iterdir()) == before
    assert not there.exists()


def test_what_is_not_its_backup_is_refused(publication: Publication, data: Path, tmp_path: Path) -> None:
    archive, there = tmp_path / "b.zip", tmp_path / "new"
    _refused(tmp_path / "none.zip", there, "No such file")
    archive.write_text("no zip")
    _refused(archive, there, "not a zip file")
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("letter.txt", "mine")
    _refused(archive, there, "is no backup that this program knows")
    archive.unlink()
    back_up(archive, PUBLICATION, _places(data))
    whole = archive.read_bytes()
    with pytest.raises(StoreError, match="of the publication k3v9q2m8w1zt; this one is another00001"):
        restore(archive, "another00001", _places(there), replace=True)
    _rewritten(archive, format=2)
    _refused(archive, there, "is no backup that this program knows")
    archive.write_bytes(whole)
    _rewritten(archive, sha256={"newsletter.db": "0" * 64})
    _refused(archive, there, "newsletter.db in the backup is damaged")
    for at in range(len(whole) // 4, len(whole) - 400, len(whole) // 8):
        archive.write_bytes(whole[:at] + bytes(200) + whole[at + 200 :])
        _refused(archive, there, "cannot be restored|damaged|no backup")
    archive.write_bytes(whole[: len(whole) // 2])
    _refused(archive, there, "not a zip file")


def _with_database(archive: Path, database: Path) -> None:
    content = database.read_bytes()
    with zipfile.ZipFile(archive) as packed:
        members = {name: packed.read(name) for name in packed.namelist()} | {"newsletter.db": content}
        sums = json.loads(members["manifest.json"])["sha256"] | {"newsletter.db": hashlib.sha256(content).hexdigest()}
    with zipfile.ZipFile(archive, "w") as packed:
        for name, member in members.items():
            packed.writestr(name, member)
    _rewritten(archive, sha256=sums)


def test_a_backup_of_an_older_version_is_upgraded_and_one_of_a_newer_refused(
    publication: Publication, data: Path, tmp_path: Path
) -> None:
    archive, database = tmp_path / "b.zip", tmp_path / "other.db"
    back_up(archive, PUBLICATION, _places(data))
    with closing(sqlite3.connect(database)) as raw:
        raw.executescript((ROOT / "tests" / "data" / "schema_1.sql").read_text("utf-8"))
    _with_database(archive, database)
    assert restore(archive, PUBLICATION, _places(tmp_path / "old"), replace=False).uncertain == {ISSUE: 2}
    assert {path.name for path in (tmp_path / "old").iterdir()} == {"newsletter.db", "keys.json"}
    with closing(sqlite3.connect(database)) as raw, raw:
        raw.execute("UPDATE meta SET value = '99'")
    _with_database(archive, database)
    _refused(archive, tmp_path / "new", "schema version 99")


def test_a_backup_replaces_nothing(publication: Publication, data: Path, tmp_path: Path) -> None:
    (tmp_path / "b.zip").write_text("mine")
    with pytest.raises(StoreError, match="is there already"):
        back_up(tmp_path / "b.zip", PUBLICATION, _places(data))
    assert (tmp_path / "b.zip").read_text() == "mine"
    with pytest.raises(StoreError, match="No such file"):
        back_up(tmp_path / "nowhere" / "b.zip", PUBLICATION, _places(data))


# The command line, and processes.


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "news"
    folder.mkdir()
    workspace(folder, {"1-one/issue.md": issue_file(1, "Hello.")})
    return folder


def _newsletter(root: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "newsletter", "-C", str(root), *arguments]
    environment = os.environ | {"NEWSLETTER_DATA_DIR": str(root.parent / "data"), "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _said(process: subprocess.Popen[str], code: int) -> str:
    out, err = process.communicate(timeout=120)
    assert process.returncode == code, out + err
    return out + err


@pytest.mark.slow
def test_a_backup_of_a_send_under_way_is_consistent_and_holds_nobody_up(root: Path, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("email\n" + "".join(f"reader{n}@example.org\n" for n in range(READERS)))
    _said(_newsletter(root, "subscribers", "import", str(tmp_path / "people.csv")), 0)
    sent = tmp_path / "data" / "outbox" / "new"
    sending = _newsletter(root, "send", "1", "--yes")
    places, backups = _places(tmp_path / "data"), 0
    while sending.poll() is None:
        if not sent.exists():
            time.sleep(0.001)
            continue
        back_up(tmp_path / f"{backups}.zip", "testpubli001", places)
        backups += 1
    _said(sending, 0)
    assert len([*sent.iterdir()]) == READERS
    assert backups
    for n in range(backups):
        there = _places(tmp_path / f"new{n}")
        restored = restore(tmp_path / f"{n}.zip", "testpubli001", there, replace=False)
        balance = Publication.at(there.data).ledger.balance("issue0000001")
        assert balance.selected in {0, READERS}
        assert balance.waiting == balance.failed == 0
        assert balance.uncertain == sum(restored.uncertain.values())
        assert balance.accepted <= READERS


@pytest.mark.slow
def test_a_ledger_that_is_older_than_sent_json_adds_nobody(root: Path, tmp_path: Path) -> None:
    for command, code in (
        (("subscribers", "add", "ana@example.org"), 0),
        (("send", "1", "--yes"), 0),
        (("subscribers", "add", "bo@example.org"), 0),
        (("backup", str(tmp_path / "b.zip")), 0),
        (("send", "1", "--yes"), 0),
        (("restore", str(tmp_path / "b.zip")), 4),
        (("restore", str(tmp_path / "b.zip"), "--replace"), 0),
    ):
        _said(_newsletter(root, *command), code)
    assert "older than sent.json, which says 2 selected" in _said(_newsletter(root, "send", "1", "--yes"), 4)
    assert not (tmp_path / "data" / "outbox").exists()


@pytest.mark.slow
def test_what_is_in_use_is_not_replaced(root: Path, tmp_path: Path) -> None:
    _said(_newsletter(root, "subscribers", "add", "ana@example.org"), 0)
    _said(_newsletter(root, "backup", str(tmp_path / "b.zip")), 0)
    with closing(sqlite3.connect(tmp_path / "data" / "newsletter.db")) as raw:
        raw.execute("SELECT * FROM subscribers").fetchall()
        assert "in use by another process" in _said(
            _newsletter(root, "restore", str(tmp_path / "b.zip"), "--replace"), 4
        )
    (tmp_path / "data" / "newsletter.db").write_text("broken: it is to be restored for that")
    said = _said(_newsletter(root, "restore", str(tmp_path / "b.zip"), "--replace"), 0)
    assert f"what was there is kept as {tmp_path}/data-replaced-" in said
    assert "active                 1" in _said(_newsletter(root, "subscribers", "count"), 0)


def test_what_makes_no_sense_is_said(root: Path, tmp_path: Path) -> None:
    assert "nothing to back up yet" in _said(_newsletter(root, "backup", str(tmp_path / "b.zip")), 4)
    assert "no place in the work tree" in _said(_newsletter(root, "backup", str(root / "b.zip")), 2)
    (root / "newsletter.toml").write_text(f'{SETTINGS}[store]\nurl = "postgresql://localhost/news"\n')
    for command in ("backup", "restore"):
        assert "pg_dump" in _said(_newsletter(root, command, str(tmp_path / "b.zip")), 4)


KILLED_AT = """
import os, signal, sys
from pathlib import Path
from newsletter.delivery.keeping import Places, restore

archive, data, left = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])

def count(event, arguments):
    global left
    if event in {"open", "os.rename", "os.mkdir", "os.rmdir", "os.remove", "sqlite3.connect"}:
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

places = Places(data=data, database=data / "newsletter.db", keys=data / "keys.json")
sys.addaudithook(count)
restore(archive, "k3v9q2m8w1zt", places, replace=True)
"""


@pytest.mark.slow
def test_killed_at_any_step_it_is_the_old_one_or_the_new_one(
    publication: Publication, data: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "b.zip"
    back_up(archive, PUBLICATION, _places(data))
    before = tmp_path / "before.zip"
    (tmp_path / "before").mkdir()
    Publication.at(tmp_path / "before").join("flo")
    back_up(before, PUBLICATION, _places(tmp_path / "before"))
    states: Counter[str] = Counter()
    step = 0
    while not states["done"]:
        step += 1
        scene = tmp_path / f"scene{step}"
        there = scene / "data"
        scene.mkdir()
        restore(before, PUBLICATION, _places(there), replace=False)
        command = [sys.executable, "-c", KILLED_AT, str(archive), str(there), str(step)]
        done = subprocess.run(command, cwd=ROOT, check=False, timeout=60)
        assert done.returncode in {0, -signal.SIGKILL}
        if not there.exists():  # between the two renames
            [kept] = scene.glob("data-replaced-*")
            assert len([*Publication.at(kept).subscribers.active("main")]) == 1
            restore(archive, PUBLICATION, _places(there), replace=False)
            states["neither"] += 1
        number = len([*Publication.at(there).subscribers.active("main")])
        assert number in {1, 5}
        assert {path.name for path in there.iterdir()} >= {"newsletter.db", "keys.json"}
        states["old" if number == 1 else "new"] += 1
        if done.returncode == 0:
            assert number == 5
            states["done"] += 1
    assert states["old"] > 5
    assert states["neither"] <= 1
