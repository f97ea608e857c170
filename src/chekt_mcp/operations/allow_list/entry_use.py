"""When each entry of a list last let a request in, and whether the log tells enough to call one stale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_network

from chekt_mcp.domain.allow_list import FindingSettings
from chekt_mcp.domain.app import App
from chekt_mcp.operations.allow_list.stored_list import stored_entries
from chekt_mcp.storage.interface import Reader

SPAN: timedelta = FindingSettings().stale_after
"""How far back uses are looked for."""
MOST_LOOKED_UP = 2_000
"""Entries without recent use that are looked up, one by one; of longer lists the rest is not judged."""


@dataclass(frozen=True, slots=True)
class EntryUse:
    """What is known of the use of a list's entries.

    Attributes:
        first: the first hour with traffic in the log; None when there was none.
        until: the newest request, or now: a log that ends earlier says nothing of what came later.
        last: when a request last came from each network, within `SPAN` before `until`.
        judged: networks that were looked for and have been on the app's list since `SPAN` before `until`; only
            those can be stale, not one that was added yesterday.
    """

    first: datetime | None
    until: datetime
    last: Mapping[str, datetime]
    judged: frozenset[str]


async def entry_use(
    reader: Reader, app: App, networks: Iterable[str], recent: Mapping[str, datetime], now: datetime
) -> EntryUse:
    """Return what the log knows of the use of listed networks; `recent` are uses that are known already."""
    extent = await reader.traffic_extent(app.dealer, app.name)
    if extent is None:
        return EntryUse(None, now, recent, frozenset())
    until = min(now, extent[1])
    sought = [network for network in dict.fromkeys(networks) if network not in recent][:MOST_LOOKED_UP]
    networks_sought = [ip_network(network) for network in sought]
    found = zip(sought, await reader.last_requests(app.dealer, app.name, networks_sought, until - SPAN), strict=True)
    listed = await reader.allow_list_at(app.dealer, app.name, until - SPAN)
    long_listed = {entry.network for entry in stored_entries(listed)}
    last = {network: moment for network, moment in found if moment is not None}
    return EntryUse(extent[0], until, {**last, **recent}, frozenset(long_listed & {*sought, *recent}))
