"""Every answer of the webhook receiver but success. All of them make the platform ask again: it retries for 24 h."""

from __future__ import annotations

from datetime import timedelta

from chekt_mcp.domain.webhook import LEASE_SECONDS
from chekt_mcp.http.answer import Answer, retry_after

NOT_FOUND = Answer(404, "not_found", "There is nothing at this address.", closes=True)
NOT_POST = Answer(405, "method_not_allowed", "Deliveries are posted.", ((b"allow", b"POST"),), closes=True)
TOO_SLOW = Answer(408, "request_timeout", "The request did not arrive in time.", closes=True)
TOO_LARGE = Answer(413, "payload_too_large", "The body is larger than 1 MiB.", closes=True)
NOT_JSON = Answer(415, "unsupported_media_type", "A delivery is application/json, not compressed.", closes=True)
TOO_OFTEN = Answer(429, "rate_limited", "Too many requests; ask again later.", closes=True)
HEADERS_TOO_LARGE = Answer(431, "headers_too_large", "The headers are too many or too long.", closes=True)
FAILED = Answer(500, "internal_error", "Something unexpected happened.", closes=True)

# One answer for an unknown app, a bad signature and an old timestamp: what exactly it is, the audit log tells.
REFUSED = Answer(
    401,
    "webhook_signature_invalid",
    "The webhook signature could not be verified.",
    ((b"www-authenticate", b"CHeKT-Signature"),),  # RFC 9110, 15.5.2: a 401 names a scheme
)
BUSY = retry_after(Answer(503, "busy", "Too many deliveries at once; ask again.", closes=True), timedelta(seconds=5))
IN_PROGRESS = retry_after(
    Answer(503, "delivery_in_progress", "This delivery is being dealt with; ask again."),
    timedelta(seconds=LEASE_SECONDS),
)
UNAVAILABLE = retry_after(
    Answer(503, "unavailable", "The delivery cannot be taken in now; ask again."), timedelta(seconds=30)
)
