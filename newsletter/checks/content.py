"""Rules about what is said: subject, preheader, running text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

from newsletter.checks import writing
from newsletter.checks.case import Case
from newsletter.checks.rule import Fault, Severity, Unable, rule
from newsletter.compile.pipeline import PREHEADER_SHOWN
from newsletter.issue.blocks import Button, Cta
from newsletter.issue.markdown import loose_references
from newsletter.issue.slots import Slot

SUBJECT_SHOWN = 60  # characters
SUBJECT_LIMIT = 998  # characters of a line, RFC 5322 section 2.1.1
PREHEADER = range(30, PREHEADER_SHOWN + 1)  # characters
REPEATED = 7  # words of a phrase, “That’s” being two
SAME = 0.9  # of 1: how alike two lines are
FIRST_WORDS = "these are the first words of the text; a line `preheader:` in issue.md says something else"

_REPLY = re.compile(r"\s*(?:re|aw|wg|sv|antw|fwd?)\s*(?:\[\d+\])?\s*:", re.IGNORECASE)
_MERGE_TAG = re.compile(
    r"""\*\|(?:(?!\*\|).)+?\|\* | %%\w[\w .:-]*%% | \$\{[^{}]+\} | <%(?:(?!<%).)+?%> | %recipient\.\w[\w.]*%""",
    re.VERBOSE,
)
_LIQUID = re.compile(r"\{%(?:(?!\{%).)*?%\}|\{\{(?:(?:(?!\{\{).)*?\}\})?")
_YEAR = r"(?<!since\ )(?<!©\ )(?<![-–/])\b(?P<year>20\d\d)\b(?![-–/])"
_ANY_YEAR = re.compile(_YEAR)
_URGED_YEAR = re.compile(
    rf"""(?:^|[.!?:…]\s+)[^\w\s]*(?:(?:so|and|now|please|then|but)\b,?\s+)*
         (?:make|start|begin|kick\ off|ring\ in|let[’']?s|get\ ready|plan|join|sign\ up|subscribe|register|book|save|
            become|stay|(?:don[’']t|do\ not)\ miss)\s
         (?:[\w’'-]+\s){{0,6}}?(?<!the\ )(?<!our\ )(?<!your\ ){_YEAR}""",
    re.VERBOSE | re.IGNORECASE,
)
_BETWEEN_PHRASES = re.compile(r"[.!?…:;]+(?=\s|$)|\s*[—–]\s*|\s-\s")
_WORD = re.compile(r"\w+")
_BEGINNING = 2  # words: “That’s it …”, “This is it …”
_PLACEHOLDER = re.compile(r"(?<![\w-])(?:TODO|FIXME|TBD|XXX|TK|[Ll]orem [Ii]psum)(?![\w-])")


@rule("SUBJ001", Severity.ERROR, "the subject is missing")
def subject_missing(case: Case) -> Iterator[Fault | Unable]:
    """A message without a subject looks like an accident and is filtered as one.

    Every subject of an A/B test must have text, also for a reader of whom nothing is known. Source: rspamd
    MISSING_SUBJECT +2.0, EMPTY_SUBJECT +1.0.
    """
    subjects = case.edition.subjects
    if not subjects or not all(subject.fill(_for_stranger).strip() for subject in subjects):
        yield Fault(place=case.key(case.issue.place.path, "subject"), hint="add a line `subject:` to issue.md")


@rule("SUBJ002", Severity.WARNING, "the subject is long")
def subject_long(case: Case) -> Iterator[Fault | Unable]:
    """Mail programs cut a long subject off: telephones behind some 40 characters, most others behind 60.

    Warning over 60 characters (practice, no standard), error over 998 (RFC 5322 section 2.1.1), with the values of the
    reader whose copy is the largest.
    """
    for written, program in zip(case.issue.subjects, case.edition.subjects, strict=False):
        length = len(case.as_text(program))
        if length > SUBJECT_SHOWN:
            yield Fault(
                f"the subject has {length} characters; most readers see the first {SUBJECT_SHOWN}",
                case.subject_place(written),
                "say the rest in the preheader",
                Severity.ERROR if length > SUBJECT_LIMIT else None,
            )


@rule("SUBJ006", Severity.ERROR, "the subject pretends to be a reply or a forwarded message")
def subject_pretends(case: Case) -> Iterator[Fault | Unable]:
    """A newsletter answers nobody: `Re:` and `Fwd:` (and Aw:, Wg:, Sv:, Antw:) at its beginning deceive.

    Source: Google's sender guidelines (support.google.com/mail/answer/81126); rspamd FAKE_REPLY +1.0.
    """
    for subject in case.issue.subjects:
        if found := _REPLY.match(subject):
            yield Fault(place=case.subject_place(subject), hint=f"leave out `{found[0].strip()}`")


@rule("PRE001", Severity.WARNING, "there is no preheader")
def preheader_missing(case: Case) -> Iterator[Fault | Unable]:
    """The list of messages shows a line of text beside the subject: the `preheader:` of issue.md, or else the first
    words of the text that are the same for every reader. Where there are none either, it is whatever comes first, often
    "read on the web". Source: practice.
    """
    if not case.as_text(case.edition.preheader).strip():
        yield Fault(place=case.key(case.issue.place.path, "preheader"), hint="add a line `preheader:` to issue.md")


@rule("PRE002", Severity.WARNING, "the preheader is short or long")
def preheader_length(case: Case) -> Iterator[Fault | Unable]:
    """Under 30 characters the space beside the subject fills up with other text; what is behind 140 nobody sees.

    Source: practice, no standard.
    """
    length = len(case.as_text(case.edition.preheader).strip())
    if length and length not in PREHEADER:
        first, last = PREHEADER[0], PREHEADER[-1]
        yield Fault(
            f"the preheader has {length} characters; between {first} and {last} are shown well",
            case.key(case.issue.place.path, "preheader"),
            None if case.issue.preheader else FIRST_WORDS,
        )


@rule("PRE003", Severity.WARNING, "the preheader says what the subject says")
def preheader_repeats(case: Case) -> Iterator[Fault | Unable]:
    """Subject and preheader stand side by side; the second should go on where the first ends.

    Found when they are alike by more than 0.9 of 1 (difflib's ratio). Source: practice, no standard.
    """
    preheader = case.as_text(case.edition.preheader).casefold().strip()
    subjects = (case.as_text(subject).casefold().strip() for subject in case.edition.subjects)
    if preheader and any(SequenceMatcher(None, preheader, subject).ratio() > SAME for subject in subjects):
        hint = "say what the subject leaves open" if case.issue.preheader else FIRST_WORDS
        yield Fault(place=case.key(case.issue.place.path, "preheader"), hint=hint)


@rule("CONT001", Severity.ERROR, "a merge tag is left over")
def merge_tag(case: Case) -> Iterator[Fault | Unable]:
    """Another service's place for a name, which nothing will fill: *|…|*, %%…%%, ${…}, <%…%>, %recipient.…%.

    Looked for in subject, preheader, HTML and text part; code is left out. Source: practice; readers see it, spam
    filters do not (SpamAssassin 4.0.1 and rspamd 3.4 say nothing).
    """
    yield from _left_over(case, _MERGE_TAG)


@rule("CONT010", Severity.ERROR, "a template's tag is left over")
def liquid(case: Case) -> Iterator[Fault | Unable]:
    """{% … %} and {{ … }} stand as text: Liquid of an imported post, or a slot that was escaped; code is left out.

    A lone {{ is a warning. Looked for where CONT001 looks. Source: practice.
    """
    yield from _left_over(case, _LIQUID)


@rule("CONT011", Severity.WARNING, "a reference that leads nowhere")
def reference(case: Case) -> Iterator[Fault | Unable]:
    """[text][name] and [^name] without a line `[name]: …` or `[^name]: …` in the same file stand as text, brackets and
    all. Code is left out, and so is \\[ behind a backslash. Source: CommonMark 0.31.2 section 6.3.
    """
    for body in case.bodies:
        for said, place in loose_references(body):
            written = " ".join(said.split())
            name = written[written.rfind("[") :].removesuffix("]") if not written.endswith("[]") else written[:-3]
            yield Fault(
                f"`{written}` leads nowhere", place, f"add a line `{name}]: …`; brackets that are meant: \\[ and \\]"
            )


@rule("CONT012", Severity.WARNING, "a year that is over")
def stale_year(case: Case) -> Iterator[Fault | Unable]:
    """A past year in an invitation (cta, button), or where an English sentence urges: "Make 2024 the year …".

    Past is what lies before the issue's date, or the day the list was counted. "Since 2019", "© 2019" and spans of
    years are none. Source: practice.
    """
    today = case.issue.date or case.facts.as_of
    invitations = {block.place for block in writing.written_blocks(case.issue) if isinstance(block, (Cta, Button))}
    for words in case.words:
        for found in (_ANY_YEAR if words.place in invitations else _URGED_YEAR).finditer(words.text):
            if today is None:
                yield Unable("the issue has no date that a year could lie before")
                return
            if int(found["year"]) < today.year:
                place = case.near(case.near(words.place, found[0]), found["year"])
                yield Fault(f"{found['year']} is over", place, "say it without the year, or with the next one")


@rule("CONT013", Severity.WARNING, "a phrase that stands twice")
def repeated(case: Case) -> Iterator[Fault | Unable]:
    """An article says the same again: two phrases between stops, colons or dashes, of six words or more, are alike, or
    but for how they begin; often a paragraph was pasted twice. Quotations, posts and what is for some readers alone are
    left out. Source: practice.
    """
    for article in (one for first in case.issue.articles for one in (first, *first.translations)):
        said: dict[tuple[str, ...], str] = {}
        for paragraph in writing.own_paragraphs(article.blocks):
            for phrase in filter(None, map(str.strip, _BETWEEN_PHRASES.split(paragraph.text))):
                words = tuple(_WORD.findall(phrase.casefold()))[_BEGINNING:]
                if len(words) >= REPEATED - _BEGINNING:
                    if words in said:
                        place = case.near(paragraph.place, phrase)
                        yield Fault(f"“{phrase}” stands there before: “{said[words]}”", place, "say it once")
                    said.setdefault(words, phrase)


@rule("CONT003", Severity.ERROR, "a placeholder is left over")
def placeholder(case: Case) -> Iterator[Fault | Unable]:
    """TODO, FIXME, TBD, XXX and TK ("to come") as words in capitals, and lorem ipsum; code is left out.

    In Spanish, Portuguese and Galician, TODO is a word and not looked for. Source: practice.
    """
    for words in case.words:
        for found in _PLACEHOLDER.finditer(words.text):
            if found[0] != "TODO" or case.issue.lang[:2] not in {"es", "pt", "gl"}:
                yield Fault(f"`{found[0]}` is left over", case.near(words.place, found[0]), "write what belongs here")


def _for_stranger(slot: Slot) -> str:
    return slot.name if slot.default is None else slot.default


def _left_over(case: Case, pattern: re.Pattern[str]) -> Iterator[Fault]:
    hint = "a personal slot looks like {{ subscriber.first_name }}; an example of one is set as `code`"
    reported: set[str] = set()
    for words in case.words:
        for tag in _tags(pattern, words.text):
            reported.add(tag)
            severity = Severity.WARNING if tag == "{{" else None
            yield Fault(f"`{tag}` is left over from a template", case.near(words.place, tag), hint, severity)
    parts = [page.words for page in case.pages], case.texts
    for name, part in zip(("HTML", "text part"), parts, strict=True):
        for tag in dict.fromkeys(tag for text in part for tag in _tags(pattern, text)):
            if tag not in reported and tag not in case.code:
                reported.add(tag)
                yield Fault(f"`{tag}` is left over in the {name}", case.find(tag), hint)


def _tags(pattern: re.Pattern[str], text: str) -> dict[str, None]:
    """What `pattern` finds in `text`, each once, in its order."""
    return dict.fromkeys(found[0] for found in pattern.finditer(" ".join(text.split())))
