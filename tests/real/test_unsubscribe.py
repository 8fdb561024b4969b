"""From a delivered message to the list: the address in it unsubscribes its bearer, by one click and nothing less."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default

import pytest
import requests

from newsletter.store.subscribers import SubscriberState
from tests.real.desk import REPOSITORY, Desk

pytestmark = pytest.mark.slow


def test_the_address_in_a_delivered_copy_unsubscribes_its_reader(sample: Desk) -> None:
    sample.newsletter("subscribers", "import", REPOSITORY / "issues" / "subscribers.csv")
    sample.newsletter("send", "126", "--yes")
    before = sample.json("subscribers", "count")

    message = message_from_bytes(next(sample.outbox.glob("new/*.eml")).read_bytes(), policy=default)
    address = message["List-Unsubscribe"].strip("<>")
    key, _, value = message["List-Unsubscribe-Post"].partition("=")
    certificate = str(sample.public.certificate)
    with sample.serving():
        assert requests.get(address, verify=certificate, timeout=10).ok
        assert sample.json("subscribers", "count") == before
        answer = requests.post(address, files={key: (None, value)}, verify=certificate, timeout=10)
    assert (answer.status_code, answer.history) == (200, [])

    gone = sample.store.subscribers.find(message["To"].addresses[0].addr_spec, "main")
    assert gone is not None
    assert gone.state is SubscriberState.UNSUBSCRIBED
    after = before | {"active": before["active"] - 1, "unsubscribed": before["unsubscribed"] + 1}
    assert sample.json("subscribers", "count") == after
