"""Word documents: what becomes of their styles, and that none of them does any harm."""

from __future__ import annotations

import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.errors import Collected, ContentError
from newsletter.issue.importing import word
from newsletter.issue.importing.draft import Draft
from newsletter.issue.markdown import parse
from newsletter.issue.source import Source
from tests.exports import PICTURE, packed
from tests.imports import words_of_blocks

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
R = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
STYLES = {
    "Title": "Title",
    "Heading1": "heading 1",
    "Heading2": "heading 2",
    "Quote": "Quote",
    "Caption": "caption",
    "Code": "HTML Preformatted",
}


def paragraph(text: str, style: str = "", before: str = "") -> str:
    named = f'<w:pPr><w:pStyle w:val="{style}"/>{before}</w:pPr>' if style or before else ""
    return f"<w:p>{named}{run(text)}</w:p>" if not text.startswith("<w:") else f"<w:p>{named}{text}</w:p>"


def run(text: str, mark: str = "") -> str:
    marks = f"<w:rPr>{mark}</w:rPr>" if mark else ""
    return f'<w:r>{marks}<w:t xml:space="preserve">{text}</w:t></w:r>'


def listed(text: str, level: int = 0, number: int = 1) -> str:
    return paragraph(text, before=f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>')


def row(*cells: str, head: bool = False) -> str:
    said = "<w:trPr><w:tblHeader/></w:trPr>" if head else ""
    return f"<w:tr>{said}{''.join(f'<w:tc>{paragraph(cell)}</w:tc>' for cell in cells)}</w:tr>"


PIC = (
    '<w:r><w:drawing><wp:inline xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing">'
    '<wp:docPr id="1" name="park" descr="A row of cars"/><a:graphic xmlns:a="http://schemas.openxmlformats.org/drawingml/'
    '2006/main"><a:graphicData><pic:pic xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture"><pic:blipFill>'
    '<a:blip r:embed="rId1"/></pic:blipFill></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r>'
)
LINK = f'<w:hyperlink r:id="rId2">{run("the ramp")}</w:hyperlink>'
NOTED = '<w:r><w:footnoteReference w:id="2"/></w:r>'
BODY = "".join(
    [
        paragraph("Forty stalls", "Title"),
        paragraph(f"{run('The queue reaches ')}{LINK}{run(', and is ')}{run('long', '<w:b/>')}{run('.')}{NOTED}"),
        paragraph("Who built it?", "Heading1"),
        listed("Forty stalls"),
        listed("of which two for vans", 1),
        listed("One kiosk"),
        listed("Third", number=2),
        paragraph("Nobody waits twice.", "Quote"),
        paragraph("They go home.", "Quote"),
        paragraph(PIC),
        paragraph("The park at dusk", "Caption"),
        f"<w:tbl>{row('Hour', 'Price', head=True)}{row('Night', '€0.29')}</w:tbl>",
        paragraph("if hour:", "Code"),
        paragraph("    pay()", "Code"),
        paragraph("1. is {{ no }} list"),
    ]
)


def document(path: Path, body: str = BODY, **others: str | bytes) -> Path:
    """A Word document with `body`; `others` replace its parts, named with _ for / and . as in word_styles_xml."""

    def relation(number: int, kind: str, target: str, mode: str = "") -> str:
        return f'<Relationship Id="rId{number}" Type="{OFFICE}/{kind}" Target="{target}"{mode}/>'

    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="{key}"><w:name w:val="{name}"/></w:style>'
        for key, name in STYLES.items()
    )
    bullets = "".join(f'<w:lvl w:ilvl="{n}"><w:numFmt w:val="bullet"/></w:lvl>' for n in range(2))
    inner = "".join(
        [
            relation(1, "image", "media/image1.png"),
            relation(2, "hyperlink", "https://volt.example.org/ramp?a=1&amp;b=2", ' TargetMode="External"'),
            relation(3, "styles", "styles.xml"),
            relation(4, "numbering", "numbering.xml"),
            relation(5, "footnotes", "footnotes.xml"),
        ]
    )
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/>'
        '<Default Extension="png" ContentType="image/png"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        f"{relation(1, 'officeDocument', 'word/document.xml')}</Relationships>",
        "docProps/core.xml": '<c:coreProperties xmlns:c="c" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        "<dc:title>Old title</dc:title><dc:creator>Ann Ode</dc:creator></c:coreProperties>",
        "word/document.xml": f"<w:document {W} {R}><w:body>{body}</w:body></w:document>",
        "word/styles.xml": f"<w:styles {W}>{styles}</w:styles>",
        "word/numbering.xml": f'<w:numbering {W}><w:abstractNum w:abstractNumId="0">{bullets}</w:abstractNum>'
        '<w:abstractNum w:abstractNumId="1"><w:lvl w:ilvl="0"><w:numFmt w:val="decimal"/></w:lvl></w:abstractNum>'
        '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="1"/></w:num>'
        "</w:numbering>",
        "word/footnotes.xml": f'<w:footnotes {W}><w:footnote w:id="2">{paragraph("Not on Mondays.")}</w:footnote>'
        "</w:footnotes>",
        "word/_rels/document.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">{inner}</Relationships>',
        "word/media/image1.png": PICTURE,
    }
    for name in list(parts):
        parts[name] = others.get(name.replace("/", "_").replace(".", "_"), parts[name])
    return packed(path, parts)


