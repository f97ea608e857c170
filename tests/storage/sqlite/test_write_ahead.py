"""The write-ahead log is longer than its frames: commits seldom lengthen it, and it is read as if it were not."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import storage_samples as sample
from chekt_mcp.storage.sqlite import SqliteStorage, open_storage, write_ahead
from chekt_mcp.storage.sqlite.database_file import DATABASE
from storage_samples import furnish

pytestmark = pytest.mark.anyio

COMMITS = 12
STRETCH = write_ahead.FRAMES_AHEAD * (write_ahead.FRAME_HEADER + 4096)


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqliteStorage]:
    opened = open_storage(tmp_path)
    await furnish(opened)
    yield opened
    await opened.close()


async def sizes_after_commits(storage: SqliteStorage, directory: Path) -> list[int]:
    """Append one entry after the other; return how long the file is after each."""
    sizes = []
    for number in range(COMMITS):
        await storage.write(sample.work("append", [sample.entry(f"req_{number}")]))
        sizes.append((directory / f"{DATABASE}-wal").stat().st_size)
    return sizes


async def requests(storage: SqliteStorage) -> list[str]:
    return [one.entry.request_id for one in await storage.read(sample.work("logged_entries", "acme", 0, 1000))]


async def test_most_commits_do_not_lengthen_the_file(storage: SqliteStorage, tmp_path: Path) -> None:
    sizes = await sizes_after_commits(storage, tmp_path)
    assert len(set(sizes)) <= 3


async def test_the_room_of_one_process_is_enough_for_another(storage: SqliteStorage, tmp_path: Path) -> None:
    other = open_storage(tmp_path)
    for _ in range(3):
        await sizes_after_commits(storage, tmp_path)
        (*_, size) = await sizes_after_commits(other, tmp_path)
    await other.close()
    assert size < 6 * COMMITS * 20 * (write_ahead.FRAME_HEADER + 4096) + 2 * STRETCH


async def test_after_a_crash_every_entry_is_read_past_which_there_is_only_room(
    storage: SqliteStorage, tmp_path: Path
) -> None:
    await sizes_after_commits(storage, tmp_path)
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for name in (DATABASE, f"{DATABASE}-wal"):
        shutil.copy(tmp_path / name, crashed / name)
    assert (crashed / f"{DATABASE}-wal").read_bytes().endswith(bytes(4096))
    found = open_storage(crashed)
    assert await requests(found) == [f"req_{number}" for number in range(COMMITS)]
    await sizes_after_commits(found, crashed)
    assert len(await requests(found)) == 2 * COMMITS
    await found.close()


async def test_an_entry_is_written_where_no_room_can_be_made(
    storage: SqliteStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "pwrite", full)
    sizes = await sizes_after_commits(storage, tmp_path)
    assert len(set(sizes)) == COMMITS
    assert len(await requests(storage)) == COMMITS


async def test_the_file_is_not_lengthened_without_end(
    storage: SqliteStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_ahead, "MOST_BYTES", 1)
    sizes = await sizes_after_commits(storage, tmp_path)
    assert sizes[-1] < STRETCH
