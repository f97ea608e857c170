"""Rules against replays: how long a delivery is remembered, and when one that comes again counts as new.

The id headers are not signed, so what is remembered is what the signature covers: the digest of timestamp and
body, and the event's id inside the body. A delivery is claimed under a lease and completed only after its event
has been handed on durably; a crash in between lets the retry through, so none is lost and none is done twice.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from chekt_mcp.domain.webhook.cause import Cause
from chekt_mcp.domain.webhook.fixes import ADVICE
from chekt_mcp.domain.webhook.verification import Seen, Verdict, Verification

if TYPE_CHECKING:
    from datetime import datetime

EVENT_ID_SECONDS = 48 * 60 * 60
"""How long an event id is remembered after it was received: the platform retries for 24 h, and as long again."""
LEASE_SECONDS = 60
"""How long one receiver may take to hand an event on: twice the 30 s in which the platform wants its answer."""
_WINDOWS_REMEMBERED = 3
_REPLAYED_FROM = 2


def remember_until(timestamp: int, window: int) -> int:
    """Return the unix time up to which the digest of a delivery signed at `timestamp` must be remembered.

    It can be accepted until timestamp + window. Two windows more hold it at least twice the window from the last
    moment it could come, and still when the window is widened up to threefold in the meantime.
    """
    return timestamp + _WINDOWS_REMEMBERED * window


def remember_event_until(received_at: int) -> int:
    """Return the unix time up to which the id of an event received at `received_at` must be remembered."""
    return received_at + EVENT_ID_SECONDS


def with_replay(
    verification: Verification, seen_times: int, first_at: datetime | None, *, event_times: int = 0
) -> Verification:
    """Return `verification` with what the memory says: `seen`, `duplicate`, and `replayed` from the second time on.

    Precedence: malformed, invalid, stale or future, replayed, valid. So only a valid one becomes replayed, and a
    delivery that is not authentic is returned as it is: nothing about it is remembered.

    Args:
        verification: as `verify` gave it.
        seen_times: how often this digest has been seen, this time included.
        first_at: when it was first seen; None if never before.
        event_times: how often its event id has been seen, this time included; more than the digest's when the
            sender signed a retry afresh. Such a delivery is valid and a duplicate.
    """
    if not verification.authentic:
        return verification
    known = verification._replace(
        seen=Seen(seen_times, first_at), duplicate=max(seen_times, event_times) >= _REPLAYED_FROM
    )
    if verification.verdict is not Verdict.VALID or seen_times < _REPLAYED_FROM:
        return known
    advice = ADVICE[Cause.DELIVERED_BEFORE]
    return known._replace(
        verdict=Verdict.REPLAYED, cause=Cause.DELIVERED_BEFORE, explanation=advice.explanation, fix=advice.fix
    )


class LeaseState(StrEnum):
    """What is stored for a claimed delivery."""

    LEASED = "leased"
    COMPLETED = "completed"


class Claim(StrEnum):
    """What a receiver may do with a delivery it wants to claim."""

    GRANTED = "granted"
    """Nobody has it, or a lease ran out: hand the event on, then complete the claim."""
    HELD = "held"
    """Another receiver is at it: answer anything but 2xx, so that the platform asks again."""
    COMPLETED = "completed"
    """It is done: answer 200 and do nothing."""


def decide_claim(state: LeaseState | None, lease_until: float, now: float) -> Claim:
    """Return what may be done with a delivery stored as `state` (None: not stored), its lease ending at `lease_until`.

    Times are unix seconds. To be asked and acted on in one transaction, for the digest and for the event id; the
    stricter answer holds (see `strictest`).
    """
    if state is LeaseState.COMPLETED:
        return Claim.COMPLETED
    return Claim.HELD if state is LeaseState.LEASED and now < lease_until else Claim.GRANTED


def strictest(*claims: Claim) -> Claim:
    """Return the one that allows least: completed, then held, then granted (also when there are none)."""
    for claim in (Claim.COMPLETED, Claim.HELD):
        if claim in claims:
            return claim
    return Claim.GRANTED


def lease_until(now: float) -> float:
    """Return the unix time at which a lease taken at `now` ends."""
    return now + LEASE_SECONDS
