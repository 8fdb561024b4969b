"""Who sees which block: by channel, by being subscribed, by tags; and what is hidden leaves no trace."""

import re
from email import message_from_bytes, policy
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.cli import run
from newsletter.compile.audience import FEED_READER, PASSER_BY, SUBSCRIBER, in_mail_to, seen_by
from newsletter.compile.edition import Facts
from newsletter.compile.pipeline import compile_issue
from newsletter.compile.render import Theme
from newsletter.errors import Collected, ContentError
from newsletter.issue.blocks import Cta, Divider, Prose, walk
from newsletter.issue.load import load_issue
from newsletter.issue.markdown import parse
from newsletter.issue.prose import Paragraph, plain
from newsletter.issue.source import Source
from newsletter.workspace import Workspace, shipped_root
from tests.everything import everything
from tests.workspaces import article_file, compiled, issue_file, mail, page, workspace

TESTS = Path(__file__).parent
EACH = """
ALL

:::only web
WEB
:::

:::only email
EMAIL
:::

:::only subscribers
SUBSCRIBED
:::

:::only non-subscribers
STRANGER
:::

:::only tag=pro
PRO
:::
"""
WORDS = {"ALL", "WEB", "EMAIL", "SUBSCRIBED", "STRANGER", "PRO"}


def blocks_of(tmp_path, text):
    problems = Collected()
    parsed = parse(Source.of(tmp_path / "a.md", text), problems)
    problems.stop_if_any()
    return parsed.blocks


def paragraphs(blocks):
    return [
        plain(node.children)
        for block in walk(blocks)
        if isinstance(block, Prose)
        for node in block.nodes
        if isinstance(node, Paragraph)
    ]


@pytest.mark.parametrize(
    ("persona", "hidden"),
    [
        (SUBSCRIBER, {"WEB", "STRANGER", "PRO"}),
        (in_mail_to(frozenset({"pro"})), {"WEB", "STRANGER"}),
        (PASSER_BY, {"EMAIL", "SUBSCRIBED", "PRO"}),
        (FEED_READER, {"EMAIL", "SUBSCRIBED", "STRANGER", "PRO"}),
    ],
)
def test_everybody_sees_what_is_for_them(tmp_path, persona, hidden):
    assert set(paragraphs(seen_by(persona, blocks_of(tmp_path, EACH)))) == WORDS - hidden


@pytest.mark.parametrize(
    ("before", "after", "left"),
    [
        ("Three questions:", "The first.", "Three questions:"),  # the colon leads to what follows
        ("Join here:", "", "Join here."),
        ("Join here:", "---", "Join here."),
        ("Join here:", "## Next", "Join here."),
        ("加入我们：", "", "加入我们。"),
        ("He said:", ':::quote by="Him"\nYes.\n:::', "He said:"),
        ("Join *here*:", "", "Join here."),
    ],
)
def test_a_hidden_block_leaves_no_dangling_colon(tmp_path, before, after, left):
    blocks = blocks_of(tmp_path, f"{before}\n\n:::cta\nDo.\n:::\n\n{after}\n")
    assert paragraphs(seen_by(SUBSCRIBER, blocks))[0] == left
    assert paragraphs(seen_by(PASSER_BY, blocks))[0] == before.replace("*", "")


PIECES = [
    "words\n",
    "---\n",
    ":::cta\nJoin.\n:::\n",
    ":::only web\nOn the web.\n\n---\n:::\n",
    ":::note\nA note.\n:::\n",
]


@given(st.lists(st.sampled_from(PIECES)))
def test_whatever_is_hidden_leaves_no_gap(tmp_path_factory, pieces):
    blocks = blocks_of(tmp_path_factory.getbasetemp(), "\n".join(pieces))
    kept = seen_by(SUBSCRIBER, blocks)
    for one, other in pairwise(kept):
        assert not (isinstance(one, Divider) and isinstance(other, Divider))
        assert not (isinstance(one, Prose) and isinstance(other, Prose))
    assert not kept or not isinstance(kept[0], Divider)
    assert not kept or not isinstance(kept[-1], Divider)
    assert paragraphs(kept).count("words") == pieces.count(PIECES[0])


