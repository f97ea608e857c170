from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

import storage_samples as sample
from chekt_mcp.errors import Conflict, StateUnusable
from chekt_mcp.storage.interface import Reader, Storage, Writer

pytestmark = pytest.mark.anyio


async def extent(storage: Storage) -> int:
    return (await storage.read(lambda reader: reader.log_extent("acme"))).entries


async def test_a_write_returns_what_its_work_returns_and_is_seen_by_all(
    storage: Storage, open_same: Callable[[], Storage]
) -> None:
    assert await storage.write(lambda writer: writer.append([sample.entry()])) == [1]
    other = open_same()
    assert [await extent(one) for one in (storage, other)] == [1, 1]
    await other.close()


async def test_what_was_written_is_there_after_reopening(storage: Storage, open_same: Callable[[], Storage]) -> None:
    await storage.write(lambda writer: writer.append([sample.entry()]))
    before = await sample.search(storage)
    await storage.close()
    again = open_same()
    assert await sample.search(again) == before
    assert await again.read(lambda reader: reader.app("acme", "shop")) == sample.app()
    await again.close()


async def test_work_that_raises_has_not_happened(storage: Storage) -> None:
    async def fail(writer: Writer) -> None:
        await writer.add_app(sample.app("till"))
        await writer.append([sample.entry()])
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await storage.write(fail)
    assert await storage.read(lambda reader: reader.app("acme", "till")) is None
    assert await extent(storage) == 0


async def test_a_writer_reads_what_it_has_written(storage: Storage) -> None:
    async def work(writer: Writer) -> object:
        await writer.append([sample.entry()])
        return [entry.request_id for entry in await writer.search(sample.query(), 10)]

    assert await storage.write(work) == ["req_1"]


async def test_what_was_read_in_work_that_raises_is_forgotten(storage: Storage) -> None:
    async def actors(writer: Writer, actor: str) -> list[str]:
        await writer.append([sample.entry(actor=actor)])
        return [entry.actor for entry in await writer.search(sample.query(), 10)]

    async def fail(writer: Writer) -> None:
        assert await actors(writer, "one") == ["one"]
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await storage.write(fail)
    assert await storage.write(lambda writer: actors(writer, "another")) == ["another"]


async def test_writes_that_come_together_fail_and_succeed_each_alone(storage: Storage) -> None:
    async def append_or_fail(number: int) -> int:
        async def work(writer: Writer) -> int:
            (seq,) = await writer.append([sample.entry(f"req_{number}")])
            if number % 3 == 0:
                raise Conflict("No.")
            return seq

        return await storage.write(work)

    outcomes = await asyncio.gather(*(append_or_fail(number) for number in range(60)), return_exceptions=True)
    numbers = [outcome for outcome in outcomes if isinstance(outcome, int)]
    assert [isinstance(outcome, Conflict) for outcome in outcomes] == [number % 3 == 0 for number in range(60)]
    assert sorted(numbers) == list(range(1, 41))
    assert await extent(storage) == 40


async def test_writes_are_done_in_the_order_they_were_asked_for(storage: Storage) -> None:
    work = [sample.work("append", [sample.entry(str(number))]) for number in range(50)]
    assert await asyncio.gather(*(storage.write(one) for one in work)) == [[number] for number in range(1, 51)]


async def test_a_cancelled_caller_leaves_a_whole_transaction_behind(storage_that_writes_beside: Storage) -> None:
    storage = storage_that_writes_beside
    begun, go_on = threading.Event(), threading.Event()

    async def work(writer: Writer) -> None:
        await writer.append([sample.entry("req_1")])
        begun.set()
        go_on.wait(timeout=10)
        await writer.append([sample.entry("req_2")])

    waiting = asyncio.ensure_future(storage.write(work))
    queued = asyncio.ensure_future(storage.write(sample.work("append", [sample.entry("req_3")])))
    await asyncio.to_thread(begun.wait, 10)
    for one in (waiting, queued):
        one.cancel()
    await asyncio.gather(waiting, queued, return_exceptions=True)
    assert waiting.cancelled()
    go_on.set()
    assert await storage.write(lambda writer: writer.append([sample.entry("req_4")])) in ([3], [4])
    assert set(await sample.request_ids(storage)) - {"req_3"} == {"req_1", "req_2", "req_4"}


