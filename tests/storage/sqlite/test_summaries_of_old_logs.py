"""A log from before the summaries gets the very ones that it would have, had they been kept from its first entry."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path

import pytest

import storage_samples as sample
from chekt_mcp.domain.audit import Kind, NewEntry, Result
from chekt_mcp.storage.interface import Writer
from chekt_mcp.storage.sqlite import open_storage
from chekt_mcp.storage.sqlite.database_file import DATABASE

pytestmark = pytest.mark.anyio
TABLES = (
    "log_summed",
    "log_activity",
    "log_sources",
    "log_minutes",
    "log_hours",
    "seen_addresses",
    "seen_scopes",
    "clock_steps",
    "scope_grants",
)
SUMMED = (*TABLES[:-1], "key_use", "last_requests")
AS_BEFORE = """
DROP TABLE last_requests;
CREATE TABLE traffic (log, app, hour, source_ip, requests, last_ts, PRIMARY KEY (log, app, hour, source_ip));
INSERT INTO traffic
SELECT log, app, ts / 3600000000 - (ts % 3600000000 < 0), source_ip, count(*), max(ts) FROM entries
WHERE kind = (SELECT id FROM names WHERE text = 'api_call') AND app IS NOT NULL AND source_ip IS NOT NULL
GROUP BY 1, 2, 3, 4;
DROP TABLE key_use;
"""
"""What stood where `last_requests` stands, and was kept up to the last entry; so was `key_use`."""


def spread(count: int) -> list[NewEntry]:
    """Return entries around 1970 in no order, with everything that may be missing missing now and then."""
    dice = random.Random(1)  # noqa: S311 -- test data
    begin = datetime(1970, 1, 1, tzinfo=UTC)
    return [
        sample.entry(
            f"req_{number}",
            begin + timedelta(minutes=dice.randrange(-4_000, 4_000)),
            dealer=dice.choice(["acme", "other"]),
            app=dice.choice(["shop", "till", None]),
            kind=dice.choice(list(Kind)),
            scope=dice.choice(["devices:read", None]),
            result=dice.choice(list(Result)),
            source=dice.choice(["stdio", None]),
            source_ip=dice.choice(["192.0.2.1", "2001:db8::7", None]),
            key_id=dice.choice(["key_1", None]),
            origin=dice.choice(["imp_1", None]),
        )
        for number in range(count)
    ]


def script(name: str) -> str:
    return (resources.files("chekt_mcp.storage.sqlite") / "migrations" / name).read_text("utf-8")


def held(database: sqlite3.Connection, table: str) -> list[tuple[object, ...]]:
    columns = sorted(row[1] for row in database.execute(f"PRAGMA table_info({table})"))
    return sorted(database.execute(f"SELECT {', '.join(columns)} FROM {table}").fetchall())  # noqa: S608 -- our tables


async def test_the_migration_counts_what_upkeep_counts(tmp_path: Path) -> None:
    storage = open_storage(tmp_path)
    await sample.furnish(storage)
    await storage.write(sample.work("append", spread(700)))

    async def change(writer: Writer) -> None:
        for dealer in ("acme", "other"):
            await writer.sum_up(dealer)
        await writer.append([sample.entry(action="app.scopes", at=sample.NOW + sample.DAY)])
        await writer.sum_up("acme")

    await storage.write(change)
    await storage.close()
    with closing(sqlite3.connect(tmp_path / DATABASE)) as database:
        kept = {table: held(database, table) for table in TABLES}
        for table in TABLES:
            database.execute(f"DROP TABLE {table}")
        database.executescript(script("0014_log_summaries.sql"))
        for table in TABLES[:-1]:
            assert held(database, table) == kept[table], table
        assert all(len(kept[table]) > 1 for table in TABLES)
        granted = dict(database.execute("SELECT dealer, max(granted_at) FROM scope_grants GROUP BY dealer").fetchall())
        changed = sample.microseconds(sample.NOW + sample.DAY)
        assert granted == {"acme": changed, "other": sample.microseconds(sample.NOW)}


async def test_what_was_behind_and_what_was_not_goes_up_to_the_last_entry(tmp_path: Path) -> None:
    storage = open_storage(tmp_path)
    logged = spread(700)
    await storage.write(sample.work("append", logged[:300]))
    await storage.write(sample.work("sum_up", "acme"))  # nothing of the other log is
    await storage.write(sample.work("append", logged[300:]))
    await storage.close()
    with closing(sqlite3.connect(tmp_path / DATABASE)) as database:
        database.executescript(AS_BEFORE + script("0005_key_use.sql"))
        database.executescript(script("0017_summed_together.sql"))
        migrated = {table: held(database, table) for table in SUMMED}
        for table in SUMMED:
            database.execute(f"DELETE FROM {table}")  # noqa: S608 -- our tables
        database.commit()
    storage = open_storage(tmp_path)
    for dealer in ("acme", "other"):
        await storage.write(sample.work("sum_up", dealer))
    await storage.close()
    with closing(sqlite3.connect(tmp_path / DATABASE)) as database:
        for table in SUMMED:
            assert held(database, table) == migrated[table], table
    assert all(len(rows) > 1 for rows in migrated.values())
