"""What was done to a log's database file is found, named and placed; what nobody can find is said."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import pytest

from chekt_mcp.domain.audit import Kind, Result
from chekt_mcp.domain.audit_leaf import leaf_hash
from chekt_mcp.domain.log_problem import Tampering
from chekt_mcp.domain.merkle import Frontier
from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.audit import log_summaries
from chekt_mcp.operations.audit.make_checkpoint import make_checkpoint
from chekt_mcp.operations.audit.prune_audit import prune_log
from chekt_mcp.operations.audit.verify_log import LogVerifier, Status, Verification
from chekt_mcp.operations.operator import operator_of
from chekt_mcp.storage.interface import Reader, Writer
from chekt_mcp.storage.sqlite.request_key import request_key
from tampering import database, log_of, numbered, verified
from world import START, Randomness, World

pytestmark = pytest.mark.anyio
T = TypeVar("T")

SIZE = 700
"""Two complete tiles, and a tail."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A log in a state directory, and a checkpoint of it that somebody keeps; made once, then copied."""
    world = World(tmp_path_factory.mktemp("made") / "state")

    async def make() -> str:
        await world.add_app("shop")
        await world.log(*numbered(SIZE))
        checkpoint = await make_checkpoint(world.services(), "acme")
        await world.log(*numbered(20))
        await world.storage.close()
        return checkpoint.note

    return world.directory, asyncio.run(make())


@pytest.fixture
async def logged(made: tuple[Path, str], tmp_path: Path) -> AsyncIterator[tuple[World, str]]:
    """A log to tamper with, and the checkpoint."""
    directory, note = made
    shutil.copytree(directory, tmp_path / "state")
    world = World(tmp_path / "state", random=Randomness("later"))
    yield world, note
    await world.storage.close()


def told(verification: Verification) -> list[tuple[Tampering, int | None, int | None]]:
    return [(one.what, one.first, one.last) for one in verification.problems]


async def test_an_untouched_log_is_verified_up_to_the_checkpoint_that_somebody_kept(logged: tuple[World, str]) -> None:
    world, note = logged
    verification = await verified(world, note)
    assert (verification.status, verification.problems) == (Status.VERIFIED, [])
    assert verification.anchor is not None
    assert verification.anchor.checkpoint is not None
    assert (verification.anchor.checkpoint.size, verification.found.head.size) == (SIZE, SIZE + 20)
    assert (verification.found.entries, verification.found.pruned, verification.whole) == (SIZE + 20, 0, True)


async def test_without_anybody_outside_an_untouched_log_is_unanchored(logged: tuple[World, str]) -> None:
    world, _ = logged
    assert (await verified(world)).status is Status.UNANCHORED


EDITS = [
    "ts = ts + 1",
    "app = (SELECT id FROM names WHERE text = 'acme-other')",
    "app = NULL",
    "actor = (SELECT id FROM names WHERE text = 'acme-other')",
    "kind = (SELECT id FROM names WHERE text = 'acme-other')",
    "action = (SELECT id FROM names WHERE text = 'acme-other')",
    "scope = NULL",
    "result = (SELECT id FROM names WHERE text = 'denied')",
    "request_id = 'req_x'",
    "source = NULL",
    "source_ip = NULL",
    "key_id = NULL",
    "origin = (SELECT id FROM names WHERE text = 'acme-other')",
    'details = \'{"note":"Caf\u00e9","status":500}\'',
    "details = NULL",
    "details = 'no JSON'",
    "request_key = request_key + 1",
    "log = log + 1",
    "source_ip = (SELECT id FROM addresses WHERE text = '203.0.113.9')",
    "salt = zeroblob(16)",
]


