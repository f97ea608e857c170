"""Diagnosis at work: try what could have been signed until one fits, else say what can be read off the delivery.

Loaded only when a delivery has failed: a dozen modules that a server's start need not wait for.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from chekt_mcp.domain.webhook.cause import Cause
from chekt_mcp.domain.webhook.delivery import Headers, headers_by_name
from chekt_mcp.domain.webhook.diagnose_attempts import attempts
from chekt_mcp.domain.webhook.diagnose_clock import clock_cause
from chekt_mcp.domain.webhook.diagnose_hints import hint
from chekt_mcp.domain.webhook.diagnosis import Diagnosis, describe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chekt_mcp.domain.webhook.diagnose_headers import Values
    from chekt_mcp.domain.webhook.signature import OtherSecret, SigningSecret
    from chekt_mcp.domain.webhook.verification import Verification


def explain(
    verification: Verification,
    headers: Headers,
    secrets: Sequence[SigningSecret],
    others: Sequence[OtherSecret],
    budget: int,
) -> Diagnosis | None:
    """Return why this delivery has this verdict; None when it is valid or nothing can be said."""
    values = headers_by_name(headers) or {}
    if verification.authentic:
        cause = clock_cause(verification, values)
        return describe([cause], proven=cause is not Cause.LATE_RETRY) if cause else None
    return _proven(verification, values, secrets, others, budget) or _unproven(verification, values, secrets)


def _proven(
    verification: Verification,
    values: Values,
    secrets: Sequence[SigningSecret],
    others: Sequence[OtherSecret],
    budget: int,
) -> Diagnosis | None:
    if verification.cause in (Cause.BODY_NOT_BYTES, Cause.BODY_TOO_LARGE):
        return None
    for attempt in islice(attempts(values, verification.body, secrets, others), max(budget, 0)):
        if attempt.fits():
            return describe(attempt.causes, proven=True, note=attempt.note, app=attempt.key.app)
    return None


def _unproven(verification: Verification, values: Values, secrets: Sequence[SigningSecret]) -> Diagnosis | None:
    cause = hint(verification.cause, values, verification.body, secrets)
    return describe([cause], proven=False) if cause else None
