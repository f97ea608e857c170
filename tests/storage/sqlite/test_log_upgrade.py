"""A state from before the log had a tree is carried over: every entry as it was, and a tree over what it says."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import storage_samples as sample
from chekt_mcp.domain.audit_leaf import leaf_hash
from chekt_mcp.domain.merkle import root_of
from chekt_mcp.storage.records import TreeHead
from chekt_mcp.storage.sqlite import SqliteStorage, migrate, open_storage
from chekt_mcp.storage.sqlite.database_file import APPLICATION_ID, DATABASE

pytestmark = pytest.mark.anyio
BEFORE_THE_TREE = 5
NAMES = ["shop", "app:shop", "api_call", "GET /v1/sites", "ok", "sites:read", "http", "key_1"]
ENTRY = "INSERT INTO entries VALUES (?, ?, ?, 1, 2, 3, 4, 6, 5, ?, 7, 1, 8, NULL, ?)"
COUNTS = "INSERT INTO entry_counts SELECT log, app, count(*) FROM entries GROUP BY 1, 2"
ODD = ['{"b": 1, "a": [1.50, 1e400]}', "null", "{", '{"n":123456789012345678901234567890}', '{"s":"\\ud800"}', None]


@pytest.fixture
def old(tmp_path: Path) -> sqlite3.Connection:
    """A database as format 5 had it, with names and an address."""
    connection = sqlite3.connect(tmp_path / DATABASE, isolation_level=None)
    for number in range(1, BEFORE_THE_TREE + 1):
        connection.executescript(migrate._script(number))  # noqa: SLF001 -- an older program's work
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {BEFORE_THE_TREE}")
    connection.executemany("INSERT INTO names (text) VALUES (?)", [(name,) for name in NAMES])
    connection.execute("INSERT INTO addresses VALUES (1, '203.0.113.9', x'00000000000000000000ffffcb007109')")
    return connection


def fill(old: sqlite3.Connection, *sizes: int) -> None:
    """Give dealers d1, d2, … so many entries each, written in turns as time went by."""
    with closing(old):
        old.execute("BEGIN")
        for log, size in enumerate(sizes, 1):
            old.execute("INSERT INTO logs VALUES (?, ?, ?)", (log, f"d{log}", size))
            rows = [((log << 40) + n, log, n * 977_000_000, f"req_{n}", ODD[n % len(ODD)]) for n in range(1, size + 1)]
            old.executemany(ENTRY, rows)
        old.execute(COUNTS)
        old.execute("COMMIT")


async def ask(storage: SqliteStorage, method: str, *arguments: Any) -> Any:
    return await storage.read(sample.work(method, *arguments))


async def root_over_entries(storage: SqliteStorage, dealer: str) -> bytes:
    return root_of(leaf_hash(*logged) for logged in await ask(storage, "logged_entries", dealer, 0, 10**6))


async def test_every_dealers_entries_get_their_tree(tmp_path: Path, old: sqlite3.Connection) -> None:
    fill(old, 1, 700, 3000, 0)
    storage = open_storage(tmp_path)
    for dealer, size in {"d1": 1, "d2": 700, "d3": 3000, "d4": 0}.items():
        assert await ask(storage, "tree_head", dealer) == TreeHead(size, await root_over_entries(storage, dealer))
    assert await ask(storage, "subtree_hash", "d3", 11, 0) is not None
    await storage.write(sample.work("append", [sample.entry(dealer="d3")] * 300))
    assert (await ask(storage, "tree_head", "d3")).root == await root_over_entries(storage, "d3")
    await storage.close()


async def test_entries_are_found_as_before_and_their_salts_differ(tmp_path: Path, old: sqlite3.Connection) -> None:
    fill(old, 300)
    storage = open_storage(tmp_path)
    logged = await ask(storage, "logged_entries", "d1", 0, 1000)
    assert len({salt for _, salt in logged}) == 300
    (found,) = await ask(storage, "entries_by_request_id", "d1", "req_7", 10)
    assert found == logged[6].entry
    assert (found.actor, found.source_ip, found.key_id) == ("app:shop", "203.0.113.9", "key_1")
    assert (await ask(storage, "log_extent", "d1")).entries == 300
    await storage.close()


async def test_details_are_carried_over_as_searches_look_for_them(tmp_path: Path, old: sqlite3.Connection) -> None:
    fill(old, 6)
    storage = open_storage(tmp_path)
    logged = await ask(storage, "logged_entries", "d1", 0, 6)
    assert [entry.odd for entry, _ in logged if entry.details] == [(), (), ()]
    await storage.close()


async def test_what_cannot_be_read_is_carried_over_byte_for_byte(tmp_path: Path, old: sqlite3.Connection) -> None:
    select = "SELECT id, log, ts, request_id, details FROM entries ORDER BY id"
    old.execute("INSERT INTO logs VALUES (1, 'd1', 1)")
    as_text = ENTRY.replace("5, ?", "5, CAST(? AS TEXT)").replace("NULL, ?", "NULL, CAST(? AS TEXT)")
    old.execute(as_text, ((1 << 40) + 1, 1, 5, b"a\xff", b"{\xff}"))
    old.text_factory = bytes
    before = old.execute(select).fetchall()
    old.close()
    await open_storage(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / DATABASE)) as new:
        new.text_factory = bytes
        assert new.execute(select).fetchall() == before


async def test_an_entry_that_was_taken_out_before_leaves_a_gap_that_shows(
    tmp_path: Path, old: sqlite3.Connection
) -> None:
    old.execute("DROP TRIGGER entries_are_never_removed")
    with closing(sqlite3.connect(tmp_path / DATABASE)) as other:
        fill(other, 600)
    old.execute("DELETE FROM entries WHERE id & 1023 IN (5, 600)")
    old.close()
    storage = open_storage(tmp_path)
    leaves = await ask(storage, "leaf_hashes", "d1", 0, 600)
    assert (await ask(storage, "tree_head", "d1")).size == 600
    assert leaves[4 * 32 : 5 * 32] == leaves[599 * 32 :] == bytes(32)
    assert len(await ask(storage, "logged_entries", "d1", 0, 1000)) == 598
    await storage.close()


def test_an_upgrade_that_fails_leaves_the_older_state_as_it_was(tmp_path: Path, old: sqlite3.Connection) -> None:
    fill(old, 5000)

    def random(count: int) -> bytes:
        random.left -= 1  # type: ignore[attr-defined]
        if not random.left:  # type: ignore[attr-defined]
            raise OSError
        return os.urandom(count)

    random.left = 3000  # type: ignore[attr-defined]
    with pytest.raises(OSError):  # noqa: PT011 -- ours
        open_storage(tmp_path, random=random)
    with closing(sqlite3.connect(tmp_path / DATABASE)) as untouched:
        assert untouched.execute("PRAGMA user_version").fetchone() == (BEFORE_THE_TREE,)
        assert untouched.execute("SELECT count(*) FROM entries").fetchone() == (5000,)
        assert untouched.execute("PRAGMA integrity_check").fetchone() == ("ok",)