async def test_edited_entries_are_named_whichever_column_was_changed(logged: tuple[World, str]) -> None:
    world, note = logged
    places = {change: (200 + 2 * number, SIZE + 1 + number) for number, change in enumerate(EDITS)}
    with database(world.directory) as connection:
        for text in ("acme-other", "denied"):
            connection.execute("INSERT OR IGNORE INTO names (text) VALUES (?)", (text,))
        connection.execute("INSERT INTO addresses (text, ip) VALUES ('203.0.113.9', zeroblob(16))")
        for change, numbers in places.items():
            for number in numbers:
                connection.execute(f"UPDATE entries SET {change} WHERE id = ?", (log_of(connection) + number,))  # noqa: S608
    verification = await verified(world, note)
    assert verification.status is Status.TAMPERED
    named = {
        number
        for one in verification.problems
        if one.what is Tampering.EDITED and one.first is not None and one.last is not None
        for number in range(one.first, one.last + 1)
    }
    assert named == {number for numbers in places.values() for number in numbers}


async def test_deleted_entries_are_named_as_one_stretch(logged: tuple[World, str]) -> None:
    world, _ = logged
    with database(world.directory) as connection:
        base = log_of(connection)
        connection.execute("DELETE FROM entries WHERE id BETWEEN ? AND ?", (base + 100, base + 104))
    assert (Tampering.DELETED, 100, 104) in told(await verified(world))


async def test_an_entry_deleted_with_its_hash_is_told_once(logged: tuple[World, str]) -> None:
    world, note = logged
    with database(world.directory) as connection:
        connection.execute("DELETE FROM entries WHERE id = ?", (log_of(connection) + SIZE - 10,))
    found = [one for one in told(await verified(world, note)) if one[0] is not Tampering.SUMMARY]
    assert found == [(Tampering.DELETED, SIZE - 10, SIZE - 10)]


async def test_a_pruned_entrys_hash_cannot_be_removed(pruned: tuple[World, str]) -> None:
    world, note = pruned
    with database(world.directory) as connection:
        assert connection.execute("DELETE FROM pruned_leaves WHERE id & 1023 = 290").rowcount == 1
    assert {Tampering.TREE, Tampering.REWRITTEN} <= {what for what, _, _ in told(await verified(world, note))}


async def test_a_forged_note_of_pruning_does_not_hide_a_deletion(logged: tuple[World, str]) -> None:
    world, _ = logged
    with database(world.directory) as connection:
        base = log_of(connection)
        connection.execute("DELETE FROM entries WHERE id = ?", (base + 100,))
        connection.execute("INSERT INTO pruned VALUES (?, 100, 100, 900)", (base >> 40,))
    assert (Tampering.DELETED, 100, 100) in told(await verified(world))


async def test_entries_that_changed_places_are_told_from_edited_ones(logged: tuple[World, str]) -> None:
    world, _ = logged
    with database(world.directory) as connection:
        base = log_of(connection)
        for here, there in ((base + 7, -1), (base + 500, base + 7), (-1, base + 500)):
            connection.execute("UPDATE entries SET id = ? WHERE id = ?", (there, here))
    found = told(await verified(world))
    assert (Tampering.REORDERED, 7, 7) in found
    assert (Tampering.REORDERED, 500, 500) in found
    assert Tampering.EDITED not in {what for what, _, _ in found}


@pytest.mark.parametrize("number", [SIZE + 21, SIZE + 4000, 0])
async def test_an_inserted_row_is_found_outside_the_tree(logged: tuple[World, str], number: int) -> None:
    world, _ = logged
    with database(world.directory) as connection:
        _copy_row(connection, log_of(connection) + 5, log_of(connection) + number)
    assert (Tampering.INSERTED, number, number) in told(await verified(world))


async def test_a_row_smuggled_in_under_another_logs_number_is_found(logged: tuple[World, str]) -> None:
    world, _ = logged
    with database(world.directory) as connection:
        _copy_row(connection, log_of(connection) + 5, log_of(connection) * 9 + 1)
    assert Tampering.SUMMARY in {what for what, _, _ in told(await verified(world))}


def _copy_row(connection: sqlite3.Connection, row: int, to: int) -> None:
    connection.execute("CREATE TEMP TABLE copied AS SELECT * FROM entries WHERE id = ?", (row,))
    connection.execute("UPDATE copied SET id = ?", (to,))
    connection.execute("INSERT INTO entries SELECT * FROM copied")


