"""Signed links: nobody makes one without the key, none is good for anything else, and old ones keep working."""

import json
import stat
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import StoreError
from newsletter.tokens import Action, Grant, InvalidToken, Keyring

KEYRING = Keyring({"a": b"k" * 32}, b"l" * 32)
names = st.text("0123456789abcdefghijklmnopqrstuvwxyz-_", min_size=1, max_size=20)


@given(names, names, st.sampled_from(Action))
def test_what_is_signed_is_verified(subscriber, list_name, action):
    grant = Grant(subscriber, list_name, action)
    token = KEYRING.sign(grant)
    assert KEYRING.verify(token, action) == grant
    assert set(token) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
    for other in set(Action) - {action}:
        with pytest.raises(InvalidToken):
            KEYRING.verify(token, other)


@given(st.integers(0, 200), st.characters(codec="ascii"))
def test_a_changed_token_is_refused(at, character):
    token = KEYRING.sign(Grant("somebody", "main", Action.UNSUBSCRIBE))
    changed = token[: at % len(token)] + character + token[at % len(token) + 1 :]
    if changed != token:
        with pytest.raises(InvalidToken):
            KEYRING.verify(changed, Action.UNSUBSCRIBE)


@given(st.text(max_size=80))
def test_anything_else_is_refused(text):
    with pytest.raises(InvalidToken):
        KEYRING.verify(text, Action.CONFIRM)


def test_an_expired_token_is_refused():
    token = KEYRING.sign(Grant("somebody", "main", Action.CONFIRM, expires=1_000))
    assert KEYRING.verify(token, Action.CONFIRM, now=999).subscriber == "somebody"
    with pytest.raises(InvalidToken):
        KEYRING.verify(token, Action.CONFIRM, now=1_001)


def test_keys_are_made_once_and_for_their_owner_only(tmp_path):
    path = tmp_path / "keys.json"
    program = (
        "import sys; from pathlib import Path; from newsletter.tokens import Keyring;"
        "print(Keyring.open(Path(sys.argv[1])).keyed_hash('x'))"
    )
    runs = [
        subprocess.Popen([sys.executable, "-c", program, path], stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    assert len({run.communicate()[0] for run in runs}) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["keys.json"]


def test_a_new_key_signs_and_the_old_one_goes_on_verifying(tmp_path):
    path = tmp_path / "keys.json"
    before = Keyring.open(path)
    token, hashed = before.sign(Grant("somebody", "main", Action.UNSUBSCRIBE)), before.keyed_hash("a@example.org")
    keys = json.loads(path.read_text())
    keys["signing"]["b"] = "ab" * 32
    path.write_text(json.dumps(keys))
    after = Keyring.open(path)
    assert after.verify(token, Action.UNSUBSCRIBE).subscriber == "somebody"
    assert after.sign(Grant("x", "main", Action.UNSUBSCRIBE)).startswith("b.")
    assert after.keyed_hash("a@example.org") == hashed


def test_damaged_keys_are_said_in_words(tmp_path):
    path = tmp_path / "keys.json"
    path.write_text("{}")
    with pytest.raises(StoreError, match="restore the file from a backup"):
        Keyring.open(path)
