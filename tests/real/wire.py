"""What a copy of an issue must be on the wire, whoever it is for. Asserts; reads with the standard library."""

from __future__ import annotations

import email
import re
from collections import Counter
from datetime import datetime
from email.header import decode_header, make_header
from email.message import EmailMessage, MIMEPart
from email.policy import default
from email.utils import parseaddr
from html.parser import HTMLParser

ONCE = (
    *("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"),
    *("List-Id", "List-Archive", "List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID"),
)
_WITH_PHRASE = {"from", "to", "reply-to", "list-id"}
_ENCODED_WORD = re.compile(r"=\?utf-8\?[bq]\?[!->@-~]+\?=", re.IGNORECASE)


def read(content: bytes) -> EmailMessage:
    """The message, in which the standard library finds no defect."""
    message = email.message_from_bytes(content, policy=default)
    for part in message.walk():
        assert part.defects == []
        for name, value in part.items():
            assert value.defects == (), name
    return message


def text_and_html(message: EmailMessage) -> tuple[str, str]:
    """Both forms decoded: the text first, the HTML last and therefore preferred (RFC 2046 section 5.1.4)."""
    assert message.get_content_type() == "multipart/alternative"
    text, html = message.iter_parts()
    assert [text.get_content_type(), html.get_content_type()] == ["text/plain", "text/html"]
    return _lines(text), _lines(html)


def _lines(part: MIMEPart) -> str:
    return str(part.get_content()).replace("\r\n", "\n")


def mailbox(content: bytes, name: str) -> tuple[str, str]:
    """The words and the address of the header `name`, which holds one mailbox.

    The parser of Python 3.11 leaves a blank between two encoded words of a phrase (RFC 2047 section 6.2 says none;
    https://github.com/python/cpython/issues/128110), so the older functions of the library read it.
    """
    words, address = parseaddr(dict(_headers(content))[name.lower()])
    return str(make_header(decode_header(words))), address


def assert_wire_rules(content: bytes) -> None:
    """RFC 5322 section 2.1.1 and RFC 2045 section 6.7: ASCII, CRLF, header lines to 998 and body lines to 76 bytes."""
    assert content.isascii()
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\x00", content)
    head, _, body = content.partition(b"\r\n\r\n")
    assert max(map(len, head.split(b"\r\n"))) <= 998
    assert max(len(line) for line in body.split(b"\r\n") if b"boundary=" not in line) <= 76


def assert_header_rules(content: bytes, *, unsubscribe: str) -> None:
    """One of each header; one-click unsubscribe at `unsubscribe` (RFC 8058); encoded words only where they may be."""
    headers = _headers(content)
    counts = Counter(name for name, _ in headers)
    assert {name: counts[name.lower()] for name in ONCE} == dict.fromkeys(ONCE, 1)
    values = dict(headers)
    assert values["list-unsubscribe"] == f"<{unsubscribe}>"
    assert unsubscribe.startswith("https://")
    assert values["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    assert re.fullmatch(r"[^<>]+ <[a-z0-9-]+(\.[a-z0-9-]+)+>", values["list-id"])
    assert re.fullmatch(r"<https?://[^<>\s]+>", values["list-archive"])
    assert re.fullmatch(r"[a-z0-9]+:[\w-]+:\w+:\w{5,15}", values["feedback-id"])
    assert re.fullmatch(r"<[0-9a-f]{32}@[a-z0-9.-]+>", values["message-id"])
    assert datetime.strptime(values["date"], "%a, %d %b %Y %H:%M:%S %z").utcoffset() is not None
    for name, value in headers:
        _assert_encoded_words(name, value)


def _assert_encoded_words(name: str, value: str) -> None:
    """RFC 2047 section 5: in running text and in phrases, never in an address, an identifier or a quoted string."""
    words, _, rest = value.partition("<") if name in _WITH_PHRASE else (value, "", "")
    assert "=?" not in rest, name
    for word in words.split():
        if "=?" not in word:
            continue
        assert name in _WITH_PHRASE or name == "subject", name
        assert _ENCODED_WORD.fullmatch(word), f"{name}: {word}"
        assert len(word) <= 75, name


def _headers(content: bytes) -> list[tuple[str, str]]:
    head = content.partition(b"\r\n\r\n")[0].decode("ascii")
    unfolded = re.sub(r"\r\n(?=[ \t])", "", head)
    pairs = (line.split(":", 1) for line in unfolded.split("\r\n"))
    return [(name.lower(), value.strip()) for name, value in pairs]


def words_of(text: str) -> Counter[str]:
    """How often each word stands in `text`."""
    return Counter(re.findall(r"\w+", text))


def words_of_html(html: str) -> Counter[str]:
    """How often each word stands where a reader of `html` sees it."""
    page = _Words()
    page.feed(html)
    page.close()
    return words_of(" ".join(page.seen))


class _Words(HTMLParser):
    """The running text of a page, entities decoded."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._hidden += tag in {"style", "title"}

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in {"style", "title"}

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.seen.append(data)
