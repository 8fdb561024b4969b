"""Mail that is not an issue: the one that asks for a confirmation. Nothing that a stranger typed stands in it."""

from __future__ import annotations

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, localtime, make_msgid, parseaddr
from html import escape

from newsletter.config import Settings
from newsletter.errors import ProviderError
from newsletter.providers.base import Carrier, Outcome

POLICY = SMTP.clone(max_line_length=998)
"""Long header values stay whole: the standard library's own width would turn them into encoded words."""

_TEXT = """\
Somebody, most likely you, asked for {name} at this address.

To confirm, open this page and press the button there:

{link}

You did not ask for it? Then do nothing, and nothing more will be sent.

-- 
{footer}
"""

_HTML = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>{subject}</title>
</head>
<body style="margin:0;padding:24px 20px;font:16px/26px -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif">
<p style="margin:0 0 16px">Somebody, most likely you, asked for <strong>{name}</strong> at this address.</p>
<p style="margin:0 0 16px">To confirm, open this page and press the button there:</p>
<p style="margin:0 0 16px"><a href="{link}" style="word-break:break-all">{link}</a></p>
<p style="margin:0 0 24px">You did not ask for it? Then do nothing, and nothing more will be sent.</p>
<p style="margin:0;font-size:13px;line-height:20px">{footer}</p>
</body>
</html>
"""


def confirmation_message(settings: Settings, address: str, link: str) -> bytes:
    """The mail that asks `address` to confirm at `link`, with CRLF line ends, ready for SMTP.

    It says that a machine wrote it (RFC 3834 section 5) and is no list mail: it has no List-Unsubscribe.
    """
    publication = settings.publication
    subject = f"Please confirm: {publication.name}"
    footer = "\n".join(filter(None, (publication.name, publication.postal_address)))
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
    message.set_content(_TEXT.format(name=publication.name, link=link, footer=footer), cte="quoted-printable")
    message.add_alternative(
        _HTML.format(
            subject=escape(subject),
            name=escape(publication.name),
            link=escape(link),
            footer=escape(footer).replace("\n", "<br>"),
        ),
        subtype="html",
        cte="quoted-printable",
    )
    return message.as_bytes()


def send_confirmation(settings: Settings, carrier: Carrier, address: str, link: str) -> None:
    """Ask `address` to confirm at `link`; raises ProviderError if the service did not take the mail."""
    sender = _mailbox(settings.publication.sender).addr_spec
    result = carrier.carry(sender, address, confirmation_message(settings, address, link))
    if result.outcome is not Outcome.ACCEPTED:
        raise ProviderError(f"the confirmation mail was not taken ({result.outcome}): {result.detail}")


def _mailbox(text: str) -> Address:
    import idna

    name, address = parseaddr(text)
    local, _, domain = address.rpartition("@")
    return Address(name, local, domain if domain.isascii() else idna.encode(domain, uts46=True).decode())
