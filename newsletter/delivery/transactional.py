"""Mail that is not an issue: the one that asks for a confirmation. Nothing that a stranger typed stands in it."""

from __future__ import annotations

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, localtime, make_msgid, parseaddr

from newsletter.compile.render import Theme
from newsletter.compile.words import Words
from newsletter.config import Settings
from newsletter.errors import ProviderError
from newsletter.providers.base import Carrier, Outcome

POLICY = SMTP.clone(max_line_length=998)
"""Long header values stay whole: the standard library's own width would turn them into encoded words."""


def confirmation_message(settings: Settings, theme: Theme, address: str, link: str) -> bytes:
    """The mail that asks `address` to confirm at `link`, with CRLF line ends, ready for SMTP.

    It says that a machine wrote it (RFC 3834 section 5) and is no list mail: it has no List-Unsubscribe.
    """
    publication = settings.publication
    _ = Words.spoken_for(publication.language, theme.folders)
    subject = _("Please confirm: {name}", name=publication.name)
    values = {**_.for_templates(), "publication": publication, "subject": subject, "link": link}
    sender = _mailbox(publication.sender)
    message = EmailMessage(POLICY.clone(utf8=not address.isascii()))
    message["From"] = sender
    if publication.reply_to:
        message["Reply-To"] = _mailbox(publication.reply_to)
    message["To"] = address
    message["Subject"] = subject
    message["Date"] = format_datetime(localtime())
    message["Message-ID"] = make_msgid(domain=sender.domain)
    message["Auto-Submitted"] = "auto-generated"
    text, html = (theme.render(f"email/confirmation.{form}.j2", **values) for form in ("txt", "html"))
    message.set_content(text, cte="quoted-printable")
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    return message.as_bytes()


def send_confirmation(settings: Settings, theme: Theme, carrier: Carrier, address: str, link: str) -> None:
    """Ask `address` to confirm at `link`; raises ProviderError if the service did not take the mail."""
    sender = _mailbox(settings.publication.sender).addr_spec
    result = carrier.carry(sender, address, confirmation_message(settings, theme, address, link))
    if result.outcome is not Outcome.ACCEPTED:
        raise ProviderError(f"the confirmation mail was not taken ({result.outcome}): {result.detail}")


def _mailbox(text: str) -> Address:
    import idna

    name, address = parseaddr(text)
    local, _, domain = address.rpartition("@")
    return Address(name, local, domain if domain.isascii() else idna.encode(domain, uts46=True).decode())
