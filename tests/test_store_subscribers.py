from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select, update

from newsletter.store.schema import connect, consents, subscribers, writing
from newsletter.store.subscribers import Added, Subscribers, SubscriberState, address_key, normalise


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return connect(f"sqlite:///{tmp_path / 'news.db'}")


@pytest.fixture
def people(engine: Engine) -> Subscribers:
    return Subscribers(engine)


def _events(engine: Engine) -> list[tuple[str, str]]:
    with engine.connect() as connection:
        rows = connection.execute(select(consents.c.event, consents.c.channel).order_by(consents.c.id))
        return [(event, channel) for event, channel in rows]


def _bar(engine: Engine, email: str, state: SubscriberState) -> None:
    with writing(engine) as connection:
        connection.execute(
            update(subscribers).where(subscribers.c.address_key == address_key(email)).values(barred=state.value)
        )


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        (" Jo.Kim@Example.ORG ", "Jo.Kim@example.org"),
        ("jo@exämple.org", "jo@xn--exmple-cua.org"),
        ("zoe\u0308@example.org", "zo\u00eb@example.org"),
    ],
)
def test_an_address_is_normalised(written: str, normal: str) -> None:
    assert normalise(written) == normal


@pytest.mark.parametrize("written", ["", "jo", "jo@", "@example.org", "a b@example.org", "x" * 65 + "@example.org"])
def test_what_is_no_address_is_refused_in_words(written: str) -> None:
    with pytest.raises(ValueError, match=r"[a-z]{3}"):
        normalise(written)


@given(st.emails(domains=st.just("example.org")))
def test_normalising_twice_changes_nothing(written: str) -> None:
    try:
        once = normalise(written)
    except ValueError:
        return
    assert normalise(once) == once
    assert address_key(address_key(once)) == address_key(once)


def test_somebody_is_added_once_whatever_the_case(people: Subscribers) -> None:
    added = people.add("Jo@Example.org", first_name="Jo", last_name="Kim", tags=["pro", "pro"], source="friends")
    assert added is Added.ADDED
    assert people.add("jo@EXAMPLE.org", source="again") is Added.ALREADY
    [jo] = people.active("main")
    assert (jo.email, jo.first_name, jo.last_name, jo.tags) == ("Jo@example.org", "Jo", "Kim", ("pro",))
    assert people.find("JO@example.org", "main") == people.get(jo.id, "main") == jo


def test_names_are_made_fit_for_a_header(people: Subscribers) -> None:
    people.add("jo@example.org", first_name=" Jo\r\nBcc: all@example.org\x00", source="test")
    assert [person.first_name for person in people.active("main")] == ["Jo Bcc: all@example.org"]


def test_signing_up_needs_a_confirmation(people: Subscribers, engine: Engine) -> None:
    signed_up = people.sign_up("jo@example.org", list="main", source="form")
    assert signed_up.state is SubscriberState.PENDING
    assert list(people.active("main")) == []
    assert people.confirm(signed_up.id, "main", channel="mail")
    assert people.confirm(signed_up.id, "main", channel="mail")
    assert [person.id for person in people.active("main")] == [signed_up.id]
    assert _events(engine) == [("signed up", "form"), ("confirmed", "mail")]


def test_unsubscribing_is_one_step_however_often(people: Subscribers, engine: Engine) -> None:
    people.add("jo@example.org", source="test")
    [jo] = people.active("main")
    assert people.unsubscribe(jo.id, "main", channel="one-click")
    assert people.unsubscribe(jo.id, "main", channel="one-click")
    assert list(people.active("main")) == []
    assert not people.unsubscribe("nobody", "main", channel="one-click")
    assert _events(engine) == [("added", "test"), ("unsubscribed", "one-click")]


def test_an_old_confirmation_does_not_revive_somebody_who_left(people: Subscribers) -> None:
    jo = people.sign_up("jo@example.org", list="main", source="form")
    people.unsubscribe(jo.id, "main", channel="page")
    assert not people.confirm(jo.id, "main", channel="mail")
    assert not people.confirm("nobody", "main", channel="mail")


def test_somebody_who_left_comes_back_by_the_form_only(people: Subscribers) -> None:
    people.add("jo@example.org", source="test")
    assert people.remove("JO@example.org", list="main")
    assert people.add("jo@example.org", source="import") is Added.LEFT_ALONE
    assert people.sign_up("jo@example.org", list="main", source="form").state is SubscriberState.PENDING
    assert people.add("jo@example.org", source="import") is Added.ADDED


@pytest.mark.parametrize(
    "state",
    [SubscriberState.BOUNCED, SubscriberState.COMPLAINED, SubscriberState.SUPPRESSED, SubscriberState.ERASED],
)
def test_somebody_barred_is_revived_by_nothing_on_any_list(
    people: Subscribers, engine: Engine, state: SubscriberState
) -> None:
    people.add("jo@example.org", source="test")
    _bar(engine, "jo@example.org", state)
    assert people.add("jo@example.org", source="import") is Added.LEFT_ALONE
    assert people.add("jo@example.org", list="other", source="import") is Added.LEFT_ALONE
    jo = people.sign_up("jo@example.org", list="main", source="form")
    assert jo.state is state
    assert not people.confirm(jo.id, "main", channel="mail")
    assert list(people.active("main")) == []
    assert [person.state for person in people.subscribed("main")] == [state]


def test_lists_are_left_one_by_one(people: Subscribers) -> None:
    for name in ("main", "extra"):
        people.add("jo@example.org", list=name, source="test")
    assert people.remove("jo@example.org", list="extra")
    assert [person.email for person in people.active("main")] == ["jo@example.org"]
    assert list(people.active("extra")) == []


def test_every_state_is_counted(people: Subscribers) -> None:
    people.add("a@example.org", source="test")
    people.sign_up("b@example.org", list="main", source="form")
    counted = people.count("main")
    assert [*counted] == [*SubscriberState]
    assert {state: n for state, n in counted.items() if n} == {SubscriberState.ACTIVE: 1, SubscriberState.PENDING: 1}


def test_nobody_is_removed_who_is_not_there(people: Subscribers) -> None:
    assert not people.remove("jo@example.org", list="main")
    assert people.find("jo@example.org", "main") is None
    assert people.get("nobody", "main") is None
