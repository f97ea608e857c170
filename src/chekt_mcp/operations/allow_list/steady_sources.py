"""Addresses that an app's requests keep coming from and that its list does not hold: candidates for the list.

Steady means on several days. A stranger who makes a thousand requests in one night is not somebody to let in, nor
is a scanner that was refused every time.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from typing_extensions import TypedDict

from chekt_mcp.domain.allow_list import AddressMatcher
from chekt_mcp.domain.app import App
from chekt_mcp.domain.audit import Traffic
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.operations.allow_list.list_effect import lets_in
from chekt_mcp.storage.interface import Reader

SPAN = timedelta(days=30)
STEADY_DAYS = 5
"""Different days (UTC) within `SPAN` on which an address must have called."""
STEADY_REQUESTS = 10
MOST = 20
"""Addresses that are suggested, and twice as many that are looked at."""
LOOKED_AT = 200
"""Newest entries of an address in which a served request must be found."""


class Suggestion(TypedDict):
    """A steady source of real traffic that is not on the list."""

    network: str
    requests: int
    days: int
    last_seen: str


async def steady_sources(reader: Reader, app: App, matcher: AddressMatcher, now: datetime) -> list[Suggestion]:
    """Return steady sources that the list does not hold, busiest first."""
    traffic = await reader.traffic(app.dealer, app.name, now - SPAN, STEADY_DAYS)
    steady = [one for one in traffic if one.requests >= STEADY_REQUESTS and not lets_in(matcher, one.source_ip)]
    served = [
        source
        for source in steady[: 2 * MOST]
        if (await reader.address_use(app.dealer, app.name, source.source_ip, now - SPAN, LOOKED_AT)).served
    ]
    return [_suggestion(source) for source in served[:MOST]]


def _suggestion(source: Traffic) -> Suggestion:
    return {
        "network": source.source_ip,
        "requests": source.requests,
        "days": source.days,
        "last_seen": rfc3339(source.last_seen),
    }
