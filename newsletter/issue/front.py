"""Front matter: the keys a writer may set, and YAML -> values with the place of each key."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

try:
    from yaml import CSafeLoader as Libyaml
except ImportError:  # PyYAML was built without it
    from yaml import SafeLoader as Libyaml  # type: ignore[assignment]

from newsletter.config import Mailbox
from newsletter.errors import Collected, ContentError, Place, problems_of
from newsletter.issue.model import EmailForm
from newsletter.issue.source import Source

ISSUE_ID = r"^[0-9a-z]{12}$"
_CONTROL = re.compile("[\0-\b\v\f\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_OPENING = re.compile(r"\A---[ \t]*\n")
_CLOSING = re.compile(r"^(?:---|\.\.\.)[ \t]*$", re.MULTILINE)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_READ_DIFFERENTLY = re.compile(
    r"[\t\x85\u2028\u2029\ufeff]|(?:^|[\s\[,:?-])[*&!?|>%{]|\[[^\]]*[?:\[]|-\s+-|^ {99}", re.MULTILINE
)
"""What libyaml takes otherwise than PyYAML's own parser, or deeper: tabs, line ends and byte order marks of Unicode's,
aliases and tags, block scalars, braces, keys and lists inside a list in brackets, and what is nested without end."""


def _slug(value: str) -> str:
    if not _SLUG.fullmatch(value):
        raise ValueError("a slug holds lower-case letters, digits and single hyphens")
    return value


def _one_line(value: str) -> str:
    line = " ".join(value.split("\n")).strip()
    if any(ord(character) < 32 or ord(character) == 127 for character in line):
        raise ValueError("holds a control character")
    return line


def _language(value: str) -> str:
    if not _LANGUAGE.fullmatch(value):
        raise ValueError("must be a language tag such as en, zh or en-GB (RFC 5646)")
    return value


def _norwegian(value: Any) -> Any:
    return "no" if value is False else value  # what YAML 1.1 takes `no` for


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Lang = Annotated[str, BeforeValidator(_norwegian), AfterValidator(_language)]
Line = Annotated[str, AfterValidator(_one_line)]
Slug = Annotated[str, AfterValidator(_slug)]


class _Front(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, coerce_numbers_to_str=True)


class ErratumFront(_Front):
    date: datetime.date
    text: Line


class IssueFront(_Front):
    """What issue.md may say."""

    id: Annotated[str, Field(pattern=ISSUE_ID)]
    number: Annotated[int, Field(ge=0)] | None = None
    title: Line
    subject: Annotated[tuple[Line, ...], BeforeValidator(_listed)] = ()
    preheader: Line = ""
    date: datetime.date | None = None
    hook: Line = ""
    sender: Mailbox | None = Field(default=None, alias="from")
    lang: Lang | None = None
    list: str = "main"
    audience: str | None = None
    errata: tuple[ErratumFront, ...] = ()


class ArticleFront(_Front):
    """What an article may say."""

    title: Line
    slug: Slug | None = None
    author: Line = ""
    hook: Line = ""
    date: datetime.date | None = None
    original_date: datetime.date | None = None
    image: str | None = None
    alt: Line = ""
    caption: Line = ""
    credit: Line = ""
    source_url: Annotated[str, Field(pattern=r"^https?://")] | None = None
    licence: Line = ""
    tags: tuple[str, ...] = ()
    lang: Lang | None = None
    email: EmailForm = EmailForm.FULL


class TranslationFront(_Front):
    """What an article in another language may say: what it leaves out is as in the article that it translates."""

    title: Line
    author: Line | None = None
    hook: Line | None = None
    date: datetime.date | None = None
    original_date: datetime.date | None = None
    image: str | None = None
    alt: Line | None = None
    caption: Line | None = None
    credit: Line | None = None
    source_url: Annotated[str, Field(pattern=r"^https?://")] | None = None
    licence: Line | None = None


class AgainFront(_Front):
    """What a file may say that puts an article of another issue into this one."""

    article: Slug
    email: EmailForm | None = None


Front = TypeVar("Front", bound=_Front)


@dataclass(frozen=True, slots=True)
class Document:
    """A file read: its raw front matter, where each key's value begins, and its body."""

    path: Path
    values: Mapping[str, Any]
    offsets: Mapping[str, int]
    whole: Source
    body: Source

    def place(self, key: str | None = None) -> Place:
        """The place of a key's value; the file's first line where the key is not there."""
        return self.whole.place(self.offsets.get(key or "", 0))

    def value_source(self, key: str, text: str) -> Source:
        """The text of a key's value as a Source, so that faults in it have a place."""
        offset = self.offsets.get(key, 0)
        quoted = self.whole.text[offset : offset + 1] in {'"', "'"}
        return Source(self.path, text, self.whole.written, ((0, offset + quoted),))


