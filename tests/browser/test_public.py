"""A reader's way through the public pages, on a phone, with scripts switched off."""

from queue import SimpleQueue
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from newsletter.config import Settings
from newsletter.store.schema import connect
from newsletter.store.subscribers import Subscribers, SubscriberState
from newsletter.tokens import Action, Grant, Keyring
from newsletter.web.public import create_app

pytestmark = [pytest.mark.real, pytest.mark.slow]

SETTINGS = {
    "publication": {
        "id": "k3v9q2m8w1zt",
        "name": "Wire & Wheel",
        "url": "https://news.example.org",
        "from": "Jo Kim <jo@news.example.org>",
        "postal_address": "1 Example Street",
    }
}
PHONE = {"width": 375, "height": 740}


@pytest.fixture
def site(tmp_path, serve):
    """(address, subscribers, keyring, links): a served site; `links` holds those of its confirmation mails."""
    subscribers = Subscribers(connect(f"sqlite:///{tmp_path / 'newsletter.db'}"))
    keyring = Keyring.open(tmp_path / "keys.json")
    links = SimpleQueue()
    settings = Settings.model_validate(SETTINGS)
    app = create_app(settings, subscribers, keyring, lambda _, link: links.put(link), None)
    return serve(app), subscribers, keyring, links


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport=PHONE, java_script_enabled=False)
    page = context.new_page()
    page.outside = []
    page.on("request", lambda request: page.outside.append(request.url))
    yield page
    context.close()


def state(subscribers):
    return subscribers.find("ada@example.org", "main").state


def test_subscribe_confirm_unsubscribe(site, page):
    address, subscribers, keyring, links = site

    page.goto(f"{address}/subscribe")
    page.get_by_label("Your e-mail address").fill("ada@example.org")
    page.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_role("heading", name="Look into your mailbox")).to_be_visible()

    page.goto(address + urlsplit(links.get(timeout=10)).path)
    assert state(subscribers) is SubscriberState.PENDING
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", name="You’re in")).to_be_visible()
    assert state(subscribers) is SubscriberState.ACTIVE

    subscriber = subscribers.find("ada@example.org", "main").id
    page.goto(f"{address}/unsubscribe/{keyring.sign(Grant(subscriber, 'main', Action.UNSUBSCRIBE))}")
    page.get_by_role("button", name="Unsubscribe").click()
    expect(page.get_by_role("heading", name="You have left")).to_be_visible()
    assert state(subscribers) is SubscriberState.UNSUBSCRIBED

    assert all(url.startswith(address) for url in page.outside)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 375, 1100])
def test_pages_fit_and_their_words_stand_out(site, browser, scheme, width):
    address, _, keyring, _ = site
    token = keyring.sign(Grant("nobody0000000000", "main", Action.UNSUBSCRIBE))
    page = browser.new_page(viewport={"width": width, "height": 740}, color_scheme=scheme)
    messages = []
    page.on("console", lambda message: messages.append(message.text))

    for path in ("/subscribe", f"/unsubscribe/{token}", "/unsubscribe/forged"):
        page.goto(address + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(LOWEST_CONTRAST) >= 4.5

    page.close()
    assert [message for message in messages if "Content Security Policy" in message] == []


LOWEST_CONTRAST = """() => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const luminance = (colour) => {
    const [r, g, b] = rgb(colour).map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    const colour = getComputedStyle(element).backgroundColor;
    return rgb(colour)[3] === 0 ? ground(element.parentElement) : colour;
  };
  const ratios = [...document.querySelectorAll("h1, p, a, label, button, .eyebrow")].map((element) => {
    const [low, high] = [getComputedStyle(element).color, ground(element)].map(luminance).sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  });
  return Math.min(...ratios);
}"""
