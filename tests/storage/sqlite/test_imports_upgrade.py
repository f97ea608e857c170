"""A state from before imports could be gone on with and dealers had plans is carried over as what it was."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import storage_samples as sample
from chekt_mcp.domain.retention import Plan
from chekt_mcp.storage.records import ImportState
from chekt_mcp.storage.sqlite import migrate, open_storage
from chekt_mcp.storage.sqlite.database_file import APPLICATION_ID, DATABASE

pytestmark = pytest.mark.anyio
BEFORE = 5


async def test_imports_are_finished_and_dealers_are_on_the_standard_plan(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / DATABASE, isolation_level=None)) as old:
        for number in range(1, BEFORE + 1):
            old.executescript(migrate._script(number))  # noqa: SLF001 -- an older program's work
        old.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        old.execute(f"PRAGMA user_version = {BEFORE}")
        old.execute("INSERT INTO dealers VALUES ('acme', 7, x'00')")
        old.execute("INSERT INTO import_files VALUES ('imp_1', 'acme', 'a.csv', 'f00', 'maria', 7, 10, 2, 1)")
    storage = open_storage(tmp_path)
    kept = await storage.read(sample.work("import_file", "acme", "f00"))
    assert (kept.state, kept.rows, kept.added, kept.known, kept.rejected) == (ImportState.FINISHED, 13, 10, 2, 1)
    assert [one.plan for one in await storage.read(lambda reader: reader.dealers())] == [Plan.STANDARD]
    await storage.close()
