"""The readers' server over real sockets: what RFC 8058, double opt-in and a careful stranger ask of it."""

import base64
import hashlib
import http.client
import logging
import re
import sqlite3
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.config import Settings
from newsletter.errors import ProviderError
from newsletter.store.schema import connect
from newsletter.store.subscribers import Subscriber, Subscribers, SubscriberState
from newsletter.tokens import Action, Grant, Keyring
from newsletter.web.public import create_app
from newsletter.web.public.limits import Buckets, Cooldown, network

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
DAY = 24 * 3600


@dataclass
class Site:
    """A served site with its list, and the confirmation mails that it sent as (address, link)."""

    url: str
    subscribers: Subscribers
    keyring: Keyring
    database: Path
    mails: list[tuple[str, str]]
    web: requests.Session = field(default_factory=requests.Session)

    def get(self, path: str) -> requests.Response:
        return self.web.get(self.url + path, allow_redirects=False)

    def post(self, path: str, data: object = None, **options: object) -> requests.Response:
        """The answer, once what comes after it is done too: a connection's requests are answered one by one."""
        answer = self.web.post(self.url + path, data=data, allow_redirects=False, **options)
        self.get("/health")
        return answer

    def mails_soon(self, number: int) -> list[tuple[str, str]]:
        """The mails, once there are so many: they are sent behind the answer, on a busy machine a little later."""
        until = time.monotonic() + 10
        while len(self.mails) < number and time.monotonic() < until:
            time.sleep(0.01)
        return self.mails

    def member(self, email: str = "ada@example.org") -> Subscriber:
        self.subscribers.add(email, source="test")
        found = self.subscribers.find(email, "main")
        assert found is not None
        return found

    def token(self, subscriber: str, action: Action, expires: int | None = None) -> str:
        return self.keyring.sign(Grant(subscriber, "main", action, expires))

    def state(self, email: str = "ada@example.org") -> SubscriberState | None:
        found = self.subscribers.find(email, "main")
        return found and found.state

    def contents(self) -> list[str]:
        """Everything that the database holds."""
        with sqlite3.connect(self.database) as connection:
            lines = list(connection.iterdump())
        connection.close()
        return lines


@pytest.fixture
def build(tmp_path, serve):
    def build(*, confirm=None, archive=None, **tables) -> Site:
        mails = []
        database = tmp_path / "newsletter.db"
        subscribers = Subscribers(connect(f"sqlite:///{database}"))
        keyring = Keyring.open(tmp_path / "keys.json")
        app = create_app(
            read_settings(**tables),
            subscribers,
            keyring,
            confirm or (lambda subscriber, link: mails.append((subscriber.email, link))),
            archive,
        )
        return Site(serve(app), subscribers, keyring, database, mails)

    return build


@pytest.fixture
def site(build):
    return build()


def read_settings(**tables) -> Settings:
    publication = {
        "id": "k3v9q2m8w1zt",
        "name": "Wire & Wheel",
        "url": "https://news.example.org",
        "from": "Jo Kim <jo@news.example.org>",
        "postal_address": "1 Example Street",
    }
    return Settings.model_validate({"publication": publication, **tables})


def visible(answer: requests.Response) -> tuple[int, str, dict[str, str]]:
    """All of an answer that its reader could tell from another."""
    headers = {name: value for name, value in answer.headers.items() if name != "date"}
    return answer.status_code, answer.text, headers


# One-click unsubscribe (RFC 8058)


@pytest.mark.parametrize("form", [{"data": ONE_CLICK}, {"files": {"List-Unsubscribe": (None, "One-Click")}}])
def test_one_click_in_both_form_encodings_unsubscribes_without_redirect_or_cookie(site, form):
    path = f"/unsubscribe/{site.token(site.member().id, Action.UNSUBSCRIBE)}"

    answer = site.post(path, **form)

    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert site.state() is SubscriberState.UNSUBSCRIBED


def test_one_click_again_is_the_same(site):
    path = f"/unsubscribe/{site.token(site.member().id, Action.UNSUBSCRIBE)}"
    first = site.post(path, ONE_CLICK)
    before = site.contents()

    assert visible(site.post(path, ONE_CLICK)) == visible(first)
    assert site.contents() == before


