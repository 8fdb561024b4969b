"""The closed set of article blocks: prose, and one small class for each directive.

A directive's arguments are the class's own fields, checked by pydantic; its docstring shows how a writer writes it.
Each block has three templates named after `name`: blocks/<name>.mjml.j2, .web.html.j2 and .txt.j2.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SkipValidation

from newsletter.errors import Place
from newsletter.issue.prose import Inline, Node


class Body(StrEnum):
    """What stands between a directive's opening and its closing fence."""

    NONE = "none"  # nothing: the directive is one line and has no closing fence
    LINE = "line"  # one paragraph of running text
    BLOCKS = "blocks"  # prose and other directives


def _link(value: str) -> str:
    if not value.startswith(("https://", "http://", "mailto:", "article:", "issue:")):
        raise ValueError("must be a link that begins with https://, mailto:, article: or issue:")
    return value


LinkTarget = Annotated[str, AfterValidator(_link)]
Children = SkipValidation[tuple["Block", ...]]
Line = SkipValidation[tuple[Inline, ...]]


class _Block(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, arbitrary_types_allowed=True)

    name: ClassVar[str]
    body: ClassVar[Body]
    place: SkipValidation[Place]


class Prose(_Block):
    """A run of Markdown without directives."""

    name = "prose"
    body = Body.BLOCKS
    nodes: SkipValidation[tuple[Node, ...]]


class Figure(_Block):
    """A picture with its caption.

    :::figure src=images/x.png alt="What is to be seen" credit="Who made it" link=https://example.org
    The caption, with *Markdown*.
    :::

    `![alt](images/x.png "caption")` alone in a paragraph is one too.
    """

    name = "figure"
    body = Body.LINE
    src: str
    alt: str = ""
    credit: str = ""
    link: LinkTarget | None = None
    line: Line = ()


class Button(_Block):
    """A link that looks like a button.

    :::button url=https://example.org
    What happens on a click
    :::
    """

    name = "button"
    body = Body.LINE
    url: LinkTarget
    line: Line = ()


class Cta(_Block):
    """An invitation to subscribe: a form on the web for whoever is not a subscriber; with for=everyone also a button in
    email and a URL in text.

    :::cta title="Like this one?" button="Subscribe"
    One line that says what one gets.
    :::
    """

    name = "cta"
    body = Body.LINE
    title: str = ""
    button: str = "Subscribe"
    audience: Literal["anonymous", "everyone"] = Field(default="anonymous", alias="for")
    line: Line = ()


class Quote(_Block):
    """Somebody's words: attributed, of any length, with other blocks inside.

    :::quote by="Lei Jun" role="founder of Xiaomi" source=https://example.org
    Paragraphs.
    :::
    """

    name = "quote"
    body = Body.BLOCKS
    by: str = ""
    role: str = ""
    source: LinkTarget | None = None
    children: Children = ()


class Post(_Block):
    """A social post, frozen into the folder as a card.

    :::post platform="X" author="Lei Jun" handle="@leijun" time=2024-11-13T07:40 url=https://example.org/1
    Its text.
    :::
    """

    name = "post"
    body = Body.BLOCKS
    platform: str
    author: str
    handle: str = ""
    time: datetime | None = None
    url: LinkTarget | None = None
    image: str | None = None
    alt: str = ""
    children: Children = ()


class Note(_Block):
    """A note of the editor's.

    :::note title="Editor’s note"
    Paragraphs.
    :::
    """

    name = "note"
    body = Body.BLOCKS
    title: str = ""
    children: Children = ()


class Sponsor(_Block):
    """A sponsor's message, labelled as one.

    :::sponsor name="Volt & Sons" url=https://example.org
    Paragraphs.
    :::
    """

    name = "sponsor"
    body = Body.BLOCKS
    sponsor: str = Field(alias="name")
    url: LinkTarget | None = None
    children: Children = ()


class Divider(_Block):
    """A pause: `:::divider`, or `---` between paragraphs."""

    name = "divider"
    body = Body.NONE


Block = Prose | Figure | Button | Cta | Quote | Post | Note | Sponsor | Divider
DIRECTIVES: dict[str, type[Block]] = {
    kind.name: kind for kind in (Figure, Button, Cta, Quote, Post, Note, Sponsor, Divider)
}


def walk(blocks: tuple[Block, ...]) -> list[Block]:
    """Every block, those inside others too, in reading order."""
    found: list[Block] = []
    for block in blocks:
        found.append(block)
        if isinstance(block, (Quote, Post, Note, Sponsor)):
            found.extend(walk(block.children))
    return found
