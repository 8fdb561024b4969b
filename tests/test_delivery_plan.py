from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import update

from newsletter.compile.slots import cut
from newsletter.delivery.plan import recipient_of
from newsletter.errors import ContentError
from newsletter.issue.slots import Slot
from newsletter.store.ledger import Balance
from newsletter.store.schema import connect, subscribers, writing
from newsletter.store.subscribers import Subscriber, SubscriberState
from newsletter.tokens import Action, InvalidToken
from tests.providers.editions import FIRST_NAME, UNSUBSCRIBE, an_edition
from tests.publication import Publication

CITY = Slot("subscriber.city")
FIELDS = {"city": {"default": "your town"}, "team": {}}


def _zoe() -> Subscriber:
    return Subscriber(
        id="0123456789abcdef",
        email="Zoe@example.org",
        first_name="Zoë",
        last_name="",
        tags=("pro",),
        fields={"city": "Köln", "email": "spoofed@example.org"},
        list="main",
        state=SubscriberState.ACTIVE,
        joined=datetime(2026, 1, 1, tzinfo=UTC),
    )


def test_a_recipient_has_values_defaults_and_links(tmp_path: Path) -> None:
    publication = Publication.at(tmp_path, subscribers={"fields": FIELDS}, public={"url": "https://go.example.org"})
    recipient = recipient_of(_zoe(), publication.settings, publication.keyring)
    values = dict(recipient.values)
    unsubscribe, preferences = values.pop("links.unsubscribe"), values.pop("links.preferences")
    assert (recipient.address, recipient.name) == ("Zoe@example.org", "Zoë")
    assert values == {
        "subscriber.email": "Zoe@example.org",
        "subscriber.first_name": "Zoë",
        "subscriber.name": "Zoë",
        "subscriber.city": "Köln",
        "?subscriber.city": "your town",
    }
    page, _, token = unsubscribe.rpartition("/")
    assert page == "https://go.example.org/unsubscribe"
    assert publication.keyring.verify(token, Action.UNSUBSCRIBE).subscriber == _zoe().id
    page, _, token = preferences.rpartition("/")
    assert page == "https://go.example.org/preferences"
    assert publication.keyring.verify(token, Action.PREFERENCES).list == "main"


def test_a_recipients_id_is_the_persons_whatever_the_case_and_tells_nothing(tmp_path: Path) -> None:
    publication = Publication.at(tmp_path)
    ids = {
        recipient_of(replace(_zoe(), email=email), publication.settings, publication.keyring).id
        for email in ("Zoe@example.org", "zoe@example.org")
    }
    assert len(ids) == 1
    assert "zoe" not in ids.pop()


def test_harmless_links_do_nothing(tmp_path: Path) -> None:
    publication = Publication.at(tmp_path)
    values = recipient_of(_zoe(), publication.settings, publication.keyring, harmless=True).values
    token = values["links.unsubscribe"].rpartition("/")[2]
    with pytest.raises(InvalidToken):
        publication.keyring.verify(token, Action.UNSUBSCRIBE)
    assert publication.keyring.verify(token, Action.NOTHING)


def test_a_plan_says_who_would_get_it_and_who_not(tmp_path: Path) -> None:
    publication = Publication.at(tmp_path)
    publication.join("ana", "bo", "cy")
    publication.subscribers.remove("bo@example.org", list="main")
    with writing(connect(f"sqlite:///{tmp_path / 'newsletter.db'}")) as connection:
        connection.execute(update(subscribers).where(subscribers.c.first_name == "Cy").values(barred="bounced"))
    plan = publication.plan(an_edition())
    assert plan.expected == Balance(selected=2, waiting=1, excluded={"bounced": 1})
    assert plan.joining == 2
    assert publication.ledger.send(plan.edition.issue_id) is None


def test_a_plan_for_an_issue_that_was_sent_says_who_joined(tmp_path: Path) -> None:
    publication = Publication.at(tmp_path)
    publication.join("ana")
    first = publication.plan(an_edition())
    publication.ledger.freeze(first.send, first.body, first.audience)
    publication.join("bo")
    again = publication.plan(an_edition())
    assert again.joining == 1
    assert [person.address for person in again.audience] == ["bo@example.org"]
    assert again.expected == Balance(selected=2, waiting=2)


def test_the_ledger_gets_only_the_values_that_the_edition_uses(tmp_path: Path) -> None:
    publication = Publication.at(tmp_path, subscribers={"fields": FIELDS})
    publication.join("ana", city="Rome")
    [ana] = publication.plan(an_edition(f"Hello {FIRST_NAME.token}")).audience
    assert set(ana.values) == {"subscriber.first_name", "links.unsubscribe", "links.preferences"}
    [ana] = publication.plan(an_edition(f"Hello {CITY.token}")).audience
    assert set(ana.values) == {"subscriber.city", "?subscriber.city", "links.unsubscribe", "links.preferences"}


def test_empty_slots_are_one_error_that_counts_them(tmp_path: Path) -> None:
    publication = Publication.at(tmp_path, subscribers={"fields": {"city": {}, "team": {}}})
    publication.join("ana", city="Rome")
    publication.join("bo", "cy")
    edition = an_edition(f"Hello {CITY.token}, {Slot('subscriber.team').token}, {FIRST_NAME.token}")
    with pytest.raises(ContentError) as caught:
        publication.plan(edition)
    said = str(caught.value)
    assert "2 subscribers have no value for `subscriber.city`" in said
    assert "3 subscribers have no value for `subscriber.team`" in said
    assert "first_name" not in said


def test_a_configured_default_fills_a_slot_that_has_none(tmp_path: Path) -> None:
    publication = Publication.at(tmp_path, subscribers={"fields": FIELDS})
    publication.join("ana")
    assert publication.plan(an_edition(f"Hello {CITY.token}")).joining == 1


def test_subjects_under_test_are_dealt_out_to_all(tmp_path: Path) -> None:
    publication = Publication.at(tmp_path)
    publication.join(*(f"reader{n}" for n in range(40)))
    edition = an_edition(subjects=("One", "Two"))
    dealt = {person.address: person.subject for person in publication.plan(edition).audience}
    assert set(dealt.values()) == {0, 1}
    assert {person.address: person.subject for person in publication.plan(edition).audience} == dealt


def test_everybody_gets_the_variant_for_their_tags(tmp_path: Path) -> None:
    publication = Publication.at(tmp_path)
    publication.subscribers.add("ana@example.org", tags=["pro"], source="test")
    publication.subscribers.add("bo@example.org", source="test")
    edition = an_edition()
    [variant] = edition.variants
    both = tuple(
        replace(variant, conditions=(("tag=pro", holds),), text=cut(f"{holds} {UNSUBSCRIBE.token}"))
        for holds in (False, True)
    )
    plan = publication.plan(replace(edition, variants=both))
    assert {person.address: person.audience for person in plan.audience} == {"ana@example.org": 1, "bo@example.org": 0}
