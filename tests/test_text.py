"""Lines of plain text: how long they are, and where they may end."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from newsletter.compile.text import columns_of, first_words, wrap
from newsletter.errors import Place
from newsletter.issue.blocks import Prose
from newsletter.issue.prose import Paragraph, Text

CHINESE = (
    "2013年，雷军（小米的创始人）去了加利福尼亚。他说：“电动车是未来。”"
    "当时没有人相信他……后来，新车上市230天，卖出了100000辆！"
)


def test_chinese_is_wrapped_between_its_characters_but_not_before_a_stop_or_behind_an_opening_bracket():
    for width in range(8, 60):
        lines = wrap(CHINESE, width).split("\n")
        assert "".join(lines) == CHINESE
        assert max(map(columns_of, lines)) <= width
        assert not [line for line in lines if line[0] in "，。：！）”…" or line[-1] in "（“"]
        assert all(number in " ".join(lines) for number in ("2013", "230", "100000"))


def test_words_and_addresses_stay_whole():
    assert wrap("A word and https://example.org/long.", 10) == "A word and\nhttps://example.org/long."
    assert wrap("参见 https://example.org/long 吧", 12) == "参见\nhttps://example.org/long\n吧"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n")), st.integers(1, 90))
def test_no_letter_is_lost(text, width):
    assert wrap(text, width).replace("\n", "").replace(" ", "") == text.replace(" ", "")


@given(st.text("ab 中文，。（）“”", min_size=1), st.integers(4, 40))
def test_a_line_is_too_long_only_where_nothing_in_it_may_be_parted(text, width):
    for line in wrap(text, width).split("\n"):
        assert columns_of(line) <= width or " " not in line


def test_a_description_in_chinese_ends_with_a_sentence():
    place = Place(Path("x.md"))
    blocks = (Prose(nodes=(Paragraph((Text(CHINESE * 3),), place),), place=place),)
    assert first_words(blocks).endswith("！")
    unbroken = (Prose(nodes=(Paragraph((Text("中" * 400),), place),), place=place),)
    assert first_words(unbroken) == "中" * 159 + "…"
