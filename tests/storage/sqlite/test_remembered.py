"""What a reader remembers of apps, keys and lists never outlives a change, whoever makes it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

import storage_samples as sample
from chekt_mcp.domain.api_key import KeyState
from chekt_mcp.domain.scope import Scope
from chekt_mcp.storage.interface import Writer
from chekt_mcp.storage.sqlite import open_storage
from chekt_mcp.storage.sqlite.engine import SqliteStorage

KEY = sample.key("key_remembered")
Change = Callable[[Writer], Awaitable[object]]


async def change_app(writer: Writer) -> None:
    await writer.update_app(sample.app(scopes=frozenset({Scope.SITES_READ})), sample.NOW)


async def change_key(writer: Writer) -> None:
    await writer.update_key(replace(KEY.key, state=KeyState.REVOKED, revoked_at=sample.NOW))


async def change_list(writer: Writer) -> None:
    await writer.add_allow_list(sample.allow_list(2))


async def seen(storage: SqliteStorage) -> tuple[object, ...]:
    assert KEY.value_hash
    value_hash = KEY.value_hash
    return (
        await storage.read(lambda reader: reader.app("acme", "shop")),
        await storage.read(lambda reader: reader.key_by_hash(value_hash)),
        await storage.read(lambda reader: reader.allow_list("acme", "shop")),
    )


@pytest.mark.parametrize(("place", "change"), list(enumerate([change_app, change_key, change_list])))
@pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "in another process"])
def test_a_change_counts_from_the_next_read_on(tmp_path: Path, place: int, change: Change, *, elsewhere: bool) -> None:
    async def scenario() -> None:
        storage = open_storage(tmp_path)
        other = open_storage(tmp_path) if elsewhere else storage
        await storage.write(begin)
        before = await seen(storage)
        assert await seen(storage) == before
        await other.write(change)
        after = await seen(storage)
        assert [one == two for one, two in zip(before, after, strict=True)] == [one != place for one in range(3)]
        await other.close()
        await storage.close()

    asyncio.run(scenario())


async def begin(writer: Writer) -> None:
    await writer.add_dealer(sample.dealer())
    await writer.add_app(sample.app())
    await writer.add_key(KEY)
    await writer.add_allow_list(sample.allow_list(1))


def test_what_is_not_there_is_looked_for_each_time(tmp_path: Path) -> None:
    async def scenario() -> None:
        storage = open_storage(tmp_path)
        assert await seen(storage) == (None, None, None)
        await storage.write(begin)
        assert None not in await seen(storage)
        await storage.close()

    asyncio.run(scenario())
