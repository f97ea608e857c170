"""How often requests may come: a token bucket for each key, in bounded memory, on a clock that is passed in."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta

from chekt_mcp.domain.allow_list.address import ParsedAddress
from chekt_mcp.domain.token_bucket import Bucket, Rate, full, take

MOST_KEYS = 4096
"""Buckets kept; beyond it the one used longest ago is forgotten, and so full again."""
_IPV6_HOST_BITS = 64


class Rates:
    """One bucket for each key (an address, an app). Kept in this process: another one has its own."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def spend(self, key: str, now: datetime) -> timedelta | None:
        """Count one request; return how long to wait when there is none left, and count nothing."""
        left = take(self._buckets.get(key) or full(self._rate, now), self._rate, now)
        if isinstance(left, timedelta):
            return left
        self._buckets[key] = left
        self._buckets.move_to_end(key)
        if len(self._buckets) > MOST_KEYS:
            self._buckets.popitem(last=False)
        return None


def client_key(address: ParsedAddress | None) -> str:
    """Return what one client is counted by: its IPv4 address, its IPv6 /64 (one subscriber has that many), or ""."""
    if address is None:
        return ""
    return address.text if address.version == 4 else f"{address.number >> _IPV6_HOST_BITS:x}::/64"  # noqa: PLR2004 -- the version of the protocol
