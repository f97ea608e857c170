"""An entry that stands in the log unchanged, and that a search would no longer find, is no verified log."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from pathlib import Path

import pytest

from chekt_mcp.domain.log_problem import Tampering
from chekt_mcp.operations.audit.log_findings import MOST_SUSPECTS
from chekt_mcp.operations.audit.make_checkpoint import make_checkpoint
from chekt_mcp.operations.audit.verify_log import Status
from chekt_mcp.storage.sqlite import request_key
from chekt_mcp.storage.sqlite.request_prints import PrintUpgrade
from tampering import database, log_of, numbered, verified
from world import Randomness, World

pytestmark = pytest.mark.anyio

SIZE = 1_100
"""Two complete stretches, and a tail."""

HIDDEN = 300


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A log in a state directory, and a checkpoint of it that somebody keeps; made once, then copied."""
    world = World(tmp_path_factory.mktemp("made") / "state")

    async def make() -> str:
        await world.add_app("shop")
        await world.log(*numbered(SIZE))
        checkpoint = await make_checkpoint(world.services(), "acme")
        await world.storage.close()
        return checkpoint.note

    return world.directory, asyncio.run(make())


@pytest.fixture
def logged(made: tuple[Path, str], tmp_path: Path) -> tuple[World, str]:
    """A log to tamper with, and the checkpoint."""
    directory, note = made
    shutil.copytree(directory, tmp_path / "state")
    return World(tmp_path / "state", random=Randomness("later")), note


async def test_a_log_in_which_nothing_is_hidden_is_verified(logged: tuple[World, str]) -> None:
    world, note = logged
    assert (await verified(world, note)).status is Status.VERIFIED


@pytest.mark.parametrize(
    "written",
    [
        r'{"note":"\u0043af\u00e9","status":200}',
        '{"note":"Café", "status":200}',
        '{"note":"hidden","note":"Café","status":200}',
        '{"note":"Café","status":2e2}',
        '{"note":"Café","status":200}'.encode(),
    ],
    ids=["escaped", "spaced", "twice", "number", "bytes"],
)
async def test_details_written_so_that_no_text_finds_them_are_named(
    logged: tuple[World, str], written: str | bytes
) -> None:
    world, note = logged
    with database(world.directory) as connection:
        where = (written, log_of(connection) + HIDDEN)
        connection.execute("UPDATE entries SET details = ? WHERE id = ?", where)
    assert (Tampering.EDITED, HIDDEN, HIDDEN) in await _tampered(world, note)


@pytest.mark.parametrize("change", ["request_id = CAST(request_id AS BLOB)", "app = 'shop'", "ts = ts + 0.4"])
async def test_a_column_made_something_else_by_force_is_named(logged: tuple[World, str], change: str) -> None:
    world, note = logged
    with database(world.directory) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        row = log_of(connection) + HIDDEN
        connection.execute(f"UPDATE entries SET {change} WHERE id = ?", (row,))  # noqa: S608 -- ours
    assert (Tampering.EDITED, HIDDEN, HIDDEN) in await _tampered(world, note)


@pytest.mark.parametrize("column", ["app", "request_key", "key_id", "source_ip"])
async def test_an_entry_left_out_of_an_index_is_named(logged: tuple[World, str], column: str) -> None:
    world, note = logged
    with database(world.directory) as connection:
        _leave_out(connection, column, log_of(connection) + HIDDEN)
    assert (Tampering.EDITED, HIDDEN, HIDDEN) in await _tampered(world, note)


def _leave_out(connection: sqlite3.Connection, column: str, row: int) -> None:
    """Draw an index up without a row, then have the schema say that it was not."""
    pattern = f"CREATE INDEX% ON entries (log, {column}%"
    name, sql = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql LIKE ?", (pattern,)).fetchone()
    bare, _, where = sql.partition(" WHERE ")
    connection.execute(f"DROP INDEX {name}")
    connection.execute(f"{bare} WHERE id <> {row}" + (f" AND {where}" if where else ""))
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("UPDATE sqlite_master SET sql = ? WHERE name = ?", (sql, name))


NAMED = "(SELECT {} FROM entries WHERE id = ?)"


