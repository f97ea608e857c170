"""Verify CHeKT webhooks in your own program: no server, no storage, nothing but the standard library.

    from chekt_mcp import webhook

    verification = webhook.verify(request.headers, body, os.environ["CHEKT_WEBHOOK_SECRET"])
    if not verification:
        log.warning("webhook refused: %s", verification.cause)

`body` is the bytes of the request as they came; parse them only afterwards. During a rotation pass both secrets,
the current one first. The id headers are not signed: deduplicate on `verification.body_digest` and
`verification.event_id`, which are. An ASGI application is wrapped in `SignedWebhookMiddleware` instead; a whole
receiver to copy is `examples/webhook_receiver.py`.
"""

from __future__ import annotations

import time

from chekt_mcp.domain.webhook import (
    MAX_BODY_BYTES,
    WINDOW_SECONDS,
    Body,
    Cause,
    Diagnosis,
    Event,
    Headers,
    SigningSecret,
    Verdict,
    Verification,
    sign,
)
from chekt_mcp.domain.webhook import diagnose as _diagnose
from chekt_mcp.domain.webhook import verify as _verify
from chekt_mcp.webhook.asgi import SignedWebhookMiddleware
from chekt_mcp.webhook.memory import RecentDeliveries
from chekt_mcp.webhook.secrets import Secrets, labelled, signing_secrets

__all__ = [
    "MAX_BODY_BYTES",
    "Cause",
    "Diagnosis",
    "Event",
    "RecentDeliveries",
    "SignedWebhookMiddleware",
    "SigningSecret",
    "Verdict",
    "Verification",
    "diagnose",
    "sign",
    "verify",
]


def verify(
    headers: Headers, body: Body, secret: Secrets, *, now: float | None = None, tolerance: int = WINDOW_SECONDS
) -> Verification:
    """Return whether this delivery is genuine and fresh; the answer is true only when it is both. Never raises.

    Args:
        headers: the request's headers: a mapping or (name, value) pairs, names in any case.
        body: the bytes of the request as they came, at most 1 MiB.
        secret: the signing secret, or the current and the previous one. None counts as not configured.
        now: unix time in seconds; the machine's clock by default.
        tolerance: how many seconds the timestamp may be off, either way.
    """
    prepared = labelled(secret) if isinstance(secret, str) else signing_secrets(secret)  # the usual case at once
    return _verify(headers, body, prepared, now=time.time() if now is None else now, window=tolerance)


def diagnose(
    headers: Headers, body: Body, secret: Secrets, *, now: float | None = None, tolerance: int = WINDOW_SECONDS
) -> Diagnosis | None:
    """Return why a delivery was not accepted and how to fix it, or None when it was or nothing can be said.

    Arguments as for `verify`. For development and support: it computes up to 512 signatures, so do not run it on
    every refused request of a public endpoint.
    """
    return _diagnose(headers, body, signing_secrets(secret), now=time.time() if now is None else now, window=tolerance)
