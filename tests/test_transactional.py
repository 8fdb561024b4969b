"""The mail that asks for a confirmation, as its recipient's program reads it."""

import email
from email.message import EmailMessage
from email.policy import default

import pytest

from newsletter.compile.render import Theme
from newsletter.config import Settings
from newsletter.delivery.transactional import confirmation_message, send_confirmation
from newsletter.errors import ProviderError
from newsletter.providers.base import Outcome, Result
from newsletter.providers.outbox import Outbox, OutboxOptions
from newsletter.workspace import theme_root

LINK = "https://news.example.org/confirm/a." + "t" * 200
ADDRESS = "reader@example.org"
THEME = Theme((theme_root(),))


def read_settings(**changes) -> Settings:
    publication = {
        "id": "k3v9q2m8w1zt",
        "name": "Räder & Strom",
        "url": "https://news.example.org",
        "from": "Jo Kim <jo@nachrichten-österreich.example>",
        "postal_address": "1 Example Street",
    }
    return Settings.model_validate({"publication": publication | changes})


def parsed(message: bytes) -> EmailMessage:
    found = email.message_from_bytes(message, policy=default)
    assert isinstance(found, EmailMessage)
    return found


def test_the_mail_says_what_it_is():
    mail = parsed(confirmation_message(read_settings(), THEME, ADDRESS, LINK))

    assert mail["To"] == ADDRESS
    assert mail["From"].addresses[0].addr_spec == "jo@xn--nachrichten-sterreich-sec.example"
    assert mail["Subject"] == "Please confirm: Räder & Strom"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Unsubscribe"] is None
    assert mail["Message-ID"]
    assert mail["Date"]


def test_the_link_is_whole_in_text_and_html():
    mail = parsed(confirmation_message(read_settings(), THEME, ADDRESS, LINK))
    text, html = mail.iter_parts()

    assert [text.get_content_type(), html.get_content_type()] == ["text/plain", "text/html"]
    assert LINK in text.get_content().splitlines()
    assert f'<a href="{LINK}"' in html.get_content()
    assert "Räder &amp; Strom" in html.get_content()


def test_what_a_stranger_typed_stands_in_no_body():
    mail = parsed(confirmation_message(read_settings(), THEME, "buy-pills-at-x.example@example.org", LINK))

    assert all("pills" not in part.get_content() for part in mail.iter_parts())


def test_lines_end_as_smtp_wants_and_stay_short():
    message = confirmation_message(read_settings(name="N" * 300), THEME, ADDRESS, LINK)

    assert b"\n" not in message.replace(b"\r\n", b"")
    assert max(len(line) for line in message.split(b"\r\n")) <= 998
    assert message.isascii()


def test_the_outbox_keeps_it(tmp_path):
    send_confirmation(read_settings(), THEME, Outbox(OutboxOptions(path=tmp_path / "outbox")), ADDRESS, LINK)

    [file] = (tmp_path / "outbox" / "new").iterdir()
    assert parsed(file.read_bytes())["To"] == ADDRESS


def test_a_refusal_is_an_error_in_words():
    class Refusing:
        def carry(self, sender: str, recipient: str, message: bytes) -> Result:
            return Result(recipient=recipient, outcome=Outcome.REJECTED, detail="550 no such user")

    with pytest.raises(ProviderError, match="550 no such user"):
        send_confirmation(read_settings(), THEME, Refusing(), ADDRESS, LINK)