def test_one_click_says_nothing_of_who_is_there(site):
    member, nobody = (site.token(id_, Action.UNSUBSCRIBE) for id_ in (site.member().id, "nobody0000000000"))

    assert visible(site.post(f"/unsubscribe/{member}", ONE_CLICK)) == visible(
        site.post(f"/unsubscribe/{nobody}", ONE_CLICK)
    )


@pytest.mark.parametrize("body", [ONE_CLICK, {"do": "leave"}, {"do": "return"}])
def test_a_token_that_may_do_nothing_gets_the_usual_answer_and_does_nothing(site, body):
    member = site.member()
    real, idle = (site.token(member.id, action) for action in (Action.UNSUBSCRIBE, Action.NOTHING))
    before = site.contents()

    answer = site.post(f"/unsubscribe/{idle}", body)

    assert answer.status_code == 200
    assert site.contents() == before
    assert site.mails == []
    assert visible(site.post(f"/unsubscribe/{real}", body)) == visible(answer)


@pytest.mark.parametrize("body", [{}, {"List-Unsubscribe": "one-click"}, {"List-Unsubscribe": "No"}, {"do": "dance"}])
def test_a_post_that_asks_for_nothing_known_changes_nothing_and_offers_the_button(site, body):
    path = f"/unsubscribe/{site.token(site.member().id, Action.UNSUBSCRIBE)}"

    answer = site.post(path, body)

    assert answer.status_code == 400
    assert "<button>Unsubscribe</button>" in answer.text
    assert site.state() is SubscriberState.ACTIVE


def test_a_link_that_is_forged_cut_off_for_something_else_or_too_old_does_nothing(site):
    member = site.member()
    good = site.token(member.id, Action.UNSUBSCRIBE)
    before = site.contents()
    bad = [
        good[:-1],
        good + "A",
        site.token(member.id, Action.CONFIRM),
        site.token(member.id, Action.UNSUBSCRIBE, expires=int(time.time()) - 1),
        Keyring({"a": b"another key"}, b"").sign(Grant(member.id, "main", Action.UNSUBSCRIBE)),
        "x",
    ]

    answers = [site.post(f"/unsubscribe/{token}", ONE_CLICK) for token in bad]

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
    assert "mailto:jo@news.example.org" in answers[0].text
    assert site.contents() == before


# The unsubscribe page


def test_the_page_unsubscribes_with_one_press_and_offers_the_way_back(site):
    path = f"/unsubscribe/{site.token(site.member().id, Action.UNSUBSCRIBE)}"

    page = site.get(path)
    assert page.text.count("<button") == 1
    assert re.search(r'<form method="post">\s*<input type="hidden" name="do" value="leave">', page.text)
    done = site.post(path, {"do": "leave"})

    assert done.status_code == 200
    assert "You have left" in done.text
    assert "Subscribe again</button>" in done.text
    assert site.state() is SubscriberState.UNSUBSCRIBED


def test_subscribe_again_asks_by_mail(site):
    path = f"/unsubscribe/{site.token(site.member().id, Action.UNSUBSCRIBE)}"
    site.post(path, {"do": "leave"})

    answer = site.post(path, {"do": "return"})

    assert "Look into your mailbox" in answer.text
    assert site.state() is SubscriberState.PENDING
    [(address, link)] = site.mails_soon(1)
    assert address == "ada@example.org"
    site.post(urlsplit(link).path)
    assert site.state() is SubscriberState.ACTIVE


def test_get_and_head_change_nothing_anywhere(site):
    id_ = site.member().id
    site.subscribers.sign_up("new@example.org", list="main", source="test")
    new = site.subscribers.find("new@example.org", "main").id
    paths = [
        "/",
        "/health",
        "/subscribe?email=x@example.org",
        f"/confirm/{site.token(new, Action.CONFIRM)}",
        f"/unsubscribe/{site.token(id_, Action.UNSUBSCRIBE)}?List-Unsubscribe=One-Click&do=leave",
        f"/preferences/{site.token(id_, Action.PREFERENCES)}",
    ]
    before = site.contents()

    for path in paths:
        assert site.get(path).status_code < 400
        assert site.web.head(site.url + path).status_code < 400

    assert site.contents() == before
    assert site.mails == []


# Subscribing


