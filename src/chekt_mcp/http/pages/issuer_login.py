"""Signing in at the issuer: the authorization code flow with PKCE (RFC 6749, 4.1; RFC 7636; RFC 9700).

State and verifier are derived from a cookie of the browser that began, so nothing has to be kept here, and a code
that another browser got signs nobody in. That cookie is `Lax`: a `Strict` one would not come back with the browser.
The last page is one of our own for the same reason: only what begins on these pages brings the session's cookie.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from chekt_mcp.auth.approver_token import ApproverToken
from chekt_mcp.auth.granted import Refused
from chekt_mcp.http.pages.guard import guarded

BEGUN_SECONDS: Final = 600
LONGEST: Final = 4_096

ApproverOf = Callable[[str, datetime], Awaitable[ApproverToken | Refused]]
"""Tells whom an access token signs in at these pages."""

Redeem = Callable[[Mapping[str, str]], Awaitable[bytes | None]]
"""Sends a form to the issuer's token endpoint and returns its answer, or None where there is none."""


@dataclass(frozen=True, slots=True)
class IssuerLogin:
    """Where approvers sign in, and under which name these pages are registered there.

    Attributes:
        issuer: as its tokens have it.
        authorize_url: its authorization endpoint.
        client_id: these pages, as a public client.
        pages: the URL of these pages, which tokens have to be made for (RFC 8707).
        redeem: see `Redeem`.
    """

    issuer: str
    authorize_url: str
    client_id: str
    pages: str
    redeem: Redeem

    @property
    def callback(self) -> str:
        """Where the issuer sends the browser back to; to be registered there."""
        return f"{self.pages}/sign-in/callback"

    def send_there(self, cookie: str) -> Response:
        """Lead the browser to the issuer."""
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.callback,
            "state": _derived(cookie, "state"),
            "code_challenge": _base64url(hashlib.sha256(_derived(cookie, "verifier").encode()).digest()),
            "code_challenge_method": "S256",
            "resource": self.pages,
        }
        joined = "&" if "?" in self.authorize_url else "?"
        return guarded(RedirectResponse(f"{self.authorize_url}{joined}{urlencode(asked)}", 303))

    def code_of(self, request: Request, cookie: str) -> str | None:
        """Return the code that the issuer sent back; None where this browser did not ask for it."""
        given = request.query_params
        code, state, sender = given.get("code", ""), given.get("state", ""), given.get("iss", self.issuer)
        own = bool(cookie) and hmac.compare_digest(_derived(cookie, "state").encode(), state.encode("utf-8", "replace"))
        if not own or sender != self.issuer or not 0 < len(code) <= LONGEST:  # `iss`: RFC 9207
            return None
        return code

    async def token_for(self, code: str, cookie: str) -> str | None:
        """Return the access token that the issuer gives for a code; None where it gives none."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.callback,
            "client_id": self.client_id,
            "code_verifier": _derived(cookie, "verifier"),
            "resource": self.pages,
        }
        return _access_token(await self.redeem(form))


@dataclass(frozen=True, slots=True)
class ByIssuer:
    """How the issuer's people sign in: at the issuer, or without a `login` by a token they bring."""

    approver_of: ApproverOf
    login: IssuerLogin | None = None


def _access_token(answer: bytes | None) -> str | None:
    try:
        said = json.loads(answer or b"null")
    except ValueError:
        return None
    token = said.get("access_token") if isinstance(said, dict) else None
    return token if isinstance(token, str) else None


def _derived(cookie: str, purpose: str) -> str:
    """Return 43 characters that only who holds the cookie can know (RFC 7636, 4.1 asks for as many)."""
    return _base64url(hmac.new(cookie.encode(), f"chekt-mcp approver {purpose}".encode(), hashlib.sha256).digest())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
