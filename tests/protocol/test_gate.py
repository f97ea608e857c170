"""Each tool is opened by the caller's scopes only, shown or hidden accordingly, and every call is recorded."""

from __future__ import annotations

import pytest

from calls import MINIMAL
from chekt_mcp.domain.audit import Kind, Result
from chekt_mcp.domain.scope import SERVER_SCOPES, Scope
from chekt_mcp.server import build_server
from chekt_mcp.tools.catalog import CATALOG
from world import Era, World, refusal, structured, words

pytestmark = pytest.mark.anyio


def test_every_tool_of_the_catalogue_has_a_case_here() -> None:
    assert list(MINIMAL) == list(CATALOG)


@pytest.mark.parametrize("name", [name for name, spec in CATALOG.items() if spec.scope])
async def test_a_tool_is_closed_without_its_scope_and_the_refusal_names_it(world: World, era: Era, name: str) -> None:
    needed = CATALOG[name].scope
    assert needed is not None
    others = tuple(scope for scope in SERVER_SCOPES if scope is not needed)
    key = await world.add_app("shop", scopes=others)
    async with world.client(key, era) as client:
        shown = [tool.name for tool in (await client.list_tools()).tools]
        result = await client.call_tool(name, MINIMAL[name])
    assert name not in shown
    assert refusal(result).startswith("permission_denied")
    assert needed in refusal(result)
    entry = (await world.entries(kind=Kind.TOOL_CALL))[-1]
    assert (entry.action, entry.result, entry.scope) == (name, Result.DENIED, needed)


@pytest.mark.parametrize("name", [name for name, spec in CATALOG.items() if spec.scope])
async def test_its_scope_alone_opens_a_tool(world: World, era: Era, name: str) -> None:
    needed = CATALOG[name].scope
    assert needed is not None
    key = await world.add_app("shop", scopes=(needed,))
    async with world.client(key, era) as client:
        shown = [tool.name for tool in (await client.list_tools()).tools]
        result = await client.call_tool(name, MINIMAL[name])
    assert shown == [other for other, spec in CATALOG.items() if spec.scope in (None, needed)]
    assert "permission_denied" not in words(result)


async def test_tools_are_listed_in_the_catalogues_order_and_privately(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    async with world.client(key, era) as client:
        listed = await client.list_tools()
    assert [tool.name for tool in listed.tools] == list(CATALOG)
    assert listed.cache_scope == "private"


async def test_every_listed_tool_has_title_annotations_and_both_schemas(world: World) -> None:
    key = await world.add_app("shop")
    async with world.client(key) as client:
        for tool in (await client.list_tools()).tools:
            assert tool.title
            assert tool.description
            assert tool.input_schema["additionalProperties"] is False
            assert tool.output_schema
            assert tool.annotations is not None
            assert None not in (
                tool.annotations.read_only_hint,
                tool.annotations.destructive_hint,
                tool.annotations.idempotent_hint,
                tool.annotations.open_world_hint,
            )


async def test_nothing_outside_the_catalogue_can_be_registered(world: World) -> None:
    server = build_server(world.gateway())
    with pytest.raises(TypeError, match="catalog"):
        server.tool()(lambda: "hello")
    with pytest.raises(TypeError):
        server.add_prompt(object())
    with pytest.raises(TypeError):
        server.add_resource(object())
    with pytest.raises(TypeError):
        server.resource("chekt://{name}")(lambda name: name)


async def test_an_unknown_tool_is_refused_and_recorded_without_its_name(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    async with world.client(key, era) as client:
        result = await client.call_tool("drop_everything", {"app": "shop"})
    assert refusal(result).startswith("unknown_tool")
    assert "drop_everything" not in words(result)
    assert (await world.entries())[-1].action == "unknown_tool"


async def test_every_call_is_recorded_with_who_what_and_how_it_ended(world: World, era: Era) -> None:
    key = await world.add_app("shop", allow_list="203.0.113.0/24")
    async with world.client(key, era) as client:
        structured(await client.call_tool("check_ip", {"addresses": ["203.0.113.7"]}))
    (entry,) = await world.entries(kind=Kind.TOOL_CALL)
    assert (entry.actor, entry.app, entry.action) == ("app:shop", "shop", "check_ip")
    assert (entry.scope, entry.result, entry.source) == (Scope.ALLOWLIST_READ, Result.OK, "stdio")
    assert entry.request_id.startswith("req_")
    assert entry.key_id
    assert entry.timestamp == world.clock()


async def test_a_scope_taken_away_closes_the_tool_at_the_next_call(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    async with world.client(key, era) as client:
        structured(await client.call_tool("get_key_status", {}))
        app = await world.storage.read(lambda reader: reader.app("acme", "shop"))
        assert app is not None
        from dataclasses import replace  # noqa: PLC0415 -- used once

        narrowed = replace(app, scopes=frozenset({Scope.ALLOWLIST_READ}))
        await world.storage.write(lambda writer: writer.update_app(narrowed, world.clock()))
        assert "permission_denied" in refusal(await client.call_tool("get_key_status", {}))


async def test_another_dealers_app_reads_exactly_as_an_unknown_one(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    await world.add_app("rival", dealer="other")
    async with world.client(key, era) as client:
        foreign = refusal(await client.call_tool("get_key_status", {"app": "rival"}))
        unknown = refusal(await client.call_tool("get_key_status", {"app": "no-such"}))
        uncovered = refusal(await client.call_tool("search_audit_log", {"app": "rival"}))
    assert foreign == unknown == uncovered
    assert foreign.startswith("unknown_app (app)")


async def test_an_app_must_be_named_when_several_are_covered(world: World, era: Era) -> None:
    await world.add_app("shop")
    key = await world.add_app("ops", covers=("shop",))
    async with world.client(key, era) as client:
        assert refusal(await client.call_tool("get_key_status", {})).startswith("app_required (app)")
        assert structured(await client.call_tool("get_key_status", {"app": "shop"}))["app"] == "shop"