def test_a_new_reader_is_pending_until_they_press_the_button_behind_the_mailed_link(site):
    answer = site.post("/subscribe", {"email": " New@Example.ORG "})

    assert answer.status_code == 200
    assert site.state("new@example.org") is SubscriberState.PENDING
    [(address, link)] = site.mails_soon(1)
    assert address == "New@example.org"
    assert link.startswith("https://news.example.org/confirm/")
    path = urlsplit(link).path
    assert "<button>Confirm</button>" in site.get(path).text
    assert site.state("new@example.org") is SubscriberState.PENDING
    assert site.post(path).status_code == 200
    assert site.state("new@example.org") is SubscriberState.ACTIVE
    assert site.post(path).status_code == 200  # a second press is no fault


def test_the_confirmation_link_works_for_14_days(site):
    site.post("/subscribe", {"email": "new@example.org"})
    token = site.mails_soon(1)[0][1].rpartition("/")[2]

    assert site.keyring.verify(token, Action.CONFIRM, now=time.time() + 13.9 * DAY)
    expires = site.keyring.verify(token, Action.CONFIRM).expires
    assert abs(expires - time.time() - 14 * DAY) < 60


def test_a_link_that_is_too_old_confirms_nothing(site):
    id_ = site.subscribers.sign_up("new@example.org", list="main", source="test").id

    answer = site.post(f"/confirm/{site.token(id_, Action.CONFIRM, expires=int(time.time()) - 1)}")

    assert answer.status_code == 404
    assert site.state("new@example.org") is SubscriberState.PENDING


def test_an_old_confirmation_does_not_bring_back_who_has_left_since(site):
    member = site.member()
    site.subscribers.unsubscribe(member.id, "main", channel="test")

    answer = site.post(f"/confirm/{site.token(member.id, Action.CONFIRM)}")

    assert answer.status_code == 410
    assert "../subscribe?list=main" in answer.text
    assert site.state() is SubscriberState.UNSUBSCRIBED


def test_the_form_answers_the_same_whoever_is_there(site):
    site.member("active@example.org")
    site.subscribers.sign_up("pending@example.org", list="main", source="test")
    gone = site.member("gone@example.org")
    site.subscribers.unsubscribe(gone.id, "main", channel="test")
    site.member("barred@example.org")
    with sqlite3.connect(site.database) as connection:
        connection.execute("UPDATE subscribers SET barred = 'suppressed' WHERE email = 'barred@example.org'")
    connection.close()

    people = ["active", "pending", "gone", "barred", "new"]
    answers = [visible(site.post("/subscribe", {"email": f"{who}@example.org"})) for who in people]

    assert all(answer == answers[0] for answer in answers)
    assert [address for address, _ in site.mails_soon(3)] == [
        "pending@example.org",
        "gone@example.org",
        "new@example.org",
    ]


def test_one_address_gets_one_mail_in_ten_minutes(site):
    answers = [visible(site.post("/subscribe", {"email": address})) for address in ("a@example.org", "A@example.org")]

    assert answers[0] == answers[1]
    assert len(site.mails_soon(1)) == 1


def test_a_mail_that_could_not_be_sent_may_be_asked_for_again(build):
    tries = []

    def confirm(subscriber, link):
        tries.append(subscriber.email)
        raise ProviderError("out of order")

    site = build(confirm=confirm)
    answers = [site.post("/subscribe", {"email": "a@example.org"}).status_code for _ in range(2)]

    assert answers == [200, 200]
    assert tries == ["a@example.org"] * 2


def test_a_network_that_asks_for_many_is_told_to_wait(site):
    answers = [site.web.post(f"{site.url}/subscribe", {"email": f"{n}@example.org"}) for n in range(31)]

    assert [answer.status_code for answer in answers] == [200] * 30 + [429]
    assert answers[-1].headers["Retry-After"] == "60"


def test_a_bot_that_fills_the_hidden_field_gets_the_usual_answer_and_nothing_else(site):
    before = site.contents()

    bot = site.post("/subscribe", {"email": "bot@example.org", "website": "https://spam.example"})

    assert site.contents() == before
    assert site.mails == []
    assert visible(bot) == visible(site.post("/subscribe", {"email": "person@example.org"}))


@pytest.mark.parametrize("address", ["", "no address", "a@b@example.org", "a@localhost", "ä@example.org", "x" * 300])
def test_a_wrong_address_brings_the_form_again_with_the_reason(site, address):
    answer = site.post("/subscribe", {"email": address})

    assert answer.status_code == 422
    assert re.search(r'<p class="problem" id="problem" role="alert">\w', answer.text)
    assert 'aria-describedby="problem"' in answer.text
    assert site.mails == []


