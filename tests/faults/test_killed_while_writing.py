from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import storage_samples as sample
from chekt_mcp.storage.sqlite import open_storage
from state_processes import Child, children

ROUNDS = 15
pytestmark = pytest.mark.anyio


def acknowledged_before_a_kill(child: Child, after: int) -> list[str]:
    """Read `after` acknowledgements, kill the process wherever it then is, and return all that it gave."""
    assert child.stdout is not None
    given = [child.stdout.readline() for _ in range(after)]
    child.kill()
    given += child.stdout.readlines()
    return [line.split()[1] for line in given if line.endswith("\n")]


async def test_no_acknowledged_entry_is_lost_however_often_processes_are_killed(tmp_path: Path) -> None:
    dice = random.Random(2026)  # noqa: S311 -- repeatable, not secret
    acknowledged: set[str] = set()
    for round_ in range(ROUNDS):
        with children(tmp_path, *(["forever", f"{name}{round_}"] for name in "ab")) as started:
            for child in started:
                acknowledged.update(acknowledged_before_a_kill(child, dice.randrange(1, 60)))
        storage = open_storage(tmp_path)  # as it is, without repair
        extent = await storage.read(lambda reader: reader.log_extent("acme"))
        entries = await sample.search(storage, limit=100_000)
        assert acknowledged <= {entry.request_id for entry in entries}
        assert sorted(entry.seq for entry in entries) == list(range(1, extent.entries + 1))
        assert await sample.tree_agrees(storage)
        assert (
            sum(seen.requests for seen in await storage.read(sample.work("traffic", "acme", "shop", sample.BEGINNING)))
            == extent.entries
        )
        await storage.close()
    with closing(sqlite3.connect(tmp_path / "chekt.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert len(acknowledged) > ROUNDS
