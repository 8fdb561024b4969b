"""From a delivered message to the list: the address in it unsubscribes its bearer, by one click and nothing less."""

from __future__ import annotations

import json
import shutil
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
import requests

from newsletter.store.subscribers import SubscriberState
from tests.real.desk import REPOSITORY, Desk

pytestmark = pytest.mark.slow


def test_the_address_in_a_delivered_copy_unsubscribes_its_reader(desk: Desk, tmp_path: Path) -> None:
    outbox = tmp_path / "outbox"
    desk.configure(f"[providers.outbox]\npath = {json.dumps(str(outbox))}")
    shutil.copytree(REPOSITORY / "issues", desk.root / "issues", ignore=shutil.ignore_patterns("sent.json"))
    desk.newsletter("subscribers", "import", REPOSITORY / "issues" / "subscribers.csv")
    desk.newsletter("send", "126", "--yes")
    before = desk.json("subscribers", "count")

    message = message_from_bytes(next(outbox.glob("new/*.eml")).read_bytes(), policy=default)
    address = message["List-Unsubscribe"].strip("<>")
    key, _, value = message["List-Unsubscribe-Post"].partition("=")
    certificate = str(desk.public.certificate)
    with desk.serving():
        assert requests.get(address, verify=certificate, timeout=10).ok
        assert desk.json("subscribers", "count") == before
        answer = requests.post(address, files={key: (None, value)}, verify=certificate, timeout=10)
    assert (answer.status_code, answer.history) == (200, [])

    gone = desk.store.subscribers.find(message["To"].addresses[0].addr_spec, "main")
    assert gone is not None
    assert gone.state is SubscriberState.UNSUBSCRIBED
    after = before | {"active": before["active"] - 1, "unsubscribed": before["unsubscribed"] + 1}
    assert desk.json("subscribers", "count") == after
