from __future__ import annotations

import asyncio
import sqlite3
from importlib import resources
from pathlib import Path

import pytest

import storage_samples as sample
from chekt_mcp.errors import StateUnusable
from chekt_mcp.storage.sqlite import database_file, migrate, open_storage
from chekt_mcp.storage.sqlite.database_file import DATABASE, SCHEMA_VERSION

pytestmark = pytest.mark.anyio
NEXT = SCHEMA_VERSION + 1
ADD_A_TABLE = """
CREATE TABLE later (a INTEGER);
CREATE TRIGGER later_is_fixed BEFORE UPDATE ON later
BEGIN SELECT RAISE(ABORT, 'no; not now'); END;
INSERT INTO later VALUES (7);
"""


@pytest.fixture
def later_version(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Make this program a later one, whose newest migration adds a table."""
    ours = migrate._script  # noqa: SLF001 -- a version that does not exist yet has no file
    monkeypatch.setattr(migrate, "_script", lambda number: ADD_A_TABLE if number == NEXT else ours(number))
    for module in (migrate, database_file):
        monkeypatch.setattr(module, "SCHEMA_VERSION", NEXT)
    return monkeypatch


def look(path: Path, statement: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


def test_the_format_is_the_number_of_the_newest_migration() -> None:
    names = sorted(file.name for file in (resources.files("chekt_mcp.storage.sqlite") / "migrations").iterdir())
    assert [int(name.partition("_")[0]) for name in names] == list(range(1, SCHEMA_VERSION + 1))


def test_a_new_state_runs_every_migration(tmp_path: Path, later_version: pytest.MonkeyPatch) -> None:
    asyncio.run(open_storage(tmp_path).close())
    assert look(tmp_path / DATABASE, "SELECT a FROM later") == [(7,)]
    assert look(tmp_path / DATABASE, "PRAGMA user_version") == [(NEXT,)]


async def test_an_older_state_is_upgraded_and_keeps_what_it_holds(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    old = open_storage(tmp_path)
    await sample.furnish(old)
    await old.write(lambda writer: writer.append([sample.entry()]))
    await old.close()
    request.getfixturevalue("later_version")
    new = open_storage(tmp_path)
    assert await sample.request_ids(new) == ["req_1"]
    await new.close()
    assert look(tmp_path / DATABASE, "SELECT a FROM later") == [(7,)]


async def test_a_migration_that_fails_leaves_the_older_state_as_it_was(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    await open_storage(tmp_path).close()
    later: pytest.MonkeyPatch = request.getfixturevalue("later_version")
    with later.context() as broken:
        broken.setattr(migrate, "_script", lambda _number: "CREATE TABLE half (a);\nINSERT INTO nowhere VALUES (1);\n")
        with pytest.raises(StateUnusable):
            open_storage(tmp_path)
    assert look(tmp_path / DATABASE, "PRAGMA user_version") == [(SCHEMA_VERSION,)]
    assert look(tmp_path / DATABASE, "SELECT name FROM sqlite_master WHERE name = 'half'") == []
    await open_storage(tmp_path).close()
    assert look(tmp_path / DATABASE, "PRAGMA user_version") == [(NEXT,)]


async def test_a_running_older_server_writes_nothing_into_an_upgraded_state(
    tmp_path: Path, later_version: pytest.MonkeyPatch
) -> None:
    with later_version.context() as older:
        for module in (migrate, database_file):
            older.setattr(module, "SCHEMA_VERSION", SCHEMA_VERSION)
        running = open_storage(tmp_path)
        await sample.furnish(running)
        with older.context() as newer:
            for module in (migrate, database_file):
                newer.setattr(module, "SCHEMA_VERSION", NEXT)
            upgraded = open_storage(tmp_path)
        with pytest.raises(StateUnusable) as refused:
            await running.write(lambda writer: writer.append([sample.entry()]))
        assert refused.value.code == "state_newer"
    assert await upgraded.write(lambda writer: writer.append([sample.entry()])) == [1]
    await running.close()
    await upgraded.close()


def test_where_wal_cannot_be_had_the_state_is_refused() -> None:
    in_memory = sqlite3.connect(":memory:", isolation_level=None)
    with pytest.raises(StateUnusable) as refused:
        migrate.make_current(in_memory, bytes)
    assert refused.value.code == "state_no_wal"
    in_memory.close()