def test_what_was_typed_comes_back_as_text(site):
    answer = site.post("/subscribe", {"email": '"><script>alert(1)</script>'})

    assert "<script" not in answer.text
    assert "&lt;script&gt;" in answer.text


def test_several_newsletters_are_offered_and_no_other_is_given(build):
    site = build(lists={"main": {"name": "The weekly"}, "extra": {"name": "The extra"}})

    page = site.get("/subscribe?list=extra").text
    answer = site.post("/subscribe", {"email": "a@example.org", "list": "extra"})
    refused = site.post("/subscribe", {"email": "a@example.org", "list": "secret"})

    assert re.findall(r'value="(\w+)"( checked)?>', page) == [("main", ""), ("extra", " checked")]
    assert answer.status_code == 200
    assert site.subscribers.find("a@example.org", "extra").state is SubscriberState.PENDING
    assert refused.status_code == 422
    assert "no such newsletter" in refused.text


def test_preferences_name_the_list_and_lead_to_unsubscribing(site):
    page = site.get(f"/preferences/{site.token(site.member().id, Action.PREFERENCES)}")

    assert "Wire &amp; Wheel" in page.text
    action = re.search(r'action="\.\.(/unsubscribe/[^"]+)"', page.text)[1]
    assert site.post(action, {"do": "leave"}).status_code == 200
    assert site.state() is SubscriberState.UNSUBSCRIBED


def test_preferences_of_a_test_copy_lead_nowhere(site):
    page = site.get(f"/preferences/{site.token(site.member().id, Action.NOTHING)}")

    action = re.search(r'action="\.\.(/unsubscribe/[^"]+)"', page.text)[1]
    assert site.post(action, {"do": "leave"}).status_code == 200
    assert site.state() is SubscriberState.ACTIVE


# The archive


@pytest.fixture
def archive(tmp_path):
    folder = tmp_path / "public"
    (folder / "issues" / "126").mkdir(parents=True)
    (folder / "index.html").write_text("front page")
    (folder / "style.css").write_text("p {}")
    (folder / "issues" / "126" / "index.html").write_text("issue 126")
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    return folder


def test_the_archive_is_served_beside_the_forms(build, archive):
    site = build(archive=archive)

    assert site.get("/").text == "front page"
    assert site.get("/issues/126/").text == "issue 126"
    assert site.get("/style.css").headers["Content-Type"].startswith("text/css")
    assert "Subscribe" in site.get("/subscribe").text
    assert site.get("/issues/127/").status_code == 404
    assert "There is no such page" in site.get("/issues/127/").text


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/issues/..%2f..%2fsecret.txt",
        "/link.txt",
        "//etc/passwd",
        "/%00",
        "/..",
    ],
)
def test_no_path_leaves_the_archive(build, archive, path):
    site = build(archive=archive)
    connection = http.client.HTTPConnection(urlsplit(site.url).netloc)

    connection.request("GET", path)
    answer = connection.getresponse()

    assert answer.status in {307, 404, 200}
    assert b"secret" not in answer.read()
    assert answer.status != 200 or path == "/.."  # the root's parent is the root
    connection.close()


def test_without_an_archive_the_front_page_is_the_form(site):
    assert site.get("/").headers["Location"] == "subscribe"


# What holds for every answer


def test_every_answer_carries_the_safe_headers(build, archive):
    site = build(archive=archive)
    id_ = site.member().id
    unsubscribe = f"/unsubscribe/{site.token(id_, Action.UNSUBSCRIBE)}"
    answers = [
        site.get("/health"),
        site.get("/subscribe"),
        site.get("/"),
        site.get("/no/such/page"),
        site.get("/unsubscribe/x"),
        site.get(unsubscribe),
        site.web.put(f"{site.url}/subscribe"),
        site.post("/subscribe", {"email": "?"}),
        site.post("/subscribe", {"email": "x" * 20_000}),
        site.post(unsubscribe, ONE_CLICK),
    ]

    assert [a.status_code for a in answers] == [200, 200, 200, 404, 404, 200, 405, 422, 413, 200]
    for answer in answers:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert "Set-Cookie" not in answer.headers
        assert "Server" not in answer.headers


