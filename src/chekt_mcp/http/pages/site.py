"""The approval pages: an ASGI application for the paths under its base.

    GET  BASE                      what waits for a decision
    GET  BASE/sign-in, POST        the approver passphrase, or an access token
    GET  BASE/sign-in/issuer       to the issuer, and back to BASE/sign-in/callback
    POST BASE/sign-out
    GET  BASE/apr_…                one approval, with all its words
    POST BASE/apr_…/approve|deny   the decision
    GET  BASE/keys/rot_…, POST     a lost new key, shown once
    GET  BASE/style.css

Plain pages without a script. Whoever asked for a change never decides it here: a credential of an app opens nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from chekt_mcp.domain.approver_session import ApproverSession
from chekt_mcp.errors import ChektError
from chekt_mcp.http.asgi import App
from chekt_mcp.http.pages.decide import Decisions
from chekt_mcp.http.pages.guard import guarded
from chekt_mcp.http.pages.issuer_login import ByIssuer
from chekt_mcp.http.pages.render import message
from chekt_mcp.http.pages.reveal import Reveal
from chekt_mcp.http.pages.sign_in import SignIn
from chekt_mcp.http.pages.visitor import PageSettings, Visitor, visitor_of
from chekt_mcp.http.pages.watch import Watch
from chekt_mcp.operations.approver import Passphrases
from chekt_mcp.operations.services import Services

Handler = Callable[[Request], Awaitable[Response]]
NOT_THIS_WAY: Final = "Where this request comes from cannot be told. Use the address that the assistant named."
_LOG = logging.getLogger(__name__)


def approval_pages(
    services: Services,
    passphrases: Passphrases,
    settings: PageSettings,
    watch: Watch,
    issuer: ByIssuer | None = None,
) -> App:
    """Put the pages together. With `issuer` its people sign in too."""
    sign_in = SignIn(services, passphrases, watch, issuer)
    decisions, reveal = Decisions(services, watch.refusals), Reveal(services, watch.refusals)
    pages = _Pages(services, settings)

    async def enter(visitor: Visitor) -> Response:
        if visitor.session is not None:
            return guarded(RedirectResponse(settings.base, 303))
        return await (sign_in.enter(visitor) if visitor.request.method == "POST" else sign_in.show(visitor))

    def on_approval(serve: Callable[[Visitor, ApproverSession, str], Awaitable[Response]]) -> Handler:
        return pages.signed_in(lambda visitor, session: serve(visitor, session, visitor.request.path_params["id"]))

    async def key(visitor: Visitor, session: ApproverSession, rotation_id: str) -> Response:
        serve = reveal.show if visitor.request.method == "POST" else reveal.ask
        return await serve(visitor, session, rotation_id)

    base = settings.base
    routes = [
        Route(base, pages.signed_in(decisions.list), methods=["GET"]),
        Route(f"{base}/style.css", _style, methods=["GET"]),
        Route(f"{base}/sign-in", pages.anybody(enter), methods=["GET", "POST"]),
        Route(f"{base}/sign-in/issuer", pages.anybody(sign_in.begin_at_issuer), methods=["GET"]),
        Route(f"{base}/sign-in/callback", pages.anybody(sign_in.end_at_issuer), methods=["GET"]),
        Route(f"{base}/sign-out", pages.anybody(sign_in.leave), methods=["POST"]),
        Route(f"{base}/keys/{{id}}", on_approval(key), methods=["GET", "POST"]),
        Route(f"{base}/{{id}}", on_approval(decisions.show), methods=["GET"]),
        Route(f"{base}/{{id}}/approve", on_approval(decisions.approve), methods=["POST"]),
        Route(f"{base}/{{id}}/deny", on_approval(decisions.deny), methods=["POST"]),
    ]
    site = Starlette(routes=routes, exception_handlers={404: pages.no_page, 405: pages.no_page})
    site.router.redirect_slashes = False  # it would send browsers to whatever host the request names
    return site


class _Pages:
    """Wraps each page: who is it, are they signed in, and what do they see when something is amiss."""

    def __init__(self, services: Services, settings: PageSettings) -> None:
        self._services, self._settings = services, settings

    def anybody(self, serve: Callable[[Visitor], Awaitable[Response]]) -> Handler:
        async def handler(request: Request) -> Response:
            if self._settings.client_of(request.scope) is None:
                return message(400, "Not this way", NOT_THIS_WAY, self._settings.base)
            if not self._settings.answers_to(request.headers.get("host", "")):
                return message(421, "Another name", "This server does not answer to that name.", self._settings.base)
            try:
                return await serve(await visitor_of(self._services, self._settings, request))
            except ChektError as error:
                _LOG.warning("an approval page could not be served: %s", error.code)
                return self._not_now()

        return handler

    def signed_in(self, serve: Callable[[Visitor, ApproverSession], Awaitable[Response]]) -> Handler:
        async def only_signed_in(visitor: Visitor) -> Response:
            if visitor.session is not None:
                return await serve(visitor, visitor.session)
            asked = f"?to={visitor.request.url.path}" if visitor.request.method == "GET" else ""
            return guarded(RedirectResponse(f"{self._settings.base}/sign-in{asked}", 303))

        return self.anybody(only_signed_in)

    async def no_page(self, _request: Request, _error: Exception) -> Response:
        return message(404, "No such page", "There is nothing under this address.", self._settings.base)

    def _not_now(self) -> Response:
        answer = message(503, "Not now", "The state cannot be read or written. Try again.", self._settings.base)
        answer.headers["Retry-After"] = "2"  # seconds, as the edge says it
        return answer


async def _style(_request: Request) -> Response:
    style = files("chekt_mcp.http.pages").joinpath("templates", "style.css").read_text("utf-8")
    return guarded(Response(style, media_type="text/css"))
