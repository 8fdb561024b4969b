"""What the interface says in other languages: all of it is translated, values stay values, each line runs its way."""

import datetime
import email
import os
from email.policy import default
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from newsletter.compile.render import Theme
from newsletter.compile.words import Words, fault_in
from newsletter.config import Settings
from newsletter.delivery.transactional import confirmation_message
from newsletter.errors import TemplateError
from newsletter.web.public.look import public_pages
from newsletter.workspace import theme_root
from tests.pages import Read

ROOT = Path(__file__).parent.parent
SHIPPED = sorted((ROOT / "templates" / "locale").glob("*.po"))
SOURCES = {
    "templates": [("**.j2", "jinja2.ext:babel_extract")],
    "newsletter": [("compile/**.py", "python"), ("delivery/**.py", "python"), ("web/public/**.py", "python")],
}
HEADER = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\nPlural-Forms: {}\\n"\n\n'
GERMAN = HEADER.format("nplurals=2; plural=(n != 1);")
ARABIC = HEADER.format(
    "nplurals=6; plural=(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 ? 4 : 5);"
)


@cache
def said() -> Catalog:
    """All messages in the theme and in the program."""
    catalogue = Catalog()
    for folder, methods in SOURCES.items():
        found = extract_from_dir(
            str(ROOT / folder), methods, {"**.j2": {"silent": "false"}}, {"_": None, "ngettext": (1, 2)}
        )
        for name, line, message, _, _ in found:
            catalogue.add(message, locations=[(f"{folder}/{name}", line)])
    return catalogue


def messages(catalogue: Catalog) -> dict[str | tuple[str, ...], Message]:
    return {message.id: message for message in catalogue if message.id}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_catalogue_says_all_that_is_said_and_no_more(path: Path) -> None:
    wanted = messages(said())
    with path.open("rb") as file:
        catalogue = read_po(file, locale=path.stem, abort_invalid=True)
    held = messages(catalogue)
    missing = {name: message.locations[0] for name, message in wanted.items() if name not in held}
    assert missing == {}
    assert sorted(map(str, held.keys() - wanted.keys())) == []
    assert not catalogue.obsolete
    for message in held.values():
        assert not message.fuzzy, message.id
        strings = (message.string,) if isinstance(message.string, str) else message.string
        assert all(text.strip() for text in strings), message.id
        assert fault_in(message) is None


def test_chinese_german_and_arabic_are_shipped() -> None:
    assert {path.stem for path in SHIPPED} >= {"ar", "de", "zh"}


@pytest.fixture
def speaks(tmp_path: Path):
    """speaks(de="...", ar="..."): the folder of a theme with these catalogues."""

    def make(folder: str = "own", **catalogues: str) -> Path:
        for lang, text in catalogues.items():
            path = tmp_path / folder / "locale" / f"{lang.replace('_', '-')}.po"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        return tmp_path / folder

    return make


def test_a_workspaces_words_come_before_the_default_ones_message_by_message(speaks) -> None:
    own = speaks(de=GERMAN + 'msgid "Sponsor"\nmsgstr "Werbung"\n')
    words = Words.of("de", (own, theme_root()))
    assert words("Sponsor") == "Werbung"
    assert words("Unsubscribe") == "Abbestellen"


def test_a_regions_words_come_before_its_languages(speaks) -> None:
    own = speaks(de_AT=GERMAN + 'msgid "Sponsor"\nmsgstr "Einschaltung"\n')
    folders = (own, theme_root())
    assert [Words.of(tag, folders)("Sponsor") for tag in ("de-AT", "de-DE", "de")] == ["Einschaltung"] + ["Anzeige"] * 2
    assert Words.of("de-AT", folders)("Unsubscribe") == "Abbestellen"
    assert Words.of("zh-Hans", folders)("Unsubscribe") == "退订"


@pytest.mark.parametrize("lang", ["tlh", "", "x", "../../de", "de/../de", "\0", "Klingon of the North"])
def test_what_is_no_language_speaks_english(lang: str) -> None:
    words = Words.of(lang, (theme_root(),))
    assert (words("Unsubscribe"), words.dir, words.spoken) == ("Unsubscribe", "ltr", "en")


@given(st.text(max_size=30))
def test_any_language_can_be_asked_for(lang: str) -> None:
    assert Words.of(lang, (theme_root(),))("No. {number}", number=3)


