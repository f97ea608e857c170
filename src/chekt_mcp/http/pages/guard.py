"""What protects the pages in a browser: headers on every answer, and forms that only these pages can send.

A form counts when the browser says that it comes from these pages (Origin, or Sec-Fetch-Site) and when it carries
the token that belongs to its sender's cookie. Either alone would do; a mistake in one is then not the end.
"""

from __future__ import annotations

import hashlib
import hmac

from starlette.requests import Request
from starlette.responses import Response

POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
"""`Referrer-Policy: no-referrer` would make browsers send `Origin: null` with our own forms (Fetch, 3.2.2)."""


def guarded(response: Response) -> Response:
    """Add the headers that every page carries."""
    response.headers.update(HEADERS)
    return response


def form_token(cookie: str) -> str:
    """Return what a form must carry when its sender holds this cookie; it tells nothing of the cookie."""
    return hmac.new(cookie.encode(), b"chekt-mcp approval form", hashlib.sha256).hexdigest()


def is_own_form(request: Request, origins: frozenset[str], cookie: str, given: str) -> bool:
    """Tell whether a posted form was sent by one of these pages."""
    expected = form_token(cookie).encode()
    return _from_here(request, origins) and bool(cookie) and hmac.compare_digest(expected, given.encode())


def _from_here(request: Request, origins: frozenset[str]) -> bool:
    origin = request.headers.get("origin")
    if origin is not None:
        return origin.lower() in origins
    return request.headers.get("sec-fetch-site") == "same-origin"
