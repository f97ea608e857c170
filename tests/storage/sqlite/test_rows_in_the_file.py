"""What is in the file may have been put there by somebody else: it fails no query, and ours is not altered."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import storage_samples as sample
from chekt_mcp.domain.audit import Kind, Result
from chekt_mcp.storage.interface import Reader
from chekt_mcp.storage.sqlite import SqliteStorage, open_storage
from chekt_mcp.storage.sqlite.connection import connect
from chekt_mcp.storage.sqlite.database_file import DATABASE

pytestmark = pytest.mark.anyio


@pytest.fixture
async def storage(tmp_path: Path) -> SqliteStorage:
    opened = open_storage(tmp_path)
    await sample.furnish(opened)
    await opened.write(lambda writer: writer.append([sample.entry("ours")]))
    return opened


@pytest.fixture
def raw(tmp_path: Path, storage: SqliteStorage) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(tmp_path / DATABASE, isolation_level=None)) as connection:
        yield connection


COLUMNS = "log, ts, app, actor, kind, action, scope, result, request_id, source, source_ip, key_id, origin"
BESIDE_ENTRIES = """
INSERT INTO pruned VALUES (1, 7, 8, 1);
INSERT INTO pruned_leaves VALUES (7, x'00');
INSERT INTO log_tiles VALUES (1, 0, 0, x'00', x'00');
INSERT INTO checkpoints VALUES (1, 1, x'00', 'note', 0);
INSERT INTO anchors VALUES (1, 'anchor', 1, 0, 'receipt');
"""
TREE = "request_key, salt, leaf"
COPY = f"INSERT INTO entries SELECT id + 1, {COLUMNS}, ?, {TREE} FROM entries"  # noqa: S608 -- constants


@pytest.mark.parametrize(
    "details",
    [None, "", "null", "[1]", '"text"', "{", "{'a': 1}", '{"a":1}{}', b"\xff\xfe", b"{}", 7, 1.5, "[" * 100_000],
)
async def test_odd_details_read_as_none_and_hide_no_other_entry(
    storage: SqliteStorage, raw: sqlite3.Connection, details: object
) -> None:
    raw.execute(COPY, (details,))
    found = await sample.search(storage)
    assert [dict(entry.details) for entry in found] == [{}, dict(sample.entry().details)]
    assert found[0].odd == (("details",) if details is not None else ())
    assert len(await sample.search(storage, text="app:SHOP")) == 2
    await storage.close()


async def test_details_with_spaces_around_them_are_read(storage: SqliteStorage, raw: sqlite3.Connection) -> None:
    raw.execute(COPY, (' {"a": 1}\n',))
    padded, _ = await sample.search(storage)
    assert (padded.details, padded.odd) == ({"a": 1}, ())
    await storage.close()


async def test_bytes_that_are_no_text_hide_no_other_entry(storage: SqliteStorage, raw: sqlite3.Connection) -> None:
    raw.execute("INSERT INTO names (id, text) VALUES (900, CAST(x'61ff62' AS TEXT))")
    odd = COLUMNS.replace("actor", "900").replace("request_id", "CAST(x'ff' AS TEXT)")
    details = b'{"a": "\xff"}'
    raw.execute(f"INSERT INTO entries SELECT id + 1, {odd}, CAST(? AS TEXT), {TREE} FROM entries", (details,))  # noqa: S608 -- constants
    found = await sample.search(storage)
    assert [entry.actor for entry in found] == ["a\ufffdb", "app:shop"]
    assert found[0].details == {"a": "\ufffd"}
    await storage.close()


async def test_unknown_names_hide_no_other_entry_and_are_never_taken_for_success(
    storage: SqliteStorage, raw: sqlite3.Connection
) -> None:
    numbers = "1, ts, app, 901, 902, 903, 904, 905, request_id, 906, 907, 908, 909, NULL, request_key, salt, leaf"
    raw.execute(f"INSERT INTO entries SELECT id + 1, {numbers} FROM entries")  # noqa: S608 -- constants
    odd, ours = await sample.search(storage)
    assert (odd.actor, odd.kind, odd.action, odd.result) == ("", Kind.OPERATOR_ACTION, "", Result.ERROR)
    assert (odd.scope, odd.source, odd.source_ip, odd.key_id, odd.origin) == (None, None, None, None, None)
    assert set(odd.odd) == {*("actor", "kind", "action", "result", "scope", "source", "source_ip", "key_id", "origin")}
    assert ours.request_id == "ours"
    raw.execute("INSERT INTO names (id, text) VALUES (901, 'later')")
    assert [entry.actor for entry in await sample.search(storage)] == ["later", "app:shop"]

    async def everything_else(reader: Reader) -> None:
        await reader.log_extent("acme")
        await reader.key_uses("acme", "key_1", sample.BEGINNING)
        await reader.last_use("acme", "key_1")
        await reader.traffic("acme", "shop", sample.BEGINNING)
        await reader.count(sample.query(text="x"), 10)

    await storage.read(everything_else)
    await storage.close()


async def test_details_of_huge_size_hide_no_other_entry(storage: SqliteStorage, raw: sqlite3.Connection) -> None:
    raw.execute(COPY, ('{"a":"' + "x" * 10_000_000 + '"}',))
    assert len(await sample.search(storage)) == 2
    assert await sample.request_ids(storage, text="nowhere to be found") == []
    await storage.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET result = 1",
        "UPDATE entries SET id = id + 5",
        "UPDATE OR REPLACE entries SET ts = 0",
        "DELETE FROM entries",
        COPY.replace("INSERT", "REPLACE").replace("id + 1", "id").replace("?", "NULL"),
        "UPDATE names SET text = 'somebody else'",
        "DELETE FROM names",
        "REPLACE INTO names SELECT id, 'somebody else' FROM names",
        "UPDATE addresses SET text = '192.0.2.1'",
        "DELETE FROM addresses",
        "REPLACE INTO addresses SELECT id, '192.0.2.1', ip FROM addresses",
        "UPDATE pruned SET last = 9",
        "DELETE FROM pruned",
        "REPLACE INTO pruned VALUES (1, 7, 9, 1)",
        "INSERT INTO pruned VALUES (1, 1, 1, 2)",
        "UPDATE pruned_leaves SET leaf = x''",
        "DELETE FROM pruned_leaves",
        "UPDATE log_tiles SET root = x''",
        "DELETE FROM log_tiles",
        "UPDATE checkpoints SET note = ''",
        "DELETE FROM checkpoints",
        "UPDATE anchors SET receipt = ''",
        "DELETE FROM anchors",
    ],
)
async def test_the_database_itself_refuses_to_change_the_log(
    storage: SqliteStorage, tmp_path: Path, statement: str
) -> None:
    before = await sample.search(storage)
    with closing(connect(tmp_path / DATABASE)) as connection:
        connection.executescript(BESIDE_ENTRIES)
    with (
        closing(connect(tmp_path / DATABASE)) as connection,
        pytest.raises(sqlite3.IntegrityError, match="append only"),
    ):
        connection.execute(statement)
    assert await sample.search(storage) == before
    await storage.close()


@pytest.mark.parametrize(
    "statement", ["INSERT INTO pruned VALUES (1, 1, 1, 1)", "DELETE FROM entries WHERE id & 1023 = 7"]
)
async def test_the_database_itself_refuses_to_prune_under_a_legal_hold(
    storage: SqliteStorage, tmp_path: Path, statement: str
) -> None:
    with closing(connect(tmp_path / DATABASE)) as connection:
        connection.execute("INSERT INTO pruned VALUES (1, 7, 8, 1)")
        connection.execute(COPY.replace("id + 1", "id + 6"), (None,))
        connection.execute("INSERT INTO legal_holds VALUES (1, 'case', 'operator', 0)")
        with pytest.raises(sqlite3.IntegrityError, match="append only"):
            connection.execute(statement)
        connection.execute("DELETE FROM legal_holds")
        connection.execute(statement)
    await storage.close()


@pytest.mark.parametrize("column", ["ts", "actor", "kind", "action", "result", "request_id"])
async def test_the_database_itself_refuses_an_entry_without_its_necessities(
    storage: SqliteStorage, raw: sqlite3.Connection, column: str
) -> None:
    without = COLUMNS.replace(column, "NULL", 1)
    with pytest.raises(sqlite3.IntegrityError):
        raw.execute(f"INSERT INTO entries SELECT id + 1, {without}, '', {TREE} FROM entries")  # noqa: S608 -- constants
    await storage.close()


async def test_a_moment_out_of_range_is_refused_by_the_database(
    storage: SqliteStorage, raw: sqlite3.Connection
) -> None:
    for moment in ("9223372036854775807", "'2026-06-01'", "1.5"):
        odd = COLUMNS.replace("ts", moment, 1)
        with pytest.raises(sqlite3.IntegrityError):
            raw.execute(f"INSERT INTO entries SELECT id + 1, {odd}, '', {TREE} FROM entries")  # noqa: S608 -- constants
    await storage.close()


async def test_a_scope_this_program_does_not_know_opens_nothing(
    storage: SqliteStorage, raw: sqlite3.Connection
) -> None:
    raw.execute("UPDATE apps SET scopes = 'everything:write ' || scopes")
    assert await storage.read(lambda reader: reader.app("acme", "shop")) == sample.app()
    await storage.close()
