"""Calls of the platform's API, as a log holds them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from chekt_mcp.domain.audit import Kind, NewEntry, Result
from world import World


def traffic(world: World, address: str, count: int, **changes: Any) -> list[NewEntry]:
    """Return `count` API calls from one address, a minute `apart`; the newest is that long before `until`."""
    apart = changes.get("apart", timedelta(minutes=1))
    return [
        NewEntry(
            dealer="acme",
            timestamp=changes.get("until", world.clock()) - (count - number) * apart,
            actor=changes.get("actor", "app:shop"),
            kind=Kind.API_CALL,
            action="GET /v1/devices",
            result=changes.get("result", Result.OK),
            request_id=f"req_{address}_{number}",
            app="shop",
            scope="devices:read",
            source="import",
            source_ip=address,
            key_id=changes.get("key_id"),
            details={"user_agent": "curl/8"},
        )
        for number in range(count)
    ]
