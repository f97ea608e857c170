"""Scopes asked for without a grant, and grants that nothing needs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from chekt_mcp.domain.analysis.addresses import STILL_NEW
from chekt_mcp.domain.analysis.facts import Activity, Frame, ScopeUse
from chekt_mcp.domain.analysis.finding import HOUR, LISTED, SELECTED, About, Code, Finding, Selector, Severity
from chekt_mcp.domain.audit import Kind, Result
from chekt_mcp.domain.wording import counted

OWN_CALLS = frozenset({Kind.API_CALL, Kind.TOOL_CALL})
"""What an app does under its grants; a delivery or an operator's action names a scope without needing the app's."""


def not_granted(
    frame: Frame, app: str, granted: frozenset[str], activity: Sequence[Activity], uses: Sequence[ScopeUse]
) -> Iterator[Finding]:
    """Judge the scopes that the app's own calls named in the window and that it does not hold now."""
    first = {(use.scope, use.result): use.first_hour for use in uses if use.app == app}
    groups: dict[tuple[bool, bool], list[Activity]] = defaultdict(list)
    for one in activity:
        if one.app == app and one.kind in OWN_CALLS and one.scope is not None and one.scope not in granted:
            began = first.get((one.scope, one.result), one.hour)
            is_new = frame.sufficient and began >= frame.window.since - STILL_NEW - HOUR
            groups[one.result is Result.OK, is_new].append(one)
    for (served, is_new), rows in sorted(groups.items()):
        yield _not_granted(app, rows, served=served, is_new=is_new)


def _not_granted(app: str, rows: Sequence[Activity], *, served: bool, is_new: bool) -> Finding:
    calls: dict[str, int] = defaultdict(int)
    for row in rows:
        calls[row.scope or ""] += row.calls
    scopes = tuple(sorted(calls, key=lambda scope: (-calls[scope], scope)))
    count = sum(calls.values())
    if is_new:
        severity, before = Severity.CRITICAL if served else Severity.WARNING, "never so before"
    else:
        severity, before = Severity.INFO, "as before the window too"
    ended = "answered: what is granted where they went is more than is recorded here" if served else "not answered"
    message = (
        f"{counted(count, 'call', 'calls')} named {counted(len(scopes), 'scope', 'scopes')} that this app does not "
        f"hold, {before}; {'these were' if count > 1 else 'it was'} {ended}."
    )
    return Finding(
        Code.SCOPE_NOT_GRANTED,
        severity,
        app,
        count,
        message,
        About(scopes=scopes[:LISTED], others=max(0, len(scopes) - LISTED)),
        _newest(rows),
    )


def _newest(rows: Sequence[Activity]) -> tuple[Selector, ...]:
    places = {(row.hour, row.scope, row.result): row for row in rows}
    newest = sorted(places.values(), key=lambda row: (row.hour, row.scope or "", row.result), reverse=True)
    return tuple(
        Selector(row.app, row.hour, row.hour + HOUR, scope=row.scope, result=row.result, kind=row.kind)
        for row in newest[:SELECTED]
    )


def unused(
    frame: Frame, app: str, granted_at: Mapping[str, datetime], uses: Sequence[ScopeUse], app_since: datetime | None
) -> Iterator[Finding]:
    """Judge the scopes the app holds: those unused for `unused_days`, of grants and in a log that are older than that.

    `app_since` is the app's oldest entry.
    """
    limit = frame.now - timedelta(days=frame.thresholds.unused_days)
    if app_since is None or app_since > limit:
        return
    last: dict[str, datetime] = {}
    for use in uses:
        if use.app == app:
            last[use.scope] = max(use.last_hour, last.get(use.scope, use.last_hour))
    idle = tuple(
        sorted(
            scope for scope, since in granted_at.items() if since <= limit and (last.get(scope) or limit - HOUR) < limit
        )
    )
    if idle:
        message = (
            f"{counted(len(idle), 'scope', 'scopes')} granted and not used for {frame.thresholds.unused_days} days "
            "(unused_days): least privilege would take them away."
        )
        about = About(scopes=idle[:LISTED], others=max(0, len(idle) - LISTED))
        yield Finding(Code.SCOPE_UNUSED, Severity.INFO, app, 0, message, about)
