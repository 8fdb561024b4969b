"""Which packages a kind of import needs that `pip install newsletter` alone does not bring."""

from __future__ import annotations

from importlib.util import find_spec

from newsletter.errors import ConfigError

_HTML = ("bs4", "lxml", "markdownify", "readability")
_EXTRAS = {"html": _HTML, "docx": (*_HTML, "mammoth")}


def need(extra: str, what: str) -> None:
    """Raise ConfigError, with the command that mends it, unless the packages of `extra` are here; `what` wants them."""
    missing = [package for package in _EXTRAS[extra] if find_spec(package) is None]
    if missing:
        raise ConfigError(
            f"{what} cannot be read: {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed",
            hint=f'pip install "newsletter[{extra}]"',
        )
