"""Rules about links: where they lead, and what their text promises."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from html import escape
from urllib.parse import urlsplit

from newsletter.checks.case import Case, comparable
from newsletter.checks.rule import Fault, Severity, Unable, rule
from newsletter.compile.channels import safe
from newsletter.issue.blocks import FILES

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_DEAD_SCHEMES = {"javascript", "vbscript", "data", "file", "about"}
_RESERVED = ("example.com", "example.org", "example.net", "example", "test", "invalid")  # RFC 2606, RFC 6761
_LOCAL = ("localhost", "local", "internal", "localdomain")
_VAGUE = {"here", "click here", "click", "more", "read more", "learn more", "link", "this link", "this"}
_ADDRESS = re.compile(r"https?://\S+|(?:[\w-]+\.)+[a-z]{2,}(?:/\S*)?")
_BARE_DOMAIN = re.compile(r"(?:[a-z0-9-]+\.)+(?:com|org|net|edu|gov|info|io|co|eu|de|fr|uk|us)")


@rule("LINK002", Severity.WARNING, "a link without encryption")
def unencrypted(case: Case) -> Iterator[Fault | Unable]:
    """A link that begins with http:// can be read and changed on its way. Source: practice."""
    themed: set[str] = set()
    for link in case.links:
        if link.url.lower().startswith("http://"):
            if link.place is None and _host(link.url) in themed:
                continue
            themed.add(_host(link.url))
            yield Fault(f"{link.url} is not encrypted", link.place, "write https://, if the site has it")


@rule("LINK003", Severity.ERROR, "a link that leads nowhere")
def leads_nowhere(case: Case) -> Iterator[Fault | Unable]:
    """In a mailbox there is no page that a relative address could be relative to; `#`, nothing, and javascript: or
    file: addresses lead nowhere either. What is kept in a letter are whole http:, https:, mailto: and tel: addresses.
    A file in files/ is published with the issue, and its link is made whole. Source: practice; mail clients remove
    javascript: links.
    """
    arrive = {url for page in case.pages for url, _ in page.links}
    for link in case.links:
        url = link.url.strip()
        scheme = _SCHEME.match(url)
        if url.startswith(FILES) and url not in arrive:
            continue
        if url in {"", "#"}:
            yield Fault(f"the link “{link.text}” has no address", link.place, "give it one, or take the link away")
        elif scheme and scheme[1].lower() in _DEAD_SCHEMES:
            yield Fault(f"a {scheme[1].lower()}: link does nothing in mail", link.place, "link to a page on the web")
        elif scheme and not _kept(url):
            yield Fault(f"the address {url} is none that a letter can hold", link.place, "link to a page on the web")
        elif not scheme and not url.startswith("#"):
            yield Fault(f"the address {url} is relative", link.place, _whole_address(url))


@rule("LINK004", Severity.ERROR, "a placeholder for a link")
def placeholder_host(case: Case) -> Iterator[Fault | Unable]:
    """A link to this machine or a private network is an error; one to a name that is reserved for examples
    (example.com, .test and so on; RFC 2606, RFC 6761) a warning. The publication's own domain is never a placeholder.
    """
    own = [_host(case.settings.publication.url), _host(case.settings.public_url)]
    for link in case.links:
        host = _host(link.url)
        if not host or any(_same_site(host, mine) for mine in own):
            continue
        if _is_local(host):
            yield Fault(f"nobody else can reach {host}", link.place, "link to where it is on the web")
        elif _under(host, _RESERVED):
            yield Fault(f"{host} is a name for examples", link.place, "put the real address", Severity.WARNING)


@rule("LINK005", Severity.ERROR, "a link that says another address than it leads to")
def another_address(case: Case) -> Iterator[Fault | Unable]:
    """Text that is an address must name the host that the link leads to; otherwise it looks like phishing.

    Hosts agree when one is the other or below it. Text that is a bare domain, which may be a company's name, is a
    warning. Source: SpamAssassin HTTPS_HTTP_MISMATCH +0.1, rspamd PHISHING +2.0.
    """
    for link in case.links:
        text, host = link.text.strip(), _host(link.url)
        if not host or not _ADDRESS.fullmatch(text):
            continue
        bare = _BARE_DOMAIN.fullmatch(text) is not None
        said = _host(text if "://" in text else f"https://{text}")
        certain = "://" in text or "/" in text or text.startswith("www.")
        if (certain or bare) and not (_under(said, (host,)) or _under(host, (said,))):
            yield Fault(
                f"the link says {said} and leads to {host}",
                link.place,
                "write in words what is there, or link to the address that it says",
                None if certain else Severity.WARNING,
            )


@rule("LINK009", Severity.WARNING, "a link text that says nothing")
def vague_text(case: Case) -> Iterator[Fault | Unable]:
    """ "here", "click here", "read more" and the like: who hears a list of the links learns nothing from them.

    Source: WCAG 2.2, 2.4.4.
    """
    for link in case.links:
        text = link.text.strip(" .,:;!?…→»›").casefold()
        if link.labelled and text in _VAGUE:
            yield Fault(f"the link text “{link.text}” does not say where it leads", link.place, "name what is there")


@rule("TXT002", Severity.WARNING, "a link is not in the text part")
def missing_in_text(case: Case) -> Iterator[Fault | Unable]:
    """Who reads the text part gets the same links as who reads the HTML. Source: practice; rspamd R_PARTS_DIFFER."""
    places = {comparable(link.url): link.place for link in reversed(case.links)}
    reported: set[str] = set()
    for page, text in zip(case.pages, case.texts, strict=True):
        plain = comparable(text)
        for href, words in page.links:
            url = comparable(href)
            if href.startswith(("http://", "https://")) and url not in plain and url not in reported:
                reported.add(url)
                yield Fault(f"the link “{words}” to {href} is not in the text part", places.get(url))


def _kept(url: str) -> bool:
    """Whether the sanitiser leaves a link to `url` in the letter; by id, it is a page of our own."""
    return url.startswith(("article:", "issue:")) or "href" in safe(f'<a href="{escape(url)}">')


def _host(url: str) -> str:
    try:
        host = urlsplit(url).hostname if url.lower().startswith(("http://", "https://")) else None
    except ValueError:  # brackets that hold no IPv6 address
        return ""
    return (host or "").removeprefix("www.").rstrip(".")


def _under(host: str, domains: tuple[str, ...]) -> bool:
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)


def _same_site(host: str, mine: str) -> bool:
    """Whether `host` is `mine`, or both are under the same domain of two labels."""
    if host == mine or _address(host) or _address(mine):
        return host == mine
    return host.split(".")[-2:] == mine.split(".")[-2:]


def _is_local(host: str) -> bool:
    address = _address(host)
    return not address.is_global if address else _under(host, _LOCAL)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _whole_address(url: str) -> str:
    if "@" in url:
        return f"mailto:{url}, if it is a mail address"
    return f"https://{url.lstrip('/')}, if it is on the web; article:slug leads to an article"
