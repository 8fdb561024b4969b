"""Headers and bodies as bytes on the wire: encoded words, mailboxes, quoted-printable.

Python's email package writes a long URL in a list header as encoded words, which RFC 2047 section 5 forbids and
mailboxes do not read, and is too slow to run once a recipient; the tests hold this file against it as an oracle.
"""

from __future__ import annotations

import base64
import re
import unicodedata

SOFT_BREAK = b"=\r\n"
LINE = 76  # RFC 2045 section 6.7 (5), without the line end
_WORD_BYTES = 45  # 60 characters of base64 and 12 around them: RFC 2047 section 2 allows 75
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
_PLAIN_VALUE = re.compile(rb"[!-<>-~][ -<>-~]{0,50}[!-<>-~]|[!-<>-~]?")
_JOINERS = {"\u200d", "\ufe0e", "\ufe0f", "\u20e3"}


def _quoted(byte: int) -> bytes:
    return bytes([byte]) if 32 <= byte <= 126 and byte != 61 else b"=%02X" % byte


_QUOTED = [_quoted(byte) for byte in range(256)]


def quoted_printable(text: str) -> bytes:
    """`text` in quoted-printable with CRLF line ends (RFC 2045 section 6.7).

    No line is longer than 76 characters, ends in white space or begins with a dot, which SMTP would double or eat
    (RFC 5321 section 4.5.2).
    """
    data = text.encode("utf-8", "replace")
    if _PLAIN_VALUE.fullmatch(data) and not data.startswith(b"."):
        return data
    return b"\r\n".join(_quoted_line(line) for line in data.replace(b"\r\n", b"\n").split(b"\n"))


def _quoted_line(line: bytes) -> bytes:
    pieces = [_QUOTED[byte] for byte in line]
    if pieces and line[-1:] in {b" ", b"\t"}:
        pieces[-1] = b"=%02X" % line[-1]
    lines: list[bytes] = []
    current: list[bytes] = []
    length = 0
    for piece in pieces:
        if length + len(piece) > LINE - 1:  # the last column is for a soft break
            lines.append(b"".join(current))
            current, length = [], 0
        written = b"=2E" if not current and piece == b"." else piece
        current.append(written)
        length += len(written)
    return SOFT_BREAK.join([*lines, b"".join(current)])


def unstructured(name: str, text: str) -> str:
    """A header of free text, such as Subject, folded (RFC 5322 section 2.2.3) and encoded where it must be."""
    clean = _clean(text)
    if clean.isascii() and "=?" not in clean:
        return _folded(f"{name}: {clean}")
    return f"{name}: {_encoded_words(clean, len(name) + 2)}"


def phrase(name: str, words: str, rest: str) -> str:
    """A header that begins with a phrase and goes on with `rest`, as List-Id does (RFC 2919 section 2)."""
    written = _phrase(_clean(words), len(name) + 2)
    return f"{name}: {written} {rest}" if written else f"{name}: {rest}"


def mailbox(name: str, display: str, address: str) -> str:
    """A header with one mailbox (RFC 5322 section 3.4). The address stands unencoded: RFC 2047 section 5 (3)."""
    if not display.strip():
        return f"{name}: {address}"
    line = phrase(name, display, f"<{address}>")
    last = line.rpartition("\r\n")[2]
    return line if len(last) <= LINE else f"{line.rpartition(' ')[0]}\r\n <{address}>"


def _clean(text: str) -> str:
    """`text` on one line, without control characters: nothing in it can begin a header of its own."""
    return "".join(
        " " if c in "\t\r\n" else c for c in text if c in "\t\r\n" or unicodedata.category(c) != "Cc"
    ).strip()


def _phrase(words: str, used: int) -> str:
    if not words.isascii() or "=?" in words:
        return _encoded_words(words, used)
    if _ATOMS.fullmatch(words):
        return words
    escaped = words.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _encoded_words(text: str, used: int) -> str:
    """`text` as encoded words of base64, each of whole characters, parted by line ends; `used` columns are taken."""
    words: list[str] = []
    current = b""
    room = min(_WORD_BYTES, (LINE - used - 12) // 4 * 3)
    for cluster in _clusters(text):
        data = cluster.encode("utf-8", "replace")
        if current and len(current) + len(data) > room:
            words.append(_encoded_word(current))
            current, room = b"", _WORD_BYTES
        current += data
    if current:
        words.append(_encoded_word(current))
    return "\r\n ".join(words)


def _encoded_word(data: bytes) -> str:
    return f"=?utf-8?b?{base64.b64encode(data).decode()}?="


def _clusters(text: str) -> list[str]:
    """Characters with the marks and joiners that belong to them, so that an emoji is not cut in two.

    A cluster longer than an encoded word holds is cut all the same.
    """
    found: list[str] = []
    for character in text:
        joined = found and (
            character in _JOINERS
            or unicodedata.combining(character)
            or found[-1].endswith("\u200d")
            or "\U0001f3fb" <= character <= "\U0001f3ff"
        )
        if joined and len((found[-1] + character).encode("utf-8", "replace")) <= _WORD_BYTES // 3 * 2:
            found[-1] += character
        else:
            found.append(character)
    return found


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
