"""Diagnosis: recompute what people really get wrong until a signature fits, and say which it was.

Nothing found here is ever accepted. A cause is proven by its signature (at least 128 bits of it), so it cannot be
wrong; where nothing fits, only what can be read off the delivery is said. The work is bounded: 1 MiB of body, a
fixed number of HMACs, 32 other apps, and no parsing of bodies above 64 KiB.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chekt_mcp.domain.webhook.diagnosis import Diagnosis, with_diagnosis
from chekt_mcp.domain.webhook.verification import Verdict, Verification
from chekt_mcp.domain.webhook.verify import WINDOW_SECONDS, verify

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chekt_mcp.domain.webhook.delivery import Body, Headers
    from chekt_mcp.domain.webhook.signature import OtherSecret, SigningSecret

HMAC_BUDGET = 512
"""How many signatures one diagnosis may compute."""
MAX_OTHERS = 32
"""Of the caller's other apps no more are tried."""


def diagnose(  # noqa: PLR0913  the question of `verify`, and two limits
    headers: Headers,
    body: Body,
    secrets: Sequence[SigningSecret],
    *,
    others: Sequence[OtherSecret] = (),
    now: float,
    window: int = WINDOW_SECONDS,
    budget: int = HMAC_BUDGET,
) -> Diagnosis | None:
    """Return why this delivery is not accepted; None when it is valid or nothing can be said. Never raises.

    Args:
        headers: as for `verify`.
        body: as for `verify`; above 1 MiB nothing is computed.
        secrets: the app's secrets; one that is no longer live can explain a signature, never verify it.
        others: secrets of other apps in the caller's own grant, never of another dealer; the first 32 are tried.
        now: unix time in seconds.
        window: seconds.
        budget: the most signatures to compute.
    """
    verification = verify(headers, body, secrets, now=now, window=window)
    return _explained(verification, headers, secrets, others, budget)


def verify_and_explain(  # noqa: PLR0913  as above
    headers: Headers,
    body: Body,
    secrets: Sequence[SigningSecret],
    *,
    others: Sequence[OtherSecret] = (),
    now: float,
    window: int = WINDOW_SECONDS,
    received_at: float | None = None,
    budget: int = HMAC_BUDGET,
) -> Verification:
    """Return the verdict of `verify`, with the cause, explanation and fix of `diagnose` where it is not valid."""
    verification = verify(headers, body, secrets, now=now, window=window, received_at=received_at)
    if verification.verdict is Verdict.VALID or verification.fresh_when_received:
        return verification
    return with_diagnosis(verification, _explained(verification, headers, secrets, others, budget))


def _explained(
    verification: Verification,
    headers: Headers,
    secrets: Sequence[SigningSecret],
    others: Sequence[OtherSecret],
    budget: int,
) -> Diagnosis | None:
    from chekt_mcp.domain.webhook.diagnose_search import explain  # noqa: PLC0415  a dozen modules, on failure only

    return explain(verification, headers, secrets, others[:MAX_OTHERS], budget)
