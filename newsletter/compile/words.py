"""What the interface says in one language: the theme's catalogues, and how the language writes dates and numbers.

A theme's catalogues are gettext's: locale/de.po in a folder of templates, English messages being their own names. The
catalogue of a region (de-AT.po) is looked into before the language's, and a workspace's own before the default theme's.
"""

from __future__ import annotations

import datetime
import io
import string
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import escape

from newsletter.errors import Place, TemplateError

if TYPE_CHECKING:
    from babel import Locale
    from babel.messages.catalog import Catalog, Message

FOLDER = "locale"
_FIRST_STRONG_ISOLATE, _POP_ISOLATE = "\u2068", "\u2069"


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """One language's words. Templates have it as `_` and call it: `_("No. {number}", number=issue.number)`."""

    locale: Locale
    catalogue: NullTranslations
    spoken: str
    """The language of the first catalogue that was found: English where there is none."""

    @classmethod
    def of(cls, lang: str, folders: tuple[Path, ...]) -> Words:
        """The words of `lang` in the template `folders`, English where they have none; raises TemplateError."""
        locale = _locale(lang)
        paths = (folder / FOLDER / f"{tag}.po" for tag in _tags(str(locale)) for folder in folders)
        files = tuple((path, path.stat().st_mtime_ns) for path in paths if path.is_file())
        return cls(locale, _catalogue(files), files[0][0].stem if files else "en")

    @classmethod
    def spoken_for(cls, lang: str, folders: tuple[Path, ...]) -> Words:
        """The words of `lang` for what has no words but these: all English where there is no catalogue of it."""
        return cls.of(cls.of(lang, folders).spoken, folders)

    def __call__(self, message: str, /, **values: Any) -> str:
        """`message` in this language with `values` in its braces: text, or markup if a value is markup."""
        return self._filled(self.catalogue.gettext(message), values)

    def counted(self, one: str, many: str, n: int, /, **values: Any) -> str:
        """The message for `n` things: in English `one` or `many`; `{n}` in it is their number."""
        return self._filled(self.catalogue.ngettext(one, many, n), {"n": self.number(n), **values})

    @property
    def dir(self) -> str:
        """Which way the language is written: ltr or rtl."""
        return str(self.locale.text_direction)

    @property
    def start(self) -> str:
        """The side where a line begins: left or right."""
        return "left" if self.dir == "ltr" else "right"

    @property
    def end(self) -> str:
        """The side where a line ends."""
        return "right" if self.dir == "ltr" else "left"

    def for_templates(self) -> dict[str, Any]:
        """The values by which templates speak this language; the filters `date` and `number` go by them too."""
        return {"_": self, "ngettext": self.counted, "dir": self.dir, "start": self.start, "end": self.end}

    def date(self, value: datetime.date) -> str:
        """A date in words; a time with its minutes, and with its offset where that was written."""
        from babel import dates

        day = dates.format_date(value, "d MMMM y" if self.locale.language == "en" else "long", locale=self.locale)
        if not isinstance(value, datetime.datetime):
            return day
        time = f"{value:%H:%M}"
        if value.tzinfo:
            time += f" {dates.get_timezone_gmt(value, 'long', locale=self.locale)}"
        joint = str(dates.get_datetime_format("medium", locale=self.locale)).replace("'", "")
        return joint.replace("{1}", day).replace("{0}", time)

    def number(self, value: float) -> str:
        """A number with the language's own marks."""
        from babel import numbers

        return numbers.format_decimal(value, locale=self.locale)

    def isolated(self, value: str) -> str:
        """`value`, between isolates (UAX 9, section 2.4.2) where it has letters that are written the other way: what
        stands beside it on the line stays in its place."""
        other = {"L"} if self.dir == "rtl" else {"R", "AL"}
        if other.isdisjoint(map(unicodedata.bidirectional, value)):
            return value
        return _FIRST_STRONG_ISOLATE + value + _POP_ISOLATE

    def _filled(self, text: str, values: dict[str, Any]) -> str:
        if any(hasattr(value, "__html__") for value in values.values()):
            text = escape(text)
        filling = {name: self.isolated(value) if isinstance(value, str) else value for name, value in values.items()}
        try:
            return text.format(**filling)
        except LookupError as error:
            raise ValueError(f"`{text}` stands there without a value for {error}") from error


def direction(lang: str) -> str:
    """Which way the language `lang` is written: ltr or rtl."""
    return str(_locale(lang).text_direction)


def own_name(lang: str) -> str:
    """What the language `lang` calls itself."""
    return str(_locale(lang).get_display_name() or lang)


def placeholders(message: str) -> set[str]:
    """The names in braces in `message`; raises ValueError where braces do not pair."""
    return {name for _, name, _, _ in string.Formatter().parse(message) if name is not None}


def _locale(lang: str) -> Locale:
    from babel import Locale, UnknownLocaleError

    for tag in _tags(lang):
        try:
            return Locale.parse(tag, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("en")


def _tags(lang: str) -> Iterable[str]:
    """`lang` and what it is a kind of: zh-Hant-TW, zh-Hant, zh."""
    parts = lang.replace("_", "-").replace("@", "-").split("-")
    return ("-".join(parts[:count]) for count in range(len(parts), 0, -1))


@lru_cache(maxsize=64)
def _catalogue(files: tuple[tuple[Path, int], ...]) -> NullTranslations:
    """The catalogues in `files` (each with the time of its last change), the first one that has a message says it."""
    first: NullTranslations = NullTranslations()
    for path, _ in reversed(files):
        found = _read(path)
        found.add_fallback(first)
        first = found
    return first


def _read(path: Path) -> GNUTranslations:
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import PoFileError, read_po

    try:
        with path.open("rb") as file:
            catalogue = read_po(file, locale=path.stem.replace("-", "_"), abort_invalid=True)
        _check(catalogue, path)
        compiled = io.BytesIO()
        write_mo(compiled, catalogue)
        compiled.seek(0)
        return GNUTranslations(compiled)
    except PoFileError as error:
        raise TemplateError(f"is no catalogue: {error}", where=Place(path, error.lineno + 1)) from error
    except (ValueError, LookupError) as error:
        raise TemplateError(f"is no catalogue: {error}", where=Place(path)) from error


def _check(catalogue: Catalog, path: Path) -> None:
    """Raise TemplateError for the first message whose translation has other names in braces than itself."""
    for message in catalogue:
        if message.id and message.string and not message.fuzzy and (fault := fault_in(message)):
            raise TemplateError(fault, where=Place(path, message.lineno))


def fault_in(message: Message) -> str | None:
    """What is wrong with the braces of a translation; one for a certain number may leave `{n}` out."""
    ids, translations = _forms(message.id), _forms(message.string)
    wanted = set[str]().union(*map(placeholders, ids))
    spared = {"n"} & wanted if len(ids) > 1 else set[str]()
    for translation in translations:
        try:
            found = placeholders(translation)
        except ValueError as error:
            return f"`{translation}`: {error}"
        if found | spared != wanted:
            return f"`{translation}` has other names in braces than `{ids[-1]}`"
    return None


def _forms(said: Any) -> tuple[str, ...]:
    """A message is one text, or several where it counts things."""
    return (said,) if isinstance(said, str) else tuple(said)