@pytest.mark.parametrize("table", ["names", "addresses"])
async def test_text_changed_for_all_entries_at_once_is_found(logged: tuple[World, str], table: str) -> None:
    world, _ = logged
    old, new = {"names": ("api_key:CHK_1", "api_key:CHK_2"), "addresses": ("203.0.113.7", "203.0.113.8")}[table]
    with database(world.directory) as connection:
        connection.execute(f"UPDATE {table} SET text = ? WHERE text = ?", (new, old))  # noqa: S608 -- ours
    assert (Tampering.EDITED, 1, SIZE + 20) in told(await verified(world))


async def test_an_entry_that_reads_alike_but_was_made_unreadable_is_found(logged: tuple[World, str]) -> None:
    world, _ = logged
    await world.log(*numbered(1, kind=Kind.OPERATOR_ACTION, result=Result.ERROR, details={}))
    number = SIZE + 21
    changes = ("details = 'rubbish'", "kind = 999999", "result = 999999")
    for change in changes:
        with database(world.directory) as connection:
            base = log_of(connection)
            connection.execute("CREATE TEMP TABLE kept AS SELECT * FROM entries WHERE id = ?", (base + number,))
            connection.execute(f"UPDATE entries SET {change} WHERE id = ?", (base + number,))  # noqa: S608 -- ours
            found = told(await verified(world))
            connection.execute("REPLACE INTO entries SELECT * FROM kept")
        assert found == [(Tampering.EDITED, number, number)]


async def test_addresses_filed_elsewhere_than_a_search_looks_for_them_are_found(logged: tuple[World, str]) -> None:
    world, _ = logged
    with database(world.directory) as connection:
        connection.execute("UPDATE addresses SET ip = zeroblob(16)")
    assert (Tampering.EDITED, 1, SIZE + 20) in told(await verified(world))


@pytest.mark.parametrize("change", ["entries = entries + 1", "entries = entries - 1", "app = 1000"])
async def test_a_changed_count_is_found(logged: tuple[World, str], change: str) -> None:
    world, _ = logged
    with database(world.directory) as connection:
        connection.execute(f"UPDATE entry_counts SET {change}")  # noqa: S608 -- ours
    found = await verified(world)
    assert {one.what for one in found.problems} == {Tampering.SUMMARY}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE log_tiles SET root = zeroblob(32) WHERE number = 1",
        "UPDATE log_tiles SET hashes = CAST(zeroblob(32) || substr(hashes, 33) AS BLOB) WHERE number = 1",
        "UPDATE log_tiles SET hashes = 'text' WHERE number = 1",
        "UPDATE log_tiles SET root = 'text' WHERE number = 1",
        "DELETE FROM log_tiles WHERE number = 0",
        "UPDATE logs SET peaks = zeroblob(length(peaks))",
        "UPDATE logs SET size = size - 1",
        "UPDATE logs SET peaks = substr(peaks, 1, length(peaks) - 32)",
        "UPDATE checkpoints SET root = zeroblob(32)",
        "UPDATE checkpoints SET size = size - 1",
        "UPDATE checkpoints SET note = replace(note, 'acme', 'beta')",
        "UPDATE checkpoints SET note = 'none'",
        "UPDATE server_secrets SET value = zeroblob(32) WHERE name LIKE 'checkpoint-public-key/%'",
        "UPDATE server_secrets SET value = 1 WHERE name LIKE 'checkpoint-public-key/%'",
    ],
)
async def test_changed_tree_tables_and_checkpoints_are_found(logged: tuple[World, str], change: str) -> None:
    world, note = logged
    with database(world.directory) as connection:
        assert connection.execute(change).rowcount == 1
    assert (await verified(world, note)).status is Status.TAMPERED


async def test_a_row_edited_together_with_its_leaf_is_found(logged: tuple[World, str]) -> None:
    world, _ = logged
    _forge(world, 300, tiles=False)
    found = told(await verified(world))
    assert (Tampering.EDITED, 300, 300) in found


