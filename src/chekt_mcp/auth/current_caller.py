"""The caller of the request at hand, from the edge that admitted it to the gate that asks again."""

from __future__ import annotations

from contextvars import ContextVar
from datetime import datetime

from chekt_mcp.auth.caller import Caller, nobody
from chekt_mcp.auth.credential import Problem
from chekt_mcp.storage.interface import Storage

CURRENT: ContextVar[Caller] = ContextVar("chekt_caller")
"""Set for one request only; the SDK carries it on to the session that serves an older protocol."""

NOT_ADMITTED = Problem("no_caller", "This call did not come through the edge.", "Call over HTTP with a credential.")


async def by_request(_storage: Storage, _now: datetime) -> Caller:
    """Identify by what the edge verified moments ago, in the same request; without it, nobody."""
    return CURRENT.get(None) or nobody(NOT_ADMITTED)
