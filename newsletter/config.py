"""newsletter.toml and the environment -> Settings. The only reader of os.environ."""

from __future__ import annotations

import os
import re
import tomllib
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit, urlunsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from newsletter.errors import ConfigError, Place, problems_of

FILE_NAME = "newsletter.toml"


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("must be a web address such as https://news.example.org")
    return urlunsplit(parts._replace(netloc=_ascii_host(parts.netloc))).rstrip("/")


def _ascii_host(netloc: str) -> str:
    """The host as A-labels (RFC 5891), since it goes into mail headers."""
    if netloc.isascii():
        return netloc
    import idna

    host, colon, port = netloc.partition(":")
    return idna.encode(host, uts46=True).decode() + colon + port


def _mailbox(value: str) -> str:
    name, address = parseaddr(value)
    if not address.count("@") == 1 or address.startswith("@") or address.endswith("@") or "\n" in value:
        raise ValueError('must be one address such as "Jo Kim <jo@news.example.org>"')
    return f"{name} <{address}>" if name else address


def _seconds(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    found = re.fullmatch(r"(\d+) ?(s|m|h)", value.strip())
    if not found:
        raise ValueError('must be a time such as "30s", "5m" or "1h"')
    return int(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2]]


WebAddress = Annotated[str, AfterValidator(_web_address)]
Mailbox = Annotated[str, AfterValidator(_mailbox)]
Duration = Annotated[int, BeforeValidator(_seconds), Field(ge=0)]
Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]


class Table(BaseModel):
    """A table of newsletter.toml: frozen, and a key that is not known is a fault."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Publication(Table):
    """Who publishes: what a reader sees in every issue, and the law asks for."""

    id: Annotated[str, Field(pattern=r"^[0-9a-z]{5,15}$")]
    name: str
    url: WebAddress
    language: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] = "en"
    sender: Annotated[Mailbox, Field(alias="from")]
    reply_to: Mailbox | None = None
    postal_address: str = ""
    cadence: str = "weekly"
    description: str = ""


class Public(Table):
    """Where `newsletter serve` answers; the archive's address when left out."""

    url: WebAddress | None = None


class List(Table):
    """One of the publication's newsletters."""

    name: str


class Theme(Table):
    """What of the look is decided by configuration; everything else by files in templates/."""

    brand: Colour = "#0b7a4b"
    logo: str | None = None
    width: Annotated[int, Field(ge=480, le=800)] = 640
    images: Literal["linked", "inline"] = "linked"


class Rate(Table):
    """So many may be handed over within any second, minute, hour or day."""

    per_second: Annotated[int, Field(ge=1)] | None = None
    per_minute: Annotated[int, Field(ge=1)] | None = None
    per_hour: Annotated[int, Field(ge=1)] | None = None
    per_day: Annotated[int, Field(ge=1)] | None = None


class Limits(Rate):
    """The limits of the publication, and for recipients' domains of their own."""

    domains: dict[Annotated[str, Field(pattern=r"^[^@\s]+$")], Rate] = {}


class Send(Table):
    """How issues are sent.

    `hold`: so many seconds between the confirmation and the first byte. `patience`: so many a send waits at most for
    those who were put off, before it leaves them to `resume`.
    """

    provider: str = "outbox"
    hold: Duration = 0
    patience: Duration = 600
    limits: Limits = Limits()


class Store(Table):
    """Where the database lies; the data folder when left out."""

    url: str | None = None


class CustomField(Table):
    """A field of a subscriber that the publication adds."""

    type: Literal["text"] = "text"
    default: str | None = None


class Subscribers(Table):
    """The subscribers' own fields."""

    fields: dict[str, CustomField] = {}


class Settings(Table):
    """All of newsletter.toml, with what the environment says."""

    publication: Publication
    public: Public = Public()
    lists: dict[str, List] = {}
    theme: Theme = Theme()
    send: Send = Send()
    store: Store = Store()
    subscribers: Subscribers = Subscribers()
    providers: dict[str, dict[str, Any]] = {}
    data_dir: Path | None = Field(default=None, exclude=True)
    cache_dir: Path | None = Field(default=None, exclude=True)

    @property
    def public_url(self) -> str:
        """Where subscribe, confirm and unsubscribe answer."""
        return self.public.url or self.publication.url

    def list_name(self, key: str) -> str:
        """The name of list `key`; the publication's own name where the list is not described."""
        return self.lists[key].name if key in self.lists else self.publication.name


def load_settings(path: Path) -> Settings:
    """Read the newsletter.toml at `path`; raises ConfigError with every fault and its line."""
    try:
        text = path.read_text("utf-8")
        data = tomllib.loads(text)
    except FileNotFoundError:
        raise ConfigError(f"there is no {path}", hint="`newsletter init` makes a new newsletter here") from None
    except UnicodeDecodeError as error:
        raise ConfigError("is not UTF-8", hint="save the file as UTF-8", where=Place(path)) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"is not TOML: {error}", where=_place_in_message(path, str(error))) from error
    try:
        return Settings.model_validate(data | _folders())
    except ValidationError as error:
        found = problems_of(
            error.errors(), _known_keys, lambda keys: Place(path, line_of(text, keys)), add="add {} = …"
        )
        raise ConfigError.of(found) from error


def _folders() -> dict[str, str | None]:
    """The folders outside the work tree that the environment names."""
    names = {"data_dir": "NEWSLETTER_DATA_DIR", "cache_dir": "NEWSLETTER_CACHE_DIR"}
    return {key: os.environ.get(name) or None for key, name in names.items()}


def secret(*names: str) -> str | None:
    """A secret from the environment: secret("smtp", "password") reads NEWSLETTER_SMTP_PASSWORD."""
    return os.environ.get(secret_variable(*names)) or None


def secret_variable(*names: str) -> str:
    """The name of the environment variable that holds a secret."""
    return "_".join(("NEWSLETTER", *(re.sub(r"\W", "_", name).upper() for name in names)))


def line_of(text: str, keys: tuple[Any, ...]) -> int | None:
    """The line of newsletter.toml where the value at the path `keys` stands, as near as it can be told."""
    table, key = ".".join(str(part) for part in keys[:-1]), re.escape(str(keys[-1]))
    inside, nearest_line = table == "", None
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[+\s*([^\]]+?)\s*\]", line)
        if header:
            named = header[1].replace('"', "")
            inside = named == table
            if inside or named == ".".join(str(part) for part in keys):
                nearest_line = number
        elif inside and re.match(rf"\s*\"?{key}\"?\s*=", line):
            return number
    return nearest_line or (line_of(text, keys[:-1]) if len(keys) > 1 else None)


def _place_in_message(path: Path, message: str) -> Place:
    found = re.search(r"at line (\d+), column (\d+)", message)
    return Place(path, int(found[1]), int(found[2])) if found else Place(path)


def _known_keys(keys: tuple[Any, ...]) -> list[str]:
    model: Any = Settings
    for key in keys[:-1]:
        field = model.model_fields.get(key) if isinstance(model, type) and issubclass(model, BaseModel) else None
        annotation = field.annotation if field else None
        model = getattr(annotation, "__args__", (None, annotation))[1] if annotation else None
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return []
    return [field.alias or name for name, field in model.model_fields.items() if not field.exclude]