async def test_a_row_edited_with_its_whole_tree_is_found_by_the_stored_checkpoint(logged: tuple[World, str]) -> None:
    world, _ = logged
    await _forge_all(world)
    found = told(await verified(world))
    assert found == [(Tampering.REWRITTEN, 1, SIZE)]


async def test_a_consistent_forgery_is_unanchored_by_itself_and_tampered_against_a_kept_checkpoint(
    logged: tuple[World, str],
) -> None:
    world, note = logged
    await _forge_all(world)
    with database(world.directory) as connection:
        connection.execute("DELETE FROM checkpoints")
    assert (await verified(world)).status is Status.UNANCHORED
    against = await verified(world, note)
    assert (against.status, told(against)) == (Status.TAMPERED, [(Tampering.REWRITTEN, 1, SIZE)])


async def test_another_log_in_its_place_does_not_pass_against_a_kept_checkpoint(
    logged: tuple[World, str], tmp_path: Path
) -> None:
    world, note = logged
    await world.storage.close()
    shutil.rmtree(world.directory)
    forged = World(tmp_path / "state", random=type(world.random)("forger"))
    await forged.add_app("shop")
    await forged.log(*numbered(SIZE + 40))
    await make_checkpoint(forged.services(), "acme")
    assert (await verified(forged)).status is Status.UNANCHORED
    assert told(await verified(forged, note)) == [(Tampering.CHECKPOINT, None, None)]
    await forged.storage.close()


async def test_truncation_below_an_anchor_is_found(logged: tuple[World, str]) -> None:
    world, _ = logged
    note = (await make_checkpoint(world.services(), "acme")).note
    _truncate(world, SIZE - 10)
    assert (Tampering.TRUNCATED, SIZE - 9, SIZE + 20) in told(await verified(world, note))
    with database(world.directory) as connection:
        connection.execute("DELETE FROM checkpoints")
        connection.execute("UPDATE entry_counts SET entries = ?", (SIZE - 10,))
    assert (await verified(world)).status is Status.UNANCHORED, "nobody is left who knows of more"
    assert told(await verified(world, note)) == [(Tampering.TRUNCATED, SIZE - 9, SIZE + 20)]


async def test_a_check_of_the_newest_entries_never_says_verified(logged: tuple[World, str]) -> None:
    world, note = logged
    verification = await verified(world, note, newest=100)
    assert (verification.status, verification.whole) == (Status.UNANCHORED, False)
    assert verification.found.first == 513
    with database(world.directory) as connection:
        connection.execute("UPDATE entries SET ts = ts + 1 WHERE id = ?", (log_of(connection) + 600,))
    assert (await verified(world, note, newest=100)).status is Status.TAMPERED


async def test_a_check_of_the_newest_entries_sees_that_the_tree_before_was_changed(logged: tuple[World, str]) -> None:
    world, note = logged
    _forge(world, 100, tiles=True)
    assert (await verified(world, note, newest=100)).status is Status.TAMPERED


async def test_a_checkpoint_of_another_dealer_is_refused_and_says_nothing_of_this_log(
    logged: tuple[World, str],
) -> None:
    world, _ = logged
    await world.add_app("desk", dealer="other")
    note = (await make_checkpoint(world.services(), "other")).note
    with pytest.raises(InvalidInput, match="another dealer"):
        await verified(world, note)


@dataclass
class GrowingStorage:
    """A storage whose log grows before every look at it."""

    world: World

    async def read(self, work: Callable[[Reader], Awaitable[T]]) -> T:
        return await self.world.storage.read(work)

    async def scan(self, work: Callable[[Reader], Awaitable[T]]) -> T:
        await self.world.log(*numbered(3))
        return await self.world.storage.scan(work)

    async def write(self, work: Callable[[Writer], Awaitable[T]]) -> T:
        return await self.world.storage.write(work)

    async def write_briefly(self, work: Callable[[Writer], Awaitable[T]]) -> T:
        return await self.world.storage.write_briefly(work)

    async def close(self) -> None:
        """Nothing of its own."""


