"""Draws every picture of the sample issue, the sample's logo and the test issue's dot.

Run it as ``python tests/draw_pictures.py``. It needs Pillow alone (the lettering is Pillow's own font),
takes nothing from outside, and the same Pillow draws the same bytes. Everything is drawn three times too large and
sampled down.
"""

from collections.abc import Iterator, Sequence
from math import cos, dist, radians, sin
from pathlib import Path
from random import Random
from typing import TypeAlias

from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "issues" / "126-a-visit-in-2013" / "images"
SHARED = ROOT / "issues" / "images"
TINY = ROOT / "tests" / "issues" / "tiny" / "issues" / "7-tiny" / "images"

Colour: TypeAlias = tuple[int, ...]
Point: TypeAlias = tuple[float, float]

GREEN = (0x0B, 0x7A, 0x4B)
TINT = (0xEA, 0xF4, 0xEE)
INK = (0x1C, 0x23, 0x20)
WARM = (0xE9, 0xB9, 0x49)
PAPER = (0xFF, 0xFF, 0xFF)
CLEAR = (0, 0, 0, 0)


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """The colour that lies ``share`` of the way from a to b."""
    return tuple(round(x + (y - x) * share) for x, y in zip(a, b, strict=True))


FOREST = mix(INK, GREEN, 0.4)
QUIET = (0x5B, 0x65, 0x5F)
MOSS = mix(GREEN, TINT, 0.62)
CREAM = mix(WARM, PAPER, 0.72)
NIGHT = (0x14, 0x22, 0x1C)
MOON: tuple[float, float] = (1090, 132)


# --- lines and curves ---


def bezier(a: Point, b: Point, c: Point, d: Point, steps: int = 24) -> list[Point]:
    """A cubic curve from a to d, without its first point."""

    def at(t: float, i: int) -> float:
        u = 1 - t
        return u**3 * a[i] + 3 * u * u * t * b[i] + 3 * u * t * t * c[i] + t**3 * d[i]

    return [(at(n / steps, 0), at(n / steps, 1)) for n in range(1, steps + 1)]


def trace(start: Point, *segments: Sequence[Point]) -> list[Point]:
    """A path of straight pieces (one point) and curves (three points)."""
    path = [start]
    for segment in segments:
        if len(segment) == 3:
            path += bezier(path[-1], segment[0], segment[1], segment[2])
        else:
            path += segment
    return path


def arc(centre: Point, radius: float, first: float, last: float, steps: int = 48) -> list[Point]:
    """Points of a circle between two angles in degrees, clockwise from the right as on a screen."""
    angles = (radians(first + (last - first) * n / steps) for n in range(steps + 1))
    return [(centre[0] + radius * cos(t), centre[1] + radius * sin(t)) for t in angles]


def points(text: str) -> list[Point]:
    """Points as they are written in SVG: "x,y x,y"."""
    pairs = (pair.split(",") for pair in text.split())
    return [(float(x), float(y)) for x, y in pairs]


def spline(through: Sequence[Point], steps: int = 12) -> list[Point]:
    """A closed smooth curve through all the points."""
    n = len(through)
    path: list[Point] = []
    for i in range(n):
        before, here, there, after = (through[(i + k) % n] for k in (-1, 0, 1, 2))
        lead = (here[0] + (there[0] - before[0]) / 6, here[1] + (there[1] - before[1]) / 6)
        tail = (there[0] - (after[0] - here[0]) / 6, there[1] - (after[1] - here[1]) / 6)
        path += bezier(here, lead, tail, there, steps)
    return path


def placed(path: Sequence[Point], at: Point, scale: float = 1, flip: bool = False, turn: float = 0) -> list[Point]:
    """The points scaled, mirrored, turned (degrees) and moved."""
    c, s, sign = cos(radians(turn)), sin(radians(turn)), -1 if flip else 1
    scaled = ((x * scale * sign, y * scale) for x, y in path)
    return [(at[0] + x * c - y * s, at[1] + x * s + y * c) for x, y in scaled]


