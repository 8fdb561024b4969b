"""The writer's preview over real sockets: what it shows, who may see it, and how it hears of changes."""

import http.client
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from newsletter.compile.edition import Facts
from newsletter.errors import ConfigError
from newsletter.web.preview import create_app, run
from newsletter.web.preview.frame import styled
from newsletter.web.preview.state import Scheme, State, View, Width
from newsletter.workspace import Workspace

SETTINGS = """\
[publication]
id = "k3v9q2m8w1zt"
name = "Wire & Wheel"
url = "https://news.example.org"
from = "Jo Kim <jo@news.example.org>"
postal_address = "1 Example Street"
"""

ISSUE = """\
---
id: 7d3k9v2m1x8q
number: 7
title: A first look
subject: 'Hello {{ subscriber.first_name | default("you") }}'
preheader: What is in it
date: 2026-11-20
---
Dear {{ subscriber.first_name | default("reader") }}, the opening words.

<!-- articles -->

The closing words.
"""

ARTICLE = """\
---
title: The socket
slug: the-socket
---
A paragraph about sockets.

:::figure src=images/dot.png alt="A dot"
:::
"""

DOT = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415478da63f8cfc0000003010100f7033d"
    "860000000049454e44ae426082"
)


@dataclass
class Preview:
    root: Path
    url: str
    path: str

    @property
    def issue(self) -> Path:
        return self.root / "issues" / "7-a-first-look"

    def get(self, path: str = "") -> requests.Response:
        return requests.get(f"{self.url}{self.path}{path}", allow_redirects=False, timeout=30)

    def page(self, query: str = "") -> str:
        return self.get(f"issue/7-a-first-look{query}").text

    def frame(self, path: str, scheme: str = "light") -> requests.Response:
        return self.get(f"frame/7-a-first-look/{scheme}/{path}")

    def changes(self) -> "Changes":
        return Changes(f"{self.url}{self.path}changes")


class Changes:
    """The generations that the server announces."""

    def __init__(self, url: str) -> None:
        self._answer = requests.get(url, stream=True, timeout=20)
        self._lines = self._answer.iter_lines(chunk_size=1, decode_unicode=True)

    def next(self) -> int:
        line = next(line for line in self._lines if line.startswith("data: "))
        return int(line.removeprefix("data: "))

    def close(self) -> None:
        self._answer.close()


@pytest.fixture
def preview(tmp_path, serve):
    root = tmp_path / "workspace"
    folder = root / "issues" / "7-a-first-look"
    (folder / "images").mkdir(parents=True)
    (root / "newsletter.toml").write_text(SETTINGS)
    (folder / "issue.md").write_text(ISSUE)
    (folder / "01-the-socket.md").write_text(ARTICLE)
    (folder / "images" / "dot.png").write_bytes(DOT)
    app = create_app(Workspace.open(root), lambda issue: Facts())
    return Preview(root.resolve(), serve(app), app.state.path)


def test_the_list_names_each_issue_by_number_title_and_date(preview):
    broken = preview.root / "issues" / "8-broken"
    broken.mkdir()
    (broken / "issue.md").write_text("---\ntitel: x\n---\n")

    page = preview.get().text

    assert "Wire &amp; Wheel" in page
    assert re.search(r'<a href="issue/7-a-first-look">.*?7.*?A first look.*?2026-11-20', page, re.DOTALL)
    assert re.search(r'<a href="issue/8-broken">.*?8-broken.*?\d problems?', page, re.DOTALL)


def test_an_issue_shows_how_it_stands_in_an_inbox(preview):
    page = preview.page()

    assert "<b>Jo Kim</b>" in page
    assert '<span class="subject">Hello Ada</span>' in page
    assert "What is in it" in page
    assert re.search(r"<b>[\d,]+</b> <span class=\"quiet\">of 102,400 bytes", page)


def test_what_the_checks_found_stands_beside_it(preview):
    text = preview.issue / "01-the-socket.md"
    text.write_text(ARTICLE.replace("sockets.", "sockets. TODO: more. See [this](http://localhost/x)."))

    page = preview.page()

    assert re.search(r'class="kind">(error|warning)</p>\s*<code>issues/7-a-first-look/01-the-socket.md:\d+', page)