@pytest.mark.parametrize("number", [-7, 0])
@pytest.mark.parametrize("column", ["actor", "result", "scope", "key_id", "app"])
async def test_a_name_that_stands_twice_is_found(logged: tuple[World, str], column: str, number: int) -> None:
    world, note = logged
    with database(world.directory) as connection:
        row = log_of(connection) + HIDDEN
        connection.execute("CREATE TABLE anew (id INTEGER PRIMARY KEY, text TEXT NOT NULL)")
        connection.execute("INSERT INTO anew SELECT * FROM names")
        connection.execute(
            f"INSERT INTO anew SELECT ?, text FROM names WHERE id = {NAMED.format(column)}",  # noqa: S608 -- ours
            (number, row),
        )
        connection.execute("DROP TABLE names")
        connection.execute("ALTER TABLE anew RENAME TO names")
    assert Tampering.EDITED in {what for what, _, _ in await _tampered(world, note)}


async def test_a_name_moved_where_no_text_looks_for_it_is_found(logged: tuple[World, str]) -> None:
    world, note = logged
    with database(world.directory) as connection:
        connection.execute("UPDATE names SET id = -7 WHERE text = 'api_key:CHK_1'")
        connection.execute("UPDATE entries SET actor = -7")
    assert (Tampering.EDITED, 1, MOST_SUSPECTS) in await _tampered(world, note)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE log_stretches SET sketch = zeroblob(length(sketch)) WHERE stretch = 1",
        "UPDATE log_stretches SET sketch = '' WHERE stretch = 1",
        "UPDATE log_stretches SET last_ts = last_ts - 60000000 WHERE stretch = 1",
        "UPDATE log_stretches SET first_ts = first_ts + 60000000 WHERE stretch = 1",
        "DELETE FROM log_stretches WHERE stretch = 1",
    ],
)
async def test_a_stretch_that_a_search_would_pass_over_is_found(logged: tuple[World, str], change: str) -> None:
    world, note = logged
    with database(world.directory) as connection:
        assert connection.execute(change).rowcount == 1
    assert await _tampered(world, note) == {(Tampering.SUMMARY, 512, 1_023)}


@pytest.mark.parametrize("stretch", ["2", "3", "1.5", "'text'"])
async def test_a_stretch_that_a_search_would_read_twice_and_so_end_too_early_is_found(
    logged: tuple[World, str], stretch: str
) -> None:
    world, note = logged
    copied = "SELECT log, {}, first_ts, last_ts, sketch FROM log_stretches WHERE stretch = 1"
    with database(world.directory) as connection:
        connection.execute(f"INSERT INTO log_stretches {copied.format(stretch)}")
    assert await _tampered(world, note) == {(Tampering.SUMMARY, 1_024, 1_535)}


@pytest.mark.parametrize("prints", ["x''", "substr(prints, 3)", "'text'"])
async def test_a_request_that_prints_hide_from_searches_is_named(
    logged: tuple[World, str], monkeypatch: pytest.MonkeyPatch, prints: str
) -> None:
    monkeypatch.setattr(request_key, "RUN_BITS", 9)
    world, note = logged
    with database(world.directory) as connection:
        key = request_key.request_key(HIDDEN, f"req_{HIDDEN}")
        rows = connection.execute("SELECT id, request_id FROM entries").fetchall()
        connection.executemany(
            "UPDATE entries SET request_key = ? WHERE id = ?",
            [(request_key.request_key(row & 0xFFFFFFFF, one), row) for row, one in rows],
        )
        PrintUpgrade(connection).run()
        assert (await verified(world, note)).status is Status.VERIFIED
        changed = f"UPDATE request_prints SET prints = {prints} WHERE run = ? AND part = ?"  # noqa: S608 -- ours
        assert connection.execute(changed, (0, request_key.part_of(key))).rowcount == 1
    assert (Tampering.EDITED, HIDDEN, HIDDEN) in await _tampered(world, note)


async def _tampered(world: World, note: str) -> set[tuple[Tampering, int | None, int | None]]:
    found = await verified(world, note)
    assert found.status is Status.TAMPERED
    return {(one.what, one.first, one.last) for one in found.problems}