def test_english_can_be_reworded(speaks) -> None:
    own = speaks(en=GERMAN + 'msgid "Unsubscribe"\nmsgstr "Leave"\n')
    assert Words.of("en", (own, theme_root()))("Unsubscribe") == "Leave"


def test_a_catalogue_that_changes_is_read_again(speaks) -> None:
    own = speaks(de=GERMAN + 'msgid "Sponsor"\nmsgstr "Eins"\n')
    assert Words.of("de", (own,))("Sponsor") == "Eins"
    speaks(de=GERMAN + 'msgid "Sponsor"\nmsgstr "Zwei"\n')
    os.utime(own / "locale" / "de.po", (1, 1))
    assert Words.of("de", (own,))("Sponsor") == "Zwei"


def test_what_is_fuzzy_or_empty_is_said_in_english(speaks) -> None:
    own = speaks(de=GERMAN + '#, fuzzy\nmsgid "One {n}"\nmsgstr "Eins"\n\nmsgid "Two"\nmsgstr ""\n')
    words = Words.of("de", (own,))
    assert [words("One {n}", n=1), words("Two")] == ["One 1", "Two"]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('msgid "a"\nmsgstr "b"\nmsgstrr "c"\n', 6, "misformatted"),
        ('msgid "No. {number}"\nmsgstr "Nr. {nummer}"\n', 4, "other names in braces"),
        ('msgid "No. {number}"\nmsgstr "Nummer"\n', 4, "other names in braces"),
        ('msgid "No. {number}"\nmsgstr "Nr. {number"\n', 4, "expected '}'"),
    ],
)
def test_a_broken_catalogue_is_a_fault_with_its_line(speaks, text: str, line: int, said: str) -> None:
    own = speaks(de=GERMAN + text)
    with pytest.raises(TemplateError, match=rf"de\.po:{line}: .*{said}"):
        Words.of("de", (own,))


@pytest.mark.parametrize("content", [b"\xff\xfe", b"nonsense", HEADER.format("nplurals=2; plural=(!!").encode()])
def test_what_is_no_catalogue_is_a_fault_with_its_file(speaks, content: bytes) -> None:
    own = speaks(de="")
    (own / "locale" / "de.po").write_bytes(content)
    with pytest.raises(TemplateError, match=r"de\.po"):
        Words.of("de", (own,))


def test_arabic_has_six_plurals(speaks) -> None:
    forms = ("لا مقالات", "مقال واحد", "مقالان", "{n} مقالات", "{n} مقالًا", "{n} مقال")
    own = speaks(
        ar=ARABIC
        + 'msgid "{n} article"\nmsgid_plural "{n} articles"\n'
        + "".join(f'msgstr[{n}] "{form}"\n' for n, form in enumerate(forms))
    )
    counted = Words.of("ar", (own,)).counted
    said = [counted("{n} article", "{n} articles", n) for n in (0, 1, 2, 3, 10, 11, 99, 100, 103)]
    expected = [*forms[:3], "3 مقالات", "10 مقالات", "11 مقالًا", "99 مقالًا", "100 مقال", "103 مقالات"]
    assert said == expected
    english = Words.of("en", (own,)).counted
    assert [english("{n} article", "{n} articles", n) for n in (1, 2000)] == ["1 article", "2,000 articles"]


@pytest.fixture
def written(tmp_path: Path):
    """written(source, "x.html.j2", lang, **values): what that template makes."""

    def make(source: str, name: str = "x.html.j2", lang: str = "de", **values: object) -> str:
        (tmp_path / name).write_text(source, "utf-8")
        theme = Theme((tmp_path, theme_root()))
        return theme.render(name, **theme.speaking(lang), **values)

    return make


TITLE = "<b> & \"so\" 'on'"


def test_values_in_words_are_escaped_in_html(written) -> None:
    source = '<p>{{ _("Source: {host}", host=title) }}</p>'
    page = written(source, title=TITLE)
    assert "<b>" not in page
    assert Read(page).text.strip() == f"Quelle: {TITLE}"


def test_values_in_words_are_escaped_in_mjml(written) -> None:
    source = '<mj-image alt="{{ _("Source: {host}", host=title) }}" />{{ _("Updated") }}'
    made = written(source, "x.mjml.j2", "zh", title=TITLE)
    assert made == (
        '<mj-image alt="&#26469;&#28304;&#65306;&#60;b&#62; &#38; &#34;so&#34; &#39;on&#39;" />&#24050;&#26356;&#26032;'
    )


