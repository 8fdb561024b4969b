"""The closed set of article blocks: prose, and one small class for each directive.

A directive's arguments are the class's own fields, checked by pydantic; its docstring shows how a writer writes it.
Each block has three templates named after `name`: blocks/<name>.mjml.j2, .web.html.j2 and .txt.j2.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SkipValidation, model_validator

from newsletter.errors import Place
from newsletter.issue.prose import Inline, Node

FILES = "files/"
"""How a link begins to a file that lies beside the text and is published with it."""


class Body(StrEnum):
    """What stands between a directive's opening and its closing fence."""

    NONE = "none"  # nothing: the directive is one line and has no closing fence
    LINE = "line"  # one paragraph of running text
    BLOCKS = "blocks"  # prose and other directives


def _link(value: str) -> str:
    if not value.startswith(("https://", "http://", "mailto:", "article:", "issue:", FILES)):
        raise ValueError("must be a link that begins with https://, mailto:, article:, issue: or files/")
    return value


LinkTarget = Annotated[str, AfterValidator(_link)]
Children = SkipValidation[tuple["Block", ...]]
Line = SkipValidation[tuple[Inline, ...]]


class _Block(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, arbitrary_types_allowed=True)

    name: ClassVar[str]
    body: ClassVar[Body]
    bare: ClassVar[str | None] = None
    """The argument that a word without `key=` stands for."""
    place: SkipValidation[Place]


class Container(_Block):
    """A block that holds others."""

    body = Body.BLOCKS
    children: Children = ()


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

    `![alt](images/x.png "caption")` alone in a paragraph is one too. `dark` names the picture that stands in its place
    where the reader prefers dark colours. Without `src` its words stand for a picture that was lost or may not be had.
    """

    name = "figure"
    body = Body.LINE
    src: str = ""
    dark: str | None = None
    alt: str = ""
    credit: str = ""
    link: LinkTarget | None = None
    line: Line = ()

    @model_validator(mode="after")
    def _shows_something(self) -> Self:
        if not self.src and not self.line and not self.alt:
            raise ValueError("a figure needs a picture (src=images/…), or a caption where the picture was lost")
        return self


class Button(_Block):
    """A link that looks like a button.

    :::button url=https://example.org
    What happens on a click
    :::

    Without words it has the title of the article or issue that it leads to.
    """

    name = "button"
    body = Body.LINE
    url: LinkTarget
    line: Line = ()

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.line and not self.url.startswith(("article:", "issue:")):
            raise ValueError("a button needs words between its fences")
        return self


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
    button: str = ""
    audience: Literal["anonymous", "everyone"] = Field(default="anonymous", alias="for")
    line: Line = ()


class Quote(Container):
    """Somebody's words: attributed, of any length, with other blocks inside.

    :::quote by="Lei Jun" role="founder of Xiaomi" source=https://example.org
    Paragraphs.
    :::
    """

    name = "quote"
    by: str = ""
    role: str = ""
    source: LinkTarget | None = None

    @property
    def passages(self) -> list[tuple[bool, tuple[Block, ...]]]:
        """What it holds, in order: True and somebody's words, or False and what interrupts them, no part of them."""
        runs = groupby(self.children, lambda block: not isinstance(block, (Cta, Sponsor)))
        return [(quoted, tuple(blocks)) for quoted, blocks in runs]


class Post(Container):
    """A social post, frozen into the folder as a card.

    :::post platform="X" author="Lei Jun" handle="@leijun" time=2024-11-13T07:40 url=https://example.org/1
    Its text.
    :::
    """

    name = "post"
    platform: str
    author: str
    handle: str = ""
    time: datetime | None = None
    url: LinkTarget | None = None
    image: str | None = None
    alt: str = ""


class Note(Container):
    """A note of the editor's.

    :::note title="Editor’s note"
    Paragraphs.
    :::
    """

    name = "note"
    title: str = ""


class Sponsor(Container):
    """A sponsor's message, labelled as one.

    :::sponsor name="Volt & Sons" url=https://example.org
    Paragraphs.
    :::
    """

    name = "sponsor"
    sponsor: str = Field(alias="name")
    url: LinkTarget | None = None


class Divider(_Block):
    """A pause: `:::divider`, or `---` between paragraphs."""

    name = "divider"
    body = Body.NONE


class Author(Container):
    """Who writes: a card with a picture and a few words.

    :::author name="Jo Kim" role="writes this" image=images/jo.jpg alt="Jo, in a workshop" url=https://example.org
    Paragraphs.
    :::
    """

    name = "author"
    author: str = Field(alias="name")
    role: str = ""
    image: str | None = None
    alt: str = ""
    url: LinkTarget | None = None


class Only(Container):
    """What stands in it is there for some readers alone; others see neither it nor a gap.

    :::only web
    Paragraphs.
    :::

    `web`, `email`, `subscribers`, `non-subscribers`, or `tag=pro` for subscribers with that tag (in email: pages on the
    web are for everyone). It has no templates, since what it holds stands in the place of it.
    """

    name = "only"
    bare = "who"
    who: Literal["web", "email", "subscribers", "non-subscribers"] | None = None
    tag: Annotated[str, Field(pattern=r"^[^\s=]+$")] | None = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.who is None) == (self.tag is None):
            raise ValueError("needs to say for whom: web, email, subscribers, non-subscribers, or tag=NAME")
        return self


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a list of contents: its words, where it leads (`article:slug`, or a heading’s `#id`), and the language
    of the words where it is another one."""

    words: str
    target: str
    lang: str


class _Contents(_Block):
    """A list of what there is to read, written when the issue is compiled."""

    body = Body.NONE
    title: str = ""
    entries: SkipValidation[tuple[Entry, ...]] = ()


class Toc(_Contents):
    """What there is to read: in issue.md its articles, in an article its headings.

    :::toc title="In this issue"
    """

    name = "toc"


class Also(_Contents):
    """What else is in the issue: the articles beside this one.

    :::also title="Also in this issue"
    """

    name = "also"


class Comments(_Block):
    """Where readers answer: by replying to the mail, by writing one from the web, or at `url`.

    :::comments title="Join the conversation" url=https://example.org/forum
    One line that asks them something.
    :::
    """

    name = "comments"
    body = Body.LINE
    title: str = ""
    url: LinkTarget | None = None
    level: SkipValidation[int] = 2
    line: Line = ()


Block = Prose | Figure | Button | Cta | Quote | Post | Note | Sponsor | Author | Only | Toc | Also | Comments | Divider
DIRECTIVES: dict[str, type[Block]] = {
    kind.name: kind
    for kind in (Figure, Button, Cta, Quote, Post, Note, Sponsor, Author, Only, Toc, Also, Comments, Divider)
}


def walk(blocks: tuple[Block, ...]) -> list[Block]:
    """Every block, those inside others too, in reading order."""
    found: list[Block] = []
    for block in blocks:
        found.append(block)
        if isinstance(block, Container):
            found.extend(walk(block.children))
    return found
