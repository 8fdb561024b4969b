"""Pictures that travel inside the message: how it is built, and that a send stays the same send whatever happens."""

import email
import email.policy
import re
import shutil
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest
from PIL import Image

from newsletter.cli import run
from newsletter.compile.edition import AudienceVariant, Enclosure, from_bytes, to_bytes
from newsletter.compile.slots import cut
from newsletter.message import Composer
from tests.test_message import DATE, edition, recipient, wire_rules

TINY = Path(__file__).parent / "issues" / "tiny"
ONE = Enclosure(id="1@news.example.org", path="images/a-1.png", media_type="image/png", data=bytes(range(256)) * 3)
TWO = Enclosure(id="2@news.example.org", path="images/b-2.jpg", media_type="image/jpeg", data=b"\xff\xd8\xff")


def message(made, audience=0) -> tuple[bytes, EmailMessage]:
    raw = Composer(made, audience=audience, subject=0).message(recipient(), DATE)
    return raw, email.message_from_bytes(raw, policy=email.policy.default)


# How it is built


def test_pictures_stand_beside_the_html_and_not_beside_the_text():
    shown = '<p>A <img src="cid:1@news.example.org"> and <img src="cid:2@news.example.org"></p>\n'
    raw, parsed = message(replace(edition(html=shown), enclosed=(ONE, TWO)))
    wire_rules(raw)
    assert parsed.get_content_type() == "multipart/alternative"
    text, related = parsed.iter_parts()
    assert (text.get_content_type(), related.get_content_type()) == ("text/plain", "multipart/related")
    assert related.get_param("type") == "text/html"  # RFC 2387 section 3.1
    html, *pictures = related.iter_parts()
    assert html.get_content().replace("\r\n", "\n") == shown
    assert [(each.get_content(), each.get_content_type()) for each in pictures] == [
        (ONE.data, "image/png"),
        (TWO.data, "image/jpeg"),
    ]
    assert [each["Content-ID"] for each in pictures] == [f"<{ONE.id}>", f"<{TWO.id}>"]
    assert [each.get_content_disposition() for each in pictures] == ["inline", "inline"]
    assert [each.get_filename() for each in pictures] == ["a-1.png", "b-2.jpg"]
    assert parsed.get_body(("html",)).get_content() == html.get_content()
    assert not list(parsed.iter_attachments())
    assert max(map(len, raw.split(b"\r\n"))) < 999


def test_a_copy_holds_only_the_pictures_that_it_shows():
    plain = edition(html='<img src="cid:1@news.example.org">')
    other = AudienceVariant(conditions=(("tag=pro", True),), html=cut("none"), text=cut("none"))
    made = replace(plain, variants=(*plain.variants, other), enclosed=(ONE, TWO))
    assert [part.get_filename() for part in message(made)[1].walk() if part.get_filename()] == ["a-1.png"]
    raw, parsed = message(made, audience=1)
    assert b"multipart/related" not in raw
    assert [part.get_content_type() for part in parsed.iter_parts()] == ["text/plain", "text/html"]


def test_the_edition_keeps_every_byte():
    made = replace(edition(), enclosed=(ONE, TWO))
    assert from_bytes(to_bytes(made)) == made


# From the folder to the mailbox


@pytest.fixture
def folder(tmp_path, monkeypatch, capsys) -> Path:
    """The tiny newsletter with three readers, a wide picture in mail and one that is on the web alone."""
    folder = tmp_path / "tiny"
    shutil.copytree(TINY, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("NEWSLETTER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("NEWSLETTER_CACHE_DIR", str(tmp_path / "cache"))
    settings = folder / "newsletter.toml"
    said = settings.read_text()
    theme = "[theme]\n" if "[theme]" in said else ""
    images = '[theme]\nimages = "inline"\n'
    settings.write_text(said.replace(theme, images) if theme else f"{said}\n{images}")
    issue = next((folder / "issues").iterdir())
    for name, colour in (("wide", "#d02020"), ("web", "#2020d0")):
        Image.new("RGB", (2000, 10), colour).save(issue / "images" / f"{name}.png")
    (issue / "05-wide.md").write_text("---\ntitle: Wide\n---\n![Red](images/wide.png)\n")
    (issue / "06-web.md").write_text("---\ntitle: Web\nemail: none\n---\n![Blue](images/web.png)\n")
    for name in ("ada", "bo", "cy"):
        assert run(["subscribers", "add", f"{name}@example.org"]) == 0
    capsys.readouterr()
    return folder


def outbox(folder: Path) -> dict[str, EmailMessage]:
    """The messages, by address."""
    paths = (folder.parent / "data" / "outbox" / "new").iterdir()
    copies = [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in paths]
    return {copy["To"].addresses[0].addr_spec: copy for copy in copies}


def pictures(copy: EmailMessage) -> dict[str, bytes]:
    return {str(part["Content-ID"])[1:-1]: part.get_content() for part in copy.walk() if part["Content-ID"]}


def test_what_is_sent_shows_what_it_holds(folder, capsys):
    assert run(["send", "7", "--yes"]) == 0
    assert re.search(r"size +[\d,]+ bytes of HTML, [\d,]+ of pictures inside", capsys.readouterr().out)
    copies = outbox(folder)
    assert len(copies) == 3
    for copy in copies.values():
        held = pictures(copy)
        html = copy.get_body(("html",)).get_content()
        sources = re.findall(r'<img[^>]* src="([^"]+)"', html)
        assert {source.removeprefix("cid:") for source in sources} == set(held)
        assert not any(source.startswith("http") for source in sources)
        names = [part.get_filename() for part in copy.walk() if part.get_filename()]
        assert any(name.startswith("wide-") for name in names)
        assert not any(name.startswith("web-") for name in names)


def test_who_is_sent_to_later_gets_the_same_bytes_whatever_became_of_the_folder(folder):
    assert run(["send", "7", "--yes", "--limit", "1"]) == 0
    (first,) = outbox(folder).values()
    issue = next((folder / "issues").iterdir())
    Image.new("RGB", (30, 30), "#00ff00").save(issue / "images" / "wide.png")
    shutil.rmtree(folder.parent / "cache")
    (folder / "newsletter.toml").write_text((folder / "newsletter.toml").read_text().replace('"inline"', '"linked"'))
    assert run(["resume", "7"]) == 0
    copies = outbox(folder)
    assert len(copies) == 3
    for copy in copies.values():
        assert pictures(copy) == pictures(first)
        assert len(pictures(copy)) > 0


def test_a_build_shows_the_pictures_without_the_mail_around_them(folder):
    assert run(["build", "7"]) == 0
    built = folder / "build" / next((folder / "issues").iterdir()).name
    preview = (built / "preview.html").read_text()
    sources = re.findall(r'<img[^>]* src="([^"]+)"', preview)
    assert sources
    assert all((built / source).is_file() for source in sources)
    assert "cid:" in (built / "email.html").read_text()
    assert not any("cid:" in page.read_text() for page in (built / "web").rglob("*.html"))


def test_linked_pictures_stay_on_the_site(folder):
    settings = folder / "newsletter.toml"
    settings.write_text(settings.read_text().replace('images = "inline"', 'images = "linked"'))
    assert run(["send", "7", "--yes"]) == 0
    for copy in outbox(folder).values():
        assert not pictures(copy)
        assert copy.get_content_type() == "multipart/alternative"
