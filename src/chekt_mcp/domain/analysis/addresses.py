"""Addresses that an actor was never seen at before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from chekt_mcp.domain.analysis.facts import Frame, Newcomer, SourceUse, Turnover
from chekt_mcp.domain.analysis.finding import LISTED, SELECTED, About, Code, Finding, Selector, Severity
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.domain.wording import counted

STILL_NEW = timedelta(hours=24)
"""An address stays new for so long: one that came just before the window is not vouched for by having come."""

FEWEST = 3
"""Addresses that it takes to speak of a rate."""

MONTH = 30
Actor = tuple[str | None, str]


def new_addresses(
    frame: Frame, newcomers: Sequence[Newcomer], turnover: Sequence[Turnover], uses: Sequence[SourceUse]
) -> Iterator[Finding]:
    """Judge the addresses first seen within the window, or up to `STILL_NEW` before it, that called in it."""
    if not frame.sufficient:
        return
    calls = _calls(uses)
    usual = {(one.app, one.actor): _a_day(frame, one) for one in turnover}
    by_actor: dict[Actor, list[Newcomer]] = defaultdict(list)
    for one in newcomers:
        if (one.app, one.actor, one.source_ip) in calls:
            by_actor[one.app, one.actor].append(one)
    for actor, came in by_actor.items():
        yield from _judge(frame, came, usual.get(actor, 0.0), calls)


def _a_day(frame: Frame, turnover: Turnover) -> float:
    """Return how many new addresses an actor brings in a day; none if too few to tell, or if it is new itself."""
    days = (frame.window.since - STILL_NEW - turnover.since) / timedelta(days=1)
    return turnover.addresses / days if days >= 1 and turnover.addresses >= FEWEST else 0.0


def _calls(uses: Sequence[SourceUse]) -> Mapping[tuple[str | None, str, str | None], int]:
    calls: dict[tuple[str | None, str, str | None], int] = defaultdict(int)
    for use in uses:
        if use.source_ip is not None:
            calls[use.app, use.actor, use.source_ip] += use.calls
    return calls


def _judge(
    frame: Frame, came: list[Newcomer], usual: float, calls: Mapping[tuple[str | None, str, str | None], int]
) -> Iterator[Finding]:
    limit = frame.thresholds.new_addresses
    ranked = sorted(came, key=lambda one: (-calls[one.app, one.actor, one.source_ip], one.source_ip))
    count = sum(calls[one.app, one.actor, one.source_ip] for one in ranked)
    if usual * MONTH < limit:
        yield _first_seen(frame, ranked, count)
        return
    days = (frame.window.until - frame.window.since + STILL_NEW) / timedelta(days=1)
    expected = usual * days
    if len(came) > 3 * expected + limit:
        message = (
            f"{counted(len(came), 'address', 'addresses')} of one actor in {days:.0f} days were never seen before; its "
            f"addresses change anyway, at {expected:.1f} in as many days of the baseline: more than three times that, "
            f"and {limit} (new_addresses) more."
        )
        yield _finding(Code.MANY_NEW_ADDRESSES, Severity.WARNING, frame, ranked, (count, message))


def _first_seen(frame: Frame, ranked: list[Newcomer], count: int) -> Finding:
    first = min(one.first_hour for one in ranked)
    nearby = all(one.nearby for one in ranked)
    message = (
        f"{counted(len(ranked), 'address', 'addresses')} never seen of this actor before {rfc3339(first)}, with "
        f"{counted(count, 'entry', 'entries')} in the window; its addresses seldom change (fewer than "
        f"{frame.thresholds.new_addresses} new ones in {MONTH} days, new_addresses)."
    )
    if nearby:
        message += " It has come from the same network before."
    if first < frame.window.since:
        message += " It began before the window: look further back."
    return _finding(
        Code.FIRST_SEEN_ADDRESS, Severity.INFO if nearby else Severity.WARNING, frame, ranked, (count, message)
    )


def _finding(code: Code, severity: Severity, frame: Frame, ranked: list[Newcomer], told: tuple[int, str]) -> Finding:
    count, message = told
    addresses = tuple(one.source_ip for one in ranked)
    window, first = frame.window, ranked[0]
    return Finding(
        code,
        severity,
        first.app,
        count,
        message,
        About(actors=(first.actor,), source_ips=addresses[:LISTED], others=max(0, len(addresses) - LISTED)),
        tuple(
            Selector(first.app, window.since, window.until, source_ip=address, actor=first.actor)
            for address in addresses[:SELECTED]
        ),
    )
