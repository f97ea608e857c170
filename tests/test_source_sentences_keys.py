"""Every sentence of CHeKT's security pages that is about keys, as a test of the same name."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from mcp import Client

import storage_samples as sample
from chekt_mcp.domain import api_key
from chekt_mcp.domain.api_key import KeyKind
from chekt_mcp.domain.app import Environment
from chekt_mcp.domain.audit import Kind, NewEntry, Result
from chekt_mcp.domain.scope import Scope
from chekt_mcp.secrets.file import read_key_file
from world import Person, Randomness, World, refusal, structured, words

pytestmark = pytest.mark.anyio
CONFIRMS = {"app": "shop", "override": "rotate again"}


async def call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    return structured(await client.call_tool(tool, arguments))


async def problem(world: World, key: str) -> str | None:
    async with world.client(key) as client:
        found = (await call(client, "whoami"))["problem"]
    return found["code"] if found else None


def delivered(world: World, kind: str = "api_key", app: str = "shop") -> str:
    return read_key_file(world.directory / "secrets" / "acme" / f"{app}.{kind}")


def api_call(world: World, key_id: str, source: str) -> NewEntry:
    return NewEntry(
        dealer="acme",
        timestamp=world.clock(),
        actor="shop",
        kind=Kind.API_CALL,
        action="GET /v1/devices",
        result=Result.OK,
        request_id=f"req_{source}",
        app="shop",
        source_ip=source,
        key_id=key_id,
    )


async def test_rotate_api_keys_quarterly(world: World) -> None:
    key = await world.add_app("shop")
    async with world.client(key) as client:
        assert (await call(client, "get_key_status"))["rotation_due"] == "2026-09-29T12:00:00Z"


async def test_rotate_immediately_after_any_team_member_with_access_leaves(world: World) -> None:
    key = await world.add_app("shop", authority="platform")
    async with world.client(key) as client:
        world.clock.forward(days=5)
        await client.call_tool("rotate_key", {"reason": "team_change"})
        world.clock.forward(days=1)
        assert (await call(client, "get_key_status"))["rotation_due"] == "2026-07-06T12:00:00Z"


async def test_rotate_any_time_you_suspect_compromise(world: World) -> None:
    key = await world.add_app("shop")
    person = Person(typed=CONFIRMS)
    async with world.client(key, person=person) as client:
        assert (await call(client, "rotate_key", reason="scheduled"))["status"] == "rotated"
        forced = await call(client, "rotate_key", reason="suspected_compromise", revoke_previous_now=True, force=True)
    assert forced["status"] == "rotated"


async def test_rotation_is_a_one_click_operation_in_the_dealer_portal(world: World) -> None:
    key = await world.add_app("shop", authority="platform")
    async with world.client(key) as client:
        steps = (await call(client, "rotate_key", reason="scheduled"))["steps"]
    assert steps[0] == "In the dealer portal open Settings → CHeKT Apps → shop → Security."
    assert steps[1].startswith("Click Rotate key")


async def test_chekt_generates_a_new_key_and_shows_it_once(world: World) -> None:
    key = await world.add_app("shop", authority="platform")
    async with world.client(key) as client:
        steps = (await call(client, "rotate_key", reason="scheduled"))["steps"]
    assert "CHeKT shows the new key once" in steps[1]


async def test_copy_the_new_key_into_your_secret_manager(world: World) -> None:
    key = await world.add_app("shop")
    async with world.client(key, person=Person(typed=CONFIRMS)) as client:
        result = await client.call_tool("rotate_key", {"reason": "scheduled"})
    assert structured(result)["delivered_to"]["reference"] == "acme/shop.api_key in the secrets directory"
    assert delivered(world) not in words(result) + json.dumps(structured(result))


async def test_the_old_key_is_still_valid_for_24_hours(world: World) -> None:
    old = await world.add_app("shop")
    async with world.client(old, person=Person(typed=CONFIRMS)) as client:
        until = (await call(client, "rotate_key", reason="scheduled"))["previous_valid_until"]
    assert until == "2026-07-02T12:00:00Z"
    world.clock.now += timedelta(hours=24, microseconds=-1)
    assert await problem(world, old) is None
    world.clock.now += timedelta(microseconds=1)
    assert await problem(world, old) == "expired_key"
    assert await problem(world, delivered(world)) is None


async def test_confirm_everything_is_calling_with_the_new_key_by_watching_the_request_log(world: World) -> None:
    await world.add_app("shop")
    ops = await world.add_app("ops", covers=("shop",))
    async with world.client(ops, person=Person(typed=CONFIRMS)) as client:
        old = (await call(client, "get_key_status", app="shop"))["current"]["key_id"]
        await world.log(api_call(world, old, "192.0.2.9"))
        new = (await call(client, "rotate_key", app="shop", reason="scheduled"))["key_id"]
        world.clock.forward(hours=2)
        assert (await call(client, "get_key_status", app="shop"))["safe_to_revoke"] == "no"
        await world.log(api_call(world, new, "192.0.2.9"))
        assert (await call(client, "get_key_status", app="shop"))["safe_to_revoke"] == "yes"


async def test_revoke_previous_ends_the_grace_period_early(world: World) -> None:
    old = await world.add_app("shop")
    async with world.client(old, person=Person(typed=CONFIRMS)) as client:
        await client.call_tool("rotate_key", {"reason": "scheduled"})
        assert (await call(client, "revoke_previous_key"))["status"] == "revoked"
    assert await problem(world, old) == "revoked_key"


async def test_click_revoke_previous_in_the_dealer_portal(world: World) -> None:
    key = await world.add_app("shop", authority="platform")
    async with world.client(key) as client:
        answer = await call(client, "revoke_previous_key")
    assert answer["status"] == "portal_required"
    assert answer["steps"][1].startswith("Click Revoke previous.")


async def test_you_can_deploy_without_downtime(world: World) -> None:
    old = await world.add_app("shop")
    async with world.client(old, person=Person(typed=CONFIRMS)) as client:
        await client.call_tool("rotate_key", {"reason": "scheduled"})
    world.clock.forward(hours=12)
    assert [await problem(world, key) for key in (old, delivered(world))] == [None, None]


async def test_every_action_is_logged_with_the_app_name_and_request_id(world: World) -> None:
    key = await world.add_app("shop")
    async with world.client(key, person=Person(typed=CONFIRMS)) as client:
        await client.call_tool("rotate_key", {"reason": "scheduled"})
        await client.call_tool("revoke_previous_key", {})
    entries = await world.entries()
    assert {"approval.request", "approval.approve", "key.rotate", "key.revoke"} <= {entry.action for entry in entries}
    assert all(entry.app == "shop" and entry.request_id for entry in entries)


async def test_a_leaked_devices_read_key_cannot_dispatch_a_guard_or_arm_a_partition(world: World) -> None:
    leaked = await world.add_app("shop", scopes=(Scope.DEVICES_READ,))
    async with world.client(leaked) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["whoami"]
        assert "permission_denied" in refusal(await client.call_tool("rotate_key", {"reason": "scheduled"}))


async def test_the_webhook_signing_secret_is_separate_from_your_api_key(world: World) -> None:
    key = await world.add_app("shop")
    async with world.client(key, person=Person(typed=CONFIRMS)) as client:
        before = (await call(client, "get_key_status"))["current"]["key_id"]
        await client.call_tool("rotate_key", {"reason": "scheduled", "kind": "signing_secret"})
        assert (await call(client, "get_key_status"))["current"]["key_id"] == before
    assert await problem(world, delivered(world, "signing_secret")) == "signing_secret_given"


async def test_each_app_has_one_signing_secret(world: World) -> None:
    await world.add_app("shop")
    await world.add_app("other")
    for app in ("shop", "other"):
        assert len(await world.storage.read(sample.work("keys", "acme", app, KeyKind.SIGNING_SECRET))) == 1
    assert world.secrets["acme", "shop"] != world.secrets["acme", "other"]


async def test_rotate_and_revoke_immediately_without_waiting_the_24_hour_grace_period(world: World) -> None:
    leaked = await world.add_app("shop")
    person = Person(typed=CONFIRMS)
    async with world.client(leaked, person=person) as client:
        answer = await call(client, "rotate_key", reason="suspected_compromise", revoke_previous_now=True)
    assert answer["previous_valid_until"] is None
    assert "The old one stops working AT ONCE; whatever still uses it fails." in person.shown[0]
    assert await problem(world, leaked) == "revoked_key"


async def test_an_api_key_is_per_app_dealer_scoped_rotatable_and_paired_with_scopes(world: World) -> None:
    key = await world.add_app("shop", scopes=(Scope.KEYS_READ, Scope.KEYS_WRITE))
    await world.add_app("shop", dealer="other")
    async with world.client(key, person=Person(typed=CONFIRMS)) as client:
        me = await call(client, "whoami")
        assert (await call(client, "rotate_key", reason="scheduled"))["status"] == "rotated"
    assert (me["dealer"], [app["app"] for app in me["apps"]]) == ("acme", ["shop"])
    assert me["scopes"] == ["keys:read", "keys:write"]
    assert len(await world.storage.read(lambda reader: reader.keys("other", "shop", KeyKind.API_KEY))) == 1


@pytest.mark.parametrize(("env", "start"), [("live", "chekt_live_"), ("test", "chekt_test_")])
async def test_a_key_is_a_prefix_then_32_or_more_characters_with_a_checksum(env: str, start: str) -> None:
    for kind, prefix in ((KeyKind.API_KEY, start), (KeyKind.SIGNING_SECRET, start.replace("chekt_", "chekt_whsec_"))):
        value = api_key.mint(kind, Environment(env), Randomness())
        assert re.fullmatch(re.escape(prefix) + "[A-Za-z0-9]{38}", value)
        assert api_key.checksum_holds(value)


async def test_a_second_rotation_during_grace_is_refused_with_the_hours_left_and_a_person_may_force_it(
    world: World,
) -> None:
    key = await world.add_app("shop")
    async with world.client(key, person=Person(typed=CONFIRMS)) as client:
        await client.call_tool("rotate_key", {"reason": "scheduled"})
        world.clock.forward(hours=4)
        refused = await call(client, "rotate_key", reason="other")
        assert (refused["code"], "20 h more" in refused["message"]) == ("grace_period_active", True)
        assert (await call(client, "rotate_key", reason="other", force=True))["status"] == "rotated"


async def test_after_a_signing_secret_rotation_current_and_previous_both_verify_for_24_hours(world: World) -> None:
    key = await world.add_app("shop")
    async with world.client(key, person=Person(typed=CONFIRMS)) as client:
        await client.call_tool("rotate_key", {"reason": "scheduled", "kind": "signing_secret"})
        old = {"headers": world.sign(b'{"id":"evt_1"}'), "body": '{"id":"evt_1"}'}
        assert (await call(client, "verify_webhook", **old))["signed_with"] == "previous"
        world.secrets["acme", "shop"] = delivered(world, "signing_secret")
        new = {"headers": world.sign(b'{"id":"evt_2"}'), "body": '{"id":"evt_2"}'}
        assert (await call(client, "verify_webhook", **new))["signed_with"] == "current"
