"""What is too old goes, by one way only; its leaves stay, and what is gone is told from what was taken."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

import storage_samples as sample
from chekt_mcp.domain.audit import Kind, NewEntry, Result
from chekt_mcp.domain.merkle import root_of
from chekt_mcp.errors import Conflict, NotFound
from chekt_mcp.storage.interface import Storage, Writer
from chekt_mcp.storage.records import LegalHold, PrunedRange, PrunePlan

pytestmark = pytest.mark.anyio
HOUR = timedelta(hours=1)
START = sample.NOW.replace(minute=0, second=0, microsecond=0)
HOLD = LegalHold("case 4711", "operator", sample.NOW)


def note(at: datetime) -> NewEntry:
    return NewEntry("acme", at, "operator", Kind.OPERATOR_ACTION, "audit prune", Result.OK, "req_prune")


async def hours(storage: Storage, *offsets: int, app: str = "shop") -> None:
    """Append an entry half past each of these hours, in this order."""
    entries = [
        sample.entry(f"req_{hour}", at=START + (hour + 0.5) * HOUR, app=app, key_id="key_1", source_ip="203.0.113.9")
        for hour in offsets
    ]
    await storage.write(sample.work("append", entries))


async def prune(storage: Storage, before: datetime, limit: int = 1000, at: datetime = sample.END) -> PrunePlan:
    async def work(writer: Writer) -> PrunePlan:
        (seq,) = await writer.append([note(at)])
        return await writer.prune("acme", before, limit, seq)

    return await storage.write(work)


async def ask(storage: Storage, method: str, *arguments: Any) -> Any:
    return await storage.read(sample.work(method, *arguments))


async def left(storage: Storage) -> list[int]:
    return [entry.seq for entry, _ in await ask(storage, "logged_entries", "acme", 0, 10**6)]


async def test_entries_before_a_moment_go_and_no_others(storage: Storage) -> None:
    await hours(storage, 0, 5, 1, 6, 2)
    plan = await prune(storage, START + 3 * HOUR)
    assert plan == PrunePlan(START + 3 * HOUR, 3, ((1, 1), (3, 3), (5, 5)), remaining=False)
    assert await left(storage) == [2, 4, 6]
    assert [entry.seq for entry in await sample.search(storage, request_id="req_1")] == []
    assert len(await sample.search(storage)) == 2


async def test_a_plan_is_what_the_prune_then_does(storage: Storage) -> None:
    await hours(storage, 0, 1, 1, 2, 3)
    planned = await ask(storage, "prunable", "acme", START + 3 * HOUR, 2)
    assert await left(storage) == [1, 2, 3, 4, 5]
    assert await prune(storage, START + 3 * HOUR, 2) == planned


async def test_an_hour_that_the_moment_cuts_stays_whole(storage: Storage) -> None:
    await hours(storage, 0, 1)
    await prune(storage, START + 1.9 * HOUR)
    assert await left(storage) == [2, 3]


async def test_hours_go_oldest_first_up_to_the_limit_and_at_least_one(storage: Storage) -> None:
    await hours(storage, 3, 2, 1, 1, 1, 0)
    assert (await prune(storage, START + 4 * HOUR, 2)).remaining
    assert await left(storage) == [1, 2, 3, 4, 5, 7]
    assert (await prune(storage, START + 4 * HOUR, 2)).entries == 3
    assert not (await prune(storage, START + 4 * HOUR, 2)).remaining
    assert await left(storage) == [7, 8, 9]


@pytest.mark.parametrize("size", [3, 256, 700])
async def test_the_tree_stays_as_it_was_and_goes_on_growing(storage: Storage, size: int) -> None:
    await hours(storage, *range(size))
    leaves = await ask(storage, "leaf_hashes", "acme", 0, size)
    await prune(storage, START + (size - 1) * HOUR)
    assert await left(storage) == [size, size + 1]
    assert (await ask(storage, "leaf_hashes", "acme", 0, size)) == leaves
    await hours(storage, *range(1_000, 1_300))
    grown = await ask(storage, "leaf_hashes", "acme", 0, 10**6)
    assert grown.startswith(leaves)
    hashes = [grown[at : at + 32] for at in range(0, len(grown), 32)]
    assert (await ask(storage, "tree_head", "acme")).root == root_of(hashes)


async def test_what_was_pruned_is_recorded_with_the_entry_that_tells_of_it(storage: Storage) -> None:
    await hours(storage, 0, 0, 9, 1, 9)
    await prune(storage, START + HOUR)
    await prune(storage, START + 2 * HOUR)
    assert await ask(storage, "pruned_ranges", "acme", 0, 10) == [PrunedRange(1, 2, 6), PrunedRange(4, 4, 7)]
    assert await ask(storage, "pruned_ranges", "acme", 1, 10) == [PrunedRange(1, 2, 6), PrunedRange(4, 4, 7)]
    assert await ask(storage, "pruned_ranges", "acme", 2, 10) == [PrunedRange(4, 4, 7)]
    assert await ask(storage, "pruned_ranges", "other", 0, 10) == []


async def test_entries_that_tell_of_prunes_stay(storage: Storage) -> None:
    await hours(storage, 0, 1)
    await prune(storage, START + HOUR, at=START + 2 * HOUR)
    await prune(storage, START + 1000 * HOUR, at=START + 2000 * HOUR)
    assert await left(storage) == [3, 4]


async def test_counts_and_summaries_are_those_of_what_is_left(storage: Storage) -> None:
    await hours(storage, 0, 1, 2)
    await hours(storage, 0, app="till")
    await prune(storage, START + 2 * HOUR)
    extent = await ask(storage, "log_extent", "acme", ["shop", "till"])
    assert (extent.oldest, extent.entries) == (START + 2.5 * HOUR, 1)
    assert (await ask(storage, "log_extent", "acme")).entries == 2
    assert [one.requests for one in await ask(storage, "traffic", "acme", "shop", sample.BEGINNING)] == [1]
    assert await ask(storage, "traffic", "acme", "till", sample.BEGINNING) == []
    assert [use.calls for use in await ask(storage, "key_uses", "acme", "key_1", sample.BEGINNING)] == [1]


async def test_other_dealers_keep_theirs(storage: Storage) -> None:
    await storage.write(sample.work("append", [sample.entry(dealer="other", at=START)]))
    await hours(storage, 0)
    await prune(storage, START + HOUR)
    assert len(await ask(storage, "logged_entries", "other", 0, 10)) == 1


async def test_a_legal_hold_stops_it(storage: Storage) -> None:
    await hours(storage, 0)
    await storage.write(sample.work("set_legal_hold", "acme", HOLD))
    assert await ask(storage, "legal_hold", "acme") == HOLD
    assert await ask(storage, "legal_hold", "other") is None
    with pytest.raises(Conflict) as refused:
        await prune(storage, START + HOUR)
    assert refused.value.code == "legal_hold"
    assert await left(storage) == [1]
    await storage.write(sample.work("set_legal_hold", "acme", None))
    await prune(storage, START + HOUR)
    assert await left(storage) == [2]


async def test_a_prune_that_no_entry_tells_of_is_refused(storage: Storage) -> None:
    await hours(storage, 0, 1)
    with pytest.raises(NotFound):
        await storage.write(sample.work("prune", "acme", START + HOUR, 10, 3))
    assert await left(storage) == [1, 2]


async def test_the_entry_that_tells_of_a_prune_is_never_part_of_it(storage: Storage) -> None:
    await hours(storage, 0, 3)
    await prune(storage, START + 9 * HOUR, at=START + 2 * HOUR)
    assert await left(storage) == [2, 3]
