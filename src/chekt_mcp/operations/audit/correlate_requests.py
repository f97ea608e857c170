"""Which of these request ids the audit log knows: the caller's own log laid beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from typing_extensions import TypedDict

from chekt_mcp.domain.audit import Entry, Query
from chekt_mcp.domain.choice import any_of
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.timespan import parse_window, rfc3339
from chekt_mcp.operations.audit.search_audit import WindowReport
from chekt_mcp.operations.services import Call
from chekt_mcp.operations.whoami import LogReport, extent_report, extent_words
from chekt_mcp.storage.interface import Reader

SHOWN = 100
"""Characters of a request id in an answer."""


class KnownRequest(TypedDict):
    """A request id that the log knows, with the newest of its entries; `app` is null for the dealer as a whole."""

    request_id: str
    seq: int
    timestamp: str
    app: str | None
    result: str


class CorrelateRequests(TypedDict):
    """Result of `correlate_requests`, in the order given. `repeated`: ids given more than once, left out of the rest.

    `unknown` is unknown here: in this window, in the entries of these apps and of the dealer as a whole.
    """

    window: WindowReport
    apps: list[str]
    known: list[KnownRequest]
    unknown: list[str]
    repeated: int
    log: LogReport


async def correlate_requests(reader: Reader, call: Call, request_ids: Sequence[str], since: str) -> CorrelateRequests:
    """Look each id up in its index.

    Raises:
        InvalidInput: code `bad_time` or `empty_window` for `since`.
    """
    grant, window = call.grant, parse_window(since, None, call.now)
    asked = tuple(dict.fromkeys(request_ids))
    query = Query(grant.dealer, grant.apps, window.since, window.until, dealer_wide=True)
    found = await _newest(reader, query, asked)
    return {
        "window": {"since": rfc3339(window.since), "until": rfc3339(window.until)},
        "apps": list(grant.apps),
        "known": [_known(found[one]) for one in asked if one in found],
        "unknown": [escaped(one, SHOWN) for one in asked if one not in found],
        "repeated": len(request_ids) - len(asked),
        "log": extent_report(await reader.log_extent(grant.dealer, grant.apps, dealer_wide=True)),
    }


def summary(result: CorrelateRequests) -> str:
    """Say which are unknown, which are known, and what the log could know at all."""
    known, unknown, window = result["known"], result["unknown"], result["window"]
    asked = len(known) + len(unknown)
    whose = f"{', '.join(result['apps'])} and the dealer as a whole, {window['since']} to {window['until']}"
    lines = [f"Request ids known: {len(known)} of {asked}; unknown: {len(unknown)}. Searched: {whose}."]
    if result["repeated"]:
        lines.append(f"Given again, and counted once: {result['repeated']}.")
    lines += [f"unknown {one}" for one in unknown]
    lines += [f"known {one['request_id']} {_words(one)}" for one in known]
    lines.append(f"The log holds {extent_words(result['log'])}.")
    if unknown:
        lines.append("Unknown can also mean: older than the window or the log, or of an app you do not cover.")
    return "\n".join(lines)


async def _newest(reader: Reader, query: Query, request_ids: Sequence[str]) -> dict[str, Entry]:
    found = {one: await reader.search(replace(query, request_id=any_of(one)), 1) for one in request_ids}
    return {one: entries[0] for one, entries in found.items() if entries}


def _known(entry: Entry) -> KnownRequest:
    return {
        "request_id": escaped(entry.request_id, SHOWN),
        "seq": entry.seq,
        "timestamp": rfc3339(entry.timestamp),
        "app": entry.app,
        "result": entry.result.value,
    }


def _words(one: KnownRequest) -> str:
    return f"{one['seq']} {one['timestamp']} {one['app'] or '-'} {one['result']}"
