"""Verification exactly as published: hex HMAC-SHA256 of `{timestamp}.{raw body}`, 300 s either way, inclusive.

1. Read the two signed headers, each once, names in any case.
2. Compute the signature under every live secret and compare in constant time.
3. Compare the timestamp, now known to be genuine, with the clock.

What is wrong with a delivery that fails is only looked into afterwards: the good ones do not pay for it.
"""

from __future__ import annotations

from hmac import compare_digest
from typing import TYPE_CHECKING

from chekt_mcp.domain.webhook.cause import Cause
from chekt_mcp.domain.webhook.defects import WELL_FORMED_BUT_WRONG, find_defect
from chekt_mcp.domain.webhook.delivery import (
    MAX_BODY_BYTES,
    MAX_TIMESTAMP_DIGITS,
    Body,
    Headers,
    claimed_timestamp,
    signed_headers,
    text_pairs,
)
from chekt_mcp.domain.webhook.fixes import ADVICE
from chekt_mcp.domain.webhook.verification import Verdict, Verification, assembled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chekt_mcp.domain.webhook.signature import Label, SigningSecret

WINDOW_SECONDS = 300
_VALID = Verdict.VALID  # looked up once: on Python 3.11 a member of an enum costs a descriptor call
_GENUINE = {
    "current": "The signature fits and the timestamp is within the window.",
    "previous": "The signature fits and the timestamp is within the window; it was made with the previous secret, "
    "which is still live.",
}


def verify(  # noqa: PLR0913  each is a part of the question; all but three are named
    headers: Headers,
    body: Body,
    secrets: Sequence[SigningSecret],
    *,
    now: float,
    window: int = WINDOW_SECONDS,
    received_at: float | None = None,
) -> Verification:
    """Return the verdict on one delivery. Never raises, whatever headers and body are; never says `replayed`.

    Args:
        headers: a mapping or a sequence of pairs; names in any case.
        body: the bytes of the request as they came, at most 1 MiB.
        secrets: the app's secrets; the first live one that fits decides. Others never verify.
        now: unix time in seconds.
        window: seconds, either way, inclusive.
        received_at: unix time at which the delivery arrived, when it is looked at later.
    """
    try:
        signature, timestamp = signed_headers(headers)
        seconds, claimed = timestamp.encode(), signature.lower()
    except Exception:  # noqa: BLE001  absent, not text, or whatever the caller's object raises: looked into below
        seconds, claimed = b"", ""
    # Inline, for every delivery passes here. A signature that fits needs no check of its own form.
    if (
        isinstance(body, bytes)
        and len(body) <= MAX_BODY_BYTES
        and seconds.isdigit()
        and len(seconds) <= MAX_TIMESTAMP_DIGITS
        and isinstance(claimed, str)
        and claimed.isascii()
    ):
        for secret in secrets:
            if secret.usable and compare_digest(secret.sign(seconds, body), claimed):
                label, signed_at = secret.label, int(timestamp)
                then = None if received_at is None else -window <= received_at - signed_at <= window
                if -window <= now - signed_at <= window:
                    return assembled((_VALID, _GENUINE[label], signed_at, body, label, then, None, None, False, None))
                return _outside_window(signed_at, body, label, now, then=then)
    converted = _as_text_and_bytes(headers, body)
    if converted is None:
        return _refused(headers, body, secrets)
    return verify(*converted, secrets, now=now, window=window, received_at=received_at)


def _outside_window(signed_at: int, body: bytes, label: Label, now: float, *, then: bool | None) -> Verification:
    """`then`: whether it was within the window when it was received, if that is known."""
    verdict, cause = Verdict.STALE, Cause.TIMESTAMP_TOO_OLD
    if signed_at > now:
        verdict, cause = Verdict.FUTURE, Cause.TIMESTAMP_IN_FUTURE
    cause = Cause.LOOKED_AT_LATER if then else cause
    advice = ADVICE[cause]
    return Verification(verdict, advice.explanation, signed_at, body, label, then, cause, advice.fix)


def _as_text_and_bytes(headers: Headers, body: Body) -> tuple[Headers, bytes] | None:
    """Return the delivery with byte headers as text and any buffer as bytes, or None when it is so already."""
    pairs = text_pairs(headers)
    if isinstance(body, bytearray | memoryview):
        return (headers if pairs is None else pairs), bytes(body)
    return None if pairs is None else (pairs, body)


def _refused(headers: Headers, body: Body, secrets: Sequence[SigningSecret]) -> Verification:
    verdict, cause = _refusal(headers, body, secrets)
    advice = ADVICE[cause]
    kept = body if isinstance(body, bytes) else b""
    return Verification(verdict, advice.explanation, claimed_timestamp(headers), kept, cause=cause, fix=advice.fix)


def _refusal(headers: Headers, body: Body, secrets: Sequence[SigningSecret]) -> tuple[Verdict, Cause]:
    if not any(secret.usable for secret in secrets):
        return Verdict.NO_SIGNING_SECRET, Cause.NO_SIGNING_SECRET
    cause = find_defect(headers, body)
    if cause is None:
        return Verdict.INVALID, Cause.SIGNATURE_MISMATCH
    return (Verdict.INVALID if cause in WELL_FORMED_BUT_WRONG else Verdict.MALFORMED), cause