def test_each_tag_named_doubles_the_variants_and_each_reader_gets_theirs(tmp_path, monkeypatch, capsys):
    body = EACH + "\n:::only tag=vip\nVIP\n:::\n"
    ws = workspace(tmp_path, {"1-one/issue.md": issue_file(1), "1-one/01-a.md": article_file(body)})
    edition = compiled(ws, "1")
    assert [dict(variant.conditions) for variant in edition.variants] == [
        {"tag=pro": pro, "tag=vip": vip} for pro in (False, True) for vip in (False, True)
    ]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NEWSLETTER_DATA_DIR", str(tmp_path / "data"))
    people = {"ann": "", "bob": "pro", "cyd": "vip", "dan": "pro;vip"}
    rows = "".join(f"{name}@example.org,{tags}\n" for name, tags in people.items())
    (tmp_path / "people.csv").write_text(f"email,tags\n{rows}")
    assert run(["subscribers", "import", "people.csv"]) == 0
    assert run(["send", "1", "--yes"]) == 0
    said = {}
    for path in (tmp_path / "data" / "outbox" / "new").iterdir():
        message = message_from_bytes(path.read_bytes(), policy=policy.default)
        text = message.get_body(("plain",)).get_content()
        html = message.get_body(("html",)).get_content()
        found = {word for word in (*WORDS, "VIP") if re.search(rf"\b{word}\b", text)}
        assert found == {word for word in (*WORDS, "VIP") if re.search(rf"\b{word}\b", html)}
        said[message["To"].partition("@")[0].strip("<")] = found - {"ALL", "EMAIL", "SUBSCRIBED"}
    assert said == {"ann": set(), "bob": {"PRO"}, "cyd": {"VIP"}, "dan": {"PRO", "VIP"}}


def test_more_conditions_than_can_be_compiled_are_named(tmp_path):
    body = "\n".join(f":::only tag=t{n}\nx\n:::\n" for n in range(5))
    ws = workspace(tmp_path, {"1-one/issue.md": issue_file(1), "1-one/01-a.md": article_file(body)})
    with pytest.raises(ContentError) as caught:
        compiled(ws, "1")
    assert "32 variants, by tag=t0, tag=t1, tag=t2, tag=t3, tag=t4" in str(caught.value)
    assert "01-a.md:20" in str(caught.value)


@pytest.mark.parametrize(("said", "fault"), [("", "for whom"), ("mobile", "who"), ("web tag=pro", "for whom")])
def test_only_says_for_whom(tmp_path, said, fault):
    with pytest.raises(ContentError, match=fault):
        blocks_of(tmp_path, f":::only {said}\nx\n:::\n")


def issues_of_the_suite(tmp_path):
    for root in (shipped_root(), *sorted(path.parent for path in TESTS.glob("issues/*/newsletter.toml"))):
        ws = Workspace.open(root)
        yield from ((ws, folder) for folder in ws.issue_folders())
    ws = everything(tmp_path)
    yield from ((ws, folder) for folder in ws.issue_folders())


def test_no_subscribers_bytes_of_any_issue_hold_an_invitation_that_is_not_for_everyone(tmp_path):
    seen = 0
    for ws, folder in issues_of_the_suite(tmp_path):
        issue = load_issue(ws, folder)
        edition = compile_issue(issue, Theme.of(ws), Facts(), ws.settings)
        copies = [mail(edition, nth) for nth in range(len(edition.variants))]
        said = " ".join(" ".join(html.split()) + " ".join(text.split()) for html, text in copies)
        blocks = walk((*issue.opening, *(block for one in issue.articles for block in one.blocks), *issue.closing))
        for cta in (block for block in blocks if isinstance(block, Cta) and block.audience == "anonymous"):
            seen += 1
            assert plain(cta.line) not in said, cta.place
            assert plain(cta.line) in " ".join(page.html for page in edition.pages), cta.place
    assert seen >= 2


def test_an_invitation_for_everyone_is_a_button_a_form_and_an_address(tmp_path):
    body = ':::quote by="Ann"\nFirst.\n\n:::cta for=everyone button="Join us"\nFree.\n:::\n\nSecond.\n:::\n'
    ws = workspace(tmp_path, {"1-one/issue.md": issue_file(1), "1-one/01-a.md": article_file(body)})
    edition = compiled(ws, "1")
    html, text = mail(edition)
    assert 'href="https://test.example.org/subscribe"' in html
    assert "Join us" in html
    assert "Join us: https://test.example.org/subscribe" in text
    assert '<form class="subscribe"' in page(edition, "articles/a")