async def test_what_is_logged_meanwhile_is_no_tampering(logged: tuple[World, str]) -> None:
    world, _ = logged
    verification = await LogVerifier(replace(world.services(), storage=GrowingStorage(world)), "acme").run()
    assert (verification.problems, verification.counted_too) == ([], True)
    head = await world.storage.read(lambda reader: reader.tree_head("acme"))
    assert head.size > verification.found.head.size


async def test_more_logged_meanwhile_than_is_read_at_once_is_no_tampering_either(
    logged: tuple[World, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, _ = logged
    monkeypatch.setattr(log_summaries, "AT_ONCE", 2)
    verification = await LogVerifier(replace(world.services(), storage=GrowingStorage(world)), "acme").run()
    assert (verification.problems, verification.counted_too) == ([], True)


async def test_a_running_server_judges_the_file_and_not_what_it_remembers(logged: tuple[World, str]) -> None:
    world, _ = logged
    assert (await LogVerifier(world.services(), "acme").run()).problems == []
    with database(world.directory) as connection:
        connection.execute("UPDATE names SET text = 'api_key:CHK_2' WHERE text = 'api_key:CHK_1'")
    verification = await LogVerifier(world.services(), "acme").run()
    assert (Tampering.EDITED, 1, SIZE + 20) in told(verification)


async def test_a_checkpoint_of_an_empty_log_vouches_for_nothing(tmp_path: Path) -> None:
    world = World(tmp_path / "state")
    await world.add_app("shop")
    note = (await make_checkpoint(world.services(), "acme")).note
    await world.log(*numbered(5))
    verification = await verified(world, note)
    assert (verification.status, verification.problems) == (Status.UNANCHORED, [])
    await world.storage.close()


@pytest.fixture
async def pruned(tmp_path: Path) -> AsyncIterator[tuple[World, str]]:
    """A log whose first 300 entries were pruned, and a checkpoint from before."""
    world = World(tmp_path / "state")
    await world.add_app("shop")
    await world.log(*numbered(300), *numbered(20, timestamp=START + timedelta(days=399)))
    note = (await make_checkpoint(world.services(), "acme")).note
    world.clock.forward(days=400)
    operator = operator_of("ana", world.random)

    async def told(_gone: int) -> None:
        """Nobody watches."""

    assert await prune_log(world.services(), operator, "acme", told) == 300
    yield world, note
    await world.storage.close()


async def test_a_pruned_entry_is_no_tampering(pruned: tuple[World, str]) -> None:
    world, note = pruned
    verification = await verified(world, note)
    assert (verification.status, verification.problems) == (Status.VERIFIED, [])
    assert (verification.found.entries, verification.found.pruned) == (21, 300)


async def test_a_real_prune_cannot_be_stretched_over_a_deletion(pruned: tuple[World, str]) -> None:
    world, _ = pruned
    with database(world.directory) as connection:
        base = log_of(connection)
        connection.execute("DELETE FROM entries WHERE id = ?", (base + 310,))
        connection.execute("INSERT INTO pruned VALUES (?, 310, 310, 321)", (base >> 40,))
    assert (Tampering.DELETED, 1, 310) in told(await verified(world))


async def test_an_entry_cannot_take_the_place_of_one_that_was_pruned_and_kept_elsewhere(tmp_path: Path) -> None:
    world = World(tmp_path / "state")
    await world.add_app("shop")
    old, young = numbered(3), numbered(3, timestamp=START + timedelta(days=399))
    await world.log(*(entry for pair in zip(old, young, strict=True) for entry in pair))
    note = (await make_checkpoint(world.services(), "acme")).note
    with database(world.directory) as connection:
        connection.execute("CREATE TABLE copied AS SELECT * FROM entries WHERE request_id = 'req_2'")
    world.clock.forward(days=400)

    async def told(_gone: int) -> None:
        """Nobody watches."""

    assert await prune_log(world.services(), operator_of("ana", world.random), "acme", told) == 3
    with database(world.directory) as connection:
        log = log_of(connection)
        moved = "SET id = ?1, leaf = (SELECT leaf FROM entries WHERE id = ?1) WHERE id = ?2"
        connection.execute(f"UPDATE pruned_leaves {moved}", (log + 4, log + 3))
        connection.execute("INSERT INTO entries SELECT * FROM copied WHERE id = ?", (log + 3,))
        connection.execute("DELETE FROM entries WHERE id = ?", (log + 4,))
        connection.execute("UPDATE pruned SET first = 4, last = 4 WHERE first = 3")
    assert (await verified(world, note)).status is Status.TAMPERED
    await world.storage.close()


async def test_what_was_pruned_cannot_be_put_back_changed(pruned: tuple[World, str]) -> None:
    world, _ = pruned
    with database(world.directory) as connection:
        _copy_row(connection, log_of(connection) + 305, log_of(connection) + 7)
    assert (Tampering.EDITED, 7, 7) in told(await verified(world))


def _forge(world: World, number: int, *, tiles: bool) -> None:
    """Change a row and its leaf to match; with `tiles`, everything in its tile as well."""
    forge = _forged_leaf(world, number)
    with database(world.directory) as connection:
        forge(connection)
        if tiles:
            (hashes,) = connection.execute("SELECT hashes FROM log_tiles WHERE level = 0 AND number = 0").fetchone()
            at = (number - 1) * 32
            hashes = hashes[:at] + sha256(b"forged").digest() + hashes[at + 32 :]
            frontier = Frontier()
            for place in range(0, len(hashes), 32):
                frontier.append(hashes[place : place + 32])
            connection.execute(
                "UPDATE log_tiles SET hashes = ?, root = ? WHERE level = 0 AND number = 0", (hashes, frontier.root())
            )


def _forged_leaf(world: World, number: int) -> Callable[[sqlite3.Connection], None]:
    def forge(connection: sqlite3.Connection) -> None:
        connection.execute(
            "UPDATE entries SET request_id = 'req_forged', leaf = ? WHERE id = ?",
            (sha256(b"forged").digest(), log_of(connection) + number),
        )

    return forge


async def _forge_all(world: World) -> None:
    """Change a row, and everything that is computed from it, without a fault."""
    with database(world.directory) as connection:
        connection.execute(
            "UPDATE entries SET request_id = 'req_forged', request_key = ? WHERE id = ?",
            (request_key(300, "req_forged"), log_of(connection) + 300),
        )
    logged = await world.storage.read(lambda reader: reader.logged_entries("acme", 0, SIZE + 20))
    leaves, frontier = [leaf_hash(*one) for one in logged], Frontier()
    with database(world.directory) as connection:
        for number, leaf in enumerate(leaves):
            connection.execute("UPDATE entries SET leaf = ? WHERE id = ?", (leaf, log_of(connection) + number + 1))
            completed = frontier.append(leaf)
            if frontier.size % 256 == 0:
                tile = b"".join(leaves[frontier.size - 256 : frontier.size])
                connection.execute(
                    "UPDATE log_tiles SET hashes = ?, root = ? WHERE level = 0 AND number = ?",
                    (tile, completed[7], number // 256),
                )
        connection.execute("UPDATE logs SET peaks = ?", (b"".join(frontier.peaks),))


def _truncate(world: World, size: int) -> None:
    """Cut the newest entries off, rows and tree alike."""
    with database(world.directory) as connection:
        base = log_of(connection)
        rows = connection.execute("SELECT leaf FROM entries WHERE id <= ? ORDER BY id", (base + size,)).fetchall()
        frontier = Frontier()
        for (leaf,) in rows:
            frontier.append(leaf)
        connection.execute("DELETE FROM entries WHERE id > ?", (base + size,))
        connection.execute("UPDATE logs SET size = ?, peaks = ?", (size, b"".join(frontier.peaks)))
