"""What the audit log holds in a window, and what of it is unusual: totals, and findings with their evidence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from typing_extensions import TypedDict

from chekt_mcp.domain.analysis.facts import Frame
from chekt_mcp.domain.analysis.finding import Finding, Severity
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.domain.wording import counted
from chekt_mcp.operations.allow_list.compiled_lists import CompiledLists
from chekt_mcp.operations.audit.analysis.evidence import request_ids
from chekt_mcp.operations.audit.analysis.findings import Counted, Judges
from chekt_mcp.operations.audit.analysis.list_spans import MOST_SOURCES
from chekt_mcp.operations.audit.analysis.subject import Asked, frame
from chekt_mcp.operations.audit.analysis.totals import SHOWN, TOP, Totals, totals
from chekt_mcp.operations.services import Services
from chekt_mcp.operations.whoami import LogReport, extent_report, extent_words
from chekt_mcp.storage.interface import Reader

MOST_FINDINGS = 50


class AnalyzedWindow(TypedDict):
    """What was counted. `widened`: an end was moved out to the whole hour, in which too many entries lie to be read."""

    since: str
    until: str
    widened: bool


class Baseline(TypedDict):
    """What the window is held against; the log holds `days` of it, which is `sufficient` to judge by or not.

    `entries`: those of its whole hours.
    """

    since: str
    until: str
    days: float
    entries: int
    sufficient: bool
    message: str


class AboutReport(TypedDict):
    """Values out of the log that a finding is about: other people's text. `others`: how many more there are."""

    actors: list[str]
    source_ips: list[str]
    scopes: list[str]
    key_ids: list[str]
    times: list[str]
    others: int


class LogFinding(TypedDict):
    """Something unusual: it rests on `count` entries, of which `evidence` names some by request id."""

    code: str
    severity: str
    app: str | None
    count: int
    message: str
    about: AboutReport
    evidence: list[str]


class AnalyzeAuditLog(TypedDict):
    """Result of `analyze_audit_log`, gravest findings first; `findings_cut` more are left out."""

    window: AnalyzedWindow
    baseline: Baseline
    apps: list[str]
    dealer_wide: bool
    log: LogReport
    totals: Totals
    findings: list[LogFinding]
    findings_cut: int


@dataclass(frozen=True, slots=True)
class Analysis:
    """One analysis: what is asked, with the services and the lists it needs."""

    services: Services
    compiled: CompiledLists
    asked: Asked
    now: datetime

    async def run(self) -> AnalyzeAuditLog:
        """Have the newest entries summed up, then read summaries on one snapshot.

        Raises:
            InvalidInput: see `subject.frame`.
            Unavailable: a stored allow list cannot be read.
        """
        storage = self.services.storage
        await storage.write(lambda writer: writer.sum_up(self.asked.dealer))
        return await storage.scan(self._read)

    async def _read(self, reader: Reader) -> AnalyzeAuditLog:
        asked, limits = self.asked, self.services.limits
        judged = await frame(reader, asked, self.now, limits.thresholds)
        read = await Counted.read(reader, asked, judged, MOST_SOURCES)
        found = await Judges(reader, self.compiled, asked, judged, read, limits.grace).all()
        actions = await reader.actions(asked.dealer, asked.apps, judged.window, TOP)
        extent = await reader.log_extent(asked.dealer, asked.named, dealer_wide=asked.dealer_wide)
        return {
            "window": _window(judged),
            "baseline": _baseline(judged, sum(one.calls for one in read.baseline)),
            "apps": list(asked.named),
            "dealer_wide": asked.dealer_wide,
            "log": extent_report(extent),
            "totals": totals(read.activity, actions, read.sources),
            "findings": [_report(one, await request_ids(reader, asked.dealer, one)) for one in found[:MOST_FINDINGS]],
            "findings_cut": max(0, len(found) - MOST_FINDINGS),
        }


def _window(judged: Frame) -> AnalyzedWindow:
    window = judged.window
    return {"since": rfc3339(window.since), "until": rfc3339(window.until), "widened": judged.widened}


