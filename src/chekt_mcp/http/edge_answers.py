"""What the edge answers to a request that it does not let through. None tells an outsider what it did not know."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from chekt_mcp.domain.scope import Scope
from chekt_mcp.http.answer import Answer, Raw, retry_after

NO_ADDRESS = Answer(400, "client_address_unknown", "Where the request comes from cannot be told.", closes=True)
TOO_SLOW = Answer(408, "request_timeout", "The request did not arrive in time.", closes=True)
NOT_FOUND = Answer(404, "not_found", "There is nothing at this address.", closes=True)
TOO_MANY_FAILURES = Answer(429, "rate_limited", "Too many refused credentials from this address.", closes=True)
UNAVAILABLE = retry_after(
    Answer(503, "unavailable", "This cannot be answered now; ask again.", closes=True), timedelta(seconds=2)
)
FAILED = Answer(500, "internal_error", "Something unexpected happened. Report it with the request id.", closes=True)
IP_NOT_ALLOWED = Answer(403, "ip_not_allowed", "This address is not on the allow list of the calling app.", closes=True)
RATE_LIMITED = Answer(429, "rate_limited", "The calling app has used up its rate; ask again later.", closes=True)

TOO_MANY_SESSIONS = retry_after(
    Answer(429, "rate_limited", "The caller has too many sessions open; end some, or ask again later."),
    timedelta(minutes=1),
)


def no_credential(metadata_url: str) -> Answer:
    """Answer a request without a credential (RFC 6750, 3.1: no error code then), and say where to learn of one."""
    message = "Send a credential: Authorization: Bearer, then an API key or an access token."
    return Answer(401, "invalid_api_key", message, _challenge(metadata_url), closes=True)


def bad_credential(metadata_url: str) -> Answer:
    """Answer a credential that is not good: the same for unknown, ended and foreign ones."""
    message = "The credential is not valid here, or not any more."
    return Answer(401, "invalid_api_key", message, _challenge(metadata_url, error="invalid_token"), closes=True)


def insufficient_scope(metadata_url: str, needed: Iterable[Scope]) -> Answer:
    """Answer a token that lacks a scope, naming all that the call needs (MCP, authorization; RFC 6750, 3.1)."""
    scopes = " ".join(sorted(needed))
    headers = _challenge(metadata_url, error="insufficient_scope", scope=scopes)
    return Answer(403, "permission_denied", f"The token needs: {scopes}.", headers, closes=True)


def _challenge(metadata_url: str, **parameters: str) -> Raw:
    given = {**parameters, "resource_metadata": metadata_url}
    value = ", ".join(f'{name}="{text}"' for name, text in given.items())
    return ((b"www-authenticate", f"Bearer {value}".encode()),)
