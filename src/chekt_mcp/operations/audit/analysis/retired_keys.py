"""Uses of keys that are in their time of grace, or over."""

from __future__ import annotations

from datetime import timedelta

from chekt_mcp.domain.analysis.facts import Frame
from chekt_mcp.domain.analysis.finding import LISTED, Selector
from chekt_mcp.domain.analysis.keys import RetiredUse, ended_at
from chekt_mcp.domain.api_key import Key, KeyKind, KeyState
from chekt_mcp.domain.audit import Result
from chekt_mcp.domain.timespan import Window
from chekt_mcp.operations.audit.analysis.evidence import as_query
from chekt_mcp.storage.interface import Reader

KEYS = 50
"""Newest retired keys of an app that are looked at."""

COUNTED = 100_000


async def retired_uses(reader: Reader, dealer: str, app: str, frame: Frame, grace: timedelta) -> list[RetiredUse]:
    """Return the uses of an app's previous and revoked API keys in the window, since they were that."""
    stored = await reader.keys(dealer, app, KeyKind.API_KEY)
    retired = [one.key for one in stored if one.key.state in (KeyState.PREVIOUS, KeyState.REVOKED)]
    found = [await _use(reader, dealer, key, frame, grace) for key in retired[:KEYS]]
    return [use for use in found if use is not None]


async def _use(reader: Reader, dealer: str, key: Key, frame: Frame, grace: timedelta) -> RetiredUse | None:
    end = ended_at(key)
    if end is None:
        return None
    ended = end <= frame.now
    since = max(frame.window.since, end if ended else end - grace)
    if since >= frame.window.until:
        return None
    span = Window(since, frame.window.until)
    calls, served = [await _count(reader, dealer, key, span, result) for result in (None, Result.OK)]
    uses = await reader.key_uses(dealer, key.key_id, since) if calls else ()
    sources = tuple(use.source for use in uses if use.first_at < span.until)[:LISTED]
    return RetiredUse(key, span, ended, calls, served, sources)


async def _count(reader: Reader, dealer: str, key: Key, span: Window, result: Result | None) -> int:
    query = as_query(dealer, Selector(key.app, span.since, span.until, key_id=key.key_id, result=result))
    return 0 if query is None else await reader.count(query, COUNTED)
