"""What two real articles show of a newsletter, one row each, with the tests that prove it; and the two themselves,
added as they lie.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from newsletter.cli import run
from tests.pages import Read
from tests.reading import folded, inside, with_words
from tests.workspaces import issue_file, workspace

TESTS = Path(__file__).parent
SEEDS = TESTS.parents[1] / "shared" / "seeds"
WORDS, BLOCKS, NEIGHBOURS = "test_features_words.py", "test_features_blocks.py", "test_features_neighbours.py"

FEATURES: dict[str, tuple[str, ...]] = {
    # id: what it is, and in which files which tests prove it
    "A1": (
        "a title with a colon, which is neither subject nor slug",
        f"{WORDS}::test_a_title_is_neither_the_subject_nor_the_address",
        f"{WORDS}::test_a_colon_that_is_not_quoted_is_said_with_its_line_and_an_import_quotes_it",
    ),
    "A2": (
        "a hook with an emoji of two characters",
        f"{WORDS}::test_an_emoji_with_its_variation_selector_survives",
        "test_repairs.py::test_a_hook_stands_below_a_title",
    ),
    "A3": (
        "a greeting by name, or without one",
        f"{WORDS}::test_a_greeting_names_the_reader_and_has_no_hole_without_a_name",
        "test_audience.py::test_a_greeting_without_a_name_has_no_hole",
    ),
    "A4": (
        "a lede that is the preheader too",
        f"{WORDS}::test_the_first_words_are_the_preheader_where_none_is_written",
        f"{WORDS}::test_a_written_preheader_goes_before_the_first_words_and_long_ones_are_cut_at_a_sentence",
    ),
    "A5": ("a picture with its caption", f"{BLOCKS}::test_a_picture_has_words_of_its_own_and_a_caption"),
    "A6": (
        "a caption, twice, whose picture is lost",
        f"{BLOCKS}::test_a_caption_whose_picture_is_lost_is_no_paragraph",
        "test_repairs.py::test_the_same_caption_twice_is_two_figures",
    ),
    "A7": ("a note of the editor's", f"{BLOCKS}::test_an_editors_note_stands_apart"),
    "A8": (
        "another language: a file put up, or a page of its own",
        f"{NEIGHBOURS}::test_a_file_is_attached_and_its_link_says_what_it_is",
        f"{NEIGHBOURS}::test_an_article_in_another_language_is_linked_and_speaks_it",
        "test_catalogue.py::test_an_article_in_other_languages_has_pages_that_name_each_other",
    ),
    "A9": (
        "a link to another article",
        f"{NEIGHBOURS}::test_a_link_to_an_article_goes_by_its_id",
        "test_catalogue.py::test_links_to_what_is_gone_or_not_public_are_found_from_both_ends",
    ),
    "A10": ("one line that leads over, a pause", f"{WORDS}::test_a_line_between_two_parts_and_a_divider"),
    "A11": ("who is quoted", f"{BLOCKS}::test_a_quotation_has_a_name_many_paragraphs_and_an_end"),
    "A12": (
        "a quotation of 44 paragraphs",
        f"{BLOCKS}::test_a_quotation_has_a_name_many_paragraphs_and_an_end",
        "test_repairs.py::test_a_call_to_action_and_a_caption_inside_a_quotation_are_no_part_of_its_words",
    ),
    "A13": (
        "an invitation to subscribe in the middle of it",
        f"{BLOCKS}::test_an_invitation_inside_a_quotation_is_no_part_of_it_and_not_in_a_subscribers_mail",
        f"{BLOCKS}::test_an_invitation_for_everyone_inside_a_quotation",
        f"{BLOCKS}::test_a_hidden_invitation_leaves_no_gap_no_second_divider_and_no_colon",
        "test_audience.py::test_no_subscribers_bytes_of_any_issue_hold_an_invitation_that_is_not_for_everyone",
    ),
    "A14": (
        "name, rhythm and number of newsletters in its words",
        f"{BLOCKS}::test_an_invitation_knows_its_publication",
    ),
    "A15": ("an aside in square brackets", f"{WORDS}::test_square_brackets_are_words"),
    "A16": ("questions and answers in plain paragraphs", f"{WORDS}::test_questions_and_answers_are_no_list"),
    "A17": (
        "straight marks inside typographic ones",
        f"{WORDS}::test_marks_inside_marks_arrive_as_they_are_written",
        "test_repairs.py::test_typographic_marks_are_made_once",
    ),
    "A18": ("money, numbers, units", f"{WORDS}::test_money_and_numbers_are_words"),
    "A19": ("paragraphs of 165 words", f"{WORDS}::test_long_paragraphs_are_set_to_be_read"),
    "A20": ("a sentence behind the quotation", f"{BLOCKS}::test_a_quotation_has_a_name_many_paragraphs_and_an_end"),
    "A21": ("an author who introduces herself", f"{BLOCKS}::test_an_author_introduces_herself_to_strangers_alone"),
    "A22": ("how often it comes", f"{BLOCKS}::test_how_often_it_comes_is_said_from_one_place"),
    "A23": (
        "a second invitation, with the number of readers and a year",
        f"{BLOCKS}::test_an_invitation_counts_its_readers_and_a_year_in_it_goes_stale",
        "test_facts.py::test_the_steps",
        "test_facts.py::test_it_never_claims_more_than_there_are_nor_much_less",
        "test_facts.py::test_build_and_send_say_the_same_and_those_who_join_later_get_it_too",
    ),
    "A24": (
        "back to the issue that it was in",
        f"{NEIGHBOURS}::test_an_article_knows_its_issues_and_a_number_is_no_heading",
        "test_catalogue.py::test_an_article_shown_again_is_the_same_in_both_issues_and_knows_both",
    ),
    "A25": ("what else is in that issue", f"{NEIGHBOURS}::test_what_else_is_in_the_issue_writes_itself"),
    "A26": ("the same phrase twice", f"{WORDS}::test_a_phrase_that_stands_twice_is_pointed_out"),
    "A27": (
        "a name behind a dash",
        f"{WORDS}::test_a_name_behind_a_dash_is_no_list",
        "test_repairs.py::test_what_markdown_reads_as_it_stands_is_left_alone",
    ),
    "A28": ("a heading that asks for comments", f"{BLOCKS}::test_readers_are_asked_to_answer"),
    "A29": (
        "where to comment, and what is left of the buttons",
        f"{BLOCKS}::test_readers_are_asked_to_answer",
        f"{BLOCKS}::test_readers_are_asked_to_answer_on_the_web",
        f"{BLOCKS}::test_what_is_left_of_buttons_is_found_on_import_and_nobody_reads_it",
    ),
    "A30": (
        "typing errors, no-break spaces, ellipses, no last line end",
        f"{WORDS}::test_what_was_written_arrives_to_the_letter",
        "test_repairs.py::test_no_letter_of_any_text_is_lost_and_the_article_loads",
    ),
    "A31": (
        "when it was written first, when published, when sent",
        f"{WORDS}::test_an_article_says_when_it_was_written_first_and_when_it_was_published",
    ),
    "A32": (
        "one source, three places",
        f"{NEIGHBOURS}::test_one_source_is_a_part_of_the_letter_a_page_and_an_entry_of_the_archive",
    ),
    "B1": (
        "no title, author, date or source",
        f"{NEIGHBOURS}::test_what_an_import_was_not_given_is_named_and_taken_when_it_is",
    ),
    "B2": (
        "headings without marks",
        f"{WORDS}::test_lines_become_paragraphs_and_short_ones_headings_below_the_title",
        "test_repairs.py::test_headings_among_lines_that_are_paragraphs",
    ),
    "B3": (
        "a line for each paragraph",
        f"{WORDS}::test_lines_become_paragraphs_and_short_ones_headings_below_the_title",
        "test_repairs.py::test_a_paragraph_wrapped_by_hand_stays_one",
    ),
    "B4": (
        "a social post",
        f"{BLOCKS}::test_a_social_post_is_a_card",
        f"{BLOCKS}::test_a_post_that_was_deleted_is_still_a_card",
    ),
    "B5": ("a picture described and not shown", f"{BLOCKS}::test_a_picture_that_may_not_be_shown_is_described"),
    "B6": (
        "words with who said them and where",
        f"{BLOCKS}::test_a_quotation_has_a_name_many_paragraphs_and_an_end",
    ),
    "B7": ("money, per cent, names of models", f"{WORDS}::test_money_and_numbers_are_words"),
    "B8": ("an end that says the beginning again", f"{WORDS}::test_an_excerpt_is_of_the_beginning"),
    "B9": (
        "an own article and somebody else's in one issue",
        f"{NEIGHBOURS}::test_an_issue_of_an_own_article_and_somebody_elses",
    ),
}

ONLY_WITH_PARTS = re.compile(r"\.(?:skip|skipif|xfail|real)\b|importorskip")


@dataclass(frozen=True)
class Module:
    """A file of tests: its functions by their names, and what at its top keeps tests from being run everywhere."""

    functions: dict[str, ast.FunctionDef]
    conditions: set[str]

    @classmethod
    def of(cls, path: Path) -> Module:
        body = ast.parse(path.read_text("utf-8")).body
        marks = [part for part in body if isinstance(part, ast.Assign) and ONLY_WITH_PARTS.search(ast.unparse(part))]
        names = {name.id for part in marks for name in part.targets if isinstance(name, ast.Name)}
        return cls({part.name: part for part in body if isinstance(part, ast.FunctionDef)}, names)

    def runs_everywhere(self, name: str) -> bool:
        """Whether the test is there, and is run on any machine that has this repository."""
        function = self.functions.get(name)
        if function is None or "pytestmark" in self.conditions:
            return False
        asks = [ast.unparse(part) for part in function.decorator_list]
        return not ONLY_WITH_PARTS.search(ast.unparse(function)) and self.conditions.isdisjoint(asks)


def test_every_feature_has_a_test_that_is_run() -> None:
    assert set(FEATURES) == {f"A{n}" for n in range(1, 33)} | {f"B{n}" for n in range(1, 10)}
    modules = {path.name: Module.of(path) for path in TESTS.glob("test_*.py")}
    for feature, (what, *tests) in FEATURES.items():
        assert what
        assert tests, feature
        for test in tests:
            file, _, name = test.partition("::")
            assert modules[file].runs_everywhere(name), f"{feature}: {test}"


def test_a_test_that_is_gone_or_not_run_would_be_noticed() -> None:
    assert not Module.of(TESTS / "test_repairs.py").runs_everywhere("test_the_first_seed_text_is_repaired")
    assert not Module.of(TESTS / "test_repairs.py").runs_everywhere("test_that_nobody_wrote")
    assert not Module.of(TESTS / "browser" / "test_look.py").runs_everywhere("test_every_word_is_legible")
    assert Module.of(Path(__file__)).runs_everywhere("test_every_feature_has_a_test_that_is_run")


def bare(text: str) -> str:
    """`text` on one line without its quotation marks, which an import makes typographic."""
    return folded(re.sub("[“”‘’\"']", "", text))


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the seed texts are not beside this repository")
def test_the_two_seeds_become_an_issue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    letter = issue_file(126, "Hey {{ subscriber.first_name | default('') }},\n\nTwo.", date="2024-11-20")
    workspace(tmp_path, {"126-b/issue.md": letter})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NEWSLETTER_DATA_DIR", str(tmp_path / "data"))
    first, second = sorted(SEEDS.glob("0*.txt"))
    for command in (
        ["subscribers", "add", "ann@example.org"],
        ["add", "126", str(first)],
        ["add", "126", str(second), "--title", "A hundred thousand", "--source-url", "https://x.example.org/1"],
        ["build", "126"],
        ["send", "126", "--yes"],
        ["archive", "build"],
    ):
        assert run(command) == 0, command
    (sent,) = (tmp_path / "data" / "outbox" / "new").iterdir()
    message = message_from_bytes(sent.read_bytes(), policy=policy.default)
    html, text = (message.get_body((kind,)).get_content().replace("\r\n", "\n") for kind in ("html", "plain"))
    site = tmp_path / "build" / "public"
    slugs = ["exclusive-lei-jun-meets-elon-musk-2013-full-blog", "a-hundred-thousand"]
    pages = [Read((site / "articles" / slug / "index.html").read_text("utf-8")) for slug in slugs]
    mail, whole = Read(html), Read((site / "issues" / "126-b" / "index.html").read_text("utf-8"))

    long = [bare(line)[:-2] for path in (first, second) for line in path.read_text("utf-8").split("\n") if line[100:]]
    unquoted = re.sub(r"^(?:> ?)+", "", text, flags=re.MULTILINE)
    for mailed in (mail.text, unquoted):
        (invitation,) = (paragraph for paragraph in long if paragraph not in bare(mailed))
        assert "subscribed" in invitation
    for shown in (pages[0].text + pages[1].text, whole.text):
        assert [paragraph for paragraph in long if paragraph not in bare(shown)] == []
    for page in (pages[0], whole):
        invitations = [form for form in page.all("form") if inside(form, "cta")]
        assert len(invitations) == 2
        assert inside(invitations[0], "quote")
        assert not inside(invitations[0], "blockquote")
        assert with_words(page, "Caution! High Voltage! ⚡️", "p")
    assert "\nCAUTION! HIGH VOLTAGE! ⚡️\nExclusive: Lei Jun meets Elon Musk, 2013 full blog\n" in text
    assert text.count("[Picture: Lei Jun, founder of Xiaomi]") == 2
    assert "\n\n— Jaan\n\nJoin the conversation\n" in text
    assert len([head for head in pages[1].all("h2") if "invitation" not in head["id"]]) == 4
    assert [each for each in pages[1].all("figure") if "post" in each.classes]
    assert not [item for read in (mail, whole, *pages) for item in read.all("li") if "question" in item.text]
