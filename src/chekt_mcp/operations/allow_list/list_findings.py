"""Findings about a list, for this kind of app; an entry is called stale only where the log bears it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from typing_extensions import TypedDict

from chekt_mcp.domain.allow_list import Entry, Finding, FindingSettings, findings
from chekt_mcp.domain.app import App
from chekt_mcp.operations.allow_list.entry_use import EntryUse


class FindingReport(TypedDict):
    """Something worth knowing about the list."""

    code: str
    severity: str
    entries: list[str]
    message: str


def list_findings(app: App, entries: Sequence[Entry], use: EntryUse | None, now: datetime) -> list[FindingReport]:
    """Judge `entries` as the list of `app`. `use` is None for those who may not learn of traffic: nothing is stale."""
    told = use if use is not None and use.first is not None else None
    found = findings(
        entries,
        environment=app.environment,
        last_matched=_uses(entries, told) if told else None,
        now=told.until if told else now,
        settings=FindingSettings(),
        observed_since=told.first if told else None,
    )
    return [_report(one) for one in found]


def _uses(entries: Sequence[Entry], use: EntryUse) -> Mapping[str, datetime]:
    """Return when each entry was last of use; one that cannot be judged counts as used now."""
    unjudged = {entry.network: use.until for entry in entries if entry.network not in use.judged}
    return {**unjudged, **use.last}


def _report(one: Finding) -> FindingReport:
    return {
        "code": one.code,
        "severity": str(one.severity),
        "entries": list(one.entries),
        "message": one.message,
    }