class Canvas:
    """A picture in its final measures, kept three times as large until it is saved."""

    SCALE = 3

    def __init__(self, width: int, height: int, ground: Colour) -> None:
        mode = "RGBA" if len(ground) == 4 else "RGB"
        self.image = Image.new(mode, (width * self.SCALE, height * self.SCALE), ground)
        self.draw = ImageDraw.Draw(self.image)

    def _up(self, path: Sequence[Point]) -> list[Point]:
        return [(x * self.SCALE, y * self.SCALE) for x, y in path]

    def shape(self, path: Sequence[Point], fill: Colour) -> None:
        self.draw.polygon(self._up(path), fill=fill)

    def stroke(self, path: Sequence[Point], fill: Colour, width: float) -> None:
        """A line with round joints and ends."""
        large = self._up(path)
        self.draw.line(large, fill=fill, width=round(width * self.SCALE), joint="curve")
        for end in (path[0], path[-1]):
            self.disc(end, width / 2, fill)

    def dashes(self, a: Point, b: Point, fill: Colour, width: float, count: int) -> None:
        for n in range(count):
            start, end = n / count, (n + 0.55) / count
            ends = [(a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t) for t in (start, end)]
            self.stroke(ends, fill, width)

    def disc(self, centre: Point, radius: float, fill: Colour) -> None:
        x, y = centre
        (left, top), (right, bottom) = self._up([(x - radius, y - radius), (x + radius, y + radius)])
        self.draw.ellipse((left, top, right, bottom), fill=fill)

    def box(self, x: float, y: float, width: float, height: float, fill: Colour, *, radius: float = 0) -> None:
        (left, top), (right, bottom) = self._up([(x, y), (x + width, y + height)])
        self.draw.rounded_rectangle((left, top, right - 1, bottom - 1), radius * self.SCALE, fill=fill)

    def text(self, at: Point, words: str, size: float, fill: Colour, *, anchor: str = "ls", bold: float = 0) -> None:
        """Words at a point. ``bold`` is the share of the size by which strokes grow and letters move apart."""
        face = ImageFont.load_default(size=size * self.SCALE)
        weight = size * self.SCALE * bold
        width = face.getlength(words) + (len(words) - 1) * weight
        (x, y), back = self._up([at])[0], {"l": 0.0, "m": 0.5, "r": 1.0}[anchor[0]]
        for n, letter in enumerate(words):
            kerned = face.getlength(words[: n + 1]) - face.getlength(letter)
            here = (x - width * back + kerned + n * weight, y)
            self.draw.text(
                here, letter, font=face, fill=fill, anchor="l" + anchor[1], stroke_width=weight, stroke_fill=fill
            )

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.image.reduce(self.SCALE).save(path, optimize=True)


# --- things that come more than once ---

WHEELS: tuple[Point, Point] = ((80, -29), (320, -29))


def car_body() -> list[Point]:
    """A low four-door car from the side, 400 long, nose to the left, standing on y = 0."""
    return trace(
        (10, -24),
        [(0, -36), (2, -54), (18, -62)],
        [(56, -78), (100, -84), (140, -87)],
        [(172, -108), (202, -117), (236, -117)],
        [(286, -117), (330, -104), (366, -90)],
        [(382, -87), (394, -82), (396, -72)],
        [(400, -54), (398, -36), (388, -24)],
        arc(WHEELS[1], 34, 8.5, -188.5),
        arc(WHEELS[0], 34, 8.5, -188.5),
    )


def car_windows() -> list[list[Point]]:
    front = trace((158, -88), [(182, -104), (206, -110), (231, -110)], [(231, -88)])
    rear = trace((240, -88), [(240, -110)], [(278, -110), (308, -101), (336, -88)])
    return [front, rear]


def solid_car(canvas: Canvas, at: Point, scale: float, paint: Colour, glass: Colour) -> None:
    """A painted body without wheels."""
    canvas.shape(placed(car_body(), at, scale), paint)
    for window in car_windows():
        canvas.shape(placed(window, at, scale), glass)
    canvas.stroke(placed([(235.5, -84), (234, -34)], at, scale), mix(paint, glass, 0.3), 2)


