"""Keeping the log's summaries: what `analyze_audit_log` reads in place of the entries.

Entries are summed up some thousands at a time, inside the append that completes such a stretch: summing up each small
batch by itself would touch nearly as many rows as it has entries. Whoever reads summaries has the rest summed up first
(`Writer.sum_up`). The tables are described in the migration; `log_summaries` and `log_sightings` read them.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from chekt_mcp.domain.analysis.clock import TOLERATED
from chekt_mcp.domain.audit import Result
from chekt_mcp.storage.sqlite.log_reader import HOUR, SEQ_BITS
from chekt_mcp.storage.sqlite.session import Row

MINUTE = HOUR // 60
STRETCH = 4_000
"""Entries that are summed up together, if nobody asks before."""

MOST_AT_ONCE = 20_000
FURTHEST = TOLERATED // timedelta(microseconds=1)
SUMMED = "SELECT seq FROM log_summed WHERE log = ?"
NOW_SUMMED = "INSERT INTO log_summed (log, seq) VALUES (?, ?) ON CONFLICT (log) DO UPDATE SET seq = excluded.seq"
ENTRIES = (
    "SELECT id, ts, coalesce(app, 0), kind, actor, coalesce(scope, 0), result, coalesce(key_id, 0), action,"
    " coalesce(source_ip * 2, source * 2 + 1, 0), origin FROM entries WHERE id >= ? AND id <= ? ORDER BY id"
)
ACTIVITY = (
    "INSERT INTO log_activity (log, app, hour, kind, actor, scope, result, key_id, action, calls)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (log, app, hour, kind, actor, scope, result, key_id, action)"
    " DO UPDATE SET calls = calls + excluded.calls"
)
SOURCES = (
    "INSERT INTO log_sources (log, app, hour, kind, actor, place, result, calls) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (log, app, hour, kind, actor, place, result) DO UPDATE SET calls = calls + excluded.calls"
)
MINUTES = (
    "INSERT INTO log_minutes (log, app, kind, minute, calls, failed) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (log, app, kind, minute) DO UPDATE SET calls = calls + excluded.calls,"
    " failed = failed + excluded.failed"
)
WITHIN_HOUR = "FROM log_minutes WHERE log = ?1 AND app = ?2 AND kind = ?4 AND minute BETWEEN ?3 * 60 AND ?3 * 60 + 59"
HOURS = (
    "INSERT INTO log_hours (log, app, hour, kind, calls, refused, failed, peak, peak_failed)"  # noqa: S608 -- ours
    f" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, (SELECT max(calls) {WITHIN_HOUR}), (SELECT max(failed) {WITHIN_HOUR}))"
    " ON CONFLICT (log, app, hour, kind) DO UPDATE SET calls = calls + excluded.calls,"
    " refused = refused + excluded.refused, failed = failed + excluded.failed,"
    " peak = excluded.peak, peak_failed = excluded.peak_failed"
)
SEEN_ADDRESS = (
    "INSERT INTO seen_addresses (log, app, actor, source_ip, first_hour) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (log, app, actor, source_ip) DO UPDATE SET first_hour = excluded.first_hour"
    " WHERE excluded.first_hour < first_hour"
)
SEEN_SCOPE = (
    "INSERT INTO seen_scopes (log, app, kind, scope, result, first_hour, last_hour) VALUES (?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (log, app, kind, scope, result) DO UPDATE SET"
    " first_hour = min(first_hour, excluded.first_hour), last_hour = max(last_hour, excluded.last_hour)"
    " WHERE excluded.first_hour < first_hour OR excluded.last_hour > last_hour"
)
CLOCK_STEP = "INSERT INTO clock_steps (log, id, ts, before_ts) VALUES (?, ?, ?, ?)"

Key = tuple[Any, ...]
Counts = Counter[Key]
Find = Callable[[str], int | None]


def keep_summaries(connection: sqlite3.Connection, find: Find, log: int, size: int, *, stretch: int = STRETCH) -> None:
    """Sum up the entries of a log that are not yet, if they are `stretch` or more; `find` tells a name's number."""
    row = connection.execute(SUMMED, (log,)).fetchone()
    summed = row[0] if row else 0
    if size - summed < stretch:
        return
    base, many = log << SEQ_BITS, connection.executemany
    names = _Names(find(Result.DENIED), find(Result.ERROR))
    for first in range(summed, size, MOST_AT_ONCE):
        # The one before comes along: it tells whether the clock went back.
        last = base + min(first + MOST_AT_ONCE, size)
        rows = connection.execute(ENTRIES, (base + first, last)).fetchall()
        many(CLOCK_STEP, _steps(log, rows))
        for statement, values in _summed(log, rows[1:] if rows and rows[0][0] == base + first else rows, names):
            many(statement, values)
    connection.execute(NOW_SUMMED, (log, size))


