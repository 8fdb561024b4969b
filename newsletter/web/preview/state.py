"""What a page of the preview shows. All of it stands in the page's address, so that a view can be linked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlencode

Choice = TypeVar("Choice", bound=StrEnum)


class View(StrEnum):
    """The form of the issue that is looked at."""

    EMAIL = "email"
    TEXT = "text"
    WEB = "web"


class Width(StrEnum):
    """The width of the frame in CSS pixels: a phone, a mail program on a desk."""

    PHONE = "375"
    DESK = "700"


class Scheme(StrEnum):
    """What the reader's mail program or browser prefers."""

    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class State:
    """The choices of a page; `page` is the path of a web page on the site, empty for another view."""

    view: View = View.EMAIL
    width: Width = Width.DESK
    scheme: Scheme = Scheme.LIGHT
    page: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str], pages: Sequence[str]) -> State:
        """The state that `query` describes; what it does not say, or says wrongly, is as usual."""
        view = _chosen(query.get("view", ""), cls().view)
        page = query.get("page", "")
        if view is View.WEB and pages and page not in pages:
            page = pages[0]
        width, scheme = _chosen(query.get("width", ""), cls().width), _chosen(query.get("scheme", ""), cls().scheme)
        return cls(view, width, scheme, page if view is View.WEB else "")

    def link(self, **change: str) -> str:
        """The address, relative to the page, of the same state but for `change`."""
        said = asdict(replace(self, **change))  # type: ignore[arg-type]
        return f"?{urlencode({key: value for key, value in said.items() if value})}"

    @property
    def inside(self) -> str:
        """The path of what stands in the frame, below the issue's frames of this scheme."""
        return f"site/{self.page}" if self.view is View.WEB else self.view


def _chosen(said: str, usual: Choice) -> Choice:
    try:
        return type(usual)(said)
    except ValueError:
        return usual
