"""What of a JPEG, PNG or GIF is not the picture: where and with what it was taken, by whom, comments, previews.

Taken out byte by byte, so that no pixel is encoded anew; what is not known to belong to the picture goes. The colour
profile stays: it says what the numbers mean, and a telephone's wide colours look pale without it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_END_OF_SCAN = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = {
    *(b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV"),
    *(b"cLLI", b"bKGD", b"pHYs", b"acTL", b"fcTL", b"fdAT"),
}
_GIF_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")


def without_metadata(kind: str, data: bytes) -> bytes:
    """The file `data` of the format `kind` (jpeg, png or gif) with the picture alone; `data` where it holds no more.

    Raises ValueError where it breaks off or is built in a way that the format does not allow.
    """
    try:
        return _STRIPPED[kind](data)
    except IndexError as error:
        raise ValueError("breaks off") from error


def _jpeg(data: bytes) -> bytes:
    """ITU-T T.81 annex B: markers with segments, scans between them; what lies behind the end is another file."""
    kept, at = [data[:2]], 2
    while True:
        if data[at] != 0xFF:
            raise ValueError("a marker is missing")
        while data[at + 1] == 0xFF:
            at += 1
        marker = data[at + 1]
        if marker == 0xD9:
            return b"".join([*kept, b"\xff\xd9"])
        segment = _exactly(data, at, 2 + int.from_bytes(data[at + 2 : at + 4]))
        kept.append(_jpeg_kept(marker, segment))
        at += len(segment)
        if marker == 0xDA:
            end = _END_OF_SCAN.search(data, at)
            if end is None:
                raise ValueError("breaks off")
            kept.append(data[at : end.start()])
            at = end.start()


def _jpeg_kept(marker: int, segment: bytes) -> bytes:
    if marker == 0xE0 and segment[4:9] == b"JFIF\0":
        return b"\xff\xe0\0\x10" + segment[4:16] + b"\0\0"  # without the thumbnail that it may hold
    profile = marker == 0xE2 and segment[4:16] == b"ICC_PROFILE\0"
    adobe = marker == 0xEE and segment[4:9] == b"Adobe"  # says how colours are written
    metadata = 0xE0 <= marker <= 0xEF or marker == 0xFE
    return b"" if metadata and not profile and not adobe else segment


def _png(data: bytes) -> bytes:
    """PNG (third edition) section 5: chunks of a length, a type, data and a checksum."""
    kept, at = [_exactly(data, 0, len(_PNG_SIGNATURE))], len(_PNG_SIGNATURE)
    while True:
        chunk = _exactly(data, at, 12 + int.from_bytes(data[at : at + 4]))
        kind = chunk[4:8]
        if kind in _PNG_KEPT:
            kept.append(chunk)
        if kind == b"IEND":
            return b"".join(kept)
        at += len(chunk)


def _gif(data: bytes) -> bytes:
    """GIF89a sections 15 to 27. A file without its last byte, the trailer, is shown everywhere, and gets one."""
    at = 13 + _table(data[10])
    kept = [_exactly(data, 0, at)]
    while at < len(data) and data[at] != 0x3B:
        if data[at] == 0x2C:
            end = _behind_blocks(data, at + 11 + _table(data[at + 9]))
            kept.append(data[at:end])
        elif data[at] == 0x21:
            end = _behind_blocks(data, at + 2)
            label, name = data[at + 1], data[at + 3 : at + 14]
            if label in {0xF9, 0x01} or (label == 0xFF and name in _GIF_LOOPS):
                kept.append(data[at:end])
        else:
            raise ValueError("a block is of no known kind")
        at = end
    return b"".join([*kept, b"\x3b"])


def _table(packed: int) -> int:
    """The bytes of the colour table that a GIF's `packed` fields announce."""
    return 3 << ((packed & 7) + 1) if packed & 0x80 else 0


def _behind_blocks(data: bytes, at: int) -> int:
    while size := data[at]:
        at += size + 1
    return at + 1


def _exactly(data: bytes, start: int, length: int) -> bytes:
    found = data[start : start + length]
    if len(found) != length or length < 4:
        raise ValueError("breaks off")
    return found


_STRIPPED: dict[str, Callable[[bytes], bytes]] = {"jpeg": _jpeg, "png": _png, "gif": _gif}
