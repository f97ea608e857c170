"""Who used a key is told from hourly counts: as exactly as from the entries, and from few rows of a long log."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from contextlib import closing
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import storage_samples as sample
from chekt_mcp.domain.audit import KeyUse, NewEntry
from chekt_mcp.storage.sqlite import open_storage

pytestmark = pytest.mark.anyio
PLACES = [("192.0.2.1", "import"), ("192.0.2.2", "import"), (None, "stdio"), (None, None)]
AROUND_1970 = datetime(1970, 1, 1, 12, tzinfo=sample.NOW.tzinfo)
WHEN = st.integers(-3 * 3600 * 10**6, 3 * 3600 * 10**6).map(lambda away: AROUND_1970 + timedelta(microseconds=away))
SPREAD = st.lists(
    st.tuples(WHEN | WHEN.map(lambda when: when - timedelta(days=1)), st.sampled_from(PLACES)), max_size=30
)


def entries(spread: list[tuple[datetime, tuple[str | None, str | None]]]) -> list[NewEntry]:
    return [
        sample.entry(f"req_{number}", at, source_ip=address, source=source)
        for number, (at, (address, source)) in enumerate(spread)
    ]


def counted(given_: list[NewEntry], since: datetime) -> list[KeyUse]:
    """Count what is plainly there."""
    times: dict[str, list[datetime]] = defaultdict(list)
    for one in given_:
        if one.timestamp >= since:
            times[one.source_ip or one.source or "unknown"].append(one.timestamp)
    return [KeyUse(source, len(when), min(when), max(when)) for source, when in times.items()]


@settings(max_examples=30)
@given(spread=SPREAD, since=WHEN)
async def test_counts_tell_the_same_as_the_entries(
    tmp_path_factory: pytest.TempPathFactory,
    spread: list[tuple[datetime, tuple[str | None, str | None]]],
    since: datetime,
) -> None:
    storage = open_storage(tmp_path_factory.mktemp("state"), one_caller=True)
    logged = entries(spread)
    for half in (logged[::2], logged[1::2]):
        await storage.write(sample.work("sum_up", "acme"))
        await storage.write(sample.work("append", half))
    found = await storage.read(sample.work("key_uses", "acme", "key_1", since))
    await storage.close()
    assert sorted(found, key=lambda use: use.source) == sorted(counted(logged, since), key=lambda use: use.source)
    assert [use.last_at for use in found] == sorted((use.last_at for use in found), reverse=True)


async def test_an_older_log_is_counted_when_it_is_brought_up_to_date(tmp_path: Path) -> None:
    storage = open_storage(tmp_path)
    spread = [(AROUND_1970 + timedelta(minutes=17 * number - 900), PLACES[number % 4]) for number in range(200)]
    await storage.write(sample.work("append", entries(spread)))
    await storage.write(sample.work("sum_up", "acme"))
    await storage.close()
    script = (resources.files("chekt_mcp.storage.sqlite") / "migrations" / "0005_key_use.sql").read_text("utf-8")
    with closing(sqlite3.connect(tmp_path / "chekt.db")) as database:
        kept = database.execute("SELECT * FROM key_use ORDER BY 1, 2, 3, 4").fetchall()
        database.execute("DROP TABLE key_use")
        database.executescript(script)
        assert database.execute("SELECT * FROM key_use ORDER BY 1, 2, 3, 4").fetchall() == kept
    assert len(kept) > 50


async def test_a_month_of_a_keys_use_is_told_from_counts_and_one_broken_hour(tmp_path: Path) -> None:
    storage = open_storage(tmp_path)
    spread = [(sample.NOW - timedelta(seconds=number), PLACES[0]) for number in range(20_000)]
    await storage.write(sample.work("append", entries(spread)))
    await storage.close()
    statement = "SELECT count(*) FROM key_use"
    with closing(sqlite3.connect(tmp_path / "chekt.db")) as database:
        assert database.execute(statement).fetchone()[0] <= 20_000 // 3_600 + 2
