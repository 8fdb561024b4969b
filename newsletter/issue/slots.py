"""Personal slots in the writer's text: taken out before Markdown is parsed, standing as tokens from then on.

A token is letters and digits only and says by itself which slot it is, so that it passes Markdown, HTML, MJML, URLs and
word wrapping untouched, needs no table beside it, and is the same for the same text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from newsletter.errors import Collected, Place, did_you_mean
from newsletter.issue.source import Edit, Stretches


class Encoding(StrEnum):
    """How a value is written where the slot stands: as text, or percent-encoded in a URL's query."""

    TEXT = "t"
    QUERY = "u"


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for a value of one recipient, with what stands there when the value is blank; `lead` is the blank before
    it, which goes where there is no value: "Hey Ann," and "Hey,".
    """

    name: str
    default: str | None = None
    encoding: Encoding = Encoding.TEXT
    lead: str = ""

    def led(self, value: str) -> str:
        """`value` behind its lead; nothing where it is empty."""
        return self.lead + value if value else ""

    @property
    def token(self) -> str:
        said = json.dumps([self.name, self.default], ensure_ascii=True, separators=(",", ":"))
        return f"nlslot{self.encoding}{said.encode().hex()}z"


COUNT, AS_OF = FACTS = ("subscribers.count", "subscribers.as_of")
"""The slots whose values are the same for everybody and known when an issue is compiled."""

TOKEN = re.compile(r"nlslot([tu])((?:[0-9a-f]{2})+)z")
_EXPRESSION = re.compile(r"(?<!\\)\{\{((?:(?!\{\{|\}\}).)*)\}\}")
_SLOT = re.compile(
    r"""(?P<name>[a-z_]+(?:\.[a-z_][a-z0-9_]*)+)\s*
        (?:\|\s*default\(\s*(?:"(?P<double>[^"\n]*)"|'(?P<single>[^'\n]*)')\s*\))?""",
    re.VERBOSE,
)


def of_token(found: re.Match[str]) -> Slot:
    """The slot that a match of TOKEN stands for."""
    name, default = json.loads(bytes.fromhex(found[2]))
    return Slot(name, default, Encoding(found[1]))


def restore(text: str) -> str:
    """`text` as the writer wrote it, for places where a slot cannot stand."""
    return TOKEN.sub(lambda found: _as_written(of_token(found)), text)


def _as_written(slot: Slot) -> str:
    default = "" if slot.default is None else f' | default("{slot.default}")'
    return f"{{{{ {slot.name}{default} }}}}"


def in_query(url: str) -> str:
    """`url` with its slots percent-encoding their values; raises ValueError where a slot stands outside the query."""
    path, mark, query = url.partition("?")
    if TOKEN.search(path) or TOKEN.search(query.partition("#")[2]):
        raise ValueError("a personal slot in a link may only be a value behind its `?`")
    return path + mark + TOKEN.sub(lambda found: f"nlslotu{found[2]}z", query)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names that may stand between `{{` and `}}`: values of one recipient, and constants with their values."""

    personal: tuple[str, ...]
    constants: Mapping[str, str]


def edits(
    text: str,
    vocabulary: Vocabulary,
    problems: Collected,
    place: Callable[[int], Place],
    literal: Sequence[tuple[int, int]] = (),
) -> Iterator[Edit]:
    """The edits that put a token or a constant in the place of every `{{ name }}` of `text` outside `literal` spans.

    What is neither is added to `problems`; `place` gives the Place of an offset in `text`. `\\{{` is left as it stands.
    """
    left_alone = Stretches(literal)
    for found in _EXPRESSION.finditer(text):
        if found.start() in left_alone:
            continue
        where = place(found.start())
        slot = _SLOT.fullmatch(found[1].strip(" \t"))
        if slot is None:
            problems.add(
                f"`{found[0]}` is not a personal slot",
                hint='a slot looks like {{ subscriber.first_name | default("there") }}',
                where=where,
            )
        elif slot["name"] in vocabulary.constants:
            yield Edit(found.start(), found.end(), vocabulary.constants[slot["name"]])
        elif slot["name"] in vocabulary.personal:
            default = slot["double"] if slot["double"] is not None else slot["single"]
            yield Edit(found.start(), found.end(), Slot(slot["name"], default).token)
        else:
            known = [*vocabulary.personal, *vocabulary.constants]
            problems.add(
                f"there is no value named `{slot['name']}`", hint=did_you_mean(slot["name"], known), where=where
            )
