"""Who looks at a page: the cookie, the session behind it, and the person as the audit log has them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Literal
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from chekt_mcp.auth.caller import NO_DEALER
from chekt_mcp.domain.approver_session import ApproverSession
from chekt_mcp.domain.audit import NewEntry, Result
from chekt_mcp.domain.identifier import new_id
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.http.asgi import Scope
from chekt_mcp.http.pages.guard import form_token, is_own_form
from chekt_mcp.http.pages.issuer_login import BEGUN_SECONDS
from chekt_mcp.operations.approver_session import LASTS, find_session
from chekt_mcp.operations.operator import Operator
from chekt_mcp.operations.services import Services

SOURCE: Final = "approval page"
MOST_FORM_BYTES = 16 * 1024
MOST_FIELDS = 16
FORM_REFUSED: Final = "approver.form.refuse"
SESSION, FORM, BEGUN = "", "-form", "-begun"
"""What is added to the cookie's name for each of its purposes."""


@dataclass(frozen=True, slots=True)
class PageSettings:
    """Where the pages are.

    Attributes:
        base: their path, such as `/approvals`.
        origins: the origins, in lower case, that their forms come from.
        secure: a browser reaches them over https.
        client_of: how a request's client address is told.
        body_seconds: how long a form may take.
    """

    base: str
    origins: frozenset[str]
    secure: bool
    client_of: Callable[[Scope], str | None]
    body_seconds: float = 10

    def answers_to(self, host: str) -> bool:
        """Tell whether a Host header names these pages: a name rebound to this address by somebody else does not."""
        return host.lower() in {origin.partition("://")[2] for origin in self.origins}

    @property
    def cookie(self) -> str:
        """The cookie's name; the prefix has a browser refuse one that another host or plain http has set."""
        return "__Host-chekt-approver" if self.secure else "chekt-approver"


@dataclass(frozen=True, slots=True)
class Visitor:
    """One request to a page. `session` is None until somebody has signed in; `token` is their cookie, or ""."""

    request: Request
    settings: PageSettings
    token: str = field(repr=False)
    session: ApproverSession | None
    request_id: str

    @property
    def form_token(self) -> str:
        """What the forms on the page carry."""
        return form_token(self.token)

    @property
    def source_ip(self) -> str | None:
        """Where the request comes from."""
        return self.settings.client_of(self.request.scope)

    def refused(self, action: str, outcome: str, now: datetime) -> NewEntry:
        """Return the log entry of what is not done for this visitor; of their dealer, if they have signed in."""
        dealer, who = (self.session.dealer, self.session.principal) if self.session else (NO_DEALER, "unknown")
        entry = self.operator(who).entry(dealer, action, now, details={"outcome": outcome})
        return replace(entry, result=Result.DENIED)

    def operator(self, principal: str) -> Operator:
        """Return the person as the audit log has them."""
        return Operator(principal, self.request_id, SOURCE, self.source_ip)

    async def posted(self) -> Mapping[str, str] | None:
        """Return the fields of a form posted in this session, or None when it is no form of these pages."""
        return await self._posted(self.token)

    async def posted_to_sign_in(self) -> Mapping[str, str] | None:
        """Return the fields of a posted sign-in form, or None when it is none that this browser was given."""
        return await self._posted(self.request.cookies.get(self._named(FORM), ""))

    @property
    def begun(self) -> str:
        """The cookie of a sign-in that was begun at the issuer, or ""."""
        return self.request.cookies.get(self._named(BEGUN), "")

    @property
    def came_from_elsewhere(self) -> bool:
        """Whether a link of another site led here: the session's cookie then stays at home."""
        return self.request.headers.get("sec-fetch-site") == "cross-site"

    def keep_begun(self, response: Response, cookie: str) -> Response:
        """Give the browser the cookie by which it is known when the issuer sends it back."""
        return self._keep(response, BEGUN, cookie, BEGUN_SECONDS, "lax")

    def keep_form(self, response: Response, cookie: str) -> Response:
        """Give the browser the cookie that the sign-in form belongs to; one that holds a session goes on holding it."""
        return self._keep(response, FORM, cookie, int(LASTS.total_seconds()))

    def keep(self, response: Response, token: str) -> Response:
        """Give the browser a session's cookie, which no script and no other site can use."""
        return self._keep(response, SESSION, token, int(LASTS.total_seconds()))

    def _named(self, purpose: str) -> str:
        return self.settings.cookie + purpose

    def _keep(
        self, response: Response, purpose: str, value: str, seconds: int, samesite: Literal["lax", "strict"] = "strict"
    ) -> Response:
        name, secure = self._named(purpose), self.settings.secure
        response.set_cookie(name, value, max_age=seconds, secure=secure, httponly=True, samesite=samesite)
        return response

    async def _posted(self, cookie: str) -> Mapping[str, str] | None:
        body = await _body(self.request, self.settings.body_seconds)
        if body is None or not self.request.headers.get("content-type", "").startswith(
            "application/x-www-form-urlencoded"
        ):
            return None
        try:
            fields = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS))
        except ValueError:  # not UTF-8, or too many fields
            return None
        own = is_own_form(self.request, self.settings.origins, cookie, fields.get("form_token", ""))
        return fields if own else None


async def visitor_of(services: Services, settings: PageSettings, request: Request) -> Visitor:
    """Find out who sent a request."""
    token = request.cookies.get(settings.cookie, "")
    session = await find_session(services, token) if token else None
    return Visitor(request, settings, token, session, new_id("req", services.random))


def signed_in(visitor: Visitor, session: ApproverSession) -> dict[str, object]:
    """Return what the head of a page shows to somebody who is signed in."""
    return {
        "base": visitor.settings.base,
        "form_token": visitor.form_token,
        "dealer": session.dealer,
        "until": rfc3339(session.ends_at),
    }


async def _body(request: Request, seconds: float) -> bytes | None:
    """Return the body, or None when it is larger than any form of ours, slower, or has no end."""
    try:
        async with asyncio.timeout(seconds):
            return await _within_size(request)
    except (TimeoutError, ClientDisconnect):
        return None


async def _within_size(request: Request) -> bytes | None:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_FORM_BYTES:
            return None
    return bytes(body)
