"""Blocks -> MJML, web HTML and text: one channel each, which its templates call `out`.

A block's template is blocks/<name>.mjml.j2, .web.html.j2 or .txt.j2. A template for mail writes content elements of one
MJML column and nothing larger.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from markupsafe import Markup

from newsletter.compile.addresses import Site
from newsletter.compile.images import Shown
from newsletter.compile.material import Material
from newsletter.compile.prose_html import Surroundings, render_inlines, render_nodes
from newsletter.compile.render import Theme
from newsletter.compile.text import TextWriter, address, apart, hanging, indented, underlined, wrap
from newsletter.compile.words import Words
from newsletter.errors import Place
from newsletter.issue.blocks import FILES, Block
from newsletter.issue.prose import Image, Inline, Node, plain

GAP = 24
"""The space between two blocks of a letter, in pixels."""

INSET = 48
"""What of the theme's width is space beside the text, in pixels, where it is least."""

_TAGS = {
    *("a", "abbr", "b", "bdi", "bdo", "blockquote", "br", "caption", "cite", "code", "col", "colgroup", "dd", "del"),
    *("details", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr"),
    *("i", "img", "ins", "kbd", "li", "mark", "ol", "p", "pre", "q", "rp", "rt", "ruby", "s", "samp", "small", "span"),
    *("strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul", "var", "wbr"),
}
_ATTRIBUTES = {
    "*": {"class", "dir", "id", "lang", "title", "aria-label"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start"},
    "td": {"align", "colspan", "rowspan"},
    "th": {"align", "colspan", "rowspan", "scope"},
}


@dataclass(frozen=True, slots=True)
class Surface:
    """What all channels of one edition share: theme, addresses, pictures and files, and the values for templates."""

    theme: Theme
    site: Site
    material: Material
    values: Mapping[str, Any]

    def speaking(self, lang: str) -> Surface:
        """The same for what is written in the language `lang`."""
        return Surface(self.theme, self.site, self.material, {**self.values, **self.theme.speaking(lang)})

    def shown(self, src: str, place: Place, room: int) -> Shown:
        """The picture `src` of the file at `place` in at most `room` pixels' width."""
        picture = self.material.picture(src, place)
        url, absolute = picture.address, picture.address
        if picture.asset:
            url, absolute = self.site.url(picture.address), self.site.absolute(picture.address)
        if not picture.width or not picture.height:
            return Shown(url, absolute, None, None)
        width = min(picture.width, room)
        return Shown(url, absolute, width, round(picture.height * width / picture.width))

    def around(self, prefix: str) -> Surroundings:
        """What surrounds prose here; `prefix` keeps its ids apart from those of other articles."""
        _: Words = self.values["_"]
        arrow = "↩" if _.dir == "ltr" else "↪"
        return Surroundings(prefix, self.link, self.in_prose, _("Back to the text"), arrow)

    def link(self, target: str, place: Place | None = None) -> str:
        """The address that the writer's link `target` leads to; files/ begins beside the text at `place`."""
        if place is None or not target.startswith(FILES):
            return self.site.link(target)
        _, mark, fragment = target.partition("#")
        return self.site.url(self.material.file(target, place).path) + mark + fragment

    def in_prose(self, image: Image) -> Shown:
        """A picture in running text: never wider than the column."""
        return self.shown(image.src, image.place, self.site.settings.theme.width - INSET)


class _Channel:
    """What templates ask of every channel."""

    def __init__(self, surface: Surface) -> None:
        self._surface = surface

    def picture(self, src: str, place: Place, room: int) -> Shown:
        """A picture as Surface.shown gives it."""
        return self._surface.shown(src, place, room)

    def link(self, target: str, place: Place | None = None) -> str:
        """The address that a writer's link leads to."""
        return self._surface.link(target, place)

    def words(self, children: tuple[Inline, ...]) -> str:
        """Running text without marks and links, for a button's label."""
        return plain(children)

    def _rendered(self, template: str, own: Mapping[str, Any]) -> str:
        return self._surface.theme.render(template, **{**self._surface.values, "out": self, **own})


class _MarkupChannel(_Channel):
    def render(self, template: str, **own: Any) -> Markup:
        """The output of a template of the theme, in the language of this channel."""
        return Markup(self._rendered(template, own))


class EmailChannel(_MarkupChannel):
    """Blocks as MJML. Prose is kept aside as fragments, inlined; a token stands for each in the MJML."""

    def __init__(self, surface: Surface, nonce: str, fragments: dict[str, str] | None = None) -> None:
        super().__init__(surface)
        self._nonce = nonce
        self._css = surface.theme.render("email/prose.css.j2", **surface.values)
        self.fragments = {} if fragments is None else fragments

    def speaking(self, lang: str) -> EmailChannel:
        """The same channel for a part of the letter that is in the language `lang`."""
        return EmailChannel(self._surface.speaking(lang), self._nonce, self.fragments)

    def blocks(self, blocks: tuple[Block, ...], frame: str = "", prefix: str = "") -> Markup:
        """The MJML of `blocks`; `frame` names what they stand in ("quote", "note quote"), for templates and styles.

        A template has the space below its block in pixels as `after`: none below the last one.
        """
        gaps = [GAP] * (len(blocks) - 1) + [0]
        return Markup("").join(
            self._block(block, frame, prefix, after) for block, after in zip(blocks, gaps, strict=False)
        )

    def prose(self, nodes: tuple[Node, ...], frame: str, prefix: str) -> str:
        """The token of a fragment with the HTML of `nodes`."""
        return self.fragment(render_nodes(nodes, self._surface.around(prefix)), frame)

    def line(self, children: tuple[Inline, ...], frame: str, prefix: str) -> str:
        """The token of a fragment with running text."""
        return self.fragment(str(self.inline(children, prefix)), frame)

    def inline(self, children: tuple[Inline, ...], prefix: str) -> Markup:
        """The HTML of running text, for a template of the theme that makes a fragment."""
        return Markup(safe(render_inlines(children, self._surface.around(prefix))))

    def styled(self, markup: str) -> str:
        """The token of a fragment that the theme wrote itself, its styles inlined."""
        import css_inline

        return self.html(css_inline.inline_fragment(markup, self._css, load_remote_stylesheets=False))

    def fragment(self, markup: str, frame: str) -> str:
        """The token of a fragment with `markup`, made safe and its styles inlined."""
        return self.styled(f'<div class="{f"prose {frame}".strip()}">{safe(markup)}</div>')

    def html(self, markup: str) -> str:
        """The token of a fragment that the theme wrote itself and that stays as it is."""
        token = f"nlfrag{self._nonce}n{len(self.fragments)}z"
        self.fragments[token] = markup
        return token

    def _block(self, block: Block, frame: str, prefix: str, after: int) -> Markup:
        own = {"block": block, "frame": frame, "prefix": prefix, "after": after}
        return self.render(f"blocks/{block.name}.mjml.j2", **own)


class WebChannel(_MarkupChannel):
    """Blocks as HTML for a page of the site."""

    def speaking(self, lang: str) -> WebChannel:
        """The same channel for a part of the page that is in the language `lang`."""
        return WebChannel(self._surface.speaking(lang))

    def blocks(self, blocks: tuple[Block, ...], prefix: str = "") -> Markup:
        """The HTML of `blocks`."""
        return Markup("").join(self._block(block, prefix) for block in blocks)

    def prose(self, nodes: tuple[Node, ...], prefix: str) -> Markup:
        return Markup(safe(render_nodes(nodes, self._surface.around(prefix))))

    def line(self, children: tuple[Inline, ...], prefix: str) -> Markup:
        return Markup(safe(render_inlines(children, self._surface.around(prefix))))

    def _block(self, block: Block, prefix: str) -> Markup:
        return self.render(f"blocks/{block.name}.web.html.j2", block=block, prefix=prefix)


class TextChannel(_Channel):
    """Blocks as plain text."""

    wrap = staticmethod(wrap)
    indent = staticmethod(indented)
    hang = staticmethod(hanging)
    apart = staticmethod(apart)
    address = staticmethod(address)
    underline = staticmethod(underlined)

    def __init__(self, surface: Surface, writer: TextWriter | None = None) -> None:
        super().__init__(surface)
        self._writer = writer or TextWriter(surface.link)

    def speaking(self, lang: str) -> TextChannel:
        """The same channel for a part of the letter that is in the language `lang`."""
        return TextChannel(self._surface.speaking(lang), self._writer)

    def render(self, template: str, **own: Any) -> str:
        """The output of a template of the theme, in the language of this channel."""
        return self._rendered(template, own)

    def blocks(self, blocks: tuple[Block, ...], width: int = 72) -> str:
        """The text of `blocks`, parted by blank lines; `width` is what they have in columns."""
        texts = (self._block(block, width).strip("\n") for block in blocks)
        return "\n\n".join(text for text in texts if text)

    def prose(self, nodes: tuple[Node, ...], width: int) -> str:
        return self._writer.nodes(nodes, width)

    def line(self, children: tuple[Inline, ...]) -> str:
        return self._writer.line(children)

    def references(self) -> list[tuple[int, str]]:
        """The numbered links that were met since this was asked last."""
        return self._writer.links.unlisted()

    def _block(self, block: Block, width: int) -> str:
        return self.render(f"blocks/{block.name}.txt.j2", block=block, width=width)


def safe(markup: str) -> str:
    """HTML with only what a letter may hold: no scripts, forms, frames, styles or event handlers."""
    return str(_cleaner().clean(markup))


@cache
def _cleaner() -> Any:
    import nh3

    return nh3.Cleaner(
        tags=_TAGS, attributes=_ATTRIBUTES, link_rel=None, url_schemes={"http", "https", "mailto", "tel"}
    )
