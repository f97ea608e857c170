"""Reading in bulk: the same entries as a search finds, in the order of writing, wherever the blocks are cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_network

import pytest

from chekt_mcp.domain.audit import Entry, Kind, Query, Result
from chekt_mcp.domain.choice import any_of, none_of
from chekt_mcp.domain.log_block import LogBlock, LogSpan
from chekt_mcp.storage.interface import Reader, Storage
from storage_samples import BEGINNING, DAY, END, NOW, entry

pytestmark = pytest.mark.anyio

EVERYTHING = Query("acme", ("shop", "till"), BEGINNING, END, dealer_wide=True)
QUERIES = {
    "everything": EVERYTHING,
    "one app": replace(EVERYTHING, apps=("till",), dealer_wide=False),
    "window": replace(EVERYTHING, since=NOW - 4 * DAY, until=NOW - DAY),
    "not ok": replace(EVERYTHING, result=none_of(Result.OK)),
    "request": replace(EVERYTHING, request_id=any_of("req_7", "req_3")),
    "not a request": replace(EVERYTHING, request_id=none_of("req_7")),
    "key": replace(EVERYTHING, key_id=any_of("key_1")),
    "not a key": replace(EVERYTHING, key_id=none_of("key_1")),
    "network": replace(EVERYTHING, source_network=any_of(ip_network("198.51.100.0/29"))),
    "text": replace(EVERYTHING, text=any_of("DEVICES")),
    "nobody": replace(EVERYTHING, actor=any_of("nobody")),
    "another dealer": replace(EVERYTHING, dealer="other"),
    "no such dealer": replace(EVERYTHING, dealer="nobody"),
}


@pytest.fixture
async def filled(storage: Storage) -> Storage:
    """Thirty entries of two apps and of none, whose timestamps run against the order of writing."""
    entries = [
        entry(
            request_id=f"req_{number}",
            timestamp=NOW - number % 7 * DAY,
            app=("shop", "till", None)[number % 3],
            key_id="key_1" if number % 4 == 0 else None,
            source_ip=f"198.51.100.{number}",
            result=list(Result)[number % 3],
            kind=Kind.API_CALL,
        )
        for number in range(30)
    ]
    await storage.write(lambda writer: writer.append(entries))
    return storage


async def in_blocks(storage: Storage, query: Query, length: int, at_once: int = 1000) -> tuple[LogSpan, list[LogBlock]]:
    """Read `length` numbers on each snapshot, in blocks of `at_once` entries."""
    span = await storage.scan(lambda reader: reader.log_span(query))
    blocks = list[LogBlock]()
    for start in range(span.first, span.last + 1, length) if span.most else ():

        async def work(reader: Reader, first: int = start) -> list[LogBlock]:
            return list(await reader.log_blocks(query, first, min(first + length - 1, span.last), at_once))

        blocks += await storage.scan(work)
    return span, blocks


async def searched(storage: Storage, query: Query) -> Sequence[Entry]:
    return sorted(await storage.scan(lambda reader: reader.search(query, 1000)), key=lambda one: one.seq)


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
async def test_blocks_hold_what_a_search_finds_in_the_order_of_writing(filled: Storage, query: Query) -> None:
    found = await searched(filled, query)
    for length, at_once in ((1, 1000), (7, 3), (1000, 1), (1000, 10), (1000, 1000)):
        span, blocks = await in_blocks(filled, query, length, at_once)
        assert [seq for block in blocks for seq in block.seq] == [one.seq for one in found]
        assert all(0 < len(block) <= at_once for block in blocks)
        assert span.most >= len(found)


async def test_every_column_of_a_block_is_the_entrys_own(filled: Storage) -> None:
    _, (block,) = await in_blocks(filled, EVERYTHING, 1000)
    for number, one in enumerate(await searched(filled, EVERYTHING)):
        for column in ("app", "actor", "action", "scope", "source", "source_ip", "key_id", "origin"):
            assert block.texts(column)[number] == getattr(one, column)
        assert block.request_id[number] == one.request_id
        assert (block.texts("kind")[number], block.texts("result")[number]) == (one.kind.value, one.result.value)


async def test_entries_added_later_change_no_block_that_was_read(filled: Storage) -> None:
    span, before = await in_blocks(filled, EVERYTHING, 10)
    await filled.write(lambda writer: writer.append([entry(timestamp=NOW - 3 * DAY, request_id="late")]))
    later, after = await in_blocks(filled, EVERYTHING, 10)
    assert later.last == span.last + 1
    assert after[: len(before)] == before
