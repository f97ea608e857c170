"""An accepted event stays until it has been handed on, and is in one pair of hands at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

import storage_samples as sample
from chekt_mcp.errors import NotFound
from chekt_mcp.storage.interface import Storage
from chekt_mcp.storage.records import QueuedEvent, QueueExtent

pytestmark = pytest.mark.anyio
LEASE_END = sample.NOW + sample.MINUTE


async def enqueue(storage: Storage, *events: QueuedEvent) -> None:
    for event in events:
        await storage.write(sample.work("enqueue_event", event))


async def take(storage: Storage, now: datetime = sample.NOW, until: datetime = LEASE_END) -> QueuedEvent | None:
    return await storage.write(lambda writer: writer.take_event("acme", "shop", now, until))


async def extent(storage: Storage, dealer: str = "acme") -> QueueExtent:
    return await storage.read(lambda reader: reader.event_queue(dealer, "shop"))


async def test_an_event_is_taken_as_it_was_stored_with_its_attempt_counted(storage: Storage) -> None:
    await enqueue(storage, sample.queued(event_id=None))
    assert await take(storage) == sample.queued(event_id=None, attempts=1, due_at=LEASE_END)


async def test_what_is_in_hand_is_given_to_nobody_else_until_the_lease_ends(storage: Storage) -> None:
    await enqueue(storage, sample.queued())
    await take(storage)
    assert await take(storage, LEASE_END - sample.TICK) is None
    again = await take(storage, LEASE_END, LEASE_END + sample.MINUTE)
    assert again == sample.queued(attempts=2, due_at=LEASE_END + sample.MINUTE)


async def test_the_event_due_longest_comes_first_and_none_before_its_time(storage: Storage) -> None:
    later = sample.queued("que_2", due_at=sample.NOW + sample.HOUR)
    await enqueue(storage, later, sample.queued(), sample.queued("que_3"))
    taken = [await take(storage, until=sample.NOW + 2 * sample.HOUR) for _ in range(3)]
    assert [event and event.queue_id for event in taken] == ["que_1", "que_3", None]
    in_an_hour = await take(storage, later.due_at, later.due_at + sample.HOUR)
    assert in_an_hour is not None
    assert in_an_hour.queue_id == "que_2"


async def test_an_event_put_back_is_due_when_it_says(storage: Storage) -> None:
    await enqueue(storage, sample.queued())
    taken = await take(storage)
    assert taken is not None
    assert await storage.write(sample.work("put_back_event", replace(taken, due_at=sample.NOW + sample.HOUR)))
    assert await take(storage, LEASE_END) is None
    assert await take(storage, sample.NOW + sample.HOUR) is not None


async def test_who_lost_the_lease_puts_nothing_back(storage: Storage) -> None:
    await enqueue(storage, sample.queued())
    slow = await take(storage)
    await take(storage, LEASE_END, LEASE_END + sample.HOUR)
    assert slow is not None
    assert not await storage.write(sample.work("put_back_event", replace(slow, dead=True)))
    assert (await extent(storage)).dead == 0


async def test_an_event_handed_on_is_gone_once(storage: Storage) -> None:
    await enqueue(storage, sample.queued())
    assert not await storage.write(sample.work("remove_event", sample.queued(dealer="other")))
    assert await storage.write(sample.work("remove_event", sample.queued()))
    assert not await storage.write(sample.work("remove_event", sample.queued()))
    assert await take(storage, sample.NOW + sample.DAY) is None


async def test_a_dead_event_is_kept_but_not_taken_until_it_is_revived(storage: Storage) -> None:
    await enqueue(storage, sample.queued())
    taken = await take(storage)
    assert taken is not None
    await storage.write(sample.work("put_back_event", replace(taken, dead=True)))
    assert await take(storage, sample.NOW + sample.DAY) is None
    assert await extent(storage) == QueueExtent(0, None, 1)
    for revived in (1, 0):
        assert await storage.write(sample.work("revive_events", "acme", "shop", sample.NOW + sample.DAY)) == revived
    again = await take(storage, sample.NOW + sample.DAY, sample.NOW + 2 * sample.DAY)
    assert again == sample.queued(attempts=1, due_at=sample.NOW + 2 * sample.DAY)


async def test_the_queue_of_an_app_is_its_own(storage: Storage) -> None:
    sooner = sample.queued("que_2", due_at=sample.NOW - sample.HOUR)
    await enqueue(storage, sample.queued(), sooner)
    assert await extent(storage) == QueueExtent(2, sooner.due_at, 0)
    assert await extent(storage, "other") == QueueExtent(0, None, 0)
    with pytest.raises(NotFound):
        await enqueue(storage, sample.queued("que_3", app="nobody"))


async def test_many_takers_at_once_get_each_event_once(storage: Storage) -> None:
    await enqueue(storage, *(sample.queued(f"que_{number}") for number in range(20)))
    taken = [event for event in await asyncio.gather(*(take(storage) for _ in range(30))) if event]
    assert len({event.queue_id for event in taken}) == len(taken) == 20


async def test_a_restart_loses_no_event(storage: Storage, open_same: Callable[[], Storage]) -> None:
    await enqueue(storage, sample.queued())
    await storage.close()
    again = open_same()
    assert await take(again) is not None
    await again.close()