def test_the_pages_policy_allows_their_one_stylesheet_and_nothing_else(site):
    answer = site.get("/subscribe")

    style = re.search(r"<style>(.*?)</style>", answer.text, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert answer.headers["Content-Security-Policy"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    assert not re.search(r"<script|<img|<link|style=|\bon\w+=|url\(|@import", answer.text)


def test_a_broken_store_is_a_page_that_says_so(site):
    path = f"/unsubscribe/{site.token(site.member().id, Action.UNSUBSCRIBE)}"
    with sqlite3.connect(site.database) as connection:
        connection.execute("ALTER TABLE subscribers RENAME TO elsewhere")
    connection.close()

    answer = site.post(path, ONE_CLICK)

    assert answer.status_code == 503
    assert "Something broke on our side" in answer.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_body_without_end_is_cut_off(site):
    def chunks():
        for _ in range(100):
            yield b"x" * 1024

    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert site.web.post(f"{site.url}/subscribe", data=chunks(), headers=kind).status_code == 413


def test_neither_addresses_nor_tokens_are_logged(site, caplog):
    caplog.set_level(logging.DEBUG)
    token = site.token(site.member().id, Action.UNSUBSCRIBE)

    site.post("/subscribe", {"email": "private@example.org"})
    site.post(f"/unsubscribe/{token}", ONE_CLICK)

    said = "\n".join(
        record.getMessage() for record in caplog.records if record.name.startswith(("newsletter", "uvicorn"))
    )
    assert "POST '/unsubscribe/…' 200" in said
    assert "asked" in said
    assert "private" not in said
    assert token not in said
    assert site.mails_soon(1)[0][1].rpartition("/")[2] not in said


def test_pages_can_be_read_aloud(site):
    page = site.get("/subscribe").text

    assert '<html lang="en" dir="ltr">' in page
    assert '<label for="email">' in page
    assert '<input id="email" name="email" type="email"' in page
    assert page.count("<h1") == 1


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(["subscribe", "confirm/", "unsubscribe/", "preferences/", ""]),
    token=st.text(max_size=60) | st.sampled_from(["real", "idle"]),
    kind=st.sampled_from(
        [
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=b",
            "multipart/form-data",
            "text/plain",
            "",
        ]
    ),
    body=st.binary(max_size=400)
    | st.lists(st.tuples(st.sampled_from(["email", "list", "website", "do", "List-Unsubscribe"]), st.text())).map(
        lambda pairs: "&".join(f"{name}={value}" for name, value in pairs).encode("utf-8", "replace")
    )
    | st.binary(max_size=200).map(
        lambda data: b'--b\r\nContent-Disposition: form-data; name="do"\r\n\r\n' + data + b"\r\n--b--"
    ),
)
def test_nothing_that_is_sent_breaks_the_server(site, path, token, kind, body):
    known = {"real": Action.UNSUBSCRIBE, "idle": Action.NOTHING}
    token = site.token("nobody0000000000", known[token]) if token in known else token
    where = f"{site.url}/{path}{requests.utils.quote(token, safe='') if path.endswith('/') else ''}"

    for method in ("POST", "GET"):
        answer = site.web.request(method, where, data=body, headers={"Content-Type": kind}, allow_redirects=False)
        assert answer.status_code < 500


# Limits


def test_a_cooldown_lets_each_key_go_once_until_its_time_is_over():
    now = [0.0]
    cooldown = Cooldown(600, clock=lambda: now[0])

    assert [cooldown.allow("a"), cooldown.allow("a"), cooldown.allow("b")] == [True, False, True]
    now[0] = 600
    assert cooldown.allow("a")


def test_a_cooldown_remembers_a_bounded_number_of_keys():
    cooldown = Cooldown(600, most=2, clock=lambda: 0)

    assert all(cooldown.allow(key) for key in "abc")
    assert not cooldown.allow("c")
    assert cooldown.allow("a")


def test_a_bucket_fills_again_with_time():
    now = [0.0]
    buckets = Buckets(2, 20, clock=lambda: now[0])

    assert [buckets.take("a") for _ in range(3)] == [True, True, False]
    now[0] = 20
    assert [buckets.take("a") for _ in range(2)] == [True, False]
    assert buckets.take("b")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("testclient", "testclient"),
        (None, ""),
    ],
)
def test_the_network_of_a_client(host, expected):
    assert network(host) == expected
