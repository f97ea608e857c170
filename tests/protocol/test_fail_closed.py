"""What cannot be read or recorded is refused, and the refusal says so; nothing is guessed and nothing half-done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from mcp import Client

from chekt_mcp.auth.caller import by_key
from chekt_mcp.auth.credential import KeySource
from chekt_mcp.domain.allow_list.version import AllowListVersion
from chekt_mcp.errors import SecretUnreadable, StateUnusable
from chekt_mcp.secrets.sealing import Sealer
from chekt_mcp.server import build_server
from chekt_mcp.storage.interface import Reader, Storage, Writer
from chekt_mcp.tools.gateway import Gateway
from world import MODES, Era, Person, World, refusal, structured

pytestmark = pytest.mark.anyio

FULL = StateUnusable("The disk is full.", code="state_full", fix="Make room, then try again.")


class Failing:
    """A storage whose verbs fail when told to; otherwise the real one."""

    def __init__(self, real: Storage) -> None:
        self._real = real
        self.fails: set[str] = set()

    async def read(self, work: Callable[[Reader], Awaitable[Any]]) -> Any:
        return await self._do("read", work)

    async def scan(self, work: Callable[[Reader], Awaitable[Any]]) -> Any:
        return await self._do("scan", work)

    async def write(self, work: Callable[[Writer], Awaitable[Any]]) -> Any:
        return await self._do("write", work)

    async def write_briefly(self, work: Callable[[Writer], Awaitable[Any]]) -> Any:
        return await self._do("write", work)

    async def close(self) -> None:
        await self._real.close()

    async def _do(self, verb: str, work: Callable[[Any], Awaitable[Any]]) -> Any:
        if verb in self.fails:
            raise FULL
        return await getattr(self._real, verb)(work)


def connect(world: World, storage: Failing, key: str, era: Era, person: Any = None) -> Client:
    services = world.services()
    broken = replace(services, storage=storage)
    source = KeySource(file=None, value=key, read_file=lambda path: path.read_text())
    gateway = Gateway(lambda: broken, by_key(source), "stdio", 5.0)
    return Client(build_server(gateway), mode=MODES[era], elicitation_callback=person)


async def test_an_answer_that_cannot_be_recorded_is_withheld(world: World, era: Era) -> None:
    key = await world.add_app("shop", allow_list="203.0.113.0/24")
    storage = Failing(world.storage)
    async with connect(world, storage, key, era) as client:
        storage.fails = {"write"}
        said = refusal(await client.call_tool("check_ip", {"addresses": ["203.0.113.7"]}))
        storage.fails = set()
        structured(await client.call_tool("check_ip", {"addresses": ["203.0.113.7"]}))
    assert said.startswith("audit_unavailable")
    assert "allowed" not in said


@pytest.mark.parametrize("verb", ["read", "scan"])
async def test_what_cannot_be_read_is_refused_and_said(world: World, era: Era, verb: str) -> None:
    key = await world.add_app("shop", allow_list="203.0.113.0/24")
    storage = Failing(world.storage)
    async with connect(world, storage, key, era) as client:
        storage.fails = {verb}
        for tool, arguments in (
            ("check_ip", {"addresses": ["203.0.113.7"]}),
            ("get_allow_list", {}),
            ("get_key_status", {}),
            ("search_audit_log", {}),
            ("analyze_audit_log", {}),
            ("correlate_requests", {"request_ids": ["req_1"]}),
            ("verify_webhook", {"headers": {}, "body": "{}"}),
        ):
            result = await client.call_tool(tool, arguments)
            if result.is_error:
                assert refusal(result).startswith("state_full")
                assert "Make room" in refusal(result)
            else:
                assert verb == "scan"
        storage.fails = set()
        structured(await client.call_tool("whoami", {}))


async def test_a_change_that_cannot_be_stored_has_not_happened(world: World, era: Era) -> None:
    key = await world.add_app("shop", allow_list="203.0.113.0/24")
    storage = Failing(world.storage)

    async def disk_fills() -> None:
        storage.fails = {"write"}

    person = Person(typed={"app": "shop"}, before=disk_fills)
    async with connect(world, storage, key, era, person) as client:
        said = refusal(await client.call_tool("update_allow_list", {"entries": "192.0.2.1", "reason": "x"}))
        storage.fails = set()
        listed = structured(await client.call_tool("get_allow_list", {}))
    assert said.startswith("audit_unavailable")
    assert (listed["version"], listed["entries"][0]["network"]) == (1, "203.0.113.0/24")


async def test_a_stored_list_that_does_not_parse_allows_and_denies_nothing(world: World, era: Era) -> None:
    key = await world.add_app("shop", allow_list="203.0.113.0/24")
    damaged = AllowListVersion(
        "acme", "shop", 2, enabled=True, text="203.0.113.0/24\n???", effective_at=world.clock(), set_by="x", reason="x"
    )
    await world.storage.write(lambda writer: writer.add_allow_list(damaged))
    async with world.client(key, era) as client:
        said = refusal(await client.call_tool("check_ip", {"addresses": ["203.0.113.7"]}))
        assert refusal(await client.call_tool("get_allow_list", {})).startswith("allow_list_unreadable")
    assert said.startswith("allow_list_unreadable")


async def test_a_signing_secret_that_cannot_be_opened_verifies_nothing(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    headers = world.sign(b"{}")
    world.sealer = Sealer(b"o" * 32, world.random)
    async with world.client(key, era) as client:
        said = refusal(await client.call_tool("verify_webhook", {"headers": headers, "body": "{}"}))
    assert said.startswith("secret_unreadable")


async def test_an_unknown_scope_in_the_grant_opens_nothing(world: World) -> None:
    key = await world.add_app("shop", scopes=())
    async with world.client(key) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["whoami"]
        assert "permission_denied" in refusal(await client.call_tool("get_key_status", {}))


async def test_a_sink_that_breaks_while_the_person_decides_leaves_the_old_key_in_force(world: World, era: Era) -> None:
    key = await world.add_app("shop")

    async def breaks() -> None:
        (world.directory / "secrets" / "acme" / "shop.api_key").mkdir(parents=True)

    async with world.client(key, era, person=Person(typed={"app": "shop"}, before=breaks)) as client:
        answer = structured(await client.call_tool("rotate_key", {"reason": "scheduled"}))
        status = structured(await client.call_tool("get_key_status", {}))
    assert (answer["status"], answer["code"]) == ("refused", "delivery_failed")
    assert (status["previous"], status["used_by_this_session"]) == (None, True)


async def test_nobody_is_asked_to_confirm_a_key_that_could_not_be_sealed(world: World, era: Era) -> None:
    key = await world.add_app("shop")

    def unreadable() -> Sealer:
        raise SecretUnreadable("The key-encryption key is missing.", fix="Restore the file kek.")

    broken = replace(world.services(), sealing=unreadable)
    source = KeySource(file=None, value=key, read_file=lambda path: path.read_text())
    gateway = Gateway(lambda: broken, by_key(source), "stdio", 5.0)
    person = Person(typed={"app": "shop"})
    async with Client(build_server(gateway), mode=MODES[era], elicitation_callback=person) as client:
        for kind in ("api_key", "signing_secret"):
            said = refusal(await client.call_tool("rotate_key", {"reason": "scheduled", "kind": kind}))
            assert said.startswith("secret_unreadable")
    assert person.shown == []
