"""Texts from elsewhere become articles that the loader reads, with every word in them."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
import yaml

from newsletter.errors import ContentError
from newsletter.issue.importing.article import Imported, import_article
from newsletter.issue.importing.writing import write_article
from newsletter.issue.slug import slugify
from tests.imports import loaded

LONG = "The charging park by the motorway has forty stalls, and on Sunday evenings every one of them has a car in it. "


def imported(tmp_path: Path, text: str | bytes, name: str = "source.txt", **given: object) -> Imported:
    source = tmp_path / name
    source.write_bytes(text if isinstance(text, bytes) else text.encode())
    return import_article(source, **given)  # type: ignore[arg-type]


def front_of(result: Imported) -> dict[str, object]:
    _, header, _ = result.markdown.split("---\n", 2)
    values = yaml.safe_load(header)
    assert isinstance(values, dict)
    return values


def body_of(result: Imported) -> str:
    return result.markdown.split("---\n", 2)[2].strip("\n")


def repairs_of(result: Imported) -> list[tuple[str, int]]:
    return [(repair.name, repair.line) for repair in result.repairs]


def test_a_short_first_line_is_the_title_and_a_colon_in_it_survives(tmp_path: Path) -> None:
    result = imported(tmp_path, f"Exclusive: the full post\n\n{LONG}\n")
    assert front_of(result) == {"title": "Exclusive: the full post", "slug": "exclusive-the-full-post"}
    assert body_of(result) == LONG.strip()
    assert repairs_of(result) == [("unmarked-heading", 1)]
    assert result.missing == ("author", "date", "source_url")


def test_what_is_given_stands_in_the_front_matter(tmp_path: Path) -> None:
    result = imported(
        tmp_path,
        LONG,
        title="Forty stalls",
        author="Ann Ode",
        date=datetime.date(2024, 1, 2),
        source_url="https://volt.example/1",
    )
    assert result.missing == ()
    (article,) = loaded(tmp_path, result)
    assert (article.title, article.author, article.slug) == ("Forty stalls", "Ann Ode", "forty-stalls")
    assert (article.date, article.source_url) == (datetime.date(2024, 1, 2), "https://volt.example/1")


def test_a_given_title_beats_the_first_line_which_stays(tmp_path: Path) -> None:
    result = imported(tmp_path, f"A first line\n\n{LONG}", title="Another title")
    assert front_of(result)["title"] == "Another title"
    assert body_of(result).startswith("A first line\n\n")


def test_a_title_that_is_given_and_found_stands_once(tmp_path: Path) -> None:
    assert body_of(imported(tmp_path, f"Forty stalls\n\n{LONG}", title="Forty stalls")) == LONG.strip()


def test_a_text_without_a_title_is_named_after_its_file_and_says_what_is_missing(tmp_path: Path) -> None:
    result = imported(tmp_path, LONG, "Été 2024.txt")
    assert front_of(result) == {"slug": "ete-2024"}
    assert result.missing[0] == "title"
    with pytest.raises(ContentError, match="`title` is missing"):
        loaded(tmp_path, result)


def test_markdown_keeps_its_marks_and_its_front_matter(tmp_path: Path) -> None:
    source = '---\ntitle: "One: two"\nauthor: Ann\nlayout: post\n---\n\nSome *marks* and {{ a_slot }}.\n\n- a\n- list\n'
    result = imported(tmp_path, source, "source.md")
    assert front_of(result) == {"title": "One: two", "slug": "one-two", "author": "Ann"}
    assert body_of(result) == "Some *marks* and \\{{ a_slot }}.\n\n- a\n- list"
    assert repairs_of(result) == [("dropped-key", 4), ("double-braces", 7)]


def test_front_matter_that_would_not_load_is_dropped_by_name(tmp_path: Path) -> None:
    source = "---\ntitle: One\ndate: soon\nslug: Not A Slug\nauthor: '{{ me }}'\nlang: en\n---\n\nWords.\n"
    result = imported(tmp_path, source, "source.md")
    assert front_of(result) == {"title": "One", "slug": "not-a-slug", "lang": "en"}
    assert repairs_of(result) == [("dropped-key", 3), ("dropped-key", 5)]
    assert len(loaded(tmp_path, result)) == 1


def test_pictures_beside_markdown_come_along(tmp_path: Path) -> None:
    (tmp_path / "a folder").mkdir()
    (tmp_path / "a folder" / "a.png").write_bytes(b"a")
    (tmp_path / "lead.png").write_bytes(b"lead")
    body = '![a](a%20folder/a.png "A title") ![gone](gone.png) ![far](https://x.example/a.png) ![up](../up.png)'
    (tmp_path.parent / "up.png").write_bytes(b"up")
    result = imported(tmp_path, f"---\ntitle: One\nimage: lead.png\nalt: Lead\n---\n\n{body}\n", "source.md")
    assert body_of(result) == body.replace("a%20folder/a.png", "images/a.png")
    assert front_of(result)["image"] == "images/lead.png"
    assert result.pictures == {"a.png": b"a", "lead.png": b"lead"}


def test_the_first_heading_of_markdown_is_the_title(tmp_path: Path) -> None:
    result = imported(tmp_path, "\n# On *the* road #\n\nWords.\n", "source.md")
    assert front_of(result)["title"] == "On the road"
    assert body_of(result) == "Words."


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.pdf", b"%PDF", "kind that cannot be imported"),
        ("a.txt", "é".encode("latin-1"), "not UTF-8"),
        ("a.txt", b"a\0b", "is not text"),
        ("a.txt", b" \n\n", "holds no text"),
        ("a.md", b"---\ntitle: a: b\n---\n", "not YAML"),
    ],
)
def test_what_cannot_be_imported_is_refused_in_words(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    with pytest.raises(ContentError, match=message) as error:
        imported(tmp_path, data, name)
    assert error.value.problems[0].where is not None


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="cannot be read"):
        import_article(tmp_path / "nothing.txt")


def test_a_byte_order_mark_and_carriage_returns_are_no_words(tmp_path: Path) -> None:
    result = imported(tmp_path, b"\xef\xbb\xbfA title\r\n\r\nOne.\r\n\r\nTwo.\r\n")
    assert front_of(result)["title"] == "A title"
    assert body_of(result) == "One.\n\nTwo."


def test_articles_are_numbered_on_and_never_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "issue"
    folder.mkdir()
    (folder / "issue.md").touch()
    (folder / "07-old.md").write_text("old")
    first = write_article(folder, imported(tmp_path, LONG, title="Forty stalls"))
    second = write_article(folder, imported(tmp_path, LONG, title="Fifty stalls"))
    assert [first.name, second.name] == ["08-forty-stalls.md", "09-fifty-stalls.md"]
    assert sorted(path.name for path in folder.iterdir()) == ["07-old.md", first.name, second.name, "issue.md"]


def test_the_same_article_is_not_added_twice(tmp_path: Path) -> None:
    folder = tmp_path / "issue"
    folder.mkdir()
    result = imported(tmp_path, LONG, title="Forty stalls")
    write_article(folder, result)
    with pytest.raises(ContentError, match="already"):
        write_article(folder, result)
    assert [path.name for path in folder.iterdir()] == ["01-forty-stalls.md"]


def test_pictures_go_under_images_and_overwrite_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "issue"
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "a.png").write_bytes(b"another")
    (folder / "images" / "same.png").write_bytes(b"same")
    pictures = {"a.png": b"first", "a-2.png": b"second", "same.png": b"same", "../b c.PNG": b"third"}
    body = "![one](images/a.png) ![two](images/a-2.png) ![](images/same.png) ![](images/../b c.PNG)"
    path = write_article(folder, Imported("x", body, (), (), pictures))
    assert (
        path.read_text() == "![one](images/a-2.png) ![two](images/a-2-2.png) ![](images/same.png) ![](images/b-c.png)"
    )
    assert {file.name: file.read_bytes() for file in (folder / "images").iterdir()} == {
        "a.png": b"another",
        "a-2.png": b"first",
        "a-2-2.png": b"second",
        "same.png": b"same",
        "b-c.png": b"third",
    }


def test_an_article_that_cannot_be_written_leaves_no_pictures(tmp_path: Path) -> None:
    folder = tmp_path / "issue"
    folder.mkdir()
    write_article(folder, Imported("x", "words", (), (), {}))
    with pytest.raises(ContentError, match="already"):
        write_article(folder, Imported("x", "words", (), (), {"a.png": b"a"}))
    assert [path.name for path in folder.iterdir()] == ["01-x.md"]


def test_there_is_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="no folder"):
        write_article(tmp_path / "nothing", imported(tmp_path, LONG))


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Exclusive: Lei Jun’s 2013 post", "exclusive-lei-juns-2013-post"),
        ("Straße & Café—2023–2024", "strasse-cafe-2023-2024"),
        ("../../etc/passwd", "etc-passwd"),
        ("word " * 30, "-".join(["word"] * 16)),
        ("小米", "article"),
        ("  --  ", "article"),
    ],
)
def test_slugs(title: str, slug: str) -> None:
    assert slugify(title) == slug
