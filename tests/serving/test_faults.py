"""A store that is gone for a while, and an end in the middle of work: no call is lost without an answer or an entry."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx
import pytest

from chekt_mcp.auth.bearer import BearerTokens
from chekt_mcp.domain.audit import Query
from chekt_mcp.domain.choice import Choice
from chekt_mcp.errors import StateUnusable
from chekt_mcp.storage.interface import Reader, Storage, Writer
from chekt_mcp.storage.sqlite import open_storage
from http_site import Served, call, serving
from serving_child import Installation
from world import World, structured

T = TypeVar("T")
MODERN = {
    "MCP-Protocol-Version": "2026-07-28",
    "Mcp-Method": "tools/call",
    "Mcp-Name": "check_ip",
    "Accept": "application/json, text/event-stream",
}
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


class Leaving:
    """The world's store, which can be gone."""

    def __init__(self, storage: Storage) -> None:
        self._storage, self.gone = storage, False

    async def read(self, work: Callable[[Reader], Awaitable[T]]) -> T:
        self._there()
        return await self._storage.read(work)

    async def scan(self, work: Callable[[Reader], Awaitable[T]]) -> T:
        self._there()
        return await self._storage.scan(work)

    async def write(self, work: Callable[[Writer], Awaitable[T]]) -> T:
        self._there()
        return await self._storage.write(work)

    async def write_briefly(self, work: Callable[[Writer], Awaitable[T]]) -> T:
        self._there()
        return await self._storage.write_briefly(work)

    async def close(self) -> None:
        await self._storage.close()

    def _there(self) -> None:
        if self.gone:
            raise StateUnusable("The database is gone.", code="state_unusable")


async def status(served: Served, path: str) -> int:
    async with httpx.AsyncClient(trust_env=False) as http:
        return (await http.get(f"{served.base}{path}")).status_code


def test_a_store_that_is_gone_for_ten_seconds_is_waited_for(world: World) -> None:
    async def scenario() -> None:
        key, store = await world.add_app("shop"), Leaving(world.storage)
        services = replace(world.services(), storage=store)
        verifier = BearerTokens(store, world.clock)
        async with (
            serving(world, lambda _url: verifier, services, metrics=True) as served,
            served.client(key) as client,
        ):
            store.gone = True
            answer = await served.post(key, call("whoami"), MODERN)
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
            assert int(answer.headers["retry-after"]) >= 1
            assert [await status(served, path) for path in ("/healthz", "/readyz", "/metrics")] == [200, 503, 503]
            async with httpx.AsyncClient(trust_env=False) as http:
                page = await http.get(f"{served.base}/approvals/sign-in")
            assert (page.status_code, int(page.headers["retry-after"])) == (503, 2)
            world.clock.forward(seconds=10)
            store.gone = False
            assert structured(await client.call_tool("whoami", {}))["principal"] == "app:shop"
            assert await status(served, "/readyz") == 200

    asyncio.run(scenario())


def test_an_answer_that_cannot_be_recorded_is_not_given(world: World) -> None:
    async def scenario() -> None:
        key, store = await world.add_app("shop", allow_list="127.0.0.1"), Leaving(world.storage)

        class NoWrites(Leaving):
            async def read(self, work: Callable[[Reader], Awaitable[T]]) -> T:
                return await world.storage.read(work)

        store = NoWrites(world.storage)
        services = replace(world.services(), storage=store)
        async with serving(world, services=services) as served, served.client(key) as client:
            store.gone = True
            answer = await client.call_tool("check_ip", {"addresses": ["203.0.113.9"]})
            assert answer.is_error
            assert "audit_unavailable" in str(answer.content)
            assert "203.0.113.9" not in str(answer.content)

    asyncio.run(scenario())


class Load:
    """Clients that call without pause, each call on a connection of its own, until the server is gone."""

    def __init__(self, url: str, key: str) -> None:
        self._url, self._headers = url, {**MODERN, "Authorization": f"Bearer {key}"}
        self.answered: list[str] = []
        self.enough = asyncio.Event()

    async def client(self, number: int) -> None:
        arguments = {"name": "check_ip", "arguments": {"addresses": ["203.0.113.9"]}, "_meta": META}
        limits = httpx.Limits(max_keepalive_connections=0)
        async with httpx.AsyncClient(trust_env=False, timeout=30, limits=limits) as http:
            for call_number in range(1_000):
                identity = f"{number}-{call_number}"
                message: dict[str, Any] = {"jsonrpc": "2.0", "id": identity, "method": "tools/call"}
                try:
                    answer = await http.post(self._url, json={**message, "params": arguments}, headers=self._headers)
                except httpx.TransportError:
                    return
                if answer.status_code == 200:
                    assert answer.json()["id"] == identity
                    self.answered.append(answer.headers["x-request-id"])
                if len(self.answered) > 40:
                    self.enough.set()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_end_under_load_loses_no_call_and_no_entry(installation: Installation, workers: str) -> None:
    async def scenario() -> list[str]:
        with installation.serving("--workers", workers) as child:
            load = Load(child.url, installation.key)
            clients = [asyncio.create_task(load.client(number)) for number in range(8)]
            async with asyncio.timeout(60):
                await load.enough.wait()
            assert await asyncio.to_thread(child.end) == 0
            await asyncio.gather(*clients)
            return load.answered

    answered = asyncio.run(scenario())
    assert sorted(answered) == sorted(asyncio.run(logged(installation)))


async def logged(installation: Installation) -> list[str]:
    storage = open_storage(installation.state)
    whole = (datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))
    checks = Query("main", ("shop",), *whole, action=Choice(("check_ip",)))
    found = await storage.read(lambda reader: reader.search(checks, 10_000))
    await storage.close()
    return [entry.request_id for entry in found]
