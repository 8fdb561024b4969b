"""python -m tests.take_pictures: the README's picture of the sample issue, as Chromium shows it now."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from newsletter.cli import run

PICTURE = Path(__file__).parent / "pictures" / "email.png"
GROUND, GAP, HEIGHT = "#d5dbd7", 40, 1240
VIEWS = ((390, "light"), (700, "light"), (390, "dark"))


def main() -> None:
    """Build the sample issue, look at it on a phone, on a desktop and in the dark, and write the picture."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        assert run(["build", "126", "-o", f"{folder}/build"]) == 0
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        shots = [_shot(browser, Path(folder), width, scheme) for width, scheme in VIEWS]
        browser.close()
        width = GAP + sum(Image.open(shot).width + GAP for shot in shots)
        picture = Image.new("RGB", (width, HEIGHT + 2 * GAP), GROUND)
        left = GAP
        for shot in shots:
            image = Image.open(shot)
            picture.paste(image, (left, GAP))
            left += image.width + GAP
        picture.quantize(128).save(PICTURE, optimize=True)
    print(f"wrote {PICTURE}  {PICTURE.stat().st_size:,} bytes")


def _shot(browser: Browser, folder: Path, width: int, scheme: str) -> Path:
    page = browser.new_page(viewport={"width": width, "height": HEIGHT}, color_scheme=scheme)
    page.goto((folder / "build" / "preview.html").as_uri())
    path = folder / f"{width}-{scheme}.png"
    page.screenshot(path=path)
    page.close()
    return path


if __name__ == "__main__":
    main()
