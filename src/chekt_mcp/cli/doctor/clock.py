"""Is the clock to be trusted: grace periods, approvals and webhook freshness are all read off it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from chekt_mcp.cli.doctor.finding import Finding, failure, fine
from chekt_mcp.domain.audit import Entry, Kind, Query
from chekt_mcp.domain.choice import any_of
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.operations.services import Services
from chekt_mcp.storage.interface import Reader

PLAUSIBLE = range(2026, 2100)
"""Years: this program is no older than the first."""

TOLERANCE = timedelta(minutes=1)
FAR = datetime(9999, 1, 1, tzinfo=UTC)
LOOKED_AT = 200
MEND = "Set the clock right (time synchronisation)."


async def check_clock(services: Services) -> list[Finding]:
    """Hold the clock against the year and against the newest entries that this program wrote itself."""
    now = services.clock()
    if now.year not in PLAUSIBLE:
        return [failure("clock", f"It says {rfc3339(now)}, which cannot be.", MEND)]
    ahead = await services.storage.scan(lambda reader: _own_entries_after(reader, now + TOLERANCE))
    if ahead:
        newest = rfc3339(max(entry.timestamp for entry in ahead))
        return [failure("clock", f"It says {rfc3339(now)}, but the log has an entry written at {newest}.", MEND)]
    return [fine("clock", f"{rfc3339(now)}, and no entry of ours is later")]


async def _own_entries_after(reader: Reader, moment: datetime) -> Sequence[Entry]:
    """Return entries of ours from the future; imported ones say what another clock showed."""
    found: list[Entry] = []
    for dealer in await reader.dealers():
        apps = tuple(app.name for app in await reader.apps(dealer.name))
        for kind in (Kind.TOOL_CALL, Kind.OPERATOR_ACTION):
            query = Query(dealer.name, apps, moment, FAR, kind=any_of(kind))
            found += [entry for entry in await reader.search(query, LOOKED_AT) if entry.origin is None]
    return found
