"""MJML -> HTML. The only file that knows the engine (mjml-python, which is mrml).

The engine is silent about what it does not know: it drops white space between tags, writes unknown tags out as they
are, and takes the wrong end tag for the right one. So the source is read strictly before, prose is put in behind its
back as fragments, and the result is looked at after.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from xml.parsers import expat

from newsletter.errors import TemplateError

MAX_DEPTH = 60  # the engine's stack overflows, without an exception, far deeper
_BOX = {"padding", "padding-top", "padding-right", "padding-bottom", "padding-left", "css-class", "mj-class"}
_TYPE = {
    "align",
    "color",
    "container-background-color",
    "font-family",
    "font-size",
    "font-style",
    "font-weight",
    "letter-spacing",
    "line-height",
    "text-align",
    "text-decoration",
    "text-transform",
}
_BORDER = {"border", "border-top", "border-right", "border-bottom", "border-left", "border-radius"}
_CONTENT = {"mj-text", "mj-image", "mj-button", "mj-divider", "mj-spacer", "mj-table", "mj-raw"}
_ELEMENTS: dict[str, tuple[set[str], set[str]]] = {
    "mjml": (set(), {"lang", "dir"}),
    "mj-head": ({"mjml"}, set()),
    "mj-title": ({"mj-head"}, set()),
    "mj-breakpoint": ({"mj-head"}, {"width"}),
    "mj-attributes": ({"mj-head"}, set()),
    "mj-all": ({"mj-attributes"}, _TYPE | _BOX),
    "mj-style": ({"mj-head"}, set()),
    "mj-body": ({"mjml"}, {"background-color", "width", "css-class"}),
    "mj-wrapper": ({"mj-body"}, _BOX | _BORDER | {"background-color", "full-width", "text-align"}),
    "mj-section": (
        {"mj-body", "mj-wrapper"},
        _BOX | _BORDER | {"background-color", "direction", "full-width", "text-align"},
    ),
    "mj-group": ({"mj-section"}, {"css-class", "direction", "vertical-align", "width", "background-color"}),
    "mj-column": (
        {"mj-section", "mj-group"},
        _BOX
        | _BORDER
        | {"background-color", "direction", "vertical-align", "width", "inner-border", "inner-border-radius"},
    ),
    "mj-text": ({"mj-column"}, _BOX | _TYPE | {"height"}),
    "mj-image": (
        {"mj-column"},
        _BOX
        | _BORDER
        | {"align", "alt", "container-background-color", "fluid-on-mobile", "height", "href", "rel", "src", "target"}
        | {"title", "width"},
    ),
    "mj-button": (
        {"mj-column"},
        _BOX
        | _BORDER
        | _TYPE
        | {"background-color", "height", "href", "inner-padding", "rel", "target", "title", "vertical-align", "width"},
    ),
    "mj-divider": (
        {"mj-column"},
        _BOX | {"align", "border-color", "border-style", "border-width", "container-background-color", "width"},
    ),
    "mj-spacer": ({"mj-column"}, {"height", "css-class", "container-background-color"}),
    "mj-table": (
        {"mj-column"},
        _BOX | _TYPE | {"border", "cellpadding", "cellspacing", "role", "width", "table-layout"},
    ),
    "mj-raw": ({"mj-head", "mj-body", "mj-column", "mj-section"}, set()),
}
_DEFAULTS_FOR = _CONTENT | {"mj-section", "mj-column", "mj-wrapper", "mj-body"}
_FREE_INSIDE = {"mj-text", "mj-raw", "mj-button", "mj-table", "mj-title"}

_TOKEN = re.compile(r"nlfrag\w*?z")


def to_html(mjml: str, fragments: Mapping[str, str]) -> str:
    """The HTML of `mjml` with each fragment for its token, `nlfrag…z`; raises TemplateError with the line."""
    _read_strictly(mjml)
    html = _compiled(mjml)
    if "<mj-" in html:
        at = html.index("<mj-")
        raise TemplateError(f"MJML was left over in the HTML: {html[at : at + 60]}")
    if re.search(r"\\u\{[0-9a-f]+\}", html):
        raise TemplateError("an attribute reached the MJML without being encoded", hint="write it as {{ value }}")
    counts = Counter(_TOKEN.findall(html))
    wrong = {token: counts[token] for token in fragments if counts[token] != 1}
    if wrong:
        raise TemplateError(f"{len(wrong)} pieces of prose stand not exactly once in the email: {wrong}")
    return _TOKEN.sub(lambda found: fragments.get(found[0], found[0]), html) if fragments else html


def _compiled(mjml: str) -> str:
    import mjml as engine

    try:
        return str(engine.mjml2html(mjml, fonts={}))
    except ValueError as error:
        raise TemplateError(f"the MJML engine refuses the email: {error}") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # a Rust panic is no Exception
            raise
        raise TemplateError(f"the MJML engine broke on the email: {error}") from error


def _read_strictly(mjml: str) -> None:
    reader = _Reader(mjml)
    try:
        reader.read()
    except expat.ExpatError as error:
        hint = (
            "HTML entities by name are not XML: write &#160; for &nbsp;" if "undefined entity" in str(error) else None
        )
        raise reader.fault(f"the MJML is not XML: {expat.ErrorString(error.code)}", error.lineno, hint) from error


class _Reader:
    """A strict reading of MJML: well-formed, and only elements and attributes that the engine knows."""

    def __init__(self, mjml: str) -> None:
        self._mjml = mjml
        self._open: list[str] = []
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = lambda _: self._open.pop() and None

    def read(self) -> None:
        self._parser.Parse(self._mjml.encode(), True)

    def fault(self, message: str, line: int, hint: str | None = None) -> TemplateError:
        lines = self._mjml.splitlines()
        text = lines[line - 1].strip()[:100] if 0 < line <= len(lines) else ""
        return TemplateError(f"line {line} of the email’s MJML: {message}: {text}", hint=hint)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        line = self._parser.CurrentLineNumber
        self._open.append(tag)
        if len(self._open) > MAX_DEPTH:
            raise self.fault(f"nested more than {MAX_DEPTH} deep", line)
        parent = self._open[-2] if len(self._open) > 1 else None
        if tag.startswith("mj") and parent == "mj-attributes" and tag in _DEFAULTS_FOR:
            return
        if any(name in _FREE_INSIDE for name in self._open[:-1]):
            if tag.startswith("mj-"):
                raise self.fault(f"<{tag}> stands inside <{parent}>", line)
            return
        if tag not in _ELEMENTS:
            raise self.fault(f"there is no element <{tag}> here", line)
        parents, known = _ELEMENTS[tag]
        if parent is not None and parent not in parents:
            raise self.fault(f"<{tag}> cannot stand inside <{parent}>", line)
        unknown = [name for name in attributes if name not in known]
        if unknown:
            raise self.fault(f"<{tag}> has no attribute {', '.join(unknown)}", line)
