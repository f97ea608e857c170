"""A comparison of two logs, for people and for programs. Whatever others wrote is escaped, cut, and without keys."""

from __future__ import annotations

import json
from datetime import datetime

from chekt_mcp.cli.audit.matching import LineTally
from chekt_mcp.domain.audit import Entry
from chekt_mcp.domain.exposure import redacted
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.operations.audit.log_correlation import ElsewhereRow, FileRow, LogCorrelation
from chekt_mcp.operations.audit.log_file.text_log import LINE_LIMIT
from chekt_mcp.operations.whoami import extent_report

SHOWN = 100
"""Characters of a request id or action."""


def as_text(result: LogCorrelation, tally: LineTally) -> str:
    """Say it in lines: what was compared, the counts, and each thing that is on one side only."""
    window, log = result.window, extent_report(result.log)
    lines = [
        f"app {result.app}, {rfc3339(window.since)} to {rfc3339(window.until)}",
        f"lines in the file: {tally.lines:,}; without a request id: {tally.without_id:,}",
        f"entries of the app in the audit log: {log['entries']:,}, {log['oldest'] or '-'} to {log['newest'] or '-'}",
        f"matched: {result.matched:,}{_span(result)}",
        *_unknown(result),
        *_lacking(result),
        *_elsewhere(result),
    ]
    if result.not_compared:
        lines.append(f"not compared (tool calls and operator actions pass through no app): {result.not_compared:,}")
    if tally.cut:
        lines.append(f"lines read only to their {LINE_LIMIT:,}th byte: {tally.cut:,}")
    return "\n".join(lines)


def as_json(result: LogCorrelation, tally: LineTally) -> str:
    """Return the same as one JSON object."""
    window = result.window
    told = {
        "app": result.app,
        "window": {"since": rfc3339(window.since), "until": rfc3339(window.until)},
        "log": extent_report(result.log),
        "file": {"lines": tally.lines, "without_id": tally.without_id, "cut": tally.cut},
        "matched": {"request_ids": result.matched, "first": _at(result.first_match), "last": _at(result.last_match)},
        "only_in_file": [_file_row(row) for row in result.unknown.values()],
        "only_in_file_more": result.unknown_more,
        "only_in_audit_log": [_entry_row(entry) for entry in result.lacking],
        "only_in_audit_log_total": result.lacking_total,
        "only_in_audit_log_outside_matches": result.lacking_outside,
        "known_elsewhere": [_elsewhere_row(row) for row in result.elsewhere.values()],
        "known_elsewhere_more": result.elsewhere_more,
        "not_compared": result.not_compared,
        "one_sided": result.one_sided,
    }
    return json.dumps(told, indent=1, ensure_ascii=False)


def _unknown(result: LogCorrelation) -> list[str]:
    lines = [f"only in the file, unknown to the audit log: {len(result.unknown):,}"]
    lines += [f"  line {row.line}: {_foreign(row.request_id)}{_times(row)}" for row in result.unknown.values()]
    if result.unknown_more:
        lines.append(f"  such ids in further places, not listed: {result.unknown_more:,}")
    return lines


def _lacking(result: LogCorrelation) -> list[str]:
    lines = [f"only in the audit log, calls and deliveries that the file lacks: {result.lacking_total:,}"]
    lines += [f"  {' '.join(str(value) for value in _entry_row(entry).values())}" for entry in result.lacking]
    if more := result.lacking_total - len(result.lacking):
        lines.append(f"  older ones, not listed: {more:,}")
    if (outside := result.lacking_outside) > 0:
        lines.append(f"  of these older or newer than every match (the file may not reach that far): {outside:,}")
    return lines


def _elsewhere(result: LogCorrelation) -> list[str]:
    if not result.elsewhere:
        return []
    lines = [f"in the file, and known of another app or outside the window: {len(result.elsewhere):,}"]
    for row in result.elsewhere.values():
        told = f"{row.app or 'no app'}, {_at(row.timestamp)}"
        lines.append(f"  line {row.line}: {_foreign(row.request_id)} ({_foreign(told)}){_times(row)}")
    if result.elsewhere_more:
        lines.append(f"  such ids in further places, not listed: {result.elsewhere_more:,}")
    return lines


def _file_row(row: FileRow) -> dict[str, object]:
    return {"request_id": _foreign(row.request_id), "line": row.line, "lines": row.lines}


def _elsewhere_row(row: ElsewhereRow) -> dict[str, object]:
    app = None if row.app is None else _foreign(row.app)
    return {**_file_row(row), "app": app, "timestamp": _at(row.timestamp)}


def _entry_row(entry: Entry) -> dict[str, object]:
    return {
        "seq": entry.seq,
        "timestamp": rfc3339(entry.timestamp),
        "request_id": _foreign(entry.request_id),
        "kind": entry.kind.value,
        "action": _foreign(entry.action),
        "result": entry.result.value,
    }


def _span(result: LogCorrelation) -> str:
    return f", {_at(result.first_match)} to {_at(result.last_match)}" if result.matched else ""


def _times(row: FileRow) -> str:
    return f" (on {row.lines:,} lines)" if row.lines > 1 else ""


def _at(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None


def _foreign(text: str) -> str:
    return escaped(redacted(text), SHOWN)