@pytest.mark.parametrize(("name", "said"), [("Ann", "Hey Ann, Jaan here."), ("", "Hey, Jaan here.")])
def test_a_greeting_without_a_name_has_no_hole(tmp_path, monkeypatch, name, said):
    hello = '{{ subscriber.first_name | default("") }}, Jaan here.'
    workspace(tmp_path, {"1-one/issue.md": issue_file(1, f"Hey {hello}", subject=f"'Hey {hello}'")})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NEWSLETTER_DATA_DIR", str(tmp_path / "data"))
    assert run(["subscribers", "add", "ann@example.org", "--first-name", name]) == 0
    assert run(["send", "1", "--yes"]) == 0
    (path,) = (tmp_path / "data" / "outbox" / "new").iterdir()
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert message["Subject"] == said
    assert said in message.get_body(("plain",)).get_content()
    assert f"{said}</p>" in message.get_body(("html",)).get_content()


NOTED = """First[^a].

:::only subscribers
Inside[^b], twice[^b], and a picture.

:::figure
Its caption[^c]
:::
:::

Last[^d], and the first once more[^a].

[^a]: ONE, which leads on[^e].
[^b]: SUBSCRIBED
[^c]: CAPTION
[^d]: FOUR
[^e]: FIVE
[^f]: UNREFERRED
"""


def test_a_footnote_is_there_for_those_who_see_where_it_leads_from(tmp_path):
    front = issue_file(1, NOTED.replace("Last", "<!-- articles -->\n\nLast"))
    ws = workspace(tmp_path, {"1-one/issue.md": front, "1-one/01-a.md": article_file(NOTED)})
    edition = compiled(ws, "1")
    html, text = mail(edition)
    for letter in (html, text):
        assert letter.count("SUBSCRIBED") == letter.count("CAPTION") == 2
    for name in ("articles/a", "issues/1-one"):
        site = page(edition, name)
        assert "SUBSCRIBED" not in site
        assert "CAPTION" not in site
        _, *notes = site.split('<span class="footnote-number">')
        said = [re.sub("<[^>]*>|↩|[^A-Z0-9.]", "", note.split("</div>")[0]) for note in notes]
        assert said == ["1.ONE3.", "2.FOUR", "3.FIVE", "4.UNREFERRED"] * (2 if name == "issues/1-one" else 1)
    for markup in (html, *(one.html for one in edition.pages)):
        names = re.findall(r' id="([^"]*)"', markup)
        assert set(re.findall(r'href="#([^"]+)"', markup)) <= set(names)
        assert len(names) == len(set(names))


def test_an_excerpt_brings_the_notes_of_its_captions_and_of_its_notes(tmp_path):
    body = ":::figure\nA caption[^a]\n:::\n\n<!-- more -->\n\nMore[^b].\n\n[^a]: ONE[^c]\n[^b]: TWO\n[^c]: THREE\n"
    files = {"1-one/issue.md": issue_file(1), "1-one/01-a.md": article_file(body, email="excerpt")}
    _, text = mail(compiled(workspace(tmp_path, files), "1"))
    assert "A caption (1)" in text
    assert "(1) ONE (2)" in text
    assert "(2) THREE" in text
    assert "TWO" not in text


def test_a_frame_of_which_all_is_hidden_is_hidden_too(tmp_path):
    body = "".join(
        f":::{frame}\n:::only web\nWEB\n:::\n:::\n\n"
        for frame in ('quote by="Who"', 'note title="What"', 'post platform="X" author="Whose"')
    )
    ws = workspace(tmp_path, {"1-one/issue.md": issue_file(1), "1-one/01-a.md": article_file(f"Before:\n\n{body}")})
    edition = compiled(ws, "1")
    for letter in mail(edition):
        assert not any(word in letter for word in ("Whose", "What", "Who"))
        assert "Before." in letter
    assert page(edition, "articles/a").count("<p>WEB</p>") == 3


def test_a_frame_around_a_list_of_nothing_is_not_there(tmp_path):
    ws = workspace(
        tmp_path,
        {"1-one/issue.md": issue_file(1), "1-one/01-a.md": article_file(":::note\n:::also\n:::\n\nWords.")},
    )
    edition = compiled(ws, "1")
    assert "[Note]" not in mail(edition)[1]
    assert "<aside" not in page(edition, "articles/a")


def test_what_a_page_says_of_itself_is_what_it_shows(tmp_path):
    body = ":::only subscribers\nSUBSCRIBED\n:::\n\nFor all, and [](article:a).\n"
    ws = workspace(
        tmp_path, {"1-one/issue.md": issue_file(1, f"{body}\n<!-- articles -->"), "1-one/01-a.md": article_file(body)}
    )
    edition = compiled(ws, "1")
    for name in ("articles/a", "issues/1-one"):
        assert '<meta name="description" content="For all, and T.">' in page(edition, name)
    assert edition.preheader.literals == ("For all, and T.",)
