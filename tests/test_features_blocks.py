"""What real articles show of blocks: pictures, notes, quotations, invitations, posts. Each in mail, as text and on the
web.
"""

import datetime
import io

import pytest
from PIL import Image

from newsletter.compile.edition import Facts
from newsletter.issue.importing.article import import_article
from tests.reading import FOLDER, SITE, folded, inside, reading, with_words
from tests.workspaces import SETTINGS

READERS = Facts(readers=5_523, as_of=datetime.date(2024, 1, 5))


def picture() -> dict[str, str | bytes]:
    data = io.BytesIO()
    Image.new("RGB", (40, 20), "#0b7a4b").save(data, "PNG")
    return {f"{FOLDER}/images/lamp.png": data.getvalue()}


def test_a_picture_has_words_of_its_own_and_a_caption(tmp_path):
    alt, caption = "A woman lifts a lamp from a crate", "Ines, who built it, is in this picture with her first lamp."
    seen = reading(tmp_path, f':::figure src=images/lamp.png alt="{alt}"\n{caption}\n:::', files=picture())
    assert f"\n[Picture: {alt}]\n{caption}\n" in seen.text
    for read in seen.on_paper().values():
        assert [image["alt"] for image in read.all("img")] == [alt]
        said = with_words(read, caption, "div", "figcaption")
        assert len([each for each in said if "caption" in each.classes or each.tag == "figcaption"]) == 1
        assert not with_words(read, caption, "p")
    assert seen.found("IMG002") == []
    again = reading(tmp_path, f':::figure src=images/lamp.png alt="{caption}"\n{caption}\n:::', files=picture())
    assert len(again.found("IMG002")) == 1


def test_a_caption_whose_picture_is_lost_is_no_paragraph(tmp_path):
    caption = "Ines Ferreira, engineer at the works"
    figure = f":::figure\n{caption}\n:::"
    seen = reading(tmp_path, f"One.\n\n{figure}\n\nTwo.\n\n{figure}\n\nThree.")
    assert f"\nOne.\n\n[Picture: {caption}]\n\nTwo.\n\n[Picture: {caption}]\n\nThree.\n" in seen.text
    for name, read in seen.on_paper().items():
        assert len([each for each in with_words(read, caption, "div", "p") if {"caption", "small"} & each.classes]) == 2
        assert not [each for each in with_words(read, caption, "p") if not each.classes], name
        assert not read.all("img")
    assert len(seen.found("IMG014")) == 2


def test_a_picture_that_may_not_be_shown_is_described(tmp_path):
    seen = reading(tmp_path, ':::figure alt="A man asleep on a factory floor" credit="Photo: X"\nHe posted it.\n:::')
    assert "\n[Picture: A man asleep on a factory floor]\nHe posted it.\nPhoto: X\n" in seen.text
    for words in seen.everywhere().values():
        assert "[Picture: A man asleep on a factory floor] He posted it. Photo: X" in words
    assert seen.found("IMG014") == ["the picture of “He posted it.” is lost"]


def test_an_editors_note_stands_apart(tmp_path):
    seen = reading(tmp_path, 'Before.\n\n:::note title="Editor’s note"\nTranslated by a machine.\n:::\n\nBehind.')
    assert "\nBefore.\n\n[Editor’s note]\n\n    Translated by a machine.\n\nBehind.\n" in seen.text
    for read in seen.on_paper().values():
        (note,) = with_words(read, "Translated by a machine.", "p")
        assert inside(note, "panel") or inside(note, "aside")
        (behind,) = with_words(read, "Behind.", "p")
        assert not inside(behind, "panel")
        assert not inside(behind, "aside")
        assert with_words(read, "Editor’s note", "p")[0]["class"] == "label"


PARAGRAPHS = [f"She wrote down hour {n} of that night, with its cause." for n in range(44)]


def test_a_quotation_has_a_name_many_paragraphs_and_an_end(tmp_path):
    body = "\n\n".join(PARAGRAPHS)
    quote = f':::quote by="Ines Ferreira" role="engineer" source=https://works.example.org/1931\n{body}\n:::'
    seen = reading(tmp_path, f"Ready?\n\n{quote}\n\nThat is where it ends.")
    quoted = "\n>\n".join(f"> {paragraph}" for paragraph in PARAGRAPHS)
    end = "\n\nhttps://works.example.org/1931\n\nThat is where it ends.\n"
    assert f"\nReady?\n\nInes Ferreira, engineer:\n\n{quoted}{end}" in seen.text
    for name, read in seen.on_paper().items():
        frame = "rule-cell" if name == "mail" else "blockquote"
        assert [p.text for p in read.all("p") if inside(p, frame) and p.text in PARAGRAPHS] == PARAGRAPHS
        (end,) = with_words(read, "That is where it ends.", "p")
        assert not inside(end, frame)
        (by,) = (link for link in read.all("a") if link.text == "Ines Ferreira")
        assert by["href"] == "https://works.example.org/1931"
        assert "Ines Ferreira, engineer" in folded(read.text)
    for page in (seen.page, seen.whole):
        assert [quote["cite"] for quote in page.all("blockquote")] == ["https://works.example.org/1931"]


