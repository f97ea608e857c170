"""A brief write is committed in the event loop's thread while that holds nobody up, and beside it otherwise."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

import storage_samples as sample
from chekt_mcp.storage.interface import Writer
from chekt_mcp.storage.sqlite import SqliteStorage, commit_thread, open_storage
from chekt_mcp.storage.sqlite.database_file import DATABASE

pytestmark = pytest.mark.anyio


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqliteStorage]:
    opened = open_storage(tmp_path)
    await sample.furnish(opened)
    yield opened
    await opened.close()


async def thread_of(writer: Writer) -> int:
    """Append an entry; return which thread did."""
    await writer.append([sample.entry()])
    return threading.get_ident()


async def extent(storage: SqliteStorage) -> int:
    return (await storage.read(lambda reader: reader.log_extent("acme"))).entries


async def test_it_is_committed_where_it_is_asked(storage: SqliteStorage, tmp_path: Path) -> None:
    assert await storage.write_briefly(thread_of) == threading.get_ident()
    assert await storage.write(thread_of) != threading.get_ident()
    assert await storage.write_briefly(thread_of) == threading.get_ident()
    with closing(another_process(tmp_path)) as other:
        assert other.execute("SELECT count(*) FROM entries").fetchone() == (3,)


async def test_it_waits_for_another_process_beside_the_event_loop(storage: SqliteStorage, tmp_path: Path) -> None:
    with closing(another_process(tmp_path)) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.ensure_future(storage.write_briefly(thread_of))
        await asyncio.sleep(0)
        assert await extent(storage) == 0
        other.execute("COMMIT")
        assert await waiting != threading.get_ident()


async def test_it_waits_for_another_write_beside_the_event_loop(storage: SqliteStorage) -> None:
    begun, go_on = threading.Event(), threading.Event()

    async def hold_up(_writer: Writer) -> None:
        begun.set()
        go_on.wait(timeout=10)

    first = asyncio.ensure_future(storage.write(hold_up))
    await asyncio.to_thread(begun.wait, 10)
    waiting = asyncio.ensure_future(storage.write_briefly(thread_of))
    await asyncio.sleep(0)
    assert await extent(storage) == 0
    go_on.set()
    await first
    assert await waiting != threading.get_ident()


async def test_a_slow_disk_is_waited_for_beside_the_event_loop(
    storage: SqliteStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit_thread, "QUICK", 0.0)
    monkeypatch.setattr(commit_thread, "AFTER_SLOW", 3600.0)
    assert await storage.write_briefly(thread_of) == threading.get_ident()
    assert await storage.write_briefly(thread_of) != threading.get_ident()


async def test_what_raises_has_not_happened_and_the_next_one_works(storage: SqliteStorage) -> None:
    async def fail(writer: Writer) -> None:
        await writer.append([sample.entry()])
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await storage.write_briefly(fail)
    assert await extent(storage) == 0
    await storage.write_briefly(thread_of)
    assert await extent(storage) == 1


def another_process(directory: Path) -> sqlite3.Connection:
    """Open another process's connection."""
    return sqlite3.connect(directory / DATABASE, isolation_level=None)
