"""The theme's templates through Jinja2: found file by file, the workspace's own before the default ones.

Values are escaped by what a template makes: MJML gets every character that is not plain ASCII as a number, since the
engine damages them in attributes; HTML is escaped as usual; text and style sheets are not.
"""

from __future__ import annotations

import datetime
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parseaddr
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jinja2
from markupsafe import Markup

from newsletter.compile.words import Words, direction, own_name
from newsletter.errors import Place, TemplateError
from newsletter.workspace import Workspace

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Theme:
    """The look: template `folders`, the first that has a file wins, and the logo's file.

    Which files there are, and the words of each language, are looked up once: for a look at them later make another.
    """

    folders: tuple[Path, ...]
    logo: Path | None = None
    _spoken: dict[str, dict[str, Any]] = field(default_factory=dict, init=False, compare=False, repr=False)

    @classmethod
    def of(cls, workspace: Workspace) -> Theme:
        """The theme of a workspace: its own templates/ over the default ones, and the configured logo."""
        name = workspace.settings.theme.logo
        return cls(workspace.theme_folders, workspace.root / name if name else None)

    def speaking(self, lang: str) -> dict[str, Any]:
        """The values by which templates speak the language `lang`; raises TemplateError for a broken catalogue."""
        if lang not in self._spoken:
            self._spoken[lang] = Words.of(lang, self.folders).for_templates()
        return self._spoken[lang]

    def render(self, template: str, /, **values: Any) -> str:
        """The output of `template` ("email/shell.mjml.j2"); raises TemplateError with file and line."""
        environment = self._mjml if template.endswith(".mjml.j2") else self._plain
        try:
            return environment.get_template(template).render(values, render=self._partial(values))
        except jinja2.TemplateNotFound as error:
            raise TemplateError(f"the theme has no file {error.name}", hint=f"looked in {self._where}") from error
        except jinja2.TemplateSyntaxError as error:
            place = Place(Path(error.filename or template), error.lineno)
            raise TemplateError(error.message or "is not a template", where=place) from error
        except (jinja2.TemplateError, TypeError, ValueError) as error:
            raise TemplateError(str(error), where=_line_in(template, error)) from error

    def _partial(self, values: dict[str, Any]) -> Callable[..., Markup]:
        """For templates: another template's output with the same values and some of its own, as markup."""
        return lambda template, **own: Markup(self.render(template, **{**values, **own}))

    @cached_property
    def _plain(self) -> jinja2.Environment:
        return _for_markup_and_text(self.folders, _present(self.folders))

    @cached_property
    def _mjml(self) -> jinja2.Environment:
        return _for_mjml(self.folders, _present(self.folders))

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the names and the bytes of all its files, the logo apart."""
        files = ((folder, path) for folder in self.folders for path in sorted(folder.rglob("*")) if path.is_file())
        held = [(str(path.relative_to(folder)), path.read_bytes()) for folder, path in files]
        return hashlib.sha256(repr(held).encode()).hexdigest()

    @property
    def _where(self) -> str:
        return ", ".join(str(folder) for folder in self.folders)


def _present(folders: tuple[Path, ...]) -> frozenset[Path]:
    """The template files there are: a new one may hide one of the default theme's, so what was parsed goes by them."""
    return frozenset(path for folder in folders for path in folder.rglob("*.j2"))


@lru_cache(maxsize=8)
def _for_markup_and_text(folders: tuple[Path, ...], _present: frozenset[Path]) -> jinja2.Environment:
    return _environment(folders, autoescape=lambda name: not (name or "").endswith((".txt.j2", ".css.j2")))


@lru_cache(maxsize=8)
def _for_mjml(folders: tuple[Path, ...], _present: frozenset[Path]) -> jinja2.Environment:
    return _environment(folders, finalize=_encoded, autoescape=True)


def _environment(folders: tuple[Path, ...], **options: Any) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folders),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
        **options,
    )
    environment.filters |= {
        "date": _date,
        "number": _number,
        "isolated": _isolated,
        "direction": direction,
        "host": host,
        "mailbox": mailbox,
        "own_name": own_name,
    }
    return environment


@jinja2.pass_context
def _date(context: jinja2.runtime.Context, value: datetime.date) -> str:
    """A date or a time in the words of the language that the template speaks."""
    return str(context["_"].date(value))


@jinja2.pass_context
def _number(context: jinja2.runtime.Context, value: float) -> str:
    """A number as the language that the template speaks writes it."""
    return str(context["_"].number(value))


@jinja2.pass_context
def _isolated(context: jinja2.runtime.Context, value: str) -> str:
    """A name that may be written the other way than the language that the template speaks."""
    words: Words = context["_"]
    return words.isolated(value)


def mailbox(written: str) -> str:
    """The address of a mailbox written like `Jo Kim <jo@news.example.org>`."""
    return parseaddr(written)[1]


def host(url: str) -> str:
    """The host of a web address, as one says it: without `www.`."""
    return (urlsplit(url).hostname or url).removeprefix("www.")


def _encoded(value: Any) -> Any:
    if isinstance(value, (Markup, jinja2.Undefined)):
        return value
    text = _NOT_XML.sub("\ufffd", str(value))
    return Markup("".join(c if " " <= c <= "~" and c not in "&<>\"\\'" else f"&#{ord(c)};" for c in text))


def _line_in(template: str, error: Exception) -> Place:
    trace, found = error.__traceback__, Place(Path(template))
    while trace:
        name = trace.tb_frame.f_code.co_filename
        if name.endswith(".j2"):
            found = Place(Path(name), trace.tb_lineno)
        trace = trace.tb_next
    return found