CTA = "Quick break: leave your address, and get what you do not read elsewhere (like this)."
INTERRUPTED = """Before the quotation.

:::quote by="Ines"
I had three questions:

:::cta title="Not on the list?" button="Send it" {audience}
{cta}
:::

The first was when.
:::

Behind it.
"""


def test_an_invitation_inside_a_quotation_is_no_part_of_it_and_not_in_a_subscribers_mail(tmp_path):
    seen = reading(tmp_path, INTERRUPTED.format(audience="", cta=CTA))
    assert "\nInes:\n\n> I had three questions:\n>\n> The first was when.\n\nBehind it.\n" in seen.text
    assert "leave your address" not in seen.html
    assert "Not on the list?" not in seen.html
    letter = seen.letter
    (before,) = with_words(letter, "I had three questions:", "p")
    (behind,) = with_words(letter, "The first was when.", "p")
    assert before.around[-1] is behind.around[-1]
    for page in (seen.page, seen.whole):
        (invitation,) = with_words(page, CTA, "p")
        assert inside(invitation, "cta")
        assert inside(invitation, "quote")
        assert not inside(invitation, "blockquote")
        (form,) = (form for form in page.all("form") if inside(form, "cta"))
        assert form["action"] == f"{SITE}/subscribe"
        fields = [field for field in page.all("input") if form in field.around and field["type"] == "email"]
        assert len(fields) == 1
        assert [with_words(page, said, "p") != [] for said in ("I had three questions:", "The first was when.")] == [
            True
        ] * 2


def test_an_invitation_for_everyone_inside_a_quotation(tmp_path):
    seen = reading(tmp_path, INTERRUPTED.format(audience="for=everyone", cta=CTA))
    quoted = f"Not on the list?\n{CTA[:71]}\n{CTA[72:]}\nSend it: {SITE}/subscribe"
    assert folded(f"> I had three questions:\n\n{quoted}\n\n> The first was when.") in folded(seen.text)
    assert "\n> Not on" not in seen.text
    (button,) = (link for link in seen.letter.all("a") if link.text.strip() == "Send it")
    assert button["href"] == f"{SITE}/subscribe"
    assert inside(button, "rule-cell")
    assert not seen.letter.all("form")
    assert len([form for form in seen.page.all("form") if inside(form, "cta")]) == 1


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("Join us here:\n\n{cta}", "\nJoin us here.\n"),
        ("Join us here:\n\n{cta}\n\n## Next\n\nMore.", "\nJoin us here.\n\nNext\n----\n\nMore.\n"),
        ("One.\n\n---\n\n{cta}\n\n---\n\nTwo.", "\nOne.\n\n* * *\n\nTwo.\n"),
    ],
)
def test_a_hidden_invitation_leaves_no_gap_no_second_divider_and_no_colon(tmp_path, body, text):
    seen = reading(tmp_path, body.format(cta=f":::cta\n{CTA}\n:::"))
    assert text in seen.text
    assert "\n\n\n\n" not in seen.text
    assert seen.letter.text.count("Join us here:") == 0
    dividers = [each for each in seen.letter.all("p") if "border-top" in each["style"] and "64px" in each["style"]]
    assert len(dividers) == text.count("* * *")
    assert CTA in folded(seen.page.text)


LISTS = '\n[lists.main]\nname = "The weekly"\n[lists.deep]\nname = "Deep dives"\n[lists.maps]\nname = "Maps"\n'


@pytest.mark.parametrize(("lists", "number"), [("", "1"), (LISTS, "3")])
def test_an_invitation_knows_its_publication(tmp_path, lists, number):
    said = "Get our {{ publication.newsletters }} {{ publication.cadence }} letters of {{ publication.name }}."
    body = f':::cta for=everyone title="{{{{ publication.name }}}}, {{{{ publication.cadence }}}}"\n{said}\n:::'
    settings = SETTINGS.replace('name = "Test"', 'name = "Test & Sons"\ncadence = "fortnightly"') + lists
    for channel, words in reading(tmp_path, body, settings=settings).everywhere().items():
        assert f"Get our {number} fortnightly letters of Test & Sons." in words, channel
        assert "Test & Sons, fortnightly" in words, channel


def test_an_author_introduces_herself_to_strangers_alone(tmp_path):
    card = ':::author name="Mara" role="writes this"\nWe have not met: a {{ publication.cadence }} letter.\n:::'
    seen = reading(tmp_path, f"Before.\n\n:::only non-subscribers\n{card}\n:::\n\nBehind.")
    assert "\nBefore.\n\nBehind.\n" in seen.text
    assert "not met" not in seen.html
    for page in (seen.page, seen.whole):
        (words,) = with_words(page, "We have not met: a weekly letter.", "p")
        assert inside(words, "author")


