"""The pages of the preview: the list of issues, one issue with the tool around it, and what stands in its frame."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response, StreamingResponse

from newsletter.compile.addresses import INDEX, STYLE
from newsletter.compile.colours import dark, light
from newsletter.compile.edition import Facts
from newsletter.errors import NewsletterError, Place
from newsletter.issue.model import Issue
from newsletter.web.pages import Pages, hashed
from newsletter.web.preview.desk import Desk, Look, Sheet
from newsletter.web.preview.frame import SANDBOX, email_html, email_text, framed, styled
from newsletter.web.preview.letter import letter_of
from newsletter.web.preview.state import Scheme, State
from newsletter.web.preview.watch import Feed
from newsletter.workspace import Workspace


class Studio:
    """The pages below `path` for `workspace`. Each public method but `touched` answers one kind of request."""

    def __init__(self, workspace: Workspace, facts: Callable[[Issue], Facts], path: str) -> None:
        self._path = path
        self._root = workspace.root
        self._desk = Desk(workspace.root, facts)
        brand = workspace.settings.theme.brand
        self._pages = Pages(
            workspace.theme_folders,
            "preview/studio.css.j2",
            "script-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'none'; ",
            path=path,
            publication=workspace.settings.publication,
            colour={"light": light(brand), "dark": dark(brand)},
            place=self._place,
        )
        self._script = self._pages.source("preview/frame.js")
        self._frame_headers = {
            "Content-Security-Policy": f"default-src 'none'; style-src 'self' 'unsafe-inline'; font-src 'self'; "
            f"img-src 'self' data: https:; script-src {hashed(self._script)}; sandbox {SANDBOX}; form-action 'none'; "
            "base-uri 'none'; frame-ancestors 'self'",
            "X-Frame-Options": "SAMEORIGIN",
            "Cache-Control": "no-store",
        }
        self.feed = Feed(lambda: self._desk.generation)

    def touched(self) -> None:
        """A file of the workspace has changed."""
        self._desk.touched()
        self.feed.announce()

    async def issues(self, _request: Request) -> Response:
        generation = self._desk.generation
        issues = await run_in_threadpool(self._desk.issues)
        return self._pages.page("preview/issues.html.j2", generation=generation, issues=issues)

    async def issue(self, request: Request) -> Response:
        name, look = request.path_params["name"], await self._look(request)
        letter = letter_of(look.sheet) if look.sheet else None
        state = State.of(request.query_params, [path for path, _ in letter.pages] if letter else [])
        return self._pages.page(
            "preview/issue.html.j2",
            name=name,
            generation=look.generation,
            problems=look.problems,
            letter=letter,
            state=state,
            frame=f"{self._path}/frame/{quote(name, safe='')}/{state.scheme}/{state.inside}",
            sandbox=SANDBOX,
        )

    async def changes(self, _request: Request) -> Response:
        return StreamingResponse(self.feed.stream(), media_type="text/event-stream")

    async def live(self, _request: Request) -> Response:
        return Response(self._pages.source("preview/live.js"), media_type="text/javascript")

    async def email(self, request: Request) -> Response:
        name, scheme, sheet = await self._opened(request)
        site = f"{self._path}/frame/{quote(name, safe='')}/{scheme}/site"
        return self._frame(email_html(sheet, site), scheme)

    async def text(self, request: Request) -> Response:
        _, scheme, sheet = await self._opened(request)
        return self._frame(self._pages.html("preview/text.html.j2", text=email_text(sheet)), scheme)

    async def site(self, request: Request) -> Response:
        """A file of the issue's site: a page, the style sheet, a picture."""
        _, scheme, sheet = await self._opened(request)
        path: str = request.path_params["path"]
        pages = {page.path: page.html for page in sheet.edition.pages}
        pictures = {asset.path: asset.source for asset in sheet.edition.assets}
        index = f"{path}{INDEX}" if path.endswith("/") else path
        if index in pages:
            return self._frame(pages[index], scheme)
        if path in pictures:
            return FileResponse(pictures[path], headers=self._frame_headers)
        if path == STYLE:
            return Response(styled(sheet.style, scheme), media_type="text/css", headers=self._frame_headers)
        return self._frame(self._pages.html("preview/elsewhere.html.j2"), scheme, 404)

    async def fault(self, _request: Request, error: Exception) -> Response:
        """The workspace itself cannot be read."""
        assert isinstance(error, NewsletterError)
        return self._pages.page("preview/fault.html.j2", 500, generation=self._desk.generation, problems=error.problems)

    async def _look(self, request: Request) -> Look:
        try:
            return await run_in_threadpool(self._desk.look, request.path_params["name"])
        except KeyError:
            raise HTTPException(404, "there is no such issue") from None

    async def _opened(self, request: Request) -> tuple[str, Scheme, Sheet]:
        """What a frame's address names: the issue's folder, the scheme, the issue as it compiled last."""
        look, scheme = await self._look(request), request.path_params["scheme"]
        if look.sheet is None or scheme not in list(Scheme):
            raise HTTPException(404, "there is nothing to show yet")
        return request.path_params["name"], Scheme(scheme), look.sheet

    def _frame(self, html: str, scheme: Scheme, status: int = 200) -> Response:
        return HTMLResponse(framed(html, scheme, self._script), status, self._frame_headers)

    def _place(self, place: Place) -> str:
        """A place as a writer knows it: from the workspace's root."""
        if place.path.is_relative_to(self._root):
            place = Place(place.path.relative_to(self._root), place.line, place.column)
        return str(place)
