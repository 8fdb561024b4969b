"""The theme's colours, light and dark, from one brand colour, moved until text in it is legible (WCAG 1.4.3, 4.5:1)."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

CONTRAST = 4.5


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours on one ground, as #rrggbb: `brand` is legible on `paper` and `panel`, `on_brand` on `brand`."""

    text: str
    quiet: str
    brand: str
    on_brand: str
    paper: str
    ground: str
    panel: str
    hairline: str


def light(brand: str) -> Palette:
    """The palette on white."""
    panel = _mixed(brand, "#ffffff", 0.92)
    legible = legible_on(brand, panel, towards="#000000")
    return Palette("#1c2320", "#5b655f", legible, "#ffffff", "#ffffff", "#f4f6f4", panel, "#dfe5e1")


def dark(brand: str) -> Palette:
    """The palette on a dark ground."""
    legible = legible_on(_luminous(brand), "#1f2522", towards="#ffffff")
    return Palette("#e7ece9", "#a3aea8", legible, "#0f1211", "#161a18", "#0f1211", "#1f2522", "#2c332f")


def legible_on(colour: str, ground: str, *, towards: str) -> str:
    """`colour`, moved `towards` black or white in steps of 2 % until its contrast on `ground` is 4.5:1."""
    for step in range(51):
        moved = _mixed(colour, towards, step / 50)
        if contrast(moved, ground) >= CONTRAST:
            return moved
    return towards


def contrast(first: str, second: str) -> float:
    """The contrast ratio of two colours (WCAG 2.2, "contrast ratio")."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [value / 255 for value in _channels(colour)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _luminous(colour: str) -> str:
    """`colour` in the same hue, as it looks by night: light enough to stand out, and not glaring."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*(value / 255 for value in _channels(colour)))
    shown = colorsys.hls_to_rgb(hue, max(lightness, 0.53), min(saturation, 0.5))
    return "#" + "".join(f"{round(value * 255):02x}" for value in shown)


def _mixed(colour: str, other: str, share: float) -> str:
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
