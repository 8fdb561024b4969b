"""Pictures and files beside an article: what is published of them, under which names, and what is refused."""

import hashlib
import io
import json
import random
import struct
import zlib
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageCms, ImageSequence, TiffImagePlugin

from newsletter.compile.darkroom import PIXELS, Unpublishable, develop
from newsletter.compile.edition import Asset, Edition, Facts
from newsletter.compile.metadata import without_metadata
from newsletter.compile.pipeline import compile_issue
from newsletter.compile.render import Theme
from newsletter.compile.slots import specimen_html, specimen_text
from newsletter.errors import ContentError
from newsletter.issue.load import find_issue, load_issue
from newsletter.workspace import Workspace

SETTINGS = """
[publication]
id = "testpubli001"
name = "Volts"
url = "https://volts.example.org"
from = "Jo <jo@volts.example.org>"
postal_address = "1 Road"
"""
ISSUE = '---\nid: abcdefghijkl\nnumber: 3\ntitle: Three\nsubject: ["Three"]\n---\nHello\n\n<!-- articles -->\n'
WIDEST = 1280
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


class Folder:
    """A workspace with one issue, to which pictures and texts are added."""

    def __init__(self, root: Path) -> None:
        self.root, self.issue = root, root / "issues" / "3-three"
        for name in ("images", "files"):
            (self.issue / name).mkdir(parents=True)
        (root / "newsletter.toml").write_text(SETTINGS)
        (self.issue / "issue.md").write_text(ISSUE)

    def picture(self, name: str, data: bytes) -> None:
        (self.issue / "images" / name).write_bytes(data)

    def article(self, body: str) -> None:
        (self.issue / "01-a.md").write_text(f"---\ntitle: A\n---\n{body}\n")

    def compiled(self) -> Edition:
        workspace = Workspace.open(self.root)
        issue = load_issue(workspace, find_issue(workspace, "3"))
        return compile_issue(issue, Theme.of(workspace), Facts(), workspace.settings)

    def published(self, name: str, data: bytes) -> Asset:
        """What is published of the only picture of the only article."""
        self.picture(name, data)
        self.article(f"![A picture](<images/{name}>)")
        (asset,) = self.compiled().assets
        return asset


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setenv("NEWSLETTER_CACHE_DIR", str(tmp_path / "cache"))
    return Folder(tmp_path / "workspace")