def test_the_frame_shares_nothing_with_the_page_around_it(preview):
    page = preview.page()
    answer = preview.frame("email")

    sandbox = re.search(r'<iframe[^>]* sandbox="([^"]*)"', page)[1]
    assert "allow-same-origin" not in sandbox
    policy = answer.headers["Content-Security-Policy"]
    assert f"sandbox {sandbox}" in policy
    assert "default-src 'none'" in policy
    assert "script-src 'sha256-" in policy


def test_the_email_is_a_sample_readers_copy_whose_links_lead_nowhere(preview):
    html = preview.frame("email").text

    assert "Dear Ada, the opening words." in html
    assert "nlslot" not in html
    assert re.search(r'href="#"[^>]*>[^<]*Unsubscribe', html, re.IGNORECASE)
    assert "/unsubscribe/" not in html


def test_the_text_is_shown_as_text(preview):
    html = preview.frame("text").text

    assert "Dear Ada, the opening words." in re.search(r"<pre>(.*?)</pre>", html, re.DOTALL)[1]


def test_the_web_pages_link_to_each_other_and_have_their_style_and_pictures(preview):
    base = f"{preview.url}{preview.path}frame/7-a-first-look/dark/site/"
    page = preview.frame("site/issues/7-a-first-look/index.html", "dark")
    addresses = re.findall(r'(?:href|src)="([^"#]+)"', page.text)
    local = [requests.compat.urljoin(page.url, a) for a in addresses if not urlsplit(a).scheme]

    assert "the opening words" in page.text
    assert {"style.css", "dot"} <= {name for a in local for name in ("style.css", "dot") if name in a}
    answers = {a.removeprefix(base): requests.get(a, timeout=30) for a in local if a.startswith(base)}
    assert answers["style.css"].headers["Content-Type"].startswith("text/css")
    assert answers["articles/the-socket/"].status_code == 200
    assert [a.content for name, a in answers.items() if name.startswith("images/dot")][:1] == [DOT]


def test_pictures_in_the_email_come_from_this_machine(preview):
    [path] = set(re.findall(r'src="(/[^"]+dot[^"]*\.png)"', preview.frame("email").text))

    assert requests.get(preview.url + path, timeout=30).content == DOT
    assert "news.example.org/images" not in preview.frame("email").text


@pytest.mark.parametrize(
    "path", ["site/../../../../newsletter.toml", "site/%2e%2e/issue.md", "site/issue.md", "nothing"]
)
def test_only_the_issues_own_site_is_served(preview, path):
    connection = http.client.HTTPConnection(urlsplit(preview.url).netloc)
    connection.request("GET", f"{preview.path}frame/7-a-first-look/light/{path}")

    assert connection.getresponse().status == 404
    connection.close()


def test_the_state_of_a_view_stands_in_its_address(preview):
    page = preview.page("?view=text&width=375&scheme=dark")

    assert re.search(r'<iframe class="dark"[^>]*/dark/text"[^>]* width="375"', page)
    assert 'href="?view=web&amp;width=375&amp;scheme=dark"' in page
    assert [re.search(rf'<a[^>]*aria-current="true">{word}<', page) is not None for word in ("Text", "375", "Dark")]


def test_a_state_that_makes_no_sense_is_the_usual_one():
    usual = State(View.EMAIL, Width.DESK, Scheme.LIGHT)

    assert State.of({"view": "fax", "width": "9", "scheme": "", "page": "../x"}, ["a"]) == usual
    assert State.of({"view": "web", "page": "../x"}, ["a", "b"]).page == "a"


def test_dark_and_light_are_answered_whatever_the_browser_prefers():
    css = "@media (prefers-color-scheme: dark) and (max-width: 600px) {a{}} :root { color-scheme: light dark }"

    assert styled(css, Scheme.DARK) == "@media (min-width: 0) and (max-width: 600px) {a{}} :root { color-scheme: dark }"
    assert styled(css, Scheme.LIGHT).startswith("@media (max-width: 0) and")