def read_document(path: Path) -> Document:
    """The front matter and body of `path`; raises ContentError with the place of what is wrong."""
    whole = Source.of(path, read_text(path))
    if control := _CONTROL.search(whole.text):
        raise ContentError(
            f"holds the control character U+{ord(control[0]):04X}", hint="remove it", where=whole.place(control.start())
        )
    opening = _OPENING.match(whole.text)
    if not opening:
        raise ContentError(
            "there is no front matter",
            hint="begin the file with a line ---, then `title: …`, then a line ---",
            where=Place(path, 1),
        )
    closing = _CLOSING.search(whole.text, opening.end())
    if not closing:
        raise ContentError("the front matter is never closed", hint="a line --- closes it", where=Place(path, 1))
    values, offsets = _yaml(whole, opening.end(), closing.start())
    return Document(path, values, offsets, whole, whole.behind(min(closing.end() + 1, len(whole.text))))


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, its line ends made \\n; raises ContentError."""
    try:
        data = path.read_bytes()
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ContentError(
            f"is not UTF-8: byte 0x{data[error.start]:02x}", hint="save the file as UTF-8", where=Place(path, line)
        ) from error
    except OSError as error:
        raise ContentError(f"cannot be read: {error.strerror}", where=Place(path)) from error


def validated(document: Document, model: type[Front], problems: Collected) -> Front | None:
    """The front matter as `model`; None, with its faults in `problems`, when it is not valid."""
    try:
        return model.model_validate(dict(document.values))
    except ValidationError as error:
        known = [field.alias or name for name, field in model.model_fields.items()]
        problems.extend(problems_of(error.errors(), lambda _: known, lambda keys: document.place(str(keys[0]))))
        return None


def _yaml(whole: Source, start: int, end: int) -> tuple[dict[str, Any], dict[str, int]]:
    text = whole.text[start:end]
    try:
        if not _READ_DIFFERENTLY.search(text):
            with suppress(ContentError, yaml.YAMLError, ValueError):  # the other parser says better what is wrong
                return _mapping(_QuickLoader(text), whole, start)
        return _mapping(_Loader(text), whole, start)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        offset = start + (mark.index if mark else 0)
        raise ContentError(
            f"the front matter is not YAML: {error.problem}",
            hint=_yaml_hint(str(error.problem)),
            where=whole.place(min(offset, len(whole.text))),
        ) from error
    except (yaml.YAMLError, ValueError) as error:
        raise ContentError(f"the front matter is not YAML: {error}", where=whole.place(start)) from error
    except RecursionError as error:
        raise ContentError("the front matter is nested too deep", where=whole.place(start)) from error


def _mapping(loader: _QuickLoader | _Loader, whole: Source, start: int) -> tuple[dict[str, Any], dict[str, int]]:
    """The front matter that `loader` reads from the offset `start` on, and the offset of each key's value."""
    try:
        node = loader.get_single_node()
        if node is None:
            return {}, {}
        if not isinstance(node, yaml.MappingNode):
            raise ContentError(
                "the front matter is not a list of `key: value` lines", where=whole.place(start + node.start_mark.index)
            )
        offsets: dict[str, int] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise ContentError("a key is not a word", where=whole.place(start + key.start_mark.index))
            if key.value in offsets:
                where = whole.place(start + key.start_mark.index)
                raise ContentError(f"`{key.value}` stands twice", hint="remove one of them", where=where)
            offsets[key.value] = start + value.start_mark.index
        return {str(key): value for key, value in loader.construct_document(node).items()}, offsets
    finally:
        loader.dispose()


class _OneLineScalars(yaml.constructor.SafeConstructor):
    """YAML's values without what makes a line more than one: control characters."""

    def construct_scalar(self, node: yaml.ScalarNode | yaml.MappingNode) -> Any:
        value = super().construct_scalar(node)
        if isinstance(value, str) and (control := _CONTROL.search(value)):
            said = f"a value holds the control character U+{ord(control[0]):04X}"
            raise yaml.constructor.ConstructorError(None, None, said, node.start_mark)
        return value


class _Loader(_OneLineScalars, yaml.SafeLoader):
    """YAML without what makes a small file large: aliases."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "a value that begins with * needs quotes", mark)
        return super().compose_node(parent, index)


class _QuickLoader(_OneLineScalars, Libyaml):
    """The same by libyaml, where PyYAML was built with it: ten times as fast, and less clear about what is wrong."""


def _yaml_hint(problem: str) -> str:
    if "mapping values are not allowed" in problem:
        return 'a value with a colon needs quotes: title: "Exclusive: the full story"'
    if "control character" in problem:
        return "take it away, or write the word without it"
    if "cannot start any token" in problem:
        return "a value that begins with this character needs quotes, and tabs cannot indent"
    return "put the value in quotes; inside quotes, write a quote twice or use typographic ones"