def wheels(canvas: Canvas, at: Point, scale: float) -> None:
    for hub in placed(WHEELS, at, scale):
        canvas.disc(hub, 29 * scale, INK)
        canvas.disc(hub, 18 * scale, mix(INK, TINT, 0.6))
        canvas.disc(hub, 6 * scale, INK)


def line_car(canvas: Canvas, at: Point, scale: float, colour: Colour, width: float) -> None:
    body = placed(car_body(), at, scale)
    canvas.stroke([*body, body[0]], colour, width)
    for window in car_windows():
        outline = placed(window, at, scale)
        canvas.stroke([*outline, outline[0]], colour, width * 0.7)
    for hub in WHEELS:
        for radius, share in ((27, 0.8), (16, 0.6)):
            canvas.stroke(placed(arc(hub, radius, 0, 360), at, scale), colour, width * share)


def bolt(at: Point, scale: float) -> list[Point]:
    return placed([(10, -50), (-24, 8), (-3, 8), (-10, 50), (24, -12), (3, -12)], at, scale)


def crescent(centre: Point, radius: float, turn: float = 0) -> list[Point]:
    """A moon that is open to the right."""
    outer = arc((0, 0), 1, 45, 315)
    inner = arc((0.43, 0), 0.7595, 291.4, 68.6)
    return placed(outer + inner, centre, radius, turn=turn)


# --- the pictures ---


def profile() -> list[Point]:
    """A head and its neck, looking to the right."""
    return spline(
        points(
            "-34,44 -46,0 -40,-42 -4,-68 34,-54 46,-24 46,-10 61,14 49,21 52,29 47,34 50,41 44,48 46,60 31,70 13,66 "
            "8,92 -6,130 -42,120"
        )
    )


def short_hair() -> list[Point]:
    return spline(points("-40,30 -54,0 -46,-52 -4,-80 40,-66 52,-38 20,-40 -8,-30 -14,-4 -26,14"))


def full_hair() -> list[Point]:
    return spline(points("-38,38 -57,4 -52,-50 -12,-84 42,-76 58,-40 36,-48 6,-42 -8,-16 -22,10"))


def torso() -> list[Point]:
    return spline(points("-36,70 -62,92 -104,128 -128,230 -134,340 -60,420 62,420 76,300 66,190 46,120 12,92"))


def sitter(canvas: Canvas, at: Point, flip: bool, coat: Colour, *, hair: Sequence[Point], hand: Point) -> None:
    """Somebody at a table, as far down as the table lets us see."""
    face = mix(WARM, PAPER, 0.55)
    canvas.shape(placed(profile(), at, 1.2, flip), face)
    canvas.shape(placed(hair, at, 1.2, flip), INK)
    canvas.disc(placed([(-13, 8)], at, 1.2, flip)[0], 14, mix(face, WARM, 0.4))
    canvas.shape(placed(torso(), at, 1.2, flip), coat)
    sleeve = mix(coat, INK, 0.3)
    canvas.disc(placed([(hand[0] + 12, hand[1] - 2)], at, 1.2, flip)[0], 25, face)
    canvas.stroke(placed([(-40, 156), (-24, 264), hand], at, 1.2, flip), sleeve, 56)
    canvas.disc(placed([(hand[0] + 26, hand[1] + 2)], at, 1.2, flip)[0], 21, face)


def cup(canvas: Canvas, x: float, y: float, colour: Colour, flip: bool) -> None:
    side = -1 if flip else 1
    canvas.stroke(arc((x + 25 * side, y - 30), 11, 0, 360), colour, 6)
    right, left = [(26, -8), (14, 0), (0, 0)], [(-14, 0), (-26, -8), (-26, -54)]
    canvas.shape(placed(trace((-26, -54), [(26, -54)], right, left), (x, y)), colour)


def draw_visit() -> Canvas:
    canvas = Canvas(1280, 720, TINT)
    canvas.disc((640, 330), 236, WARM)
    line_car(canvas, (326, 420), 1.57, GREEN, 7)
    sitter(canvas, (196, 268), False, FOREST, hair=short_hair(), hand=(124, 262))
    sitter(canvas, (1084, 268), True, GREEN, hair=full_hair(), hand=(114, 262))
    canvas.box(0, 612, 1280, 108, INK)
    canvas.box(0, 612, 1280, 10, mix(INK, TINT, 0.2))
    cup(canvas, 468, 612, FOREST, flip=True)
    cup(canvas, 812, 612, GREEN, flip=False)
    canvas.shape(placed([(0, 0), (74, 0), (74, -8), (0, -8)], (560, 612)), INK)
    return canvas