def drawn(width: int = 40, height: int = 20, mode: str = "RGB") -> Image.Image:
    """A picture in which left is red and right is blue."""
    image = Image.new("RGB", (width, height), "#d02020")
    image.paste("#2020d0", (width // 2, 0, width, height))
    return image.convert(mode)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def photograph(width: int = 40, height: int = 20, orientation: int = 1, **options: object) -> bytes:
    """A JPEG as a telephone writes it: camera, place, comment, thumbnail of who knows what."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "SecretCam"
    exif[ExifTags.Base.Orientation] = orientation
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (52.0, 31.0, 12.0)
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = b"SecretComment"
    data = encoded(
        drawn(width, height), "JPEG", exif=exif, comment=b"SecretComment", icc_profile=SRGB, quality=95, **options
    )
    xmp = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>SecretPlace</x:xmpmeta>"
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(xmp) + 2) + xmp + data[2:] + b"SecretFilm behind the end"


def moving(kind: str, width: int = 40, frames: int = 3, **options: object) -> bytes:
    images = [Image.new("RGBA", (width, width // 2), (80 * (n % 3), 20, 20 * n, 255)) for n in range(frames)]
    return encoded(images[0], kind, save_all=True, append_images=images[1:], duration=70, loop=0, **options)


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def red_is_on_the(image: Image.Image) -> str:
    """The side of a `drawn` picture where its red is now."""
    rgb, (width, height) = image.convert("RGB"), image.size
    sides = {
        "left": (1, height // 2),
        "right": (width - 2, height // 2),
        "top": (width // 2, 1),
        "bottom": (width // 2, height - 2),
    }
    pairs = (("left", "right"), ("top", "bottom"))
    reds = {side: rgb.getpixel(at)[0] > 128 for side, at in sides.items()}
    return next(side for pair in pairs for side in pair if reds[side] and not all(reds[other] for other in pair))


# What is published


@pytest.mark.parametrize("kind", ["PNG", "GIF", "JPEG"])
def test_what_needs_nothing_passes_byte_for_byte(folder: Folder, kind: str) -> None:
    data = encoded(drawn(), kind)
    asset = folder.published(f"x.{kind.lower().replace('jpeg', 'jpg')}", data)
    assert asset.source.read_bytes() == data
    assert asset.source == asset.origin == folder.issue / "images" / Path(asset.source).name
    assert asset.size == len(data)


def test_a_photograph_loses_where_and_with_what_it_was_taken_and_no_pixel(folder: Folder) -> None:
    data = photograph()
    assert opened(data).getexif().get_ifd(ExifTags.IFD.GPSInfo)
    published = folder.published("me.jpg", data).source.read_bytes()
    image = opened(published)
    assert not image.getexif()
    assert not image.getexif().get_ifd(ExifTags.IFD.GPSInfo)
    assert b"Secret" not in published
    assert not {"exif", "comment", "xmp"} & set(image.info)
    assert image.tobytes() == opened(data).tobytes()
    assert image.info["icc_profile"] == SRGB


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_stands_as_it_was_taken(folder: Folder, orientation: int) -> None:
    asset = folder.published("me.jpg", photograph(60, 30, orientation))
    image = opened(asset.source.read_bytes())
    sideways = orientation in {5, 6, 7, 8}
    assert image.size == ((30, 60) if sideways else (60, 30))
    expected = {1: "left", 2: "right", 3: "right", 4: "left", 5: "top", 6: "top", 7: "bottom", 8: "bottom"}
    assert red_is_on_the(image) == expected[orientation]
    assert not image.getexif()
    assert image.info["icc_profile"] == SRGB


@pytest.mark.parametrize(("kind", "options"), [("JPEG", {}), ("PNG", {}), ("GIF", {}), ("PNG", {"mode": "P"})])
def test_a_wide_picture_is_twice_as_wide_as_the_theme_and_no_wider(kind: str, options: dict[str, str]) -> None:
    made = develop(encoded(drawn(3000, 1501, **options), kind), WIDEST)
    image = opened(made.data)
    assert (made.width, made.height) == image.size == (1280, 640)
    assert image.format == kind
    assert red_is_on_the(image) == "left"
    small = develop(encoded(drawn(300, 150), kind), WIDEST)
    assert (small.width, small.height) == (300, 150)


def test_a_wide_png_stays_one_that_can_be_seen_through() -> None:
    image = Image.new("RGBA", (2560, 100), (255, 0, 0, 0))
    image.paste((0, 0, 255, 255), (0, 0, 1280, 100))
    for written in (image, image.quantize(16, Image.Quantize.FASTOCTREE)):
        made = opened(develop(encoded(written, "PNG"), WIDEST).data).convert("RGBA")
        assert made.size == (1280, 50)
        assert made.getpixel((1200, 25))[3] == 0
        assert made.getpixel((100, 25)) == pytest.approx((0, 0, 255, 255), abs=2)


def test_the_theme_says_what_is_wide(folder: Folder) -> None:
    folder.published("x.png", encoded(drawn(1200, 10), "PNG"))
    (folder.root / "newsletter.toml").write_text(SETTINGS + "[theme]\nwidth = 480\n")
    (asset,) = folder.compiled().assets
    assert opened(asset.source.read_bytes()).size == (960, 8)


@pytest.mark.parametrize("kind", ["WEBP", "AVIF", "TIFF", "BMP"])
def test_what_mail_does_not_show_becomes_jpeg(folder: Folder, kind: str) -> None:
    asset = folder.published(f"x.{kind.lower()}", encoded(drawn(), kind))
    assert asset.path.endswith(".jpg")
    image = opened(asset.source.read_bytes())
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (40, 20))
    assert red_is_on_the(image) == "left"


@pytest.mark.parametrize("kind", ["WEBP", "AVIF", "TIFF"])
def test_or_png_where_one_can_see_through_it(folder: Folder, kind: str) -> None:
    image = drawn(mode="RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    asset = folder.published(f"x.{kind.lower()}", encoded(image, kind))
    made = opened(asset.source.read_bytes())
    assert asset.path.endswith(".png")
    assert made.mode == "RGBA"
    assert made.getchannel("A").getextrema()[0] < 20
    opaque = develop(encoded(drawn(mode="RGBA"), kind), WIDEST)
    assert opaque.kind == "jpeg"


def test_a_tiff_of_16_bits_a_webp_that_is_turned(folder: Folder) -> None:
    grey = Image.new("I;16", (4, 4), 0x8000)
    made = opened(develop(encoded(grey, "TIFF"), WIDEST).data)
    assert (made.mode, made.getpixel((1, 1))) == ("L", pytest.approx(128, abs=2))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    assert develop(encoded(drawn(), "WEBP", exif=exif), WIDEST).height == 40
    turned = TiffImagePlugin.ImageFileDirectory_v2()
    turned[ExifTags.Base.Orientation] = 6
    photo = develop(encoded(drawn(), "TIFF", tiffinfo=turned), WIDEST)
    assert (photo.width, photo.height) == opened(photo.data).size == (20, 40)
    assert red_is_on_the(opened(photo.data)) == "top"


def test_inks_become_light() -> None:
    made = opened(develop(encoded(drawn(mode="CMYK"), "JPEG"), WIDEST).data)
    assert (made.format, made.mode) == ("JPEG", "RGB")
    assert red_is_on_the(made) == "left"
    broken = develop(encoded(drawn(mode="CMYK"), "JPEG", icc_profile=b"no profile at all"), WIDEST)
    assert opened(broken.data).mode == "RGB"


def test_16_bits_become_8() -> None:
    made = develop(png_of(b"\x80\x00" * 3, depth=16), WIDEST)
    assert made.data[24] == 8
    assert opened(made.data).getpixel((0, 0)) == (128, 128, 128)


# What moves


def test_a_moving_gif_stays_as_it_is_but_for_comments() -> None:
    data = moving("GIF")
    made = develop(moving("GIF", comment=b"SecretComment"), WIDEST)
    assert made.data == data
    assert opened(made.data).n_frames == 3


def test_a_wide_moving_gif_is_resized_frame_by_frame() -> None:
    made = opened(develop(moving("GIF", 2000), WIDEST).data)
    assert (made.format, made.size, made.n_frames, made.info["loop"]) == ("GIF", (1280, 640), 3, 0)
    frames = list(ImageSequence.Iterator(made))
    assert [frame.info["duration"] for frame in frames] == [70, 70, 70]
    assert [frame.convert("RGB").getpixel((640, 320))[0] for frame in ImageSequence.Iterator(made)] == pytest.approx(
        [0, 80, 160], abs=8
    )


@pytest.mark.parametrize("kind", ["WEBP", "AVIF"])
def test_a_moving_picture_that_mail_does_not_show_becomes_a_gif(folder: Folder, kind: str) -> None:
    asset = folder.published(f"x.{kind.lower()}", moving(kind))
    made = opened(asset.source.read_bytes())
    assert asset.path.endswith(".gif")
    assert (made.format, made.n_frames, made.size) == ("GIF", 3, (40, 20))


def test_a_moving_png_stays_one(folder: Folder) -> None:
    data = moving("PNG")
    assert develop(data, WIDEST).data == data
    assert opened(develop(moving("PNG", 2000), WIDEST).data).n_frames == 3


def test_a_gif_without_its_last_byte_is_shown_everywhere() -> None:
    data = moving("GIF")
    assert develop(data[:-1], WIDEST).data == data


# What is refused


def refused(folder: Folder, name: str, data: bytes) -> str:
    with pytest.raises(ContentError) as error:
        folder.published(name, data)
    (problem,) = error.value.problems
    assert str(problem.where).endswith("01-a.md:4:1")
    assert problem.hint
    return problem.message


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF"])
def test_a_file_that_was_cut_off(folder: Folder, kind: str) -> None:
    noise = Image.frombytes("RGB", (64, 64), random.Random(1).randbytes(3 * 64 * 64))
    data = encoded(noise, kind)
    name = f"x.{kind.lower().replace('jpeg', 'jpg')}"
    assert "x." in refused(folder, name, data[: len(data) // 2])
    assert "x." in refused(folder, name, data[:40])


def test_a_bomb(folder: Folder) -> None:
    for width, height in ((30_000, 30_000), (9_000, 9_000)):
        bomb = png_of(b"\0" * 3 * width, width, height, rows=1)
        assert refused(folder, "x.png", bomb) == f"x.png has more than {PIXELS // 1_000_000} million pixels"
    small = moving("GIF", frames=12)
    frames = small[:6] + struct.pack("<HH", 5000, 2000) + small[10:]
    assert refused(folder, "x.gif", frames) == f"x.gif has more than {PIXELS // 1_000_000} million pixels"


def test_a_name_that_lies(folder: Folder) -> None:
    assert refused(folder, "x.jpg", encoded(drawn(), "PNG")) == "x.jpg is not what its name says, but PNG"
    for name in ("x.JPG", "x.jpeg", "y.jfif"):
        assert folder.published(name, encoded(drawn(), "JPEG"))


def test_svg_by_its_name(folder: Folder) -> None:
    for svg in (b'<svg xmlns="http://www.w3.org/2000/svg"/>', b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- x -->\n<svg/>'):
        assert refused(folder, "x.svg", svg) == "x.svg is SVG, which Gmail and Outlook do not show"


@pytest.mark.parametrize("data", [b"", b"GIF", b"<html>Not found</html>", b"\0" * 4000])
def test_what_is_no_picture(folder: Folder, data: bytes) -> None:
    assert refused(folder, "x.png", data) == "x.png is not a picture that can be read"


def test_what_cannot_be_read_here_is_named(folder: Folder) -> None:
    heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 100
    assert refused(folder, "x.heic", heic) == "x.heic begins like a HEIC and cannot be read as one"


def test_all_that_is_wrong_is_said_at_once(folder: Folder) -> None:
    folder.picture("a.png", b"no")
    folder.picture("b.png", b"no")
    folder.article("![A](images/a.png)\n\n![B](images/b.png)\n\n![A again](images/a.png)")
    with pytest.raises(ContentError) as error:
        folder.compiled()
    assert [problem.message.partition(" ")[0] for problem in error.value.problems] == ["a.png", "b.png"]


WHOLE = [encoded(drawn(), kind) for kind in ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF")] + [photograph()]


@given(st.sampled_from(WHOLE), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=8), st.floats(0, 1))
def test_a_damaged_file_is_a_picture_or_refused(data: bytes, changes: list[tuple[float, int]], kept: float) -> None:
    damaged = bytearray(data)
    for at, value in changes:
        damaged[int(at * (len(damaged) - 1))] = value
    for tried in (bytes(damaged), bytes(damaged[: int(kept * len(damaged))])):
        try:
            made = develop(tried, WIDEST)
        except Unpublishable:
            continue
        assert opened(made.data).size == (made.width, made.height)


@given(st.sampled_from(["jpeg", "png", "gif"]), st.binary(max_size=200))
def test_metadata_is_taken_out_of_anything_or_nothing(kind: str, rest: bytes) -> None:
    heads = {"jpeg": b"\xff\xd8", "png": b"\x89PNG\r\n\x1a\n", "gif": b"GIF89a"}
    try:
        made = without_metadata(kind, heads[kind] + rest)
    except ValueError:
        return
    assert without_metadata(kind, made) == made


# Names, and what is remembered


def test_a_picture_is_named_after_its_bytes_and_what_was_decided_about_it(folder: Folder) -> None:
    data = encoded(drawn(3000, 1500), "JPEG")
    asset = folder.published("A Photo, taken.jpg", data)
    decided = f"{hashlib.sha256(data).hexdigest()} 1 jpeg 1280x640"
    assert asset.digest == hashlib.sha256(decided.encode()).hexdigest()
    assert asset.path == f"images/a-photo-taken-{asset.digest[:12]}.jpg"
    other = folder.published("A Photo, taken.jpg", encoded(drawn(3000, 1502), "JPEG"))
    assert other.path != asset.path


def test_an_editions_hash_does_not_know_what_this_machines_decoder_made(folder: Folder) -> None:
    folder.published("x.jpg", encoded(drawn(3000, 1500), "JPEG"))
    first = folder.compiled()
    (asset,) = first.assets
    made = asset.source.read_bytes()
    asset.source.write_bytes(made[:-2] + b"\xff\xd9")
    for path in (folder.root.parent / "cache" / "images").iterdir():  # as another Pillow would have made it
        if path.suffix == ".jpg":
            path.write_bytes(encoded(drawn(1280, 640), "JPEG", quality=20))
            record = json.loads(path.with_suffix(".json").read_bytes()) | {"size": path.stat().st_size}
            path.with_suffix(".json").write_text(json.dumps(record))
    again = folder.compiled()
    assert again.assets[0].source.read_bytes() != made
    assert again.hash == first.hash


def test_a_second_build_decodes_nothing_and_a_lost_file_is_made_again(folder: Folder) -> None:
    first = folder.published("x.jpg", photograph(3000, 1500))
    cache = folder.root.parent / "cache" / "images"
    files = {path: path.stat().st_mtime_ns for path in cache.iterdir()}
    assert len(files) == 2
    folder.compiled()
    assert {path: path.stat().st_mtime_ns for path in cache.iterdir()} == files
    made = first.source.read_bytes()
    for lose in (first.source.unlink, lambda: first.source.write_bytes(made[:100]), lambda: forget(cache)):
        lose()
        assert folder.compiled().assets[0] == first
        assert first.source.read_bytes() == made
    assert set(cache.iterdir()) == set(files)


def forget(cache: Path) -> None:
    for record in cache.glob("*.json"):
        record.write_text('{"kind": "jpeg"')


def test_the_work_tree_is_only_read(folder: Folder) -> None:
    folder.picture("x.jpg", photograph(3000, 1500))
    folder.article("![A picture](images/x.jpg)")
    before = {path: path.read_bytes() for path in folder.root.rglob("*") if path.is_file()}
    folder.compiled()
    assert {path: path.read_bytes() for path in folder.root.rglob("*") if path.is_file()} == before


def test_a_cache_that_cannot_be_written_is_said(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder.root.parent / "taken").write_text("a file")
    monkeypatch.setenv("NEWSLETTER_CACHE_DIR", str(folder.root.parent / "taken" / "cache"))
    with pytest.raises(Exception, match=r"the cache folder .* cannot be made"):
        folder.published("x.png", encoded(drawn(), "PNG"))


# How it is shown


def test_width_and_height_are_written_wherever_a_picture_stands(folder: Folder) -> None:
    for name, size in (("big.png", (2560, 640)), ("small.png", (24, 12))):
        folder.picture(name, encoded(drawn(*size), "PNG"))
    folder.article(
        "![Big](images/big.png)\n\nIn a ![small](images/small.png) line, and ![big](images/big.png) too.\n\n"
        ":::post platform=X author=A image=images/big.png alt=Post\nWords.\n:::\n\n"
        ":::figure src=images/small.png alt=Small\nA caption with ![small](images/small.png)\n:::"
    )
    edition = folder.compiled()
    html = edition.variants[0].html.fill(specimen_html)
    for shown in (html, *(page.html for page in edition.pages)):
        images = images_in(shown)
        assert len(images) >= 6 or "index" in shown
        assert [image["alt"] for image in images if not image.get("width")] == []
    assert {image["width"] for image in images_in(html) if image["alt"].lower() == "big"} == {"592"}
    assert {image["width"] for image in images_in(html) if image["alt"].lower() == "small"} == {"24"}


def test_a_picture_lies_beside_the_file_that_shows_it(folder: Folder) -> None:
    folder.picture("x.png", encoded(drawn(8, 8), "PNG"))
    folder.article("![An x](images/x.png)")
    other = folder.root / "issues" / "4-four"
    (other / "images").mkdir(parents=True)
    (other / "images" / "x.png").write_bytes(encoded(drawn(16, 16), "PNG"))
    (other / "issue.md").write_text(ISSUE.replace("abcdefghijkl", "bcdefghijklm").replace("3", "4"))
    (other / "01-again.md").write_text("---\narticle: a\n---\n")
    (other / "02-own.md").write_text("---\ntitle: Own\n---\n![An x](images/x.png)\n")
    workspace = Workspace.open(folder.root)
    issue = load_issue(workspace, other)
    edition = compile_issue(issue, Theme.of(workspace), Facts(), workspace.settings)
    assert {asset.written for asset in edition.assets} == {
        folder.issue / "images" / "x.png",
        other / "images" / "x.png",
    }
    assert {image["width"] for image in images_in(edition.variants[0].html.fill(specimen_html))} == {"8", "16"}


def test_one_picture_by_day_and_one_by_night(folder: Folder) -> None:
    folder.picture("day.png", encoded(drawn(30, 10), "PNG"))
    folder.picture("night.png", encoded(drawn(60, 10), "PNG"))
    folder.article(":::figure src=images/day.png dark=images/night.png alt=Chart link=https://a.example\nA chart\n:::")
    edition = folder.compiled()
    html, page = edition.variants[0].html.fill(specimen_html), edition.pages[1].html
    assert [image["width"] for image in images_in(html)] == ["30", "60"]
    assert html.index("light-img") < html.index('<div class="dark-img" style="display:none;mso-hide:all">')
    assert page.count('<source media="(prefers-color-scheme: dark)" srcset="../../images/night-') == 1
    assert [image["width"] for image in images_in(page)] == ["30"]
    assert edition.variants[0].text.fill(specimen_text).count("[Picture: Chart]") == 1


def test_a_caption_whose_picture_was_lost(folder: Folder) -> None:
    folder.article(':::figure credit="Jo"\nWhat was to be *seen*\n:::')
    edition = folder.compiled()
    html, text = edition.variants[0].html.fill(specimen_html), edition.variants[0].text.fill(specimen_text)
    for shown in (html, *(page.html for page in edition.pages)):
        assert "What was to be <em>seen</em>" in shown
        assert not images_in(shown)
    assert "[Picture: What was to be _seen_]\nJo" in text


def test_a_picture_on_the_web_stays_there_without_a_size(folder: Folder) -> None:
    folder.article("![Theirs](https://elsewhere.example.com/x.jpg)")
    edition = folder.compiled()
    (image,) = images_in(edition.variants[0].html.fill(specimen_html))
    assert image["src"] == "https://elsewhere.example.com/x.jpg"
    assert not edition.assets


@pytest.mark.parametrize("written", ["<images/My picture.png>", "images/My%20picture.png"])
def test_a_name_with_spaces(folder: Folder, written: str) -> None:
    folder.picture("My picture.png", encoded(drawn(), "PNG"))
    folder.article(f"![A picture]({written})")
    assert folder.compiled().assets[0].path.startswith("images/my-picture-")


@pytest.mark.parametrize(
    "src", ["data:image/png;base64," + "A" * 5000, "images/%00.png", "files/%00", "a" * 300 + "%.png"]
)
def test_a_name_that_no_file_can_have(folder: Folder, src: str) -> None:
    folder.article(f"![A]({src})" if not src.startswith("files/") else f"[A]({src})")
    with pytest.raises(ContentError) as error:
        folder.compiled()
    (problem,) = error.value.problems
    assert problem.message.endswith(" is not there")
    assert len(problem.message) < 140


# Files


def test_a_file_is_published_as_it_is_under_a_name_of_its_content(folder: Folder) -> None:
    data = b"%PDF-1.7 figures"
    (folder.issue / "files" / "All figures.PDF").write_bytes(data)
    folder.article(
        "[In prose](<files/All figures.PDF#page=2>), [once more](files/All%20figures.PDF).\n\n"
        ':::button url="files/All figures.PDF"\nThe figures\n:::'
    )
    edition = folder.compiled()
    (asset,) = edition.assets
    digest = hashlib.sha256(data).hexdigest()
    assert asset.path == f"files/all-figures-{digest[:12]}.pdf"
    assert asset.source.read_bytes() == data
    address = f"https://volts.example.org/{asset.path}"
    html, text = edition.variants[0].html.fill(specimen_html), edition.variants[0].text.fill(specimen_text)
    assert html.count(f'href="{address}"') == 2
    assert f'href="{address}#page=2"' in html
    assert f"{address}#page=2" in text
    assert text.count(address) == 3
    page = next(page.html for page in edition.pages if page.path == "articles/a/index.html")
    assert page.count(f'href="../../{asset.path}"') == 2


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("files/none.pdf", "the file files/none.pdf is not there"),
        ("files/../issue.md", "files/../issue.md leaves files/"),
        ("files/%2e%2e/issue.md", "files/%2e%2e/issue.md leaves files/"),
        ("files/../../../../secret.txt", "files/../../../../secret.txt leaves the workspace"),
        ("files/out.txt", "files/out.txt leaves the workspace"),
        ("files/", "the file files/ is not there"),
    ],
)
def test_a_file_that_is_not_there_or_not_ours(folder: Folder, target: str, said: str) -> None:
    (folder.root.parent / "secret.txt").write_text("secret")
    (folder.issue / "files" / "out.txt").symlink_to(folder.root.parent / "secret.txt")
    (folder.issue / "files" / "there.pdf").write_text("x")
    for body in (f"[x]({target})", f":::button url={target}\nx\n:::"):
        folder.article(body)
        with pytest.raises(ContentError) as error:
            folder.compiled()
        (problem,) = error.value.problems
        assert problem.message == said
        assert str(problem.where).endswith("01-a.md:4:1")


# Tools


def images_in(html: str) -> list[dict[str, str]]:
    """The attributes of every <img>."""
    found: list[dict[str, str]] = []

    class Images(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag == "img":
                found.append({name: value or "" for name, value in attrs})

    Images().feed(html)
    return found


def png_of(row: bytes, width: int = 1, height: int = 1, rows: int | None = None, depth: int = 8) -> bytes:
    """A PNG in RGB, written by hand: rows of `row`, `rows` of them where not all are there."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
    body = zlib.compress((b"\0" + row) * (height if rows is None else rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
