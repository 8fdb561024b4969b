"""An edition made by hand, so that what carries it can be tested without the compiler."""

from __future__ import annotations

from newsletter.compile.edition import AudienceVariant, Edition, Headers, sealed
from newsletter.compile.slots import cut
from newsletter.issue.slots import Slot

FIRST_NAME = Slot("subscriber.first_name", "there")
UNSUBSCRIBE = Slot("links.unsubscribe")


def an_edition(
    text: str = f"Hello {FIRST_NAME.token}", *, issue_id: str = "k3v9q2m8w1zt", subjects: tuple[str, ...] = ("News",)
) -> Edition:
    """An edition whose email says `text` (slots stand as tokens)."""
    return sealed(
        Edition(
            issue_id=issue_id,
            slug="126-news",
            number=126,
            title="News",
            list="main",
            subjects=tuple(cut(subject) for subject in subjects),
            preheader=cut(""),
            headers=Headers(
                sender="Jo Kim <jo@news.example.org>",
                reply_to=None,
                list_id="News <main.news.example.org>",
                archive="https://news.example.org/126/",
                feedback_id="126:main:news:example",
            ),
            variants=(
                AudienceVariant(
                    html=cut(f'<p>{text}</p><a href="{UNSUBSCRIBE.token}">Unsubscribe</a>'),
                    text=cut(f"{text}\n\nUnsubscribe: {UNSUBSCRIBE.token}\n"),
                ),
            ),
            assets=(),
            pages=(),
            facts_used=(),
            content_digest="0" * 64,
            mjml="",
        )
    )
