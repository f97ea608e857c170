"""Refused several times, then served: somebody tried until something opened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime

from chekt_mcp.domain.analysis.facts import Frame, HourCount, SourceUse
from chekt_mcp.domain.analysis.finding import About, Code, Finding, Selector, Severity
from chekt_mcp.domain.audit import Result
from chekt_mcp.domain.wording import counted

UNJUDGED = 3
"""Without a baseline to tell what is ordinary, it takes so many times the refusals."""


def denied_then_allowed(
    frame: Frame, app: str | None, uses: Sequence[SourceUse], baseline: Iterable[HourCount]
) -> Iterator[Finding]:
    """Judge each address of one app, and each actor none of whose addresses stands out by itself."""
    busiest = _busiest_day(baseline)
    floor = frame.thresholds.refusals * (1 if frame.sufficient else UNJUDGED)
    limit = max(floor, 2 * busiest + 1)
    by_address: dict[str, list[SourceUse]] = defaultdict(list)
    by_actor: dict[str, list[SourceUse]] = defaultdict(list)
    for use in uses:
        by_actor[use.actor].append(use)
        if use.source_ip is not None:
            by_address[use.source_ip].append(use)
    told: set[str] = set()
    for rows in by_address.values():
        if _opened(rows, limit):
            told.update(row.actor for row in rows)
            yield _finding(frame, app, rows, busiest, by_address=True)
    for actor, rows in by_actor.items():
        if actor not in told and _opened(rows, limit):
            yield _finding(frame, app, rows, busiest, by_address=False)


def _busiest_day(baseline: Iterable[HourCount]) -> int:
    days: dict[date, int] = defaultdict(int)
    for one in baseline:
        days[one.hour.date()] += one.refused
    return max(days.values(), default=0)


def _opened(rows: Sequence[SourceUse], limit: int) -> bool:
    refused_at, served_at = _first_refusal(rows), _last_served(rows)
    enough = sum(row.refused for row in rows) >= limit
    return enough and refused_at is not None and served_at is not None and refused_at <= served_at


def _first_refusal(rows: Sequence[SourceUse]) -> datetime | None:
    return min((row.first_refused_hour for row in rows if row.first_refused_hour is not None), default=None)


def _last_served(rows: Sequence[SourceUse]) -> datetime | None:
    return max((row.last_served_hour for row in rows if row.last_served_hour is not None), default=None)


def _finding(frame: Frame, app: str | None, rows: Sequence[SourceUse], busiest: int, *, by_address: bool) -> Finding:
    refused = sum(row.refused for row in rows)
    compared = (
        f"up to twice as often as on any day of the baseline is usual, and the app was refused "
        f"{counted(busiest, 'time', 'times')} at most"
        if frame.sufficient
        else "there is no baseline to tell what is ordinary"
    )
    message = (
        f"One {'address' if by_address else 'actor'} was refused {counted(refused, 'time', 'times')} and served later; "
        f"{compared} (refusals: {frame.thresholds.refusals})."
    )
    source = rows[0].source_ip if by_address else None
    actor = None if by_address else rows[0].actor
    about = About(
        actors=tuple(dict.fromkeys(row.actor for row in rows))[:3], source_ips=(source,) if source is not None else ()
    )
    window = frame.window
    evidence = Selector(app, window.since, window.until, source_ip=source, actor=actor, result=Result.DENIED)
    return Finding(Code.DENIED_THEN_ALLOWED, Severity.WARNING, app, refused, message, about, (evidence,))
