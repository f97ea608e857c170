"""When each entry of a list last let a request in, and whether the log tells enough to call one stale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from chekt_mcp.domain.allow_list import AddressMatcher, FindingSettings
from chekt_mcp.domain.app import App
from chekt_mcp.domain.audit import Traffic
from chekt_mcp.operations.stored_list import stored_entries
from chekt_mcp.storage.interface import Reader

SPAN: timedelta = FindingSettings().stale_after
"""How far back uses are looked for."""


@dataclass(frozen=True, slots=True)
class EntryUse:
    """What is known of the use of a list's entries.

    Attributes:
        first: the first hour with traffic in the log; None when there was none.
        until: the newest request, or now: a log that ends earlier says nothing of what came later.
        last: when a request last came in by each network, within `SPAN` before `until`.
        listed_long: networks that were on the app's list `SPAN` before `until`; one of yesterday cannot be stale.
    """

    first: datetime | None
    until: datetime
    last: Mapping[str, datetime]
    listed_long: frozenset[str]


async def entry_use(reader: Reader, app: App, matcher: AddressMatcher, now: datetime) -> EntryUse:
    """Return what the log knows of the use of the entries that `matcher` was made of."""
    extent = await reader.traffic_extent(app.dealer, app.name)
    if extent is None:
        return EntryUse(None, now, {}, frozenset())
    until = min(now, extent[1])
    traffic = await reader.traffic(app.dealer, app.name, until - SPAN)
    then = await reader.allow_list_at(app.dealer, app.name, until - SPAN)
    listed = frozenset(entry.network for entry in stored_entries(then))
    return EntryUse(extent[0], until, last_matched(matcher, traffic), listed)


def last_matched(matcher: AddressMatcher, traffic: Iterable[Traffic]) -> dict[str, datetime]:
    """Return when each entry last let one of these requests in; an entry that let none in is missing."""
    last = dict[str, datetime]()
    for source in traffic:
        matched = matcher.check(source.source_ip).matched
        if matched is not None and last.get(matched, source.last_seen) <= source.last_seen:
            last[matched] = source.last_seen
    return last
