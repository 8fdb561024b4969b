"""How a page reaches a browser: a template filled, and a policy that allows its one stylesheet and no more."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup
from starlette.responses import HTMLResponse


class Pages:
    """The templates in `folders` (the first that has a file wins), one stylesheet, and `constants` for both."""

    def __init__(self, folders: Sequence[Path], stylesheet: str, policy: str = "", **constants: Any) -> None:
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(folders),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        style = self._templates.from_string(self.source(stylesheet)).render(constants)
        self._templates.globals.update(constants, style=Markup(style))
        self._policy = f"default-src 'none'; style-src {hashed(style)}; {policy}base-uri 'none'; frame-ancestors 'none'"

    def page(
        self, template: str, status: int = 200, headers: Mapping[str, str] | None = None, **values: Any
    ) -> HTMLResponse:
        """The answer to a request: `template` filled with `values`. It may hold what is one person's: never cached."""
        return HTMLResponse(
            self.html(template, **values),
            status,
            {**(headers or {}), "Content-Security-Policy": self._policy, "Cache-Control": "no-store"},
        )

    def html(self, template: str, **values: Any) -> str:
        """`template` filled with `values`."""
        return self._templates.get_template(template).render(values)

    def source(self, name: str) -> str:
        """The file `name` as it stands."""
        assert self._templates.loader is not None
        return self._templates.loader.get_source(self._templates, name)[0]


def hashed(text: str) -> str:
    """The source expression that allows an inline element with `text` (CSP Level 3, section 2.3.1)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