class _Names(NamedTuple):
    """The numbers of the results that count as failed; None where the log has none of it."""

    denied: int | None
    error: int | None


def _steps(log: int, rows: Sequence[Row]) -> list[Row]:
    """Return our own entries that lie further back than is usual behind our own entry before them.

    What was imported says nothing of this machine's clock.
    """
    back = [at for at, (one, other) in enumerate(pairwise([row[1] for row in rows])) if other < one - FURTHEST]
    pairs = [(rows[at], rows[at + 1]) for at in back]
    return [
        (log, later[0], later[1], earlier[1])
        for earlier, later in pairs
        if earlier[-1] is None and later[-1] is None and later[0] == earlier[0] + 1
    ]


def _summed(log: int, rows: Sequence[Row], names: _Names) -> Iterator[tuple[str, list[Row]]]:
    """Yield each statement with what the rows add by it; the minutes go before the hours, which look at them."""
    if not rows:
        return
    logs = [log] * len(rows)
    _, moments, apps, kinds, actors, scopes, results, keys, actions, places, _ = zip(*rows, strict=True)
    hours = [moment // HOUR for moment in moments]
    activity = Counter(zip(logs, apps, hours, kinds, actors, scopes, results, keys, actions, strict=True))
    sources = Counter(zip(logs, apps, hours, kinds, actors, places, results, strict=True))
    minutes = [moment // MINUTE for moment in moments]
    failed = [at for at, result in enumerate(results) if result in names]
    failed_minutes = Counter((log, apps[at], kinds[at], minutes[at]) for at in failed)
    failed_hours = Counter((log, apps[at], hours[at], kinds[at]) for at in failed)
    refused_hours = Counter((log, apps[at], hours[at], kinds[at]) for at in failed if results[at] == names.denied)
    yield ACTIVITY, [(*key, calls) for key, calls in activity.items()]
    yield SOURCES, [(*key, calls) for key, calls in sources.items()]
    yield MINUTES, _beside(Counter(zip(logs, apps, kinds, minutes, strict=True)), failed_minutes)
    yield HOURS, _beside(Counter(zip(logs, apps, hours, kinds, strict=True)), refused_hours, failed_hours)
    yield SEEN_ADDRESS, _addresses(sources)
    yield SEEN_SCOPE, _scopes(activity)


def _beside(calls: Counts, *others: Counts) -> list[Row]:
    """Return each place with its calls, and with what the other counts have for it."""
    return [(*place, number, *(other[place] for other in others)) for place, number in calls.items()]


def _addresses(sources: Iterable[Key]) -> list[Row]:
    """Return each actor's addresses with the first hour; a place is an even number where it is an address."""
    seen: dict[Key, int] = {}
    for log, app, hour, _, actor, place, _ in sources:
        if place and place % 2 == 0:
            who = (log, app, actor, place // 2)
            seen[who] = min(hour, seen.get(who, hour))
    return [(*who, hour) for who, hour in seen.items()]


def _scopes(activity: Iterable[Key]) -> list[Row]:
    seen: dict[Key, tuple[int, int]] = {}
    for log, app, hour, kind, _, scope, result, _, _ in activity:
        if scope:
            first, last = seen.get((log, app, kind, scope, result), (hour, hour))
            seen[log, app, kind, scope, result] = (min(first, hour), max(last, hour))
    return [(*key, *ends) for key, ends in seen.items()]


def forget_summaries(connection: sqlite3.Connection, log: int, hour: int) -> None:
    """Remove what is summed up of a log's entries before an hour (since 1970), for they are pruned.

    When an address came first is kept as long as it is heard of: it stays known. The same goes for scopes.
    """
    for table in ("log_activity", "log_sources", "log_hours"):
        connection.execute(f"DELETE FROM {table} WHERE log = ? AND hour < ?", (log, hour))  # noqa: S608 -- ours
    connection.execute("DELETE FROM log_minutes WHERE log = ? AND minute < ?", (log, hour * 60))
    connection.execute("DELETE FROM clock_steps WHERE log = ? AND ts < ?", (log, hour * HOUR))
    connection.execute(
        "DELETE FROM seen_addresses WHERE log = ?1 AND (app, actor, source_ip * 2) NOT IN"
        " (SELECT app, actor, place FROM log_sources WHERE log = ?1)",
        (log,),
    )
    connection.execute("DELETE FROM seen_scopes WHERE log = ? AND last_hour < ?", (log, hour))
