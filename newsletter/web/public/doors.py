"""What a reader's request does. GET and HEAD change nothing; POST changes what a signed token allows, or asks by mail.

RFC 8058 (one-click unsubscribe): section 3.1, no redirect, no cookie, no login; section 3.2, both form encodings.
Nobody can learn here whether an address is on a list: the answers are the same, and what depends on the list (looking
an address up, sending it mail) happens after the answer has gone.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from anyio import CapacityLimiter, to_thread
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from newsletter.compile.words import Words
from newsletter.config import Settings
from newsletter.errors import NewsletterError
from newsletter.store.subscribers import Subscriber, Subscribers, SubscriberState, address_key, normalise
from newsletter.tokens import Action, Grant, InvalidToken, Keyring
from newsletter.web.guard import HEADERS
from newsletter.web.public.limits import Buckets, Cooldown, network
from newsletter.web.public.look import public_pages, public_words

CONFIRM_WITHIN = 14 * 24 * 3600
"""How long the link in a confirmation mail works, in seconds."""

Confirm = Callable[[Subscriber, str], None]
_log = logging.getLogger("newsletter.web")


class Doors:
    """The pages and what they do. Each public method answers one kind of request, or an error of one."""

    def __init__(
        self,
        settings: Settings,
        subscribers: Subscribers,
        keyring: Keyring,
        confirm: Confirm,
        theme: tuple[Path, ...] | None,
    ) -> None:
        self._settings = settings
        self._subscribers = subscribers
        self._keyring = keyring
        self._confirm = confirm
        self._lists = {key: settings.list_name(key) for key in settings.lists or ["main"]}
        self._mailed = Cooldown(600)
        self._networks = Buckets(30, 20)
        self._postman = CapacityLimiter(1)
        self._words = public_words(settings, theme)
        self._page = public_pages(settings, theme).page

    async def subscribe_form(self, request: Request) -> Response:
        return self._subscribe_page(request.query_params.get("list"))

    async def subscribe(self, request: Request) -> Response:
        _ = self._words
        async with request.form() as form:
            address, list_name, bait = (str(form.get(name, "")) for name in ("email", "list", "website"))
        list_name = list_name or next(iter(self._lists))
        if list_name not in self._lists:
            return self._subscribe_page(None, 422, problem=_("There is no such newsletter here."))
        try:
            sendable = _sendable(address, _)
        except ValueError as error:
            return self._subscribe_page(list_name, 422, problem=str(error), address=address)
        if bait:  # a field that no person sees: whoever fills it in gets the usual answer, and nothing else
            return self._look_into_mailbox(None)
        if not self._networks.take(network(request.client.host if request.client else None)):
            return self._page("public/too_many.html.j2", 429, {"Retry-After": "60"})
        return self._look_into_mailbox(BackgroundTask(self._invite, sendable, list_name))

    async def confirm_form(self, request: Request) -> Response:
        grant = self._grant(request, Action.CONFIRM)
        return self._page("public/confirm.html.j2", list_name=self._settings.list_name(grant.list))

    async def confirm(self, request: Request) -> Response:
        grant = self._grant(request, Action.CONFIRM)
        there = await run_in_threadpool(self._subscribers.confirm, grant.subscriber, grant.list, channel="page")
        if not there:
            return self._page("public/used_up.html.j2", 410, list=grant.list)
        return self._page("public/confirmed.html.j2", list_name=self._settings.list_name(grant.list))

    async def unsubscribe_form(self, request: Request) -> Response:
        return self._unsubscribe_page(self._grant(request, Action.UNSUBSCRIBE))

    async def unsubscribe(self, request: Request) -> Response:
        grant = self._grant(request, Action.UNSUBSCRIBE)
        async with request.form() as form:
            one_click, wish = form.get("List-Unsubscribe") == "One-Click", form.get("do")
        if one_click:
            await self._leave(grant, "one-click")
            return PlainTextResponse("unsubscribed\n", headers={"Cache-Control": "no-store"})
        if wish == "leave":
            await self._leave(grant, "page")
            return self._page("public/unsubscribed.html.j2", list_name=self._settings.list_name(grant.list))
        if wish == "return":
            return self._look_into_mailbox(BackgroundTask(self._invite_back, grant))
        return self._unsubscribe_page(grant, 400)

    async def preferences(self, request: Request) -> Response:
        grant = self._grant(request, Action.PREFERENCES)
        action = Action.NOTHING if grant.action is Action.NOTHING else Action.UNSUBSCRIBE
        return self._page(
            "public/preferences.html.j2",
            list_name=self._settings.list_name(grant.list),
            unsubscribe=self._keyring.sign(Grant(grant.subscriber, grant.list, action)),
        )

    async def bad_link(self, _request: Request, _error: Exception) -> Response:
        return self._page("public/bad_link.html.j2", 404)

    async def refused(self, _request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 404:
            return self._page("public/not_found.html.j2", 404)
        return PlainTextResponse(f"{error.detail}\n", error.status_code, error.headers)

    async def unavailable(self, _request: Request, error: Exception) -> Response:
        _log.error("%s", error)
        return self._page("public/broken.html.j2", 503, {"Retry-After": "60"})

    async def broken(self, _request: Request, _error: Exception) -> Response:
        return self._page("public/broken.html.j2", 500, HEADERS)

    def _subscribe_page(
        self, chosen: str | None, status: int = 200, *, problem: str | None = None, address: str = ""
    ) -> Response:
        chosen = chosen if chosen in self._lists else next(iter(self._lists))
        return self._page(
            "public/subscribe.html.j2", status, lists=self._lists, chosen=chosen, problem=problem, address=address
        )

    def _unsubscribe_page(self, grant: Grant, status: int = 200) -> Response:
        return self._page("public/unsubscribe.html.j2", status, list_name=self._settings.list_name(grant.list))

    def _look_into_mailbox(self, afterwards: BackgroundTask | None) -> Response:
        response = self._page("public/look_into_mailbox.html.j2")
        response.background = afterwards
        return response

    def _grant(self, request: Request, action: Action) -> Grant:
        """What the request's token grants; one that may do nothing stands in for any but a confirmation."""
        token = request.path_params["token"]
        try:
            return self._keyring.verify(token, action)
        except InvalidToken:
            if action is Action.CONFIRM:
                raise
            return self._keyring.verify(token, Action.NOTHING)

    async def _leave(self, grant: Grant, channel: str) -> None:
        if grant.action is not Action.NOTHING:
            await run_in_threadpool(self._subscribers.unsubscribe, grant.subscriber, grant.list, channel=channel)

    async def _invite_back(self, grant: Grant) -> None:
        if grant.action is Action.NOTHING:
            return
        found = await run_in_threadpool(self._subscribers.get, grant.subscriber, grant.list)
        if found is not None:
            await self._invite(found.email, grant.list)

    async def _invite(self, address: str, list_name: str) -> None:
        """Note the wish and ask for a confirmation by mail, at most once in ten minutes for each address."""
        source, key = f"{self._settings.public_url}/subscribe", address_key(address)
        subscriber = await run_in_threadpool(self._subscribers.sign_up, address, list=list_name, source=source)
        if subscriber.state is not SubscriberState.PENDING or not self._mailed.allow(key):
            return
        expires = int(time.time()) + CONFIRM_WITHIN
        token = self._keyring.sign(Grant(subscriber.id, list_name, Action.CONFIRM, expires))
        link = f"{self._settings.public_url}/confirm/{token}"
        who = self._keyring.keyed_hash(key)[:10]
        try:
            await to_thread.run_sync(self._confirm, subscriber, link, limiter=self._postman)
        except NewsletterError as error:
            self._mailed.forget(key)
            _log.error("the confirmation mail to %s was not sent: %s", who, type(error).__name__)
        else:
            _log.info("asked %s for a confirmation", who)


def _sendable(address: str, _: Words) -> str:
    """The form to send to; raises ValueError in words."""
    if not address.strip():
        raise ValueError(_("Please type your e-mail address."))
    try:
        found = normalise(address)
    except ValueError as error:
        said = str(error) if _.spoken == "en" else _("Mail cannot be sent to this address. Please check it.")
        raise ValueError(said) from error
    if not found.isascii():
        raise ValueError(
            _("Few mail services deliver to letters such as these before the @. Please use another address.")
        )
    return found
