"""Keeping the log's summaries: what is read of long times in place of the entries.

Entries are summed up some thousands at a time, inside the append that completes such a stretch: summing up each small
batch by itself would touch nearly as many rows as it has entries. Whoever reads the analysis' summaries has the rest
summed up first (`Writer.sum_up`); who used a key, and where calls came from, is told from the entries for the rest
(`log_uses`). The statements are in `log_sums`; `log_summaries`, `log_sightings` and `log_uses` read the tables.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from chekt_mcp.domain.audit import Kind, Result
from chekt_mcp.storage.sqlite.log_reader import HOUR, SEQ_BITS
from chekt_mcp.storage.sqlite.log_sums import STATEMENTS

STRETCH = 4_000
"""Entries that are summed up together, if nobody asks before."""

MOST_AT_ONCE = 20_000
SUMMED = "SELECT seq FROM log_summed WHERE log = ?"
NOW_SUMMED = "INSERT INTO log_summed (log, seq) VALUES (?, ?) ON CONFLICT (log) DO UPDATE SET seq = excluded.seq"
NAMES = {"denied": Result.DENIED, "error": Result.ERROR, "api_call": Kind.API_CALL}

Find = Callable[[str], int | None]


def keep_summaries(connection: sqlite3.Connection, find: Find, log: int, sizes: tuple[int, int]) -> None:
    """Sum up what a log got as it grew from one size to another; `find` tells a name's number."""
    (summed, size), base = sizes, log << SEQ_BITS
    names = {name: find(text.value) for name, text in NAMES.items()}
    for begin in range(summed, size, MOST_AT_ONCE):
        ends = {"first": base + begin + 1, "last": base + min(begin + MOST_AT_ONCE, size)}
        for statement in STATEMENTS:
            connection.execute(statement, {"log": log, **ends, **names})
    connection.execute(NOW_SUMMED, (log, size))


def forget_summaries(connection: sqlite3.Connection, log: int, hour: int) -> None:
    """Remove what is summed up of a log's entries before an hour (since 1970), for they are pruned.

    When an address came first is kept as long as it is heard of: it stays known. The same goes for scopes.
    """
    for table in ("log_activity", "log_sources", "log_hours", "key_use"):
        connection.execute(f"DELETE FROM {table} WHERE log = ? AND hour < ?", (log, hour))  # noqa: S608 -- ours
    connection.execute("DELETE FROM log_minutes WHERE log = ? AND minute < ?", (log, hour * 60))
    connection.execute("DELETE FROM clock_steps WHERE log = ? AND ts < ?", (log, hour * HOUR))
    connection.execute("DELETE FROM last_requests WHERE log = ? AND last_ts < ?", (log, hour * HOUR))
    connection.execute(
        "DELETE FROM seen_addresses WHERE log = ?1 AND (app, actor, source_ip * 2) NOT IN"
        " (SELECT app, actor, place FROM log_sources WHERE log = ?1)",
        (log,),
    )
    connection.execute("DELETE FROM seen_scopes WHERE log = ? AND last_hour < ?", (log, hour))
