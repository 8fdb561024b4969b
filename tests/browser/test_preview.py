"""The writer's preview in a browser: words that are saved stand on the screen, where the writer was reading."""

import re
import shutil

import pytest
from playwright.sync_api import expect

from newsletter.compile.edition import Facts
from newsletter.web.preview import create_app
from newsletter.workspace import Workspace, shipped_root

expect.set_options(timeout=30_000)

pytestmark = [pytest.mark.real, pytest.mark.slow]


@pytest.fixture
def folder(tmp_path):
    """The folder of the sample issue in a workspace of its own."""
    shutil.copy(shipped_root() / "newsletter.toml", tmp_path)
    shutil.copytree(shipped_root() / "issues", tmp_path / "issues")
    return next((tmp_path / "issues").glob("*/issue.md")).parent


@pytest.fixture
def page(browser, folder, serve):
    app = create_app(Workspace.open(folder.parent.parent), lambda issue: Facts())
    address = serve(app)
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.outside = []
    page.on("request", lambda request: request.url.startswith(address) or page.outside.append(request.url))
    page.goto(address + app.state.path)
    page.locator(f"a[href='issue/{folder.name}']").click()
    yield page
    assert page.outside == []
    page.close()


def edit(file, old, new):
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")


def test_new_words_show_without_losing_the_place(page, folder):
    letter = page.frame_locator("iframe")
    letter.locator("h1").wait_for()
    page.frames[1].evaluate("scrollTo(0, 700)")

    edit(folder / "issue.md", "<!-- articles -->", "Words of this very moment.\n\n<!-- articles -->")

    letter.get_by_text("Words of this very moment.").wait_for()
    page.frames[1].wait_for_function("scrollY === 700")


def test_a_fault_shows_its_place_and_goes_when_it_is_mended(page, folder):
    edit(folder / "issue.md", "<!-- articles -->", ":::figur src=x\n:::\n\n<!-- articles -->")

    problem = page.get_by_role("alert")
    expect(problem).to_contain_text(re.compile(rf"issues/{folder.name}/issue\.md:\d+"))
    expect(problem).to_contain_text("did you mean `figure`?")
    expect(page.frame_locator("iframe").locator("h1")).to_be_visible()

    edit(folder / "issue.md", ":::figur src=x\n:::\n\n", "")

    expect(problem).to_have_count(0)


def test_a_title_that_changes_is_seen_in_the_bar_and_in_the_inbox(page, folder):
    text = (folder / "issue.md").read_text("utf-8")
    changed = re.sub(r"^title: .*$", "title: Quite another title", text, count=1, flags=re.MULTILINE)

    (folder / "issue.md").write_text(changed, "utf-8")

    expect(page.get_by_role("heading", level=1)).to_contain_text("Quite another title")


def test_tabs_widths_and_schemes(page):
    page.get_by_role("link", name="Dark").click()
    page.get_by_role("link", name="375").click()
    page.get_by_role("link", name="Web").click()

    assert page.url.endswith("view=web&width=375&scheme=dark")
    assert page.locator("iframe").bounding_box()["width"] == 375
    web = page.frame_locator("iframe")
    web.locator("h1").wait_for()
    assert page.frames[1].evaluate("innerWidth") == 375
    ground = page.frames[1].evaluate("getComputedStyle(document.body).backgroundColor")
    assert max(int(part) for part in re.findall(r"\d+", ground)[:3]) < 64

    page.get_by_role("link", name="Text").click()
    expect(page.frame_locator("iframe").locator("pre")).to_be_visible()


def test_the_letter_cannot_reach_the_page_around_it(page):
    page.frame_locator("iframe").locator("h1").wait_for()

    assert page.frames[1].evaluate("origin") == "null"


def test_links_between_pages_are_followed_in_the_frame(page):
    page.get_by_role("link", name="Web").click()
    web = page.frame_locator("iframe")
    web.locator("h1").wait_for()

    web.locator("main a[href*='articles/']").first.click()

    page.frames[1].wait_for_url("**/site/articles/**")
    assert page.frames[1].evaluate("[...document.images].every((image) => image.complete && image.naturalWidth > 0)")
