"""A transaction that cannot be kept has not happened, says so, and the next one works once the cause has gone."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

import storage_samples as sample
from chekt_mcp.errors import StateUnusable
from chekt_mcp.storage.interface import Writer
from chekt_mcp.storage.sqlite import SqliteStorage, connection, open_storage
from state_processes import PATHS, TESTS

pytestmark = pytest.mark.anyio
BALLAST = "CREATE TABLE ballast (a BLOB); INSERT INTO ballast VALUES (zeroblob(4000000))"


@pytest.fixture
async def storage(tmp_path: Path) -> SqliteStorage:
    opened = open_storage(tmp_path)
    await sample.furnish(opened)
    return opened


@pytest.fixture
def raw(storage: SqliteStorage, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Another process's connection."""
    with closing(sqlite3.connect(tmp_path / "chekt.db", isolation_level=None)) as other:
        yield other


@pytest.fixture
async def full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SqliteStorage:
    """A store whose database may not grow by a page, and in which something could be removed."""
    opened = open_storage(tmp_path)
    await sample.furnish(opened)
    await opened.close()
    with closing(sqlite3.connect(tmp_path / "chekt.db")) as other:
        other.executescript(BALLAST)
    monkeypatch.setattr(
        connection, "EVERY", connection.EVERY + "PRAGMA max_page_count = 1;"
    )  # SQLite: the present size
    return open_storage(tmp_path)


def append(count: int, name: str = "entry", size: int = 2_000) -> Callable[[Writer], Awaitable[list[int]]]:
    details = {"filler": "x" * size}
    return sample.work("append", [sample.entry(f"{name}-{number}", details=details) for number in range(count)])


async def extent(storage: SqliteStorage) -> int:
    return (await storage.read(lambda reader: reader.log_extent("acme"))).entries


async def write_until_refused(storage: SqliteStorage) -> tuple[int, StateUnusable]:
    """Return how many entries were acknowledged before the refusal."""
    for step in range(1_000):
        try:
            await storage.write(append(5, str(step)))
        except StateUnusable as refused:
            return step * 5, refused
    raise AssertionError("the disk was never full")


async def test_a_full_disk_is_told_and_nothing_is_half_done(full: SqliteStorage, tmp_path: Path) -> None:
    acknowledged, refused = await write_until_refused(full)
    assert refused.code == "state_full"
    assert await extent(full) == len(await sample.search(full, limit=100_000)) == acknowledged
    assert await full.read(lambda reader: reader.app("acme", "shop")) == sample.app()
    with closing(sqlite3.connect(tmp_path / "chekt.db")) as other:
        other.executescript("DROP TABLE ballast")
    assert await full.write(append(1, "after")) == [acknowledged + 1]
    assert await sample.tree_agrees(full)
    await full.close()


async def test_jobs_that_lost_their_transaction_to_a_full_disk_are_told_too(full: SqliteStorage) -> None:
    begun, go_on = threading.Event(), threading.Event()

    async def hold_up(_writer: Writer) -> None:
        begun.set()
        go_on.wait(timeout=10)

    first = asyncio.ensure_future(full.write(hold_up))
    await asyncio.to_thread(begun.wait, 10)
    small, large = append(1, "small", 1), append(30, "large", 50_000)
    together = [asyncio.ensure_future(full.write(one)) for one in (small, large, small)]
    await asyncio.sleep(0)
    go_on.set()
    await first
    outcomes = await asyncio.gather(*together, return_exceptions=True)
    assert [outcome.code for outcome in outcomes if isinstance(outcome, StateUnusable)] == ["state_full"] * 3
    assert await extent(full) == 0
    assert await full.write(small) == [1]
    await full.close()


LIMITED = """
import asyncio, json, resource, sys
from pathlib import Path
import storage_samples as sample
from chekt_mcp.errors import StateUnusable
from chekt_mcp.storage.sqlite import open_storage

async def main(directory):
    storage = open_storage(directory)
    await sample.furnish(storage)
    await storage.write(sample.work("append", [sample.entry("before")]))
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = (directory / "chekt.db-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 8_192, unlimited[1]))
    large = [sample.entry(f"lost-{n}", details={"filler": "x" * 1_000}) for n in range(100)]
    jobs = [storage.write(sample.work("append", [sample.entry(f"lost-{name}"), *large])) for name in "abc"]
    refused = [error.code for error in await asyncio.gather(*jobs, return_exceptions=True)]
    seen = await sample.request_ids(storage)
    resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    after = await storage.write(sample.work("append", [sample.entry("after")]))
    print(json.dumps({"refused": refused, "seen": seen, "after": after}))
    sys.stdout.flush()
    if sys.argv[2] == "killed":
        import os; os.kill(os.getpid(), 9)
    await storage.close()

asyncio.run(main(Path(sys.argv[1])))
"""


@pytest.mark.parametrize("end", ["closed", "killed"])
def test_a_commit_that_the_disk_refuses_takes_all_of_its_jobs_and_no_other(tmp_path: Path, end: str) -> None:
    child = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path), end],
        env={**os.environ, "PYTHONPATH": PATHS},
        cwd=TESTS,
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=end == "closed",
    )
    told = json.loads(child.stdout)
    assert set(told["refused"]) <= {"state_full", "state_io_error"}
    assert len(told["refused"]) == 3
    assert (told["seen"], told["after"]) == (["before"], [2])
    storage = open_storage(tmp_path)
    assert asyncio.run(sample.request_ids(storage)) == ["after", "before"]
    assert asyncio.run(sample.tree_agrees(storage))
    asyncio.run(storage.close())
    with closing(sqlite3.connect(tmp_path / "chekt.db")) as other:
        assert other.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_a_lock_held_too_long_is_told_and_the_next_write_works(
    storage: SqliteStorage, raw: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "BUSY_TIMEOUT", 0.02)
    raw.execute("BEGIN IMMEDIATE")
    outcomes = await asyncio.gather(*(storage.write(append(1)) for _ in range(3)), return_exceptions=True)
    assert {outcome.code for outcome in outcomes if isinstance(outcome, StateUnusable)} == {"state_busy"}
    assert len(outcomes) == 3
    assert await extent(storage) == 0
    raw.execute("ROLLBACK")
    assert await storage.write(append(1)) == [1]
    await storage.close()


async def test_a_lock_given_back_in_time_is_waited_for(storage: SqliteStorage, raw: sqlite3.Connection) -> None:
    raw.execute("BEGIN IMMEDIATE")
    waiting = asyncio.ensure_future(storage.write(append(1)))
    assert await extent(storage) == 0
    raw.execute("COMMIT")
    assert await waiting == [1]
    await storage.close()


async def test_damage_met_while_writing_is_told_as_such(
    storage: SqliteStorage, raw: sqlite3.Connection, tmp_path: Path
) -> None:
    await storage.write(append(50))
    await storage.close()
    path = tmp_path / "chekt.db"
    content = path.read_bytes()
    page = raw.execute("SELECT rootpage FROM sqlite_master WHERE name = 'entries_by_request'").fetchone()[0]
    raw.close()
    path.write_bytes(content[: (page - 1) * 4_096] + b"\xa5" * 4_096 + content[page * 4_096 :])
    damaged = open_storage(tmp_path)
    with pytest.raises(StateUnusable) as refused:
        await damaged.write(append(1, "more"))
    assert refused.value.code == "state_corrupt"
    assert await damaged.read(lambda reader: reader.app("acme", "shop")) == sample.app()
    await damaged.close()