async def test_reads_go_on_while_a_write_is_under_way_and_do_not_see_it(storage_that_writes_beside: Storage) -> None:
    storage = storage_that_writes_beside
    begun, go_on = threading.Event(), threading.Event()

    async def work(writer: Writer) -> None:
        await writer.append([sample.entry()])
        begun.set()
        go_on.wait(timeout=10)

    writing = asyncio.ensure_future(storage.write(work))
    await asyncio.to_thread(begun.wait, 10)
    assert await extent(storage) == 0
    assert (await storage.scan(lambda reader: reader.log_extent("acme"))).entries == 0
    go_on.set()
    await writing
    assert await extent(storage) == 1


async def test_a_scan_stays_on_its_snapshot_and_holds_nothing_up(storage: Storage) -> None:
    begun, go_on = threading.Event(), threading.Event()

    async def work(reader: Reader) -> list[int]:
        first = (await reader.log_extent("acme")).entries
        begun.set()
        go_on.wait(timeout=10)
        return [first, (await reader.log_extent("acme")).entries]

    scanning = asyncio.ensure_future(storage.scan(work))
    await asyncio.to_thread(begun.wait, 10)
    await storage.write(lambda writer: writer.append([sample.entry()]))
    assert (await storage.scan(lambda reader: reader.log_extent("acme"))).entries == 1
    go_on.set()
    assert await scanning == [0, 0]


async def test_more_scans_than_threads_are_all_answered(storage: Storage) -> None:
    await storage.write(lambda writer: writer.append([sample.entry()]))
    found = await asyncio.gather(*(storage.scan(sample.work("log_extent", "acme")) for _ in range(30)))
    assert {one.entries for one in found} == {1}


async def test_errors_in_reads_and_scans_reach_the_caller(storage: Storage) -> None:
    async def fail(_reader: Reader) -> None:
        raise KeyError("mine")

    for verb in (storage.read, storage.scan):
        with pytest.raises(KeyError, match="mine"):
            await verb(fail)
    assert await extent(storage) == 0


async def test_work_that_waits_for_something_else_is_refused(storage: Storage) -> None:
    async def wait(subject: object) -> None:
        await asyncio.sleep(0)

    for verb in (storage.read, storage.scan, storage.write):
        with pytest.raises(RuntimeError):
            await verb(wait)
    assert await storage.write(lambda writer: writer.append([sample.entry()])) == [1]


async def test_a_read_within_a_read_is_refused_and_spoils_nothing(storage: Storage) -> None:
    async def nested(_reader: Reader) -> int:
        return await extent(storage)

    with pytest.raises(RuntimeError):
        await storage.read(nested)
    assert await extent(storage) == 0


async def test_closing_finishes_what_was_asked_for_and_may_be_repeated(
    storage: Storage, open_same: Callable[[], Storage]
) -> None:
    pending = [
        asyncio.ensure_future(storage.write(sample.work("append", [sample.entry(str(number))])))
        for number in range(300)
    ]
    await asyncio.sleep(0)
    await storage.close()
    await storage.close()
    assert len(await asyncio.gather(*pending)) == 300
    again = open_same()
    assert await extent(again) == 300
    await again.close()


async def test_a_closed_store_says_so(storage: Storage) -> None:
    await storage.scan(lambda reader: reader.log_extent("acme"))
    await storage.close()
    for verb in (storage.read, storage.scan, storage.write):
        with pytest.raises(StateUnusable) as refused:
            await verb(sample.work("log_extent", "acme"))
        assert refused.value.code == "state_closed"


async def test_two_stores_on_one_database_take_turns(storage: Storage, open_same: Callable[[], Storage]) -> None:
    other = open_same()
    numbers = await asyncio.gather(
        *(one.write(sample.work("append", [sample.entry()])) for _ in range(50) for one in (storage, other))
    )
    assert sorted(number for (number,) in numbers) == list(range(1, 101))
    await other.close()


def test_one_store_serves_event_loops_that_follow_each_other(open_same: Callable[[], Storage]) -> None:
    opened = open_same()
    asyncio.run(sample.furnish(opened))
    assert asyncio.run(extent(opened)) == 0
    asyncio.run(opened.close())


async def test_a_write_within_a_write_is_refused_and_spoils_nothing(storage: Storage) -> None:
    async def inner(writer: Writer) -> None:
        await writer.append([sample.entry()])

    async def outer(writer: Writer) -> None:
        await writer.append([sample.entry()])
        await storage.write(inner)

    with pytest.raises(RuntimeError):
        await storage.write(outer)
    await storage.write(inner)
    assert await extent(storage) == 1
