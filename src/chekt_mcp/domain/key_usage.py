"""Is it safe to revoke the previous key: judged from who used which key, and when."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
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


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch without any call of the app, so long that calls may be missing from the log."""

    start: datetime
    end: datetime


def first_gap(hours: Sequence[datetime]) -> Gap | None:
    """Return the first stretch between two hours with calls (ascending) that is longer than `STALE`."""
    found = (Gap(one, other) for one, other in pairwise(hours) if other - one > STALE)
    return next(found, None)


def safe_to_revoke(  # noqa: PLR0913 -- the question has this many sides
    old: Sequence[KeyUse],
    new: Sequence[KeyUse],
    *,
    now: datetime,
    log_newest: datetime | None,
    live_log: bool,
    gone: Collection[str] = (),
    gap: Gap | None = None,
) -> Judgement:
    """Judge from the last 30 days of use of the old and the new key. What cannot be known is never a yes.

    Args:
        old: sources that used the previous key, each once.
        new: sources that used the current key, each once.
        now: the present moment.
        log_newest: timestamp of the newest logged call of this app, None when there is none.
        live_log: True when calls with these keys are logged by this server as they happen.
        gone: sources that a person says will never call again; they need no new key, but must be silent too.
        gap: a stretch that an imported log tells nothing of.
    """
    known_until = now if live_log else log_newest
    if known_until is None:
        return _unknown("The log holds no calls of this app: import the platform's log to be able to tell.")
    if doubt := _doubt(max(known_until, _last((*old, *new)) or known_until), known_until, now):
        return _unknown(doubt)
    if gap is not None and not live_log:
        stretch = f"{rfc3339(gap.start)} to {rfc3339(gap.end)}"
        return _unknown(f"The log tells nothing of {stretch}: import that stretch to be able to tell.")
    staying = [use for use in old if use.source not in gone]
    if not new and not (old and not staying):
        return _nobody_moved(old)
    if need := _still_needed(staying, new) or _not_silent(old, known_until):
        return Judgement("no", (need,))
    return Judgement(
        "yes", (_all_moved(old, len(old) - len(staying)), "Programs that share a source cannot be told apart.")
    )


def rotation_due(created_at: datetime, urgent_since: datetime | None = None) -> datetime:
    """Return when the key should be rotated next: a quarter after it was made, or at once.

    `urgent_since` is when a team member with access left, or a leak was suspected, if that was after the key was made.
    """
    quarter = created_at + ROTATION_INTERVAL
    return quarter if urgent_since is None else min(quarter, max(created_at, urgent_since))


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


def _still_needed(old: Sequence[KeyUse], new: Sequence[KeyUse]) -> str:
    moved = {use.source: use.last_at for use in new}
    behind = [use for use in old if moved.get(use.source, use.last_at) <= use.last_at]
    if not behind:
        return ""
    return f"Sources that have not used the new key since they used the old one: {len(behind)} of {len(old)}."


def _not_silent(old: Sequence[KeyUse], known_until: datetime) -> str:
    last = _last(old)
    if last is None or known_until - last >= QUIET:
        return ""
    return f"The old key was used at {rfc3339(last)}; it has to be silent for an hour, as far as the log reaches."


def _all_moved(old: Sequence[KeyUse], gone: int) -> str:
    last = _last(old)
    if last is None:
        return "The new key is in use, and the old one has not been used in the last 30 days."
    moved = f"Every source of the old key ({len(old)}) has used the new one since"
    if gone:
        moved += f", or is gone as a person says ({gone})"
    return f"{moved}; the old one is silent since {rfc3339(last)}."


def _last(uses: Sequence[KeyUse]) -> datetime | None:
    return max((use.last_at for use in uses), default=None)


def _unknown(reason: str) -> Judgement:
    return Judgement("unknown", (reason,))
