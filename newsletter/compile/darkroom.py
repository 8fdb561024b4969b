"""A picture's file -> the file that is published: its format, size, colours, and which way is up. The only file that
knows Pillow.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from newsletter.compile.formats import format_of
from newsletter.compile.metadata import without_metadata

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

VERSION = 1
"""Of the rules in this file and in metadata.py: with the next number, every picture gets a new name."""

PIXELS = 80_000_000
"""The most that a picture may have, all its frames together: more is a mistake, or an attack on memory."""

QUALITY = 85
"""Of a JPEG that has to be encoded anew, on libjpeg's scale."""

_IN_MAIL = {"jpeg", "png", "gif"}
_MAY_MOVE = {"gif", "png", "webp", "avif"}
_ORIENTATION = 0x0112  # Exif 2.32 section 4.6.4
_TURNED, _SIDEWAYS = range(2, 9), range(5, 9)
_SPACES = {b"RGB ": {"RGB", "RGBA"}, b"GRAY": {"L"}}  # of a colour profile: ICC.1:2022 section 7.2.8
_OPTIONS: dict[str, dict[str, Any]] = {
    "jpeg": {"quality": QUALITY, "optimize": True, "progressive": True},
    "png": {"optimize": True},
    "gif": {},
}
_DAMAGED = (
    *(OSError, SyntaxError, ValueError, TypeError, EOFError, LookupError, ArithmeticError, RuntimeError),
    *(struct.error, zlib.error),
)


class Unpublishable(Exception):
    """Why a file cannot be published as a picture, in words that follow its name, and what to do about it."""

    def __init__(self, reason: str, hint: str = "save it as JPEG or PNG") -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Developed:
    """A file of the format `kind` (jpeg, png or gif) and its size in pixels."""

    data: bytes
    kind: str
    width: int
    height: int


def develop(data: bytes, widest: int) -> Developed:
    """The picture in the file `data` as it goes into mail and onto pages, at most `widest` pixels wide.

    JPEG, PNG and GIF stay what they are, and their pixels untouched where nothing has to change but metadata; WebP,
    AVIF, HEIC, TIFF and BMP become JPEG, PNG where one can see through them, GIF where they move. Raises Unpublishable.
    """
    kind = format_of(data)
    if kind is None:
        raise Unpublishable("is not a picture that can be read", "JPEG, PNG and GIF go into mail")
    if kind == "svg":
        raise Unpublishable("is SVG, which Gmail and Outlook do not show", f"save it as PNG, {widest} pixels wide")
    with _opened(kind, data) as image:
        frames = getattr(image, "n_frames", 1) if kind in _MAY_MOVE else 1
        _refuse_bomb(image, frames)
        turned = 1 if kind == "tiff" else image.getexif().get(_ORIENTATION, 1)  # Pillow turns a TIFF itself
        size = _fitted(image.size[::-1] if turned in _SIDEWAYS else image.size, widest)
        if kind in _IN_MAIL and turned not in _TURNED and size == image.size and not _is_for_print(kind, image, data):
            for frame in range(frames):
                image.seek(frame)
                image.load()
            made, kept = data, kind
        elif frames > 1 or kind == "gif":
            made, kept = _moving(image, kind, size)
        else:
            made, kept = _still(image, kind, size)
        return Developed(without_metadata(kept, made), kept, *size)


@contextmanager
def _opened(kind: str, data: bytes) -> Iterator[ImageFile]:
    """The picture, not decoded yet; whatever its decoder says of it while it is worked on is Unpublishable."""
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data)) as image:
                yield image
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large() from error
    except UnidentifiedImageError as error:
        raise Unpublishable(f"begins like a {kind.upper()} and cannot be read as one") from error
    except _DAMAGED as error:
        raise Unpublishable(f"is damaged or cut off: {error}", "save it anew, or fetch it once more") from error


def _refuse_bomb(image: Image, frames: int) -> None:
    if image.width * image.height * frames > PIXELS:
        raise _too_large()


def _too_large() -> Unpublishable:
    return Unpublishable(f"has more than {PIXELS // 1_000_000} million pixels", "save it smaller")


def _fitted(size: tuple[int, int], widest: int) -> tuple[int, int]:
    width, height = size
    return size if width <= widest else (widest, max(1, round(height * widest / width)))


def _is_for_print(kind: str, image: Image, data: bytes) -> bool:
    """Whether it has inks instead of light, or 16 bits a channel: mail programs show either wrongly or not at all."""
    return image.mode == "CMYK" or (kind == "png" and data[24] == 16)


def _still(image: Image, kind: str, size: tuple[int, int]) -> tuple[bytes, str]:
    from PIL import Image as Pillow
    from PIL import ImageOps

    image.load()
    had_palette = image.mode == "P"
    shown, profile = _on_screen(ImageOps.exif_transpose(image), image.info.get("icc_profile") or b"")
    if shown.size != size:
        shown = shown.resize(size, Pillow.Resampling.LANCZOS, reducing_gap=3)
    kept = kind if kind in _IN_MAIL else "png" if shown.mode == "RGBA" else "jpeg"
    options = _OPTIONS[kept] | ({"icc_profile": profile} if shown.mode in _SPACES.get(profile[16:20], ()) else {})
    if kept == "png" and had_palette:
        shown = shown.quantize(256, Pillow.Quantize.FASTOCTREE)
    return _saved([shown], kept, options), kept


def _on_screen(image: Image, profile: bytes) -> tuple[Image, bytes]:
    """`image` in L, RGB or RGBA, 8 bits a channel, and the colour profile that it then has."""
    if image.mode == "CMYK":
        return _in_light(image, profile), b""
    if image.mode in {"I", "I;16", "I;16B", "I;16L", "I;16N"}:
        return image.convert("I").point(lambda value: value / 256).convert("L"), profile
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return (image, profile) if image.getchannel("A").getextrema()[0] != 255 else (image.convert("RGB"), profile)
    return image.convert("L" if image.mode in {"1", "L", "F"} else "RGB"), profile


def _in_light(image: Image, profile: bytes) -> Image:
    """Inks as sRGB, by their own profile where there is a usable one."""
    from PIL import ImageCms

    try:
        inks = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(image, inks, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        converted = None
    return converted or image.convert("RGB")


def _moving(image: Image, kind: str, size: tuple[int, int]) -> tuple[bytes, str]:
    from PIL import Image as Pillow
    from PIL import ImageSequence

    frames, times = [], []
    for frame in ImageSequence.Iterator(image):
        shown = frame.convert("RGBA")
        frames.append(shown if shown.size == size else shown.resize(size, Pillow.Resampling.LANCZOS, reducing_gap=3))
        times.append(frame.info.get("duration", 0))
    kept = "png" if kind == "png" else "gif"
    if kept == "gif":
        for frame in frames:  # a GIF's pixel is seen through or not
            frame.putalpha(frame.getchannel("A").point(lambda alpha: 255 if alpha > 127 else 0))
    loop = {"loop": image.info["loop"]} if "loop" in image.info else {}
    options = {"save_all": True, "append_images": frames[1:], "duration": times, "disposal": 2 if kept == "gif" else 1}
    return _saved(frames, kept, _OPTIONS[kept] | loop | (options if len(frames) > 1 else {})), kept


def _saved(frames: list[Image], kind: str, options: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    for frame in frames:
        frame.info = {}  # what Pillow would write of where it came from
    frames[0].save(file, kind.upper(), **options)
    return file.getvalue()