def heading(canvas: Canvas, title: str, below: str) -> None:
    canvas.text((72, 116), title, 60, INK, bold=0.028)
    canvas.text((72, 170), below, 34, QUIET)


def draw_pace() -> Canvas:
    canvas = Canvas(1280, 720, TINT)
    heading(canvas, "100,000 in 230 days", "Xiaomi SU7, cars since the launch in 2024")
    left, right, floor, top = 72, 1130, 612, 232

    def at(day: float, cars: float) -> Point:
        return left + (right - left) * day / 230, floor - (floor - top) * cars / 100_000

    start, june, last = at(0, 0), at(94, 27_307), at(230, 100_000)
    for cars in (25_000, 50_000, 75_000, 100_000):
        y = at(0, cars)[1]
        canvas.box(left, y - 1, right - left, 2, mix(TINT, GREEN, 0.14))
        canvas.text((right + 22, y), f"{cars // 1000}k", 30, QUIET, anchor="lm")
    canvas.shape([start, june, last, (right, floor)], mix(TINT, GREEN, 0.17))
    canvas.box(left, floor - 1.5, right - left, 3, INK)
    canvas.dashes(start, last, mix(TINT, INK, 0.5), 3, 44)
    canvas.stroke([start, june, last], GREEN, 9)
    for point in (start, june, last):
        canvas.disc(point, 15, TINT)
        canvas.disc(point, 11, GREEN)
    canvas.disc(last, 22, TINT)
    canvas.disc(last, 17, WARM)
    canvas.text((june[0] + 26, june[1] + 46), "27,307", 40, INK, bold=0.028)
    canvas.text((last[0] - 40, last[1] - 14), "100,000", 40, INK, anchor="rs", bold=0.028)
    canvas.text((596, 392), "435 a day on average", 32, QUIET, anchor="rs")
    canvas.text((322, 597), "290 a day", 32, mix(GREEN, INK, 0.35))
    canvas.text((880, 430), "535 a day", 32, mix(GREEN, INK, 0.35))
    for point, day, anchor in ((start, "28 March", "ls"), (june, "30 June", "ms"), (last, "13 November", "ms")):
        canvas.text((point[0], floor + 52), day, 32, INK, anchor=anchor)
    return canvas


def draw_luxury() -> Canvas:
    canvas = Canvas(1280, 720, TINT)
    heading(canvas, "Ahead of three flagships", "Sold in the United States, first quarter of 2013")
    rows = (("Tesla Model S", 4_750), ("Mercedes-Benz S-Class", 3_077), ("BMW 7 Series", 2_338), ("Audi A8", 1_462))
    for n, (name, cars) in enumerate(rows):
        y = 226 + n * 118
        paint = MOSS if n else GREEN
        width = 960 * cars / rows[0][1]
        canvas.text((72, y + 28), name, 34, INK)
        canvas.box(72, y + 44, width, 52, paint, radius=6)
        canvas.text((72 + width + 22, y + 70), f"{cars:,}", 44, INK, anchor="lm", bold=0.028)
    canvas.shape(bolt((1000, 296), 0.42), WARM)
    return canvas


def sky(canvas: Canvas, left: float, top: float, right: float, bottom: float) -> None:
    """Dawn in flat bands, with the sun half up."""
    bands = (0.0, 0.18, 0.36, 0.55, 0.75, 1.0)
    high = mix(GREEN, TINT, 0.55)
    step = (bottom - top) / len(bands)
    for n, share in enumerate(bands):
        canvas.box(left, top + n * step, right - left, step + 1, mix(high, mix(WARM, PAPER, 0.35), share))
    canvas.shape(arc((880, bottom), 104, 180, 360), WARM)


