"""Hold what a log counts of itself against its rows: a wrong count hides entries that no row was changed for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from chekt_mcp.domain.audit import Query
from chekt_mcp.domain.log_problem import LogProblem, Tampering
from chekt_mcp.domain.wording import counted
from chekt_mcp.operations.audit.log_findings import Findings
from chekt_mcp.storage.interface import Reader

BEGIN = datetime(1, 1, 1, tzinfo=UTC)
END = datetime.max.replace(tzinfo=UTC)
AT_ONCE = 4_096
"""Entries read at a time of those that were logged during a check."""


async def check_counts(reader: Reader, dealer: str, found: Findings, pruned_before: int) -> list[LogProblem] | None:
    """Compare counts and indexes with the rows of a check of the whole log; None when it was pruned meanwhile.

    `pruned_before` is what `pruned_entries` said when the check began. What was logged since is added on.
    """
    if await pruned_entries(reader, dealer) != pruned_before:
        return None
    rows, after = found.by_app.copy(), found.head.size
    while logged := await reader.logged_entries(dealer, after, AT_ONCE):
        rows.update(one.entry.app for one in logged)
        after = logged[-1].entry.seq
    put_back = [] if found.pruned == pruned_before else [_summary("Entries that were pruned stand in the log again.")]
    return [*put_back, *await _totals(reader, dealer, rows), *await _by_app(reader, dealer, rows)]


async def pruned_entries(reader: Reader, dealer: str) -> int:
    """Count the entries that are recorded as pruned."""
    total, after = 0, 0
    while ranges := await reader.pruned_ranges(dealer, after, 1_000):
        total += sum(one.last - one.first + 1 for one in ranges)
        after = ranges[-1].last
    return total


async def _totals(reader: Reader, dealer: str, rows: Mapping[str | None, int]) -> list[LogProblem]:
    total, counts = sum(rows.values()), (await reader.log_extent(dealer)).entries
    if counts == total:
        return []
    return [_summary(f"The log's own count says {counted(counts, 'entry', 'entries')}; there are {total:,}.")]


async def _by_app(reader: Reader, dealer: str, rows: Mapping[str | None, int]) -> list[LogProblem]:
    problems = []
    for app in {*rows, *(app.name for app in await reader.apps(dealer)), None}:
        apps = () if app is None else (app,)
        there = rows.get(app, 0)
        extent = await reader.log_extent(dealer, apps, dealer_wide=app is None)
        indexed = await reader.count(Query(dealer, apps, BEGIN, END, dealer_wide=app is None), there + 1)
        of = "no app" if app is None else "one app"  # its name is not for every caller
        if extent.entries != there:
            problems.append(
                _summary(f"The log's own count says {extent.entries:,} entries of {of}; there are {there:,}.")
            )
        if indexed != there:
            problems.append(_summary(f"A search would find other entries of {of} than the {there:,} that were logged."))
    return problems


def _summary(message: str) -> LogProblem:
    return LogProblem(Tampering.SUMMARY, None, None, message)
