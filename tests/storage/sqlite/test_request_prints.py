"""Prints spare looks where a request is not, and never one where it is."""

from __future__ import annotations

import random
import sqlite3
from array import array
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import storage_samples as sample
from chekt_mcp.domain.choice import any_of
from chekt_mcp.storage.interface import Writer
from chekt_mcp.storage.sqlite import SqliteStorage, open_storage, request_key
from chekt_mcp.storage.sqlite.connection import connect
from chekt_mcp.storage.sqlite.database_file import DATABASE
from chekt_mcp.storage.sqlite.request_key import HASH_BITS, part_of, print_of, prints_of
from chekt_mcp.storage.sqlite.request_prints import PrintUpgrade

pytestmark = pytest.mark.anyio

RUN = 16
ENTRIES = 100
COMPLETE = 6
"""Runs: entries are counted from 1, so the first has 15, and the newest, 96 to 100, is not complete."""

IDS = [f"req_{random.Random(number).randrange(30)}" for number in range(1, ENTRIES + 1)]  # noqa: S311 -- repeatable


@pytest.fixture
async def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SqliteStorage]:
    """A log of several runs, in which every request has entries in some of them, written in batches of all sizes."""
    monkeypatch.setattr(request_key, "RUN_BITS", 4)
    monkeypatch.setattr(request_key, "PART_BITS", 4)
    opened = open_storage(tmp_path)
    await sample.furnish(opened)
    entries = [sample.entry(one, at=sample.NOW + at * sample.HOUR) for at, one in enumerate(IDS)]
    for start, end in [(0, 1), (1, 14), (14, 15), (15, 70), (70, ENTRIES)]:
        await opened.write(sample.work("append", entries[start:end]))
    yield opened
    await opened.close()


@pytest.fixture
def raw(tmp_path: Path, storage: SqliteStorage) -> Iterator[sqlite3.Connection]:
    with closing(connect(tmp_path / DATABASE)) as connection:
        yield connection


def printed(raw: sqlite3.Connection) -> dict[int, list[bytes]]:
    """Return the parts of each run."""
    found: dict[int, list[bytes]] = {}
    for run, prints in raw.execute("SELECT run, prints FROM request_prints ORDER BY log, run, part"):
        found.setdefault(run, []).append(prints)
    return found


async def found(storage: SqliteStorage, one: str) -> list[int]:
    """Return the numbers of a request's entries, by each way of asking the same."""
    entries = await storage.read(sample.work("entries_by_request_id", "acme", one, ENTRIES))
    page = await storage.scan(sample.work("search_page", sample.query(request_id=any_of(one)), ENTRIES))
    assert list(page.entries) == list(entries)
    assert page.following is None
    return [entry.seq for entry in entries]


def there(one: str, first: int = 1) -> list[int]:
    return [seq for seq in range(ENTRIES, first - 1, -1) if IDS[seq - 1] == one]


async def test_a_request_is_found_in_all_runs_that_have_it(storage: SqliteStorage, raw: sqlite3.Connection) -> None:
    assert sorted(printed(raw)) == list(range(COMPLETE))
    for one in {*IDS, "req_of nobody"}:
        assert await found(storage, one) == there(one)


@pytest.mark.parametrize("gone", ["run = 2", "run = 5 AND part % 2", "1"])
async def test_where_an_older_program_left_no_prints_the_index_is_asked(
    storage: SqliteStorage, raw: sqlite3.Connection, gone: str
) -> None:
    raw.execute(f"DELETE FROM request_prints WHERE {gone}")  # noqa: S608 -- ours
    for one in set(IDS):
        assert await found(storage, one) == there(one)


async def test_runs_without_the_request_are_not_asked(storage: SqliteStorage, raw: sqlite3.Connection) -> None:
    reader = PrintUpgrade(raw)
    for one in set(IDS):
        keys = reader._request_keys(1, ENTRIES, one)  # noqa: SLF001 -- what is not looked at shows nowhere else
        runs = {key >> HASH_BITS for key in keys}
        assert runs == {seq >> 4 for seq in there(one)} | {ENTRIES >> 4}


async def test_an_upgrade_prints_the_same(storage: SqliteStorage, raw: sqlite3.Connection) -> None:
    before = printed(raw)
    raw.execute("DELETE FROM request_prints")
    PrintUpgrade(raw).run()
    assert printed(raw) == before


@pytest.mark.parametrize(("hours", "emptied"), [(10, 0), (15, 1), (40, 2), (ENTRIES, COMPLETE)])
async def test_of_runs_that_were_pruned_no_print_stays(
    storage: SqliteStorage, raw: sqlite3.Connection, hours: int, emptied: int
) -> None:
    before = printed(raw)

    async def prune(writer: Writer) -> None:
        (told,) = await writer.append([sample.entry("told", at=sample.NOW + sample.DAY * 9)])
        await writer.prune("acme", sample.NOW + hours * sample.HOUR, 100_000, told)

    await storage.write(prune)
    after = printed(raw)
    assert [run for run in after if not any(after[run])] == list(range(emptied))
    assert all(after[run] == before[run] for run in range(emptied, COMPLETE))
    for one in {*IDS, "told"}:
        assert await found(storage, one) == ([ENTRIES + 1] if one == "told" else there(one, hours + 1))


@given(st.lists(st.integers(0, (1 << HASH_BITS) - 1), max_size=50), st.integers(0, 1 << 22))
def test_every_key_is_among_the_prints_of_its_part(hashes: list[int], run: int) -> None:
    keys = sorted((run << HASH_BITS) + one for one in hashes)
    prints = prints_of(array("Q", keys))
    assert len(prints) == 4096
    assert sum(map(len, prints)) == 2 * len(keys)
    assert all(print_of(key) in prints[part_of(key)] for key in keys)