def draw_mattress() -> Canvas:
    wall, floor = mix(INK, GREEN, 0.3), mix(GREEN, TINT, 0.42)
    canvas = Canvas(1280, 720, wall)
    sky(canvas, 60, 64, 1220, 330)
    for x in (60, 292, 524, 756, 988, 1220):
        canvas.box(x - 9, 64, 18, 270, wall)
    canvas.box(60, 190, 1160, 8, wall)
    canvas.box(0, 440, 1280, 280, floor)
    for x in (69, 301, 533, 765, 997):
        canvas.shape([(x, 440), (x + 214, 440), (x + 74, 720), (x - 140, 720)], mix(floor, CREAM, 0.5))
    for x in (-120, 262, 644, 1026):
        canvas.box(x + 20, 392, 320, 34, mix(INK, GREEN, 0.12))
        solid_car(canvas, (x, 446), 0.9, mix(INK, GREEN, 0.5), mix(FOREST, WARM, 0.45))
    canvas.box(0, 424, 1280, 30, INK)
    for x in (190, 572, 954):
        robot(canvas, x + 62)
    sleeper(canvas)
    return canvas


def robot(canvas: Canvas, x: float) -> None:
    joints = [(x, 400), (x - 8, 312), (x + 54, 248), (x + 96, 292)]
    canvas.stroke(joints, WARM, 17)
    for joint in joints[1:3]:
        canvas.disc(joint, 15, INK)
        canvas.disc(joint, 6, WARM)
    canvas.shape([(x - 28, 426), (x + 28, 426), (x + 17, 384), (x - 17, 384)], INK)


def shoe(canvas: Canvas, x: float, ground: float) -> None:
    upper = trace((x, ground), [(x, ground - 34)], [(x + 8, ground - 38), (x + 18, ground - 38), (x + 25, ground - 34)])
    upper += trace((x + 28, ground - 26), [(x + 40, ground - 20), (x + 62, ground - 22), (x + 66, ground)])
    canvas.shape(upper, INK)
    canvas.box(x - 2, ground - 7, 70, 7, PAPER, radius=3)


def sleeper(canvas: Canvas) -> None:
    """Somebody asleep on a mattress, a phone within reach and the shoes put straight."""
    face = mix(WARM, PAPER, 0.5)
    canvas.box(300, 640, 690, 14, mix(GREEN, INK, 0.4), radius=7)
    canvas.box(300, 586, 690, 60, PAPER, radius=22)
    canvas.box(300, 614, 690, 5, MOSS)
    canvas.shape(spline(points("312,590 318,556 366,550 440,560 476,572 478,592 390,598")), TINT)
    head: Point = (400, 540)
    canvas.shape(placed(profile(), head, 0.74, turn=-80), face)
    canvas.shape(placed(short_hair(), head, 0.74, turn=-80), INK)
    canvas.disc(placed([(-13, 8)], head, 0.74, turn=-80)[0], 8, mix(face, WARM, 0.4))
    canvas.stroke(placed(arc((27, -6), 8, -60, 75), head, 0.74, turn=-80), INK, 3)
    blanket = trace(
        (446, 592),
        [(446, 556), (476, 520), (540, 516)],
        [(600, 512), (650, 538), (706, 536)],
        [(766, 534), (790, 496), (846, 500)],
        [(906, 506), (946, 546), (962, 592)],
    )
    canvas.shape(blanket, GREEN)
    canvas.shape(trace((446, 592), [(446, 556), (476, 520), (540, 516)], [(514, 532), (498, 560), (500, 592)]), MOSS)
    for a, b in (((590, 588), (672, 552)), ((768, 588), (848, 552))):
        canvas.stroke(trace(a, [(a[0] + 6, a[1] - 24), (b[0] - 40, b[1]), b]), mix(GREEN, INK, 0.3), 4)
    canvas.box(196, 646, 76, 8, INK, radius=3)
    canvas.box(200, 644, 68, 3, WARM, radius=1)
    shoe(canvas, 1028, 654)
    shoe(canvas, 1108, 654)


def stars() -> Iterator[tuple[Point, float]]:
    """A scattered sky that is the same each time, and leaves the moon alone."""
    dice = Random(126)
    for _ in range(64):
        where, radius = (dice.random() * 1280, dice.random() * 420), 1.3 + dice.random() * 2
        if dist(where, MOON) > 90:
            yield where, radius


