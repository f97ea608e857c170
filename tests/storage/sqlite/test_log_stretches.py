"""Stretches are drawn once complete, by an upgrade, and anew where entries were pruned: never less than is there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import storage_samples as sample
from chekt_mcp.domain.choice import any_of, none_of
from chekt_mcp.storage.interface import Writer
from chekt_mcp.storage.sqlite import SqliteStorage, open_storage
from chekt_mcp.storage.sqlite.connection import connect
from chekt_mcp.storage.sqlite.database_file import DATABASE
from chekt_mcp.storage.sqlite.log_stretches import StretchUpgrade
from chekt_mcp.storage.sqlite.sketch import STRETCH_BITS

pytestmark = pytest.mark.anyio

STRETCH = 1 << STRETCH_BITS
ENTRIES = 9 * STRETCH


@pytest.fixture
async def storage(tmp_path: Path) -> SqliteStorage:
    opened = open_storage(tmp_path)
    await sample.furnish(opened)
    entries = [
        sample.entry(
            f"req_{number}",
            at=sample.NOW + number * sample.TICK * 20_000_000,
            actor="rare" if number == STRETCH * 5 else "app:shop",
            details={"agent": "night-watch", **({"said": "needle-in-it"} if number == STRETCH * 3 else {})},
        )
        for number in range(ENTRIES)
    ]
    for start in (0, 700, 4_000):
        end = {0: 700, 700: 4_000}.get(start, ENTRIES)
        await opened.write(sample.work("append", entries[start:end]))
    return opened


@pytest.fixture
def raw(tmp_path: Path, storage: SqliteStorage) -> Iterator[sqlite3.Connection]:
    with closing(connect(tmp_path / DATABASE)) as connection:
        yield connection


def drawn(raw: sqlite3.Connection) -> list[tuple[Any, ...]]:
    return raw.execute("SELECT * FROM log_stretches ORDER BY log, stretch").fetchall()


async def test_every_complete_stretch_is_drawn_however_the_entries_came(
    storage: SqliteStorage, raw: sqlite3.Connection
) -> None:
    assert [row[1] for row in drawn(raw)] == list(range(ENTRIES // STRETCH))
    await storage.close()


async def test_an_upgrade_draws_the_same(storage: SqliteStorage, raw: sqlite3.Connection) -> None:
    before = drawn(raw)
    raw.execute("DELETE FROM log_stretches")
    StretchUpgrade(raw).run()
    assert drawn(raw) == before
    await storage.close()


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"text": any_of("NEEDLE-in")}, [f"req_{STRETCH * 3}"]),
        ({"actor": any_of("rare")}, [f"req_{STRETCH * 5}"]),
        ({"actor": none_of("app:shop")}, [f"req_{STRETCH * 5}"]),
        ({"text": any_of("needle"), "actor": any_of("rare")}, []),
    ],
)
async def test_one_page_finds_the_one_entry_that_is_far_back(
    storage: SqliteStorage, asked: dict[str, Any], found: list[str]
) -> None:
    page = await storage.scan(sample.work("search_page", sample.query(**asked), 20))
    assert [entry.request_id for entry in page.entries] == found
    assert page.following is None
    await storage.close()


async def test_what_was_pruned_leaves_nothing_in_a_sketch(storage: SqliteStorage, raw: sqlite3.Connection) -> None:
    before = drawn(raw)

    async def prune(writer: Writer) -> None:
        (told,) = await writer.append([sample.entry("told", at=sample.NOW + sample.DAY * 9)])
        await writer.prune("acme", sample.NOW + 10 * sample.HOUR, 100_000, told)

    await storage.write(prune)
    left = {row[1]: row for row in drawn(raw)}
    kept = [row for row in before if row[2] >= sample.microseconds(sample.NOW + 10 * sample.HOUR)]
    assert 0 < len(left) < len(before)
    assert all(left[row[1]] == row for row in kept)
    assert len(left) - len(kept) <= 1, "one stretch is cut"
    await storage.close()
