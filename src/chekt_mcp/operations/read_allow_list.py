"""The allow list in force: entries, findings, and what real traffic says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from typing_extensions import TypedDict

from chekt_mcp.domain.allow_list import AddressMatcher, Entry, Finding, FindingSettings, findings, parse
from chekt_mcp.domain.allow_list.version import AllowListVersion
from chekt_mcp.domain.app import App
from chekt_mcp.domain.audit import Traffic
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.scope import Scope
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.errors import Unavailable
from chekt_mcp.operations.known_app import known_app
from chekt_mcp.operations.services import Call
from chekt_mcp.storage.interface import Reader

TRAFFIC_SPAN = timedelta(days=30)
STEADY_REQUESTS = 10
"""Requests in 30 days from which an address counts as a steady source worth suggesting."""
SHOWN = 500
"""Entries and suggestions that an answer lists at most; the counts are always whole."""


class EntryReport(TypedDict):
    """One entry: comments are the list author's text, escaped and cut."""

    network: str
    comment: str | None
    last_matched_at: str | None


class FindingReport(TypedDict):
    """Something worth knowing about the list."""

    code: str
    severity: str
    entries: list[str]
    message: str


class Suggestion(TypedDict):
    """A steady source of real traffic that is not on the list."""

    network: str
    requests: int
    last_seen: str


class GetAllowList(TypedDict):
    """Result of `get_allow_list`. `suggested` is null for callers without operators:read."""

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
    entries = stored_entries(version)
    traffic = await reader.traffic(call.grant.dealer, app, call.now - TRAFFIC_SPAN)
    last = last_matched(entries, traffic)
    sees = call.grant.allows(Scope.OPERATORS_READ)
    return {
        "app": app,
        "enabled": bool(version and version.enabled),
        "version": version.version if version else 0,
        "effective_at": rfc3339(version.effective_at) if version else None,
        "entries": [_entry_report(entry, last) for entry in entries[:SHOWN]],
        "entries_total": len(entries),
        "findings": finding_reports(known, entries, last, call.now),
        "suggested": suggestions(entries, traffic) if sees else None,
        "missing_scope": None if sees else Scope.OPERATORS_READ.value,
    }


def stored_entries(version: AllowListVersion | None) -> tuple[Entry, ...]:
    """Return the entries of a stored version, also of one that is turned off.

    Raises:
        Unavailable: code `allow_list_unreadable`.
    """
    if version is None:
        return ()
    parsed = parse(version.text)
    if not parsed.ok:
        raise Unavailable("The stored allow list cannot be read.", code="allow_list_unreadable")
    return parsed.entries


def finding_reports(
    app: App, entries: Sequence[Entry], last: Mapping[str, datetime] | None, now: datetime
) -> list[FindingReport]:
    """Judge the list for this kind of app."""
    found = findings(entries, environment=app.environment.value, last_matched=last, now=now, settings=FindingSettings())
    return [_finding_report(one) for one in found]


def last_matched(entries: Sequence[Entry], traffic: Sequence[Traffic]) -> dict[str, datetime]:
    """Return when each entry last let real traffic in."""
    matcher, last = AddressMatcher(entries), dict[str, datetime]()
    for source in traffic:
        matched = matcher.check(source.source_ip).matched
        if matched is not None and last.get(matched, source.last_seen) <= source.last_seen:
            last[matched] = source.last_seen
    return last


def suggestions(entries: Sequence[Entry], traffic: Sequence[Traffic]) -> list[Suggestion]:
    """Return steady sources that the list does not hold, busiest first."""
    matcher = AddressMatcher(entries)
    steady = [one for one in traffic if one.requests >= STEADY_REQUESTS and not matcher.check(one.source_ip).matched]
    return [
        {"network": one.source_ip, "requests": one.requests, "last_seen": rfc3339(one.last_seen)} for one in steady[:20]
    ]


def summary(result: GetAllowList) -> str:
    """Say the list in words."""
    state = f"version {result['version']} in force since {result['effective_at']}" if result["enabled"] else "OFF"
    lines = [f"Allow list of {result['app']}: {state}, {result['entries_total']} entries."]
    lines += [
        f"{entry['network']} last matched {entry['last_matched_at'] or 'not in 30 days'}"
        for entry in result["entries"][:50]
    ]
    lines += [f"{one['severity']} {one['code']}: {one['message']}" for one in result["findings"]]
    for one in result["suggested"] or ():
        lines.append(
            f"Not on the list, but steady: {one['network']}, {one['requests']} requests, last {one['last_seen']}"
        )
    return "\n".join(lines)


def _entry_report(entry: Entry, last: Mapping[str, datetime]) -> EntryReport:
    matched = last.get(entry.network)
    return {
        "network": entry.network,
        "comment": escaped(entry.comment, 120) if entry.comment else None,
        "last_matched_at": rfc3339(matched) if matched else None,
    }


def _finding_report(one: Finding) -> FindingReport:
    return {
        "code": one.code,
        "severity": str(one.severity),
        "entries": list(one.entries),
        "message": one.message,
    }