def test_values_in_words_of_the_text_part_are_as_they_are(written) -> None:
    assert written('{{ _("Source: {host}", host=title) }}', "x.txt.j2", title=TITLE) == f"Quelle: {TITLE}"


def test_a_link_may_stand_in_a_sentence_and_what_is_beside_it_is_escaped(written, speaks) -> None:
    own = speaks(de=GERMAN + 'msgid "{a} & {b}"\nmsgstr "<{a}> & {b}"\n')
    made = Words.of("de", (own,))("{a} & {b}", a=Markup('<a href="/">x</a>'), b="<i>")
    assert isinstance(made, Markup)
    assert made == '&lt;<a href="/">x</a>&gt; &amp; &lt;i&gt;'
    page = written(
        '{% set x %}<a href="/">{{ title }}</a>{% endset %}{{ _("From issue {issue}", issue=x) }}', title="<b>"
    )
    assert page == 'Aus Ausgabe <a href="/">&lt;b&gt;</a>'


def test_a_value_that_was_forgotten_is_a_fault_of_the_template(written) -> None:
    with pytest.raises(TemplateError, match=r"x\.html\.j2:2: .*without a value for 'number'"):
        written('\n{{ _("No. {number}") }}')


def test_dates_and_numbers_are_in_the_language_of_the_page(written) -> None:
    day = datetime.date(2023, 12, 29)
    source = "{{ day | date }} {{ 1234.5 | number }}"
    assert [written(source, "x.txt.j2", lang, day=day) for lang in ("en", "de", "zh", "ar", "en-US")] == [
        "29 December 2023 1,234.5",
        "29. Dezember 2023 1.234,5",
        "2023年12月29日 1,234.5",
        "29 ديسمبر 2023 1,234.5",
        "29 December 2023 1,234.5",
    ]


def test_a_time_has_its_offset_where_one_was_written() -> None:
    time = datetime.datetime(2024, 11, 13, 7, 40)
    east = time.replace(tzinfo=datetime.timezone(datetime.timedelta(hours=8)))
    english, chinese = (Words.of(lang, (theme_root(),)).date for lang in ("en", "zh"))
    assert [english(time), english(east)] == ["13 November 2024, 07:40", "13 November 2024, 07:40 GMT+08:00"]
    assert chinese(east) == "2024年11月13日 07:40 GMT+08:00"


def test_what_is_written_the_other_way_is_isolated() -> None:
    arabic, english = (Words.of(lang, (theme_root(),)) for lang in ("ar", "en"))
    assert arabic("{handle} on {platform}", handle="@ida", platform="X") == "\u2068@ida\u2069 على \u2068X\u2069"
    assert arabic("No. {number}", number=126) == "العدد 126"
    assert english("on {platform}", platform="X") == "on X"
    assert english("on {platform}", platform="إكس") == "on \u2068إكس\u2069"
    assert arabic.isolated("ليو") == "ليو"


def settings(lang: str) -> Settings:
    publication = {
        "id": "k3v9q2m8w1zt",
        "name": "Strom & Rad",
        "url": "https://news.example.org",
        "language": lang,
        "from": "Jo Kim <jo@news.example.org>",
    }
    return Settings.model_validate({"publication": publication})


def test_the_readers_pages_speak_the_publications_language() -> None:
    page = public_pages(settings("ar"), None).html("public/unsubscribe.html.j2", list_name="<b>")
    read = Read(page)
    assert (read.all("html")[0]["lang"], read.all("html")[0]["dir"]) == ("ar", "rtl")
    assert read.all("button")[0].text == "إلغاء الاشتراك"
    assert not read.all("b")
    french = Read(public_pages(settings("fr"), None).html("public/unsubscribe.html.j2", list_name="L’Hebdo"))
    assert french.all("html")[0]["lang"] == "en"
    assert [span["lang"] for span in french.all("span") if span.text == "L’Hebdo"] == ["fr"]


def test_the_mail_that_asks_for_a_confirmation_speaks_it_too() -> None:
    made = confirmation_message(settings("de"), Theme((theme_root(),)), "a@example.org", "https://news.example.org/c/1")
    mail = email.message_from_bytes(made, policy=default)
    text, html = (part.get_content() for part in mail.iter_parts())
    assert mail["Subject"] == "Bitte bestätigen: Strom & Rad"
    assert "wurde „Strom & Rad“ bestellt" in text
    assert "wurde „<strong>Strom &amp; Rad</strong>“ bestellt" in html
