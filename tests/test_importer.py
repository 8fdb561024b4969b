"""Texts from elsewhere become articles that the loader reads, with every word in them."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import Collected, ContentError
from newsletter.issue.blocks import Prose
from newsletter.issue.importing.article import Imported, import_article
from newsletter.issue.importing.plaintext import passages, to_markdown
from newsletter.issue.importing.writing import write_article
from newsletter.issue.load import load_issue
from newsletter.issue.markdown import parse
from newsletter.issue.model import Article
from newsletter.issue.prose import Heading, Paragraph, SoftBreak, Text, inlines_of, plain
from newsletter.issue.slug import slugify
from newsletter.issue.source import Source
from newsletter.workspace import Workspace

SEEDS = Path(__file__).parents[2] / "shared" / "seeds"
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


def loaded(tmp_path: Path, *results: Imported) -> tuple[Article, ...]:
    root = tmp_path / "workspace"
    folder = root / "issues" / "1-first"
    folder.mkdir(parents=True, exist_ok=True)
    (root / "newsletter.toml").write_text(
        '[publication]\nid = "k3v9q2m8w1zt"\nname = "N"\nurl = "https://n.example.org"\nfrom = "a@n.example.org"\n'
    )
    (folder / "issue.md").write_text("---\nid: abcdefabcdef\ntitle: One\n---\n")
    for result in results:
        write_article(folder, result)
    return load_issue(Workspace.open(root), folder).articles


def words_of(article: Article) -> list[str]:
    nodes = tuple(node for block in article.blocks if isinstance(block, Prose) for node in block.nodes)
    assert all(isinstance(node, (Paragraph, Heading)) for node in nodes)
    texts = [plain(node.children) for node in nodes if isinstance(node, (Paragraph, Heading))]
    return " ".join([article.title, *texts]).split()


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


def test_single_newlines_between_paragraphs(tmp_path: Path) -> None:
    result = imported(tmp_path, f"{LONG}\nForty Stalls and Not One Free\n{LONG * 2}\n“Never again,” she said.\n")
    assert repairs_of(result) == [("single-newlines", 1), ("unmarked-heading", 2)]
    assert body_of(result).split("\n\n") == [
        LONG.strip(),
        "## Forty Stalls and Not One Free",
        (LONG * 2).strip(),
        "“Never again,” she said.",
    ]


def test_a_paragraph_wrapped_by_hand_stays_one(tmp_path: Path) -> None:
    wrapped = (
        "The charging park by the motorway has forty stalls,\n"
        "and on Sunday evenings every one of them has a car\n"
        "in it."
    )
    result = imported(tmp_path, f"{wrapped}\n\n{wrapped}\n")
    assert body_of(result) == f"{wrapped}\n\n{wrapped}"
    assert result.repairs == ()


def test_a_short_line_that_stands_twice_is_a_caption_and_no_heading(tmp_path: Path) -> None:
    caption = "Ann Ode, who built the park"
    result = imported(tmp_path, "\n\n".join([LONG, caption, LONG * 2, caption, LONG * 3]))
    assert "##" not in result.markdown


def test_lines_with_final_punctuation_or_among_short_ones_are_no_headings(tmp_path: Path) -> None:
    result = imported(tmp_path, "\n\n".join([LONG, "Shall we?", LONG * 2, "Read on", "Or not", LONG * 3]))
    assert "##" not in result.markdown


@pytest.mark.parametrize(
    "line",
    [
        "— Jaan",
        "#126 was the best issue",
        "US$4 billion, $20 billion, RMB 60,000, 1,287 km/h",
        "an aside [as it were] in brackets",
        "2 * 3 = 6 and snake_case_names stay",
        "a < b & c > d, about ~5 km",
        "a no-break space, an ellipsis… and ⚡️",
        "1,000 cars",
    ],
)
def test_what_markdown_reads_as_it_stands_is_left_alone(tmp_path: Path, line: str) -> None:
    result = imported(tmp_path, f"{LONG}\n\n{line}")
    assert body_of(result).endswith(f"\n\n{line}")
    assert result.repairs == ()


@pytest.mark.parametrize(
    ("line", "escaped"),
    [
        ("1. is not a list", "1\\. is not a list"),
        ("- nor is this", "\\- nor is this"),
        ("# 126", "\\# 126"),
        ("> all", "\\> all"),
        ("[looks like it] at the start", "\\[looks like it] at the start"),
        ("see [this](that)", "see \\[this](that)"),
        ("*both* and _both_", "\\*both\\* and \\_both\\_"),
        ("<b>loud</b>", "\\<b>loud\\</b>"),
        ("R&amp;D", "R\\&amp;D"),
        ("Hello {{ first_name }}", "Hello \\{{ first_name }}"),
        ("{{{ three", "\\{\\{{ three"),
        (":::cta", "\\:::cta"),
        ("---", "\\---"),
        ("``code``", "\\`\\`code\\`\\`"),
        ("C:\\*", "C:\\\\*"),
    ],
)
def test_what_markdown_would_read_otherwise_is_escaped_and_named(tmp_path: Path, line: str, escaped: str) -> None:
    result = imported(tmp_path, f"{LONG}\n\n{line}", title="T")
    assert body_of(result).endswith(f"\n\n{escaped}")
    assert repairs_of(result) == [("escaped", 3)]
    (article,) = loaded(tmp_path, result)
    assert words_of(article) == ["T", *LONG.split(), *line.split()]


texts = st.lists(
    st.one_of(
        st.sampled_from([*r"\`*_~[]{}()<>#+-.!|&;:=^$% ab1", "\n", "\n\n", "\u00a0", ":::", "&amp;", "[a]:", "<b>"]),
        st.characters(exclude_categories=("Cc", "Cs")),
    ),
    max_size=60,
).map("".join)


@given(texts)
def test_whatever_a_text_holds_it_is_paragraphs_of_the_same_words(text: str) -> None:
    found, _ = passages(text)
    problems = Collected()
    blocks = parse(Source.of(Path("x.md"), to_markdown(found)[0]), problems).blocks
    problems.stop_if_any()
    nodes = tuple(node for block in blocks if isinstance(block, Prose) for node in block.nodes)
    assert all(isinstance(inline, (Text, SoftBreak)) for inline in inlines_of(nodes))
    words = [word for node in nodes if isinstance(node, Paragraph) for word in plain(node.children).split()]
    assert words == text.split()


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the seed texts are not beside this repository")
@pytest.mark.parametrize("name", ["000_83a864b131782bb5.txt", "004_742a8ab964d61555.txt"])
def test_every_word_of_a_seed_text_arrives(tmp_path: Path, name: str) -> None:
    text = (SEEDS / name).read_text("utf-8")
    result = import_article(SEEDS / name)
    if "title" in result.missing:
        text = f"Untitled {text}"
        result = import_article(SEEDS / name, title="Untitled")
    (article,) = loaded(tmp_path, result)
    assert words_of(article) == text.split()


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the seed texts are not beside this repository")
def test_the_headings_of_the_seed_texts() -> None:
    lines = [
        [repair.line for repair in import_article(seed).repairs if repair.name == "unmarked-heading"]
        for seed in sorted(SEEDS.glob("0*.txt"))
    ]
    assert lines == [[1], [2, 6, 10, 13]]


def test_markdown_keeps_its_marks_and_its_front_matter(tmp_path: Path) -> None:
    source = '---\ntitle: "One: two"\nauthor: Ann\nlayout: post\n---\n\nSome *marks* and {{ a_slot }}.\n\n- a\n- list\n'
    result = imported(tmp_path, source, "source.md")
    assert front_of(result) == {"title": "One: two", "slug": "one-two", "author": "Ann"}
    assert body_of(result) == "Some *marks* and \\{{ a_slot }}.\n\n- a\n- list"
    assert repairs_of(result) == [("dropped-key", 4), ("escaped", 7)]


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
