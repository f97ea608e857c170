"""Is it safe to revoke the previous key: judged from who used which key, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from chekt_mcp.domain.audit import KeyUse
from chekt_mcp.domain.timespan import rfc3339

LOOKBACK = timedelta(days=30)
QUIET = timedelta(hours=1)
"""The previous key must have been silent this long."""

STALE = timedelta(hours=24)
"""A log of the platform's calls that ends earlier than this cannot tell who uses a key now."""

CLOCK_SKEW = timedelta(minutes=5)
"""Calls dated later than this after the present show that a clock is wrong."""

ROTATION_INTERVAL = timedelta(days=90)
"""seeds: "Rotate API keys quarterly"."""

Answer = Literal["yes", "no", "unknown", "not_applicable"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """The answer and the sentences that carry it."""

    answer: Answer
    reasons: tuple[str, ...]


def safe_to_revoke(
    old: Sequence[KeyUse], new: Sequence[KeyUse], *, now: datetime, log_newest: datetime | None, live_log: bool
) -> Judgement:
    """Judge from the last 30 days of use of the old and the new key. What cannot be known is never a yes.

    Args:
        old: sources that used the previous key, each once.
        new: sources that used the current key, each once.
        now: the present moment.
        log_newest: timestamp of the newest logged call of this app, None when there is none.
        live_log: True when calls with these keys are logged by this server as they happen.
    """
    known_until = now if live_log else log_newest
    if known_until is None:
        return _unknown("The log holds no calls of this app: import the platform's log to be able to tell.")
    if doubt := _doubt(max(known_until, _last((*old, *new)) or known_until), known_until, now):
        return _unknown(doubt)
    if not new:
        return _nobody_moved(old)
    if need := _still_needed(old, new, known_until):
        return Judgement("no", (need,))
    return Judgement("yes", (_all_moved(old), "Programs that share a source cannot be told apart."))


def rotation_due(created_at: datetime) -> datetime:
    """Return when the key should be rotated next: a quarter after it was made."""
    return created_at + ROTATION_INTERVAL


def _doubt(newest: datetime, known_until: datetime, now: datetime) -> str:
    if newest > now + CLOCK_SKEW:
        return f"The log dates a call {rfc3339(newest)}, which is yet to come: with a wrong clock nothing can be told."
    if now - known_until > STALE:
        return f"The log of this app's calls ends at {rfc3339(known_until)}: import a newer export to be able to tell."
    return ""


def _nobody_moved(old: Sequence[KeyUse]) -> Judgement:
    if old:
        return Judgement("no", ("No call with the new key has been seen; everything still uses the old one.",))
    return _unknown("Neither key has been used in the last 30 days, so nothing shows that the new one is deployed.")


def _still_needed(old: Sequence[KeyUse], new: Sequence[KeyUse], known_until: datetime) -> str:
    moved = {use.source: use.last_at for use in new}
    behind = [use for use in old if moved.get(use.source, use.last_at) <= use.last_at]
    if behind:
        return f"Sources that have not used the new key since they used the old one: {len(behind)} of {len(old)}."
    last = _last(old)
    if last is not None and known_until - last < QUIET:
        return f"The old key was used at {rfc3339(last)}; it has to be silent for an hour, as far as the log reaches."
    return ""


def _all_moved(old: Sequence[KeyUse]) -> str:
    last = _last(old)
    if last is None:
        return "The new key is in use, and the old one has not been used in the last 30 days."
    moved = f"Every source of the old key ({len(old)}) has used the new one since"
    return f"{moved}; the old one is silent since {rfc3339(last)}."


def _last(uses: Sequence[KeyUse]) -> datetime | None:
    return max((use.last_at for use in uses), default=None)


def _unknown(reason: str) -> Judgement:
    return Judgement("unknown", (reason,))