def fir(canvas: Canvas, x: float, ground: float, height: float, colour: Colour) -> None:
    for tier in range(3):
        top = ground - height + tier * height * 0.24
        half = height * (0.16 + 0.07 * tier)
        canvas.shape([(x, top), (x + half, top + height * 0.44), (x - half, top + height * 0.44)], colour)
    canvas.box(x - height * 0.03, ground - height * 0.1, height * 0.06, height * 0.1, colour)


def draw_garage() -> Canvas:
    canvas = Canvas(1280, 720, NIGHT)
    for where, radius in stars():
        canvas.disc(where, radius, mix(NIGHT, TINT, 0.6))
    canvas.shape(crescent(MOON, 58, turn=-28), CREAM)
    canvas.shape(
        trace((0, 720), [(0, 540)], [(300, 490), (700, 520), (1280, 500)], [(1280, 720)]), mix(NIGHT, GREEN, 0.22)
    )
    for x, height in ((96, 330), (210, 240), (1130, 300), (1226, 380)):
        fir(canvas, x, 600, height, mix(NIGHT, GREEN, 0.42))
    canvas.box(0, 592, 1280, 128, mix(NIGHT, GREEN, 0.14))
    house(canvas)
    return canvas


def house(canvas: Canvas) -> None:
    wall, roof, light = mix(NIGHT, GREEN, 0.62), mix(NIGHT, GREEN, 0.3), mix(WARM, PAPER, 0.45)
    canvas.shape([(330, 592), (330, 290), (640, 126), (950, 290), (950, 592)], wall)
    canvas.stroke([(296, 306), (640, 124), (984, 306)], roof, 26)
    canvas.disc((640, 232), 32, roof)
    canvas.disc((640, 232), 24, light)
    canvas.box(616, 230, 48, 4, roof)
    canvas.box(638, 208, 4, 48, roof)
    canvas.box(372, 322, 536, 270, roof, radius=6)
    canvas.box(384, 334, 512, 258, light)
    canvas.shape([(384, 592), (896, 592), (1040, 720), (240, 720)], mix(mix(NIGHT, GREEN, 0.3), CREAM, 0.3))
    for y in (340, 356):
        canvas.box(384, y, 512, 8, mix(light, roof, 0.35))
    canvas.box(826, 420, 44, 66, INK, radius=8)
    canvas.shape(bolt((848, 453), 0.42), WARM)
    canvas.box(424, 588, 400, 8, mix(light, INK, 0.35), radius=4)
    car: Point = (420, 592)
    solid_car(canvas, car, 1.02, GREEN, mix(TINT, GREEN, 0.12))
    wheels(canvas, car, 1.02)
    canvas.disc((800, 530), 9, INK)
    canvas.stroke(trace((848, 486), [(850, 612), (828, 618), (800, 530)]), INK, 6)


def draw_logo() -> Canvas:
    canvas = Canvas(360, 72, CLEAR)
    word = (*mix(GREEN, PAPER, 0.13), 255)
    canvas.box(2, 2, 68, 68, (*GREEN, 255), radius=18)
    canvas.shape(crescent((34, 36), 24), (*PAPER, 255))
    canvas.shape(bolt((47, 36), 0.36), (*WARM, 255))
    canvas.text((86, 32), "The Overnight", 33, word, bold=0.022)
    canvas.text((86, 65), "Charge", 33, word, bold=0.022)
    return canvas


def draw_dot() -> Canvas:
    canvas = Canvas(64, 64, PAPER)
    canvas.disc((32, 32), 24, GREEN)
    return canvas


def main() -> None:
    draw_visit().save(SAMPLE / "visit.png")
    draw_luxury().save(SAMPLE / "luxury.png")
    draw_pace().save(SAMPLE / "pace.png")
    draw_mattress().save(SAMPLE / "mattress.png")
    draw_garage().save(SAMPLE / "garage.png")
    draw_logo().save(SHARED / "logo.png")
    draw_dot().save(TINY / "dot.png")


if __name__ == "__main__":
    main()
