"""The allow list in force: entries, findings, and what real traffic says of them."""

from __future__ import annotations

from datetime import datetime, timedelta

from typing_extensions import TypedDict

from chekt_mcp.domain.allow_list import AddressMatcher, Entry
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.scope import Scope
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.domain.wording import counted
from chekt_mcp.operations.allow_list.entry_use import EntryUse, entry_use
from chekt_mcp.operations.allow_list.list_effect import hold, last_matched
from chekt_mcp.operations.allow_list.list_findings import FindingReport, list_findings
from chekt_mcp.operations.allow_list.steady_sources import Suggestion, steady_sources
from chekt_mcp.operations.allow_list.stored_list import stored_entries
from chekt_mcp.operations.known_app import known_app
from chekt_mcp.operations.services import Call
from chekt_mcp.storage.interface import Reader

SHOWN = 500
"""Entries that an answer lists at most; the counts are always whole."""
SPOKEN = 50
RECENT = timedelta(days=7)
"""Traffic that is held against the list whole; entries it did not use are looked up one by one."""


class EntryReport(TypedDict):
    """One entry: comments are the list author's text, escaped and cut."""

    network: str
    comment: str | None
    last_matched_at: str | None


class GetAllowList(TypedDict):
    """Result of `get_allow_list`. `suggested` is null for callers without operators:read.

    `last_matched_at` is looked for in the 90 days before the newest request the log holds.
    """

    app: str
    enabled: bool
    version: int
    effective_at: str | None
    entries: list[EntryReport]
    entries_total: int
    findings: list[FindingReport]
    suggested: list[Suggestion] | None
    missing_scope: str | None


async def get_allow_list(reader: Reader, call: Call, app: str) -> GetAllowList:
    """Describe the list in force.

    Raises:
        Unavailable: the stored text does not parse.
    """
    known = await known_app(reader, call.grant.dealer, app)
    version = await reader.allow_list(call.grant.dealer, app)
    enabled, entries = bool(version and version.enabled), stored_entries(version)
    matcher = AddressMatcher(entries)
    recent = await reader.traffic(known.dealer, known.name, call.now - RECENT)
    networks = [entry.network for entry in entries]
    use = await entry_use(reader, known, networks, last_matched(hold(recent, matcher)), call.now)
    sees = call.grant.allows(Scope.OPERATORS_READ)
    return {
        "app": app,
        "enabled": enabled,
        "version": version.version if version else 0,
        "effective_at": rfc3339(version.effective_at) if version else None,
        "entries": [_entry_report(entry, use) for entry in entries[:SHOWN]],
        "entries_total": len(entries),
        "findings": list_findings(known, entries if enabled else (), use, call.now),
        "suggested": await steady_sources(reader, known, matcher, call.now) if sees else None,
        "missing_scope": None if sees else Scope.OPERATORS_READ.value,
    }


def summary(result: GetAllowList) -> str:
    """Say the list in words."""
    entries = counted(result["entries_total"], "entry", "entries")
    lines = [f"Allow list of {result['app']}: {_state(result)}, {entries}."]
    lines += [f"{entry['network']}: {_use(entry)}" for entry in result["entries"][:SPOKEN]]
    if result["entries_total"] > SPOKEN:
        lines.append(f"And {counted(result['entries_total'] - SPOKEN, 'more entry', 'more entries')}.")
    lines += [f"{one['severity']} {one['code']}: {one['message']}" for one in result["findings"]]
    lines += [_suggestion(one) for one in result["suggested"] or ()]
    return "\n".join(lines)


def _suggestion(one: Suggestion) -> str:
    requests, days = counted(one["requests"], "request", "requests"), counted(one["days"], "day", "days")
    return f"Not on the list, but steady: {one['network']}, {requests} on {days}, last {one['last_seen']}"


def _state(result: GetAllowList) -> str:
    if result["enabled"]:
        return f"version {result['version']} in force since {result['effective_at']}"
    return "OFF: it allows and refuses nothing"


def _use(entry: EntryReport) -> str:
    last = entry["last_matched_at"]
    return f"last request {last}" if last else "no request in the last 90 days of the log"


def _entry_report(entry: Entry, use: EntryUse) -> EntryReport:
    matched: datetime | None = use.last.get(entry.network)
    return {
        "network": entry.network,
        "comment": escaped(entry.comment, 120) if entry.comment else None,
        "last_matched_at": rfc3339(matched) if matched else None,
    }
