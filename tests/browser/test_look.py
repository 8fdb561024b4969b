"""What a reader sees of the default theme: legible by day and by night, on every width, also without its style."""

import re
from statistics import mode

import pytest

from newsletter.compile.colours import contrast
from newsletter.compile.edition import Facts
from newsletter.compile.pipeline import compile_issue
from newsletter.compile.render import Theme
from newsletter.compile.slots import specimen_html
from newsletter.compile.values import stylesheet
from newsletter.issue.load import latest_issue, load_issue
from tests.everything import everything

pytestmark = [pytest.mark.real, pytest.mark.slow]

SEEN = """() => {
  const colour = (text) => { const n = text.match(/[\\d.]+/g).map(Number); return n[3] === 0 ? null : n.slice(0, 3) };
  const seen = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), element = walker.currentNode.parentElement;
    if (!text || !element.checkVisibility() || element.closest('.skip')) continue;
    let ground = element;
    while (ground && !colour(getComputedStyle(ground).backgroundColor)) ground = ground.parentElement;
    const style = getComputedStyle(element);
    seen.push({ text, colour: colour(style.color), size: parseFloat(style.fontSize),
                ground: ground ? colour(getComputedStyle(ground).backgroundColor) : [255, 255, 255] });
  }
  return seen;
}"""


@pytest.fixture(scope="module")
def surfaces(tmp_path_factory):
    """The letter, the letter without its style element, and the pages with theirs, each as one document."""
    workspace = everything(tmp_path_factory.mktemp("everything"))
    issue, theme = load_issue(workspace, latest_issue(workspace)), Theme.of(workspace)
    edition = compile_issue(issue, theme, Facts(), workspace.settings)
    letter = edition.variants[0].html.fill(specimen_html)
    style = f"<style>{stylesheet(theme, workspace.settings)}</style></head>"
    pages = {page.path: page.html.replace("</head>", style) for page in edition.pages}
    return {
        "letter": letter,
        "letter without style": re.sub(r"<style.*?</style>", "", letter, flags=re.DOTALL),
        "issue": pages["issues/9-everything/index.html"],
        "article": pages["articles/prose/index.html"],
    }


@pytest.fixture
def show(browser, surfaces):
    """show("letter", 375, "dark"): the page that shows it, offline."""
    contexts = []

    def open_page(name, width, scheme):
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True, java_script_enabled=True
        )
        contexts.append(context)
        page = context.new_page()
        page.set_content(surfaces[name], wait_until="domcontentloaded")
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["letter", "letter without style", "issue", "article"])
def test_every_word_is_legible(show, name, scheme):
    def code(channels):
        return "#" + "".join(f"{channel:02x}" for channel in channels)

    seen = show(name, 700, scheme).evaluate(SEEN)
    assert len(seen) > 50
    faint = {one["text"] for one in seen if contrast(code(one["colour"]), code(one["ground"])) < 4.5}
    assert faint == set()
    assert {one["text"] for one in seen if one["size"] < 12} == set()
    ground = mode(tuple(one["ground"]) for one in seen)
    if name != "letter without style":
        assert (sum(ground) < 200) == (scheme == "dark")


@pytest.mark.parametrize("width", [320, 375, 700, 1200])
@pytest.mark.parametrize("name", ["letter", "letter without style", "issue", "article"])
def test_nothing_sticks_out(show, name, width):
    page = show(name, width, "light")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(
    ("name", "width", "paragraph"), [("letter", 700, ".prose > p"), ("article", 1200, ".text > p")]
)
def test_a_line_holds_what_an_eye_can_follow(show, name, width, paragraph):
    page = show(name, width, "light")
    room = page.locator(paragraph).first.evaluate(
        """element => {
          const probe = document.createElement('span');
          probe.style.cssText = 'font: inherit; position: absolute; white-space: nowrap';
          probe.textContent = 'the quick brown fox jumps over the lazy dog and runs away home, as it did';
          element.append(probe);
          return element.clientWidth / (probe.offsetWidth / probe.textContent.length);
        }"""
    )
    assert 55 <= room <= 74


def test_a_keyboard_reaches_the_text_and_the_form(show):
    page = show("article", 1200, "light")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.name || document.activeElement.tagName"))
    assert "email" in reached
    assert "BUTTON" in reached
