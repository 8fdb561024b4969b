"""Headers and bodies as bytes on the wire: encoded words, mailboxes, quoted-printable.

Python's email package writes a long URL in a list header as encoded words, which RFC 2047 section 5 forbids and
mailboxes do not read, and is too slow to run once a recipient; the tests hold this file against it as an oracle.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from binascii import b2a_qp
from urllib.parse import quote

SOFT_BREAK = b"=\r\n"
LINE = 76  # RFC 2045 section 6.7 (5), without the line end
_ROOM = LINE - 1  # the last column is for a soft break
_ROW = re.compile(rb"(?:\..{0,%d}|.{1,%d})(?<!=)(?<!=.)" % (_ROOM - len("=2E"), _ROOM))  # cuts no =XX in two

_WORD_BYTES = 45  # 60 characters of base64 and 12 around them: RFC 2047 section 2 allows 75
_LONGEST = 998  # RFC 5322 section 2.1.1
_UNFOLDED = 450  # so much stands in one line of a header, with a backslash before each character and what is around it
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_NOT_IN_URL = re.compile(r"[^!#-;=?-~]")
_JOINERS = {"\u200d", "\ufe0e", "\ufe0f", "\u20e3"}


def quoted_printable(text: str) -> bytes:
    """`text` in quoted-printable with CRLF line ends (RFC 2045 section 6.7).

    No line is longer than 76 characters, ends in white space or begins with a dot, which SMTP would double or eat
    (RFC 5321 section 4.5.2).
    """
    lines = text.encode("utf-8", "replace").replace(b"\r\n", b"\n").split(b"\n")
    return b"\r\n".join(map(_quoted_line, lines))


def _quoted_line(line: bytes) -> bytes:
    return _in_rows(b2a_qp(line, istext=False).replace(b"=\n", b"").replace(b"\t", b"=09"))


def quoted_printable_ascii(line: str) -> bytes:
    """The same for one line of printable ASCII that does not end in a blank, and quicker."""
    return _in_rows(line.replace("=", "=3D").encode())


def _in_rows(quoted: bytes) -> bytes:
    """`quoted` with soft breaks where it is too long, and the dot quoted that begins a row."""
    if len(quoted) <= _ROOM and not quoted.startswith(b"."):
        return quoted
    rows = SOFT_BREAK.join(_ROW.findall(quoted))
    return (b"\n" + rows).replace(b"\n.", b"\n=2E")[1:]


def unstructured(name: str, text: str) -> str:
    """A header of free text, such as Subject, folded (RFC 5322 section 2.2.3) and encoded where it must be."""
    clean = _clean(text)
    if _needs_encoding(clean):
        return f"{name}: {_encoded_words(clean, len(name) + 2)}"
    return _folded(f"{name}: {clean}")


def phrase(name: str, words: str, rest: str) -> str:
    """A header that begins with a phrase and goes on with `rest`, as List-Id does (RFC 2919 section 2)."""
    written = _phrase(_clean(words), len(name) + 2)
    return f"{name}: {written} {rest}" if written else f"{name}: {rest}"


def mailbox(name: str, display: str, address: str) -> str:
    """A header with one mailbox (RFC 5322 section 3.4). The address stands unencoded: RFC 2047 section 5 (3)."""
    words, bare = _phrase(_clean(display), len(name) + 2), _clean(address)
    if not words:
        return f"{name}: {bare}"
    line = f"{name}: {words}"
    fits = len(line.rpartition("\r\n")[2]) + len(f" <{bare}>") <= LINE
    return f"{line} <{bare}>" if fits else f"{line}\r\n <{bare}>"


def link(name: str, url: str) -> str:
    """A header with one URL, as List-Unsubscribe. What cannot stand in a URL is percent-encoded; one that is too long
    for a line is cut, since white space within the brackets counts for nothing (RFC 2369 section 2).
    """
    escaped = _NOT_IN_URL.sub(lambda found: quote(found[0], errors="replace"), url)
    line = f"{name}: <{escaped}>"
    if len(line) <= _LONGEST:
        return line
    return "\r\n ".join(line[at : at + _LONGEST - 1] for at in range(0, len(line), _LONGEST - 1))


def _clean(text: str) -> str:
    """`text` on one line, without control characters: nothing in it can begin a header of its own."""
    if not text.isprintable():
        text = _CONTROL.sub(lambda found: " " if found[0] in "\t\r\n" else "", text)
    return text.strip()


def _needs_encoding(text: str) -> bool:
    return not text.isascii() or "=?" in text or len(text) > _UNFOLDED


def _phrase(words: str, used: int) -> str:
    if _needs_encoding(words):
        return _encoded_words(words, used)
    if _ATOMS.fullmatch(words):
        return words
    escaped = words.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _encoded_words(text: str, used: int) -> str:
    """`text` as encoded words of base64, each of whole characters, parted by line ends; `used` columns are taken."""
    words: list[str] = []
    room = min(_WORD_BYTES, (LINE - used - 12) // 4 * 3)
    while text:
        end = _fitting(text, room)
        data = text[:end].encode("utf-8", "replace")
        words.append(f"=?utf-8?b?{base64.b64encode(data).decode()}?=")
        text, room = text[end:], _WORD_BYTES
    return "\r\n ".join(words)


def _fitting(text: str, room: int) -> int:
    """How many characters of `text` go into `room` bytes, so that no emoji or mark is cut off from what it belongs to,
    unless that alone is longer.
    """
    most = len(text[:room].encode("utf-8", "replace")[:room].decode("utf-8", "ignore"))
    whole = most
    while 0 < whole < len(text) and _belongs(text[whole - 1], text[whole]):
        whole -= 1
    return whole or most


def _belongs(before: str, character: str) -> bool:
    """Whether `character` is a mark on `before`, or joined to it."""
    return (
        character in _JOINERS
        or before == "\u200d"
        or unicodedata.combining(character) > 0
        or "\U0001f3fb" <= character <= "\U0001f3ff"
    )


def _folded(line: str) -> str:
    """`line` with line ends before white space, where it is longer than a header should be."""
    lines: list[str] = []
    rest = line
    while len(rest) > LINE:
        at = rest.rfind(" ", 1, LINE + 1)
        if at <= (rest.find(": ") + 1 if not lines else 0) or not rest[at:].strip() or not rest[:at].strip():
            at = rest.find(" ", LINE + 1)
            if at == -1 or not rest[at:].strip():
                break
        lines.append(rest[:at])
        rest = rest[at:]
    return "\r\n".join([*lines, rest])
