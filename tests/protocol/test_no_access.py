"""A caller without a usable key is offered `whoami` alone, which says what is wrong and how to mend it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from chekt_mcp.domain.api_key import Key, KeyKind, KeyState
from chekt_mcp.errors import StateUnusable
from chekt_mcp.server import build_server
from chekt_mcp.tools.gateway import Gateway
from world import Era, World, refusal, structured, words

pytestmark = pytest.mark.anyio


async def problem_code(world: World, era: Era, key: str | None, *, key_file: Path | None = None) -> str:
    """Check that nothing but whoami is open, and return what whoami says is wrong."""
    async with world.client(key, era, key_file=key_file) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["whoami"]
        answer = structured(await client.call_tool("whoami", {}))
        denied = refusal(await client.call_tool("check_ip", {"addresses": ["203.0.113.7"]}))
    problem = answer["problem"]
    assert problem["message"]
    assert problem["fix"]
    assert denied.startswith(problem["code"])
    assert (answer["principal"], answer["dealer"], answer["apps"]) == (None, None, [])
    return str(problem["code"])


async def change_key(world: World, **changes: object) -> None:
    async def current() -> Key:
        stored = await world.storage.read(lambda reader: reader.keys("acme", "shop", KeyKind.API_KEY))
        return stored[0].key

    key = replace(await current(), **changes)  # type: ignore[arg-type]  # field names checked at run time
    await world.storage.write(lambda writer: writer.update_key(key))


async def test_no_key(world: World, era: Era) -> None:
    assert await problem_code(world, era, None) == "no_key"


async def test_malformed_key(world: World, era: Era) -> None:
    assert await problem_code(world, era, "not a key") == "malformed_key"


async def test_a_signing_secret_in_place_of_the_key(world: World, era: Era) -> None:
    await world.add_app("shop")
    assert await problem_code(world, era, world.secrets["acme", "shop"]) == "signing_secret_given"


async def test_unknown_key(world: World, era: Era) -> None:
    await world.add_app("shop")
    assert await problem_code(world, era, "chekt_test_" + "A" * 38) == "unknown_key"


async def test_a_mistyped_key_is_told_apart_by_its_checksum(world: World) -> None:
    key = await world.add_app("shop")
    wrong = key[:-1] + ("a" if key[-1] != "a" else "b")
    async with world.client(wrong) as client:
        answer = structured(await client.call_tool("whoami", {}))
    assert "checksum" in answer["problem"]["message"]


async def test_revoked_key(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    await change_key(world, state=KeyState.REVOKED, revoked_at=world.clock())
    assert await problem_code(world, era, key) == "revoked_key"


async def test_previous_key_works_until_its_grace_is_over_to_the_second(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    await change_key(world, state=KeyState.PREVIOUS, valid_until=world.clock() + timedelta(hours=24))
    world.clock.forward(hours=24, seconds=-1)
    async with world.client(key, era) as client:
        assert structured(await client.call_tool("whoami", {}))["problem"] is None
    world.clock.forward(seconds=1)
    assert await problem_code(world, era, key) == "expired_key"


async def test_missing_key_file(world: World, era: Era, tmp_path: Path) -> None:
    assert await problem_code(world, era, None, key_file=tmp_path / "nothing") == "key_file_missing"


async def test_a_key_file_is_read_again_when_it_changes(world: World, era: Era, tmp_path: Path) -> None:
    file = tmp_path / "shop.api_key"
    key = await world.add_app("shop")
    async with world.client(None, era, key_file=file) as client:
        assert structured(await client.call_tool("whoami", {}))["problem"]["code"] == "key_file_missing"
        file.write_text(key + "\n")
        file.chmod(0o600)
        assert structured(await client.call_tool("whoami", {}))["principal"] == "app:shop"


async def test_refused_calls_of_a_revoked_key_are_in_its_dealers_log(world: World) -> None:
    key = await world.add_app("shop")
    await change_key(world, state=KeyState.REVOKED, revoked_at=world.clock())
    async with world.client(key) as client:
        await client.call_tool("check_ip", {"addresses": ["203.0.113.7"]})
    entry = (await world.entries())[-1]
    assert (entry.action, entry.result, entry.details["outcome"]) == ("check_ip", "denied", "revoked_key")


async def test_a_state_that_cannot_be_used_leaves_whoami_which_says_so(era: Era, world: World) -> None:
    def broken() -> object:
        raise StateUnusable("The database is damaged.", code="state_corrupt", fix="Restore a backup.")

    gateway = Gateway(broken, world.gateway().identify, "stdio")  # type: ignore[arg-type]  # it only raises
    from mcp import Client  # noqa: PLC0415 -- this test alone builds its own client

    async with Client(build_server(gateway), mode="auto" if era == "modern" else "legacy") as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["whoami"]
        said = words(await client.call_tool("whoami", {}))
        assert "state_corrupt" in said
        assert "Restore a backup." in said
        assert refusal(await client.call_tool("get_key_status", {})).startswith("state_corrupt")