def test_how_often_it_comes_is_said_from_one_place(tmp_path):
    body = "I send out what I read {{ publication.cadence }}."
    settings = SETTINGS.replace('name = "Test"', 'name = "Test"\ncadence = "every week"')
    for words in reading(tmp_path, body, settings=settings).everywhere().values():
        assert "I send out what I read every week." in words


def test_an_invitation_counts_its_readers_and_a_year_in_it_goes_stale(tmp_path):
    said = "Make 2024 the year, and join our {{ subscribers.count }} readers ({{ subscribers.as_of }})."
    seen = reading(tmp_path, f":::cta for=everyone\n{said}\n:::", facts=READERS, issue={"date": "2024-01-05"})
    for channel, words in seen.everywhere().items():
        assert "Make 2024 the year, and join our 5,500+ readers (5 January 2024)." in words, channel
    assert seen.found("CONT012") == []
    late = reading(tmp_path, f":::cta\n{said}\n:::", facts=READERS, issue={"date": "2025-01-05"})
    assert late.found("CONT012") == ["2024 is over"]
    assert "5,500+" not in late.html + late.text
    assert "5,500+ readers" in folded(late.page.text)


def test_readers_are_asked_to_answer(tmp_path):
    body = ':::comments title="Join the conversation"\nWhat would you have asked?\n:::'
    seen = reading(tmp_path, body, title="One")
    assert (
        "\nJoin the conversation\n---------------------\n\nWhat would you have asked?\n\nReply to this mail"
        in seen.text
    )
    for name, read in seen.on_paper().items():
        (head,) = with_words(read, "Join the conversation", "h2", "h3")
        assert head.tag == ("h2" if name == "article" else "h3")
        said = "Reply to this mail" if name == "mail" else "Answer by mail"
        (link,) = (link for link in read.all("a") if link.text == said)
        assert link["href"] == "mailto:jo@test.example.org?subject=Re%3A%20Issue%20126"


def test_readers_are_asked_to_answer_on_the_web(tmp_path):
    seen = reading(tmp_path, ":::comments url=https://forum.example.org/126\n:::")
    assert "\nAnswer on the web: https://forum.example.org/126\n" in seen.text
    for read in seen.on_paper().values():
        (link,) = (link for link in read.all("a") if link.text == "Answer on the web")
        assert link["href"] == "https://forum.example.org/126"


def test_what_is_left_of_buttons_is_found_on_import_and_nobody_reads_it(tmp_path):
    (tmp_path / "a.txt").write_text("A title\n\nWords which end here.\n\nJoin the conversation\n\nor to participate.\n")
    result = import_article(tmp_path / "a.txt")
    assert ("stripped-button", 7) in [(repair.name, repair.line) for repair in result.repairs]
    seen = reading(tmp_path, "Words.", files={f"{FOLDER}/02-a.md": result.markdown})
    for words in (seen.everywhere()["mail"], seen.everywhere()["text"], folded(seen.on("articles/a-title").text)):
        assert "Join the conversation" in words
        assert "participate" not in words


POST = "Good morning. A hundred thousand of them, in 230 days."


def test_a_social_post_is_a_card(tmp_path):
    arguments = (
        'handle="@ines" time=2024-11-13T07:40 url=https://x.example.org/1 image=images/lamp.png alt="A mattress"'
    )
    seen = reading(tmp_path, f':::post platform="X" author="Ines" {arguments}\n{POST}\n:::', files=picture())
    assert (
        f"\nInes (@ines) on X, 13 November 2024, 07:40:\n\n> {POST}\n>\n> [Picture: A mattress]\n\nhttps://x.example.org/1\n"
    ) in seen.text
    for name, read in seen.on_paper().items():
        (words,) = with_words(read, POST, "p")
        assert inside(words, "frame" if name == "mail" else "post")
        assert "Ines @ines on X" in folded(read.text)
        assert "13 November 2024, 07:40 · See it on X" in folded(read.text)
        assert [image["alt"] for image in read.all("img")] == ["A mattress"]
        (link,) = (link for link in read.all("a") if link.text == "See it on X")
        assert link["href"] == "https://x.example.org/1"
        assert not read.all("script", "iframe", "embed")
    assert all(each["src"].startswith(("../", SITE)) for read in seen.on_paper().values() for each in read.all("img"))


def test_a_post_that_was_deleted_is_still_a_card(tmp_path):
    seen = reading(tmp_path, f':::post platform="X" author="Ines"\n{POST}\n:::')
    assert f"\nInes on X:\n\n> {POST}\n" in seen.text
    for read in seen.on_paper().values():
        assert f"Ines on X {POST}" in folded(read.text)
        assert not [link for link in read.all("a") if "See it" in link.text]
