from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

import storage_samples as sample
from chekt_mcp.domain.approval import ApprovalState
from chekt_mcp.storage.interface import Writer
from chekt_mcp.storage.sqlite import open_storage
from state_processes import children, lines

pytestmark = pytest.mark.anyio


async def prepare(directory: Path, *work: Callable[[Writer], Awaitable[object]]) -> None:
    storage = open_storage(directory)
    await sample.furnish(storage)
    for one in work:
        await storage.write(one)
    await storage.close()


def log(directory: Path) -> list[tuple[int, str]]:
    with closing(sqlite3.connect(directory / "chekt.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return connection.execute("SELECT id & 1099511627775, request_id FROM entries ORDER BY id").fetchall()


async def test_entries_appended_by_several_processes_are_all_there_and_numbered_once(tmp_path: Path) -> None:
    await prepare(tmp_path)
    names = ["a", "b", "c", "d"]
    with children(tmp_path, *(["append", name, "150"] for name in names)) as started:
        acknowledged = [line.split() for child in started for line in lines(child)]
    assert sorted((int(seq), request_id) for seq, request_id in acknowledged) == log(tmp_path)
    assert [seq for seq, _ in log(tmp_path)] == list(range(1, 601))
    assert {request_id for _, request_id in log(tmp_path)} == {f"{name}-{n}" for name in names for n in range(150)}
    storage = open_storage(tmp_path)
    assert await sample.tree_agrees(storage)
    await storage.close()


async def test_of_writers_racing_for_a_version_of_a_list_one_wins(tmp_path: Path) -> None:
    await prepare(tmp_path)
    with children(tmp_path, *(["list", "60"] for _ in range(3))) as started:
        won = [int(line) for child in started for line in lines(child)]
    assert len(won) == len(set(won))
    assert sorted(won) == list(range(1, max(won) + 1))


async def test_an_approval_is_used_once_however_many_try(tmp_path: Path) -> None:
    approved = [sample.approval(f"apr_{number}", state=ApprovalState.APPROVED) for number in range(60)]
    await prepare(tmp_path, *(sample.work("add_approval", one) for one in approved))
    with children(tmp_path, *(["consume", "60"] for _ in range(3))) as started:
        used = [int(line) for child in started for line in lines(child)]
    assert sorted(used) == list(range(60))


@pytest.mark.parametrize("attempt", range(4))
async def test_processes_that_open_a_new_directory_together_all_succeed(tmp_path: Path, attempt: int) -> None:
    with children(tmp_path, *(["open"] for _ in range(4))) as started:
        numbers = [line.split()[0] for child in started for line in lines(child)]
    assert sorted(numbers) == ["1", "2", "3", "4"]
    assert len(log(tmp_path)) == 4
