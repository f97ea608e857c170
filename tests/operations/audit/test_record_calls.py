from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chekt_mcp.domain.audit import Kind, NewEntry, Query, Result
from chekt_mcp.errors import StateUnusable
from chekt_mcp.operations.audit.record_calls import CallRecorder
from chekt_mcp.storage.interface import Writer
from chekt_mcp.storage.sqlite import open_storage
from chekt_mcp.storage.sqlite.engine import SqliteStorage

NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
EVERYTHING = Query("", (), datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC), dealer_wide=True)


def entry(number: int) -> NewEntry:
    return NewEntry("", NOW, "app:shop", Kind.TOOL_CALL, "check_ip", Result.OK, f"req_{number}", source="http")


class Counting:
    """A real store that counts transactions, and fails when it is told to."""

    def __init__(self, storage: SqliteStorage) -> None:
        self.storage, self.writes = storage, 0
        self.fails: Callable[[int], bool] = lambda _number: False
        self.error: Exception = StateUnusable("gone")

    async def write_briefly(self, work: Callable[[Writer], Awaitable[Any]]) -> Any:
        self.writes += 1
        if self.fails(self.writes):
            raise self.error
        return await self.storage.write_briefly(work)


def recorded(directory: Path, scenario: Callable[[CallRecorder, Any], Awaitable[None]]) -> tuple[int, list[str]]:
    async def run() -> tuple[int, list[str]]:
        store = Counting(open_storage(directory))
        await scenario(CallRecorder(), store)
        found = await store.storage.read(lambda reader: reader.search(EVERYTHING, 1_000))
        await store.storage.close()
        return store.writes, [one.request_id for one in reversed(found)]

    return asyncio.run(run())


def test_calls_that_end_together_share_a_transaction_and_none_is_lost(tmp_path: Path) -> None:
    async def scenario(recorder: CallRecorder, store: Any) -> None:
        await asyncio.gather(*(recorder.record(store, entry(number)) for number in range(100)))

    writes, ids = recorded(tmp_path, scenario)
    assert writes < 5
    assert ids == [f"req_{number}" for number in range(100)]


def test_a_caller_that_gives_up_does_not_take_its_entry_back(tmp_path: Path) -> None:
    async def scenario(recorder: CallRecorder, store: Any) -> None:
        first = asyncio.create_task(recorder.record(store, entry(1)))
        other = asyncio.create_task(recorder.record(store, entry(2)))
        await asyncio.sleep(0)
        first.cancel()
        await other

    assert recorded(tmp_path, scenario)[1] == ["req_1", "req_2"]


def test_a_store_that_is_gone_is_told_to_every_caller_at_once(tmp_path: Path) -> None:
    async def scenario(recorder: CallRecorder, store: Any) -> None:
        store.fails = lambda number: number == 1
        outcomes = await asyncio.gather(
            *(recorder.record(store, entry(number)) for number in range(3)), return_exceptions=True
        )
        assert [type(one) for one in outcomes] == [StateUnusable] * 3
        await recorder.record(store, entry(9))

    assert recorded(tmp_path, scenario) == (2, ["req_9"])


def test_an_entry_that_cannot_be_stored_holds_up_no_other(tmp_path: Path) -> None:
    async def scenario(recorder: CallRecorder, store: Any) -> None:
        store.fails, store.error = (lambda number: number in (1, 3)), ValueError("this one")
        outcomes = await asyncio.gather(
            *(recorder.record(store, entry(number)) for number in range(3)), return_exceptions=True
        )
        assert [type(one) for one in outcomes] == [type(None), ValueError, type(None)]

    assert recorded(tmp_path, scenario)[1] == ["req_0", "req_2"]


@pytest.mark.parametrize("apart", [1, 3])
def test_each_caller_waits_for_its_own_batch(tmp_path: Path, apart: int) -> None:
    async def scenario(recorder: CallRecorder, store: Any) -> None:
        for number in range(apart):
            await recorder.record(store, entry(number))

    assert recorded(tmp_path, scenario)[0] == apart
