"""Diagnosis of a genuine delivery outside the window: a clock that is wrong, or a retry that came late."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from chekt_mcp.domain.webhook.cause import Cause
from chekt_mcp.domain.webhook.delivery import ATTEMPT_HEADER
from chekt_mcp.domain.webhook.verification import Verdict, Verification

if TYPE_CHECKING:
    from chekt_mcp.domain.webhook.diagnose_headers import Values

_RETRY = re.compile(r"[2-9]|[1-9][0-9]{1,5}")


def clock_cause(verification: Verification, values: Values) -> Cause | None:
    """Return why a genuine delivery is stale or ahead, or None when it is neither.

    Ahead of time proves that two clocks disagree. Late proves nothing: a clock, a queue, a retry. The attempt
    header is not signed, so a late retry is "probably" one.
    """
    if verification.verdict is Verdict.FUTURE:
        return Cause.CLOCK_SKEW
    if verification.verdict is not Verdict.STALE:
        return None
    attempts = values.get(ATTEMPT_HEADER.lower(), [])
    retried = len(attempts) == 1 and isinstance(attempts[0], str) and _RETRY.fullmatch(attempts[0])
    return Cause.LATE_RETRY if retried else Cause.TIMESTAMP_TOO_OLD
