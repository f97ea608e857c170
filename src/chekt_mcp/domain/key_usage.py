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
    """Judge from the last 30 days of use of the old and the new key.

    Args:
        old: sources that used the previous key; new: those that used the current one.
        now: the present moment.
        log_newest: timestamp of the newest entry of this app, None when there is none.
        live_log: True when calls with these keys are logged by this server as they happen.
    """
    if not live_log and (log_newest is None or now - log_newest > STALE):
        return Judgement("unknown", (_stale(log_newest),))
    if not new:
        return Judgement(*_nobody_moved(old))
    moved = {use.source: use.last_at for use in new}
    behind = [use for use in old if moved.get(use.source, use.last_at) <= use.last_at]
    if behind:
        return Judgement(
            "no", (f"{len(behind)} of {len(old)} sources have not used the new key since they used the old one.",)
        )
    last = max((use.last_at for use in old), default=None)
    if last is not None and now - last < QUIET:
        return Judgement("no", (f"The old key was used at {rfc3339(last)}, less than an hour ago.",))
    return Judgement("yes", (_all_moved(old, last),))


def rotation_due(created_at: datetime) -> datetime:
    """Return when the key should be rotated next: a quarter after it was made."""
    return created_at + ROTATION_INTERVAL


def _nobody_moved(old: Sequence[KeyUse]) -> tuple[Answer, tuple[str, ...]]:
    if old:
        return "no", ("No call with the new key has been seen; everything still uses the old one.",)
    return "unknown", ("Neither key has been used in the last 30 days, so nothing shows that the new one is deployed.",)


def _all_moved(old: Sequence[KeyUse], last: datetime | None) -> str:
    if last is None:
        return "The new key is in use, and the old one has not been used in the last 30 days."
    return f"All {len(old)} sources of the old key have used the new one since; the old one is quiet since {rfc3339(last)}."


def _stale(newest: datetime | None) -> str:
    if newest is None:
        return "The log holds no calls of this app: import the platform's log to be able to tell."
    return f"The log of this app's calls ends at {rfc3339(newest)}: import a newer export to be able to tell."