def _baseline(judged: Frame, entries: int) -> Baseline:
    needed = judged.thresholds.baseline_days
    if judged.oldest is None or judged.covered_days <= 0:
        message = "No baseline: the log holds nothing from before the window, so nothing can be called new or unusual."
    elif not judged.sufficient:
        message = (
            f"No baseline to judge by: the log holds {judged.covered_days:.1f} days before the window, and it takes "
            f"{counted(needed, 'day', 'days')} (baseline_days) to call anything new or unusual."
        )
    else:
        held = counted(entries, "entry", "entries")
        message = f"The log holds {judged.covered_days:.1f} days of it, with {held} in whole hours."
    return {
        "since": rfc3339(judged.baseline.since),
        "until": rfc3339(judged.baseline.until),
        "days": round(judged.covered_days, 1),
        "entries": entries,
        "sufficient": judged.sufficient,
        "message": message,
    }


def _report(one: Finding, evidence: list[str]) -> LogFinding:
    about = one.about
    return {
        "code": one.code.value,
        "severity": one.severity.value,
        "app": None if one.app is None else escaped(one.app, SHOWN),
        "count": one.count,
        "message": one.message,
        "about": {
            "actors": [escaped(actor, SHOWN) for actor in about.actors],
            "source_ips": [escaped(address, SHOWN) for address in about.source_ips],
            "scopes": [escaped(scope, SHOWN) for scope in about.scopes],
            "key_ids": [escaped(key, SHOWN) for key in about.key_ids],
            "times": [rfc3339(at) for at in about.times],
            "others": about.others,
        },
        "evidence": [escaped(request_id, SHOWN) for request_id in evidence],
    }


def summary(result: AnalyzeAuditLog) -> str:
    """Say it in lines: what was looked at, totals, each finding with its evidence, and what the log holds."""
    window, found = result["window"], result["findings"]
    whose = ", ".join(result["apps"]) + (" and the dealer as a whole" if result["dealer_wide"] else "")
    worth = [one for one in found if one["severity"] != Severity.INFO]
    span = f"{window['since']} to {window['until']}{' (widened to whole hours)' if window['widened'] else ''}"
    told = f"{counted(len(worth), 'finding', 'findings')} to look at, {len(found) - len(worth)} for information"
    lines = [
        f"{told}: {whose}, {span}.",
        f"Baseline from {result['baseline']['since']}: {result['baseline']['message']}",
        *(line for one in found for line in _finding_lines(one)),
    ]
    if result["findings_cut"]:
        lines.append(f"Left out: {counted(result['findings_cut'], 'finding', 'findings')}.")
    return "\n".join([*lines, *_totals_lines(result["totals"]), f"The log holds {extent_words(result['log'])}."])


def _finding_lines(one: LogFinding) -> list[str]:
    about = one["about"]
    values = [*about["actors"], *about["source_ips"], *about["scopes"], *about["key_ids"], *about["times"]]
    lines = [f"{one['severity']} {one['code']} ({one['app'] or 'no app'}): {one['message']}"]
    if values:
        more = f", and {about['others']} more" if about["others"] else ""
        lines.append(f"  about: {' | '.join(values)}{more}")
    if one["evidence"]:
        lines.append(f"  evidence ({len(one['evidence'])} of {one['count']}): {' '.join(one['evidence'])}")
    return lines


def _totals_lines(told: Totals) -> list[str]:
    columns = {
        "by_result": told["by_result"],
        "by_kind": told["by_kind"],
        "by_scope": told["by_scope"],
        "by_source_ip": told["by_source_ip"],
        "by_key": told["by_key"],
    }
    lines = [f"Entries: {told['entries']:,}"]
    for name, values in columns.items():
        others = told["others"].get(name)
        more = f" | {others['values']:,} others {others['entries']:,}" if others else ""
        lines.append(f"{name}: " + " | ".join(f"{value} {calls:,}" for value, calls in values.items()) + more)
    return lines
