"""The writing connection remembers little in a server's life, and much while entries come by the hundred."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

import storage_samples as sample
from chekt_mcp.storage.sqlite import open_storage
from chekt_mcp.storage.sqlite.connection import begin_immediate, connect_to_write
from chekt_mcp.storage.sqlite.database_file import DATABASE
from chekt_mcp.storage.sqlite.job import drive
from chekt_mcp.storage.sqlite.page_cache import BULK, FEW_KIB, MANY_KIB
from chekt_mcp.storage.sqlite.subjects import SqliteWriter

pytestmark = pytest.mark.anyio


class Writing:
    """A writer on a connection that can be asked."""

    def __init__(self, path: Path) -> None:
        self.connection = connect_to_write(path)
        self._writer = SqliteWriter(self.connection, bytes)

    def write(self, operation: str, count: int) -> None:
        begin_immediate(self.connection)
        drive(sample.work(operation, [sample.entry(f"req_{number}") for number in range(count)]), self._writer)
        self.connection.execute("COMMIT")

    @property
    def kib(self) -> int:
        (size,) = self.connection.execute("PRAGMA cache_size").fetchone()
        return -int(size)


@pytest.fixture
async def writing(tmp_path: Path) -> AsyncIterator[Writing]:
    storage = open_storage(tmp_path)
    await sample.furnish(storage)
    await storage.close()
    made = Writing(tmp_path / DATABASE)
    with closing(made.connection):
        yield made


async def test_calls_of_a_server_are_recorded_in_little_memory(writing: Writing) -> None:
    writing.write("append", BULK - 1)
    assert writing.kib == FEW_KIB


@pytest.mark.parametrize("operation", ["append", "append_imported"])
async def test_bulk_has_the_memory_it_is_quick_with_and_gives_it_back(writing: Writing, operation: str) -> None:
    writing.write(operation, BULK)
    assert writing.kib == MANY_KIB
    writing.write("append", 1)
    assert writing.kib == FEW_KIB
