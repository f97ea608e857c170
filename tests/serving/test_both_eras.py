"""Real clients of both protocol eras over real sockets."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from chekt_mcp.domain.scope import Scope
from chekt_mcp.serving import endpoint
from http_site import serving
from world import Era, Person, World, refusal, structured

CHECK = {"addresses": ["203.0.113.9"]}


def test_a_key_opens_the_tools_of_its_scopes(world: World, era: Era) -> None:
    async def scenario() -> None:
        key = await world.add_app("shop", scopes=(Scope.ALLOWLIST_READ,), allow_list="203.0.113.0/24\n127.0.0.1")
        async with serving(world) as served, served.client(key, era) as client:
            names = [tool.name for tool in (await client.list_tools()).tools]
            assert names == ["whoami", "check_ip", "get_allow_list", "preview_allow_list"]
            assert structured(await client.call_tool("check_ip", CHECK))["counts"] == {"allowed": 1}

    asyncio.run(scenario())


def test_a_call_is_logged_with_the_address_it_came_from(world: World, era: Era) -> None:
    async def scenario() -> None:
        key = await world.add_app("shop")
        async with serving(world) as served, served.client(key, era) as client:
            await client.call_tool("check_ip", CHECK)
        (entry,) = await world.entries(action="check_ip")
        assert (entry.source, entry.source_ip, entry.actor) == ("http", "127.0.0.1", "app:shop")

    asyncio.run(scenario())


def test_the_gate_inside_decides_for_a_key_without_the_scope(world: World, era: Era) -> None:
    async def scenario() -> None:
        key = await world.add_app("shop", scopes=(Scope.ALLOWLIST_READ,))
        async with serving(world) as served, served.client(key, era) as client:
            assert refusal(await client.call_tool("get_key_status", {})).startswith("permission_denied")

    asyncio.run(scenario())


def test_a_person_confirms_in_the_client(world: World, era: Era) -> None:
    async def scenario() -> None:
        key = await world.add_app("shop", confirm="client")
        person = Person(typed={"app": "shop"})
        async with serving(world) as served, served.client(key, era, person=person) as client:
            answer = structured(await client.call_tool("rotate_key", {"reason": "scheduled"}))
        assert answer["status"] == "rotated"
        assert len(person.shown) == 1

    asyncio.run(scenario())


def test_a_client_that_opens_sessions_without_end_leaves_room_for_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "MOST_SESSIONS_EACH", 3)
    params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}

    async def scenario() -> None:
        shop, kiosk = await world.add_app("shop"), await world.add_app("kiosk")
        async with serving(world) as served:
            opened = [await served.post(shop, hello) for _ in range(4)]
            assert [one.status_code for one in opened] == [200, 200, 200, 429]
            assert opened[3].json()["error"]["request_id"] == opened[3].headers["x-request-id"]
            session = {"Mcp-Session-Id": opened[0].headers["mcp-session-id"]}
            assert (await served.post(shop, {**hello, "method": "ping", "params": {}}, session)).status_code == 200
            assert (await served.post(kiosk, hello)).status_code == 200
            async with httpx.AsyncClient(trust_env=False) as http:
                await http.delete(served.url, headers={**session, "Authorization": f"Bearer {shop}"})
            assert (await served.post(shop, hello)).status_code == 200
        (entry,) = await world.entries(action="http_request")
        assert entry.details["outcome"] == "too_many_sessions"

    asyncio.run(scenario())


def test_a_session_belongs_to_the_app_that_opened_it(world: World) -> None:
    async def scenario() -> None:
        first, second = await world.add_app("shop"), await world.add_app("kiosk")
        client = {"name": "test", "version": "1"}
        begin = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client}
        async with serving(world) as served:
            opened = await served.post(first, {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": begin})
            session = {"Mcp-Session-Id": opened.headers["mcp-session-id"], "MCP-Protocol-Version": "2025-11-25"}
            listed = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
            assert (await served.post(first, listed, session)).status_code == 200
            assert (await served.post(second, listed, session)).status_code == 404

    asyncio.run(scenario())


def test_no_stream_is_held_open_for_news_that_never_come(world: World) -> None:
    async def scenario() -> None:
        key = await world.add_app("shop")
        meta = {
            "protocolVersion": "2026-07-28",
            "clientInfo": {"name": "test", "version": "1"},
            "clientCapabilities": {},
        }
        listen = {
            "_meta": {f"io.modelcontextprotocol/{name}": value for name, value in meta.items()},
            "notifications": {"toolsListChanged": True},
        }
        message = {"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": listen}
        headers = {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "subscriptions/listen"}
        async with serving(world) as served, asyncio.timeout(20):
            assert (await served.post(key, message, headers)).status_code == 404
            async with served.client(key) as client:
                assert client.server_capabilities.tools
                assert not client.server_capabilities.tools.list_changed

    asyncio.run(scenario())