def of(tmp_path: Path, body: str = BODY, **others: str | bytes) -> Draft:
    return word.read(document(tmp_path / "text.docx", body, **others))


def test_styles_become_markdown(tmp_path: Path) -> None:
    assert of(tmp_path).body == (
        "# Forty stalls\n\n"
        "The queue reaches [the ramp](https://volt.example.org/ramp?a=1&b=2), and is **long**.[^1]\n\n"
        "## Who built it?\n\n"
        "- Forty stalls\n  - of which two for vans\n- One kiosk\n\n"
        "1. Third\n\n"
        "> Nobody waits twice.\n>\n> They go home.\n\n"
        ':::figure src=images/picture-1.png alt="A row of cars"\nThe park at dusk\n:::\n\n'
        "| Hour | Price |\n| --- | --- |\n| Night | €0.29 |\n\n"
        "```\nif hour:\n    pay()\n```\n\n"
        "1\\. is \\{{ no }} list\n\n"
        "[^1]: Not on Mondays."
    )


def test_its_own_title_beats_the_one_in_its_properties(tmp_path: Path) -> None:
    assert of(tmp_path).front == {"author": "Ann Ode"}
    assert of(tmp_path, paragraph("Words.")).front == {"title": "Old title", "author": "Ann Ode"}


def test_pictures_come_along(tmp_path: Path) -> None:
    assert of(tmp_path).pictures == {"picture-1.png": PICTURE}


def test_a_picture_of_a_kind_that_mail_has_not_is_reported(tmp_path: Path) -> None:
    draft = of(tmp_path, word_media_image1_png=b"\x01\x00\x00\x00 EMF")
    assert draft.pictures == {}
    assert ":::figure\nThe park at dusk\n:::" in draft.body.replace(' alt="A row of cars"', "")
    assert [repair.name for repair in draft.repairs] == ["lost-picture"]


def test_a_picture_outside_the_document_is_not_fetched(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(PICTURE)
    outside = (
        f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" Type="{OFFICE}/image" '
        f'Target="file://{tmp_path}/secret.png" TargetMode="External"/></Relationships>'
    )
    body = paragraph("Words.") + paragraph(PIC.replace("r:embed", "r:link"))
    draft = of(tmp_path, body, word__rels_document_xml_rels=outside)
    assert draft.pictures == {}
    assert [repair.name for repair in draft.repairs] == ["word"]


def test_no_word_is_lost(tmp_path: Path) -> None:
    problems = Collected()
    blocks = parse(Source.of(tmp_path / "a.md", of(tmp_path).body), problems).blocks
    problems.stop_if_any()
    wanted = (
        "Forty stalls The queue reaches the ramp , and is long. Who built it? Forty stalls of which two for vans One "
        "kiosk Third Nobody waits twice. They go home. The park at dusk Hour Price Night €0.29 if hour: pay() 1. is "
        "{{ no }} list Not on Mondays."
    )
    assert sorted(words_of_blocks(blocks)) == sorted(wanted.replace(",", " ").split())


@pytest.mark.parametrize(
    ("others", "message"),
    [
        ({"body": ""}, "holds no text"),
        ({"word_document_xml": "<w:document"}, "is damaged"),
        ({"word_document_xml": '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>'}, "declares what"),
        ({"word_document_xml": '<!DOCTYPE x><x/>'.encode("utf-16")}, "declares what"),
        ({"body": "<w:sdt><w:sdtContent>" * 3000 + "</w:sdtContent></w:sdt>" * 3000}, "is damaged|holds no text"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_in_words(tmp_path: Path, others: dict[str, str], message: str) -> None:
    with pytest.raises(ContentError, match=message) as error:
        of(tmp_path, **others)
    assert error.value.problems[0].where


@pytest.mark.parametrize("data", [b"", b"PK\3\4", b"\xd0\xcf\x11\xe0 an old .doc"])
def test_what_is_no_zip_file_is_refused_in_words(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "text.docx"
    path.write_bytes(data)
    with pytest.raises(ContentError, match="cannot be unpacked"):
        word.read(path)


def test_another_zip_file_is_no_word_document(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="is no Word document"):
        word.read(packed(tmp_path / "text.docx", {"content.xml": "<office/>"}))


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="would unpack to"):
        word.read(packed(tmp_path / "text.docx", {"[Content_Types].xml": "", "word/document.xml": b" " * 30_000_000}))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.integers(0), st.binary(min_size=1, max_size=40), st.sampled_from(["word/document.xml", "word/styles.xml"]))
def test_a_damaged_part_raises_nothing_but_content_errors(tmp_path: Path, at: int, junk: bytes, name: str) -> None:
    path = document(tmp_path / "text.docx")
    with zipfile.ZipFile(path) as archive:
        parts = {entry: archive.read(entry) for entry in archive.namelist()}
    offset = at % len(parts[name])
    parts[name] = parts[name][:offset] + junk + parts[name][offset + len(junk) :]
    with suppress(ContentError):
        word.read(packed(path, parts))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.integers(0), st.binary(min_size=1, max_size=8))
def test_a_damaged_file_raises_nothing_but_content_errors(tmp_path: Path, at: int, junk: bytes) -> None:
    path = document(tmp_path / "text.docx")
    data = path.read_bytes()
    offset = at % len(data)
    path.write_bytes(data[:offset] + junk + data[offset + len(junk) :])
    with suppress(ContentError):
        word.read(path)