def test_words_about_dark_mode_stay_as_they_are_written(preview):
    text = preview.issue / "01-the-socket.md"
    text.write_text(ARTICLE.replace("sockets", "(prefers-color-scheme: dark)"))

    assert "about (prefers-color-scheme: dark)." in preview.frame("email", "dark").text


def test_a_fault_is_shown_with_its_place_over_the_last_good_version(preview):
    good = preview.frame("email").text
    changes = preview.changes()
    changes.next()
    (preview.issue / "01-the-socket.md").write_text(ARTICLE + "\n:::figur src=x\n:::\n")
    changes.next()
    changes.close()

    page = preview.page()

    assert "The last good version stands below" in page
    assert "issues/7-a-first-look/01-the-socket.md:10" in page
    assert "did you mean `figure`?" in page
    assert preview.frame("email").text == good


def test_an_issue_that_never_compiled_says_why(preview):
    (preview.issue / "issue.md").write_text("---\ntitle: x\n---\n")

    page = preview.get("issue/7-a-first-look")

    assert page.status_code == 200
    assert "cannot be shown yet" in page.text
    assert "<iframe" not in page.text
    assert preview.frame("email").status_code == 404


def test_a_fault_in_newsletter_toml_is_shown_with_its_line(preview):
    (preview.root / "newsletter.toml").write_text(SETTINGS + "[thema]\n")

    page = preview.get()

    assert page.status_code == 500
    assert "<code>newsletter.toml:7</code>" in page.text


def test_changes_of_words_settings_and_theme_are_announced(preview):
    changes = preview.changes()
    generation = changes.next()
    for file, text in (
        (preview.issue / "01-the-socket.md", ARTICLE.replace("sockets", "plugs")),
        (preview.root / "newsletter.toml", SETTINGS.replace("Wheel", "Will")),
    ):
        file.write_text(text)
        later = changes.next()
        assert later > generation
        generation = later
    changes.close()

    assert "about plugs" in preview.frame("email").text


def test_a_theme_folder_that_is_new_is_watched_too(preview):
    changes = preview.changes()
    changes.next()
    own = preview.root / "templates"
    own.mkdir()
    changes.next()
    shutil.copytree(Workspace.open(preview.root).theme_folders[-1] / "web", own / "web")
    changes.next()
    changes.close()


def test_an_issue_that_is_not_there_is_not_found(preview):
    assert preview.get("issue/99-nothing").status_code == 404
    assert preview.get("issue/..%2f..").status_code == 404


def test_without_the_secret_path_there_is_nothing(preview):
    for path in ("/", "/issue/7-a-first-look", "/x" + preview.path):
        assert requests.get(preview.url + path, timeout=30).status_code == 404


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
def test_another_host_name_is_refused(preview, host):
    answer = requests.get(f"{preview.url}{preview.path}", headers={"Host": host}, timeout=30)

    assert answer.status_code == 400


def test_nothing_on_the_page_comes_from_outside(preview):
    answer = preview.get("issue/7-a-first-look")

    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "http" not in policy
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', answer.text)
    assert preview.get("live.js").headers["Content-Type"].startswith("text/javascript")


def test_an_interrupt_ends_the_server_while_a_page_is_open(preview):
    program = (
        "import sys; from pathlib import Path; from newsletter.compile.edition import Facts\n"
        "from newsletter.web.preview import create_app, run; from newsletter.workspace import Workspace\n"
        "run(create_app(Workspace.open(Path(sys.argv[1])), lambda issue: Facts()),"
        "    ready=lambda url: print(url, flush=True))"
    )
    command = [sys.executable, "-c", program, str(preview.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        changes = Changes(f"{server.stdout.readline().strip()}changes")
        assert changes.next() == 1

        server.send_signal(signal.SIGINT)

        _, said = server.communicate(timeout=10)
        changes.close()
    assert said == ""
    assert server.returncode == 0


def test_a_port_that_is_taken_is_said_in_words(preview):
    taken = urlsplit(preview.url).port

    with pytest.raises(ConfigError, match=f"cannot listen at 127.0.0.1:{taken}"):
        run(create_app(Workspace.open(preview.root), lambda issue: Facts()), port=taken, ready=lambda url: None)
