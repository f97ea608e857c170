"""What each tool answers, through a real client in both eras."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from api_traffic import traffic
from chekt_mcp.domain import api_key
from chekt_mcp.domain.audit import Kind
from chekt_mcp.domain.scope import SERVER_SCOPES, Scope
from chekt_mcp.tools.catalog import CATALOG
from world import Era, Person, World, structured, words

pytestmark = pytest.mark.anyio

BODY = json.dumps({"id": "evt_1", "type": "alarm.created", "created_at": "2026-07-01T12:00:00Z", "data": {}}).encode()


async def test_whoami_tells_apps_scopes_tools_and_what_is_missing(world: World, era: Era) -> None:
    key = await world.add_app("shop", scopes=(Scope.ALLOWLIST_READ,))
    async with world.client(key, era) as client:
        result = await client.call_tool("whoami", {})
    me = structured(result)
    assert (me["principal"], me["credential"], me["dealer"]) == ("app:shop", "api_key", "acme")
    assert me["apps"] == [{"app": "shop", "env": "test", "authority": "local"}]
    allowed = ["whoami", "check_ip", "get_allow_list", "preview_allow_list"]
    assert [tool["name"] for tool in me["tools"] if tool["allowed"]] == allowed
    assert {tool["name"]: tool["missing_scopes"] for tool in me["tools"]}["rotate_key"] == ["keys:write"]
    assert "rotate_key (needs keys:write)" in words(result)


async def test_check_ip_gives_verdict_entry_and_nearest(world: World, era: Era) -> None:
    key = await world.add_app("shop", allow_list="203.0.113.0/24 # office\n2001:db8::/32")
    addresses = ["203.0.113.200", "203.0.114.1", "::ffff:203.0.113.9", "nonsense", "2001:DB8::1"]
    async with world.client(key, era) as client:
        result = await client.call_tool("check_ip", {"addresses": addresses})
    answer = structured(result)
    assert [one["verdict"] for one in answer["results"]] == ["allowed", "denied", "allowed", "invalid", "allowed"]
    assert answer["results"][0]["matched"] == "203.0.113.0/24"
    assert answer["results"][1]["nearest"] == "203.0.113.0/24"
    assert answer["counts"] == {"allowed": 3, "denied": 1, "invalid": 1}
    assert "203.0.114.1: denied" in words(result)


@pytest.mark.parametrize("listed", [None, "off"])
async def test_a_layer_that_is_off_is_never_called_allowed(world: World, era: Era, listed: str | None) -> None:
    key = await world.add_app("shop", allow_list="203.0.113.0/24" if listed else None)
    async with world.client(key, era, person=Person(typed={"app": "shop"})) as client:
        if listed:
            off = structured(await client.call_tool("update_allow_list", {"disable": True, "reason": "test"}))
            assert (off["status"], off["enabled"]) == ("applied", False)
        result = await client.call_tool("check_ip", {"addresses": ["203.0.113.7", "8.8.8.8"]})
    answer = structured(result)
    assert answer["counts"] == {"no_allow_list": 2}
    assert not answer["allow_list"]["enabled"]
    assert "OFF" in words(result)


async def test_a_new_list_is_in_force_at_the_next_call(world: World, era: Era) -> None:
    key = await world.add_app("shop", allow_list="203.0.113.0/24")
    person = Person(typed={"app": "shop"})
    change = {"entries": "198.51.100.0/24 # new office", "reason": "we moved", "expected_version": 1}
    async with world.client(key, era, person=person) as client:
        applied = structured(await client.call_tool("update_allow_list", change))
        checked = structured(await client.call_tool("check_ip", {"addresses": ["203.0.113.7", "198.51.100.7"]}))
    assert (applied["status"], applied["version"]) == ("applied", 2)
    assert (applied["added"], applied["removed"]) == (["198.51.100.0/24"], ["203.0.113.0/24"])
    assert applied["effective_by"] <= "2026-07-01T12:00:30Z"
    assert [one["verdict"] for one in checked["results"]] == ["denied", "allowed"]
    assert "Reason given by the caller (not checked): we moved" in person.shown[0]


async def test_the_confirmation_says_what_real_traffic_a_list_would_refuse(world: World) -> None:
    key = await world.add_app("shop", allow_list="203.0.113.0/24")
    await world.log(*traffic(world, "203.0.113.7", 30), *traffic(world, "198.51.100.9", 12))
    person = Person(typed={"app": "shop"})
    async with world.client(key, person=person) as client:
        await client.call_tool("update_allow_list", {"entries": "203.0.113.0/24\n192.0.2.1", "reason": "x"})
    assert "Of 42 requests in the last 7 days it would refuse 12, from 1 address." in person.shown[0]


async def test_a_wrong_expected_version_is_refused(world: World, era: Era) -> None:
    key = await world.add_app("shop", allow_list="203.0.113.0/24")
    change = {"entries": "198.51.100.0/24", "reason": "x", "expected_version": 7}
    async with world.client(key, era, person=Person(typed={"app": "shop"})) as client:
        answer = structured(await client.call_tool("update_allow_list", change))
    assert (answer["status"], answer["code"]) == ("refused", "version_conflict")


async def test_a_list_that_covers_everything_needs_its_own_word(world: World, era: Era) -> None:
    key = await world.add_app("shop", allow_list="203.0.113.0/24")
    change = {"entries": "0.0.0.0/1\n128.0.0.0/1", "reason": "x"}
    async with world.client(key, era, person=Person(typed={"app": "shop"})) as client:
        assert structured(await client.call_tool("update_allow_list", change))["status"] == "refused"
    both = Person(typed={"app": "shop", "override": "open to everyone"})
    async with world.client(key, era, person=both) as client:
        assert structured(await client.call_tool("update_allow_list", change))["status"] == "applied"
    assert "EVERY address" in both.shown[0]


async def test_get_allow_list_says_one_entry_and_what_it_was_not_used_for(world: World, era: Era) -> None:
    key = await world.add_app("shop", allow_list="203.0.113.0/24")
    await world.log(*traffic(world, "198.51.100.9", 10, apart=timedelta(hours=20)))
    async with world.client(key, era) as client:
        said = words(await client.call_tool("get_allow_list", {})).splitlines()
    assert said[0].endswith(", 1 entry.")
    assert said[1] == "203.0.113.0/24: no request in the last 90 days of the log"
    assert said[-1].startswith("Not on the list, but steady: 198.51.100.9, 10 requests on 8 days, last ")


async def test_get_allow_list_suggests_steady_sources_only_to_those_who_may_see_addresses(
    world: World, era: Era
) -> None:
    seeing = await world.add_app("shop", allow_list="203.0.113.0/24 # o\u202effice")
    blind = await world.add_app("desk", covers=("shop",), scopes=(Scope.ALLOWLIST_READ,))
    daily = traffic(world, "198.51.100.9", 10, apart=timedelta(hours=20))
    in_one_night = traffic(world, "192.0.2.77", 150)
    await world.log(*daily, *in_one_night, *traffic(world, "203.0.113.9", 5))
    async with world.client(seeing, era) as client:
        full = structured(await client.call_tool("get_allow_list", {}))
    async with world.client(blind, era) as client:
        cut = structured(await client.call_tool("get_allow_list", {"app": "shop"}))
    assert [one["network"] for one in full["suggested"]] == ["198.51.100.9"]
    assert full["entries"][0]["comment"] == "o\\u{202e}ffice"
    assert full["entries"][0]["last_matched_at"] is not None
    assert (cut["suggested"], cut["missing_scope"]) == (None, "operators:read")
    assert "198.51.100.9" not in json.dumps(cut)


async def test_verify_webhook_knows_a_genuine_delivery_and_a_replay(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    delivery = {"headers": world.sign(BODY), "body": BODY.decode()}
    async with world.client(key, era) as client:
        first = structured(await client.call_tool("verify_webhook", delivery))
        second = structured(await client.call_tool("verify_webhook", delivery))
    assert (first["verdict"], first["authentic"], first["fresh"], first["duplicate"]) == ("valid", True, True, False)
    assert first["signed_with"] == "current"
    assert first["event"] == {"id": "evt_1", "type": "alarm.created", "created_at": "2026-07-01T12:00:00Z"}
    assert (second["verdict"], second["duplicate"], second["seen"]["times"]) == ("replayed", True, 2)


async def test_a_retry_signed_afresh_is_valid_and_a_duplicate(world: World) -> None:
    key = await world.add_app("shop")
    async with world.client(key) as client:
        await client.call_tool("verify_webhook", {"headers": world.sign(BODY), "body": BODY.decode()})
        world.clock.forward(hours=2)
        again = {"headers": world.sign(BODY), "body": BODY.decode()}
        answer = structured(await client.call_tool("verify_webhook", again))
    assert (answer["verdict"], answer["duplicate"]) == ("valid", True)


async def test_verify_webhook_tells_cause_and_fix(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    reserialised = json.dumps(json.loads(BODY), separators=(",", ":"))
    async with world.client(key, era) as client:
        result = await client.call_tool("verify_webhook", {"headers": world.sign(BODY), "body": reserialised})
    answer = structured(result)
    assert (answer["verdict"], answer["cause"], answer["authentic"]) == ("invalid", "body_reserialized", False)
    assert answer["fix"] in words(result)


async def test_a_secret_of_an_app_outside_the_grant_is_never_tried(world: World) -> None:
    await world.add_app("other")
    mine = await world.add_app("shop")
    both = await world.add_app("ops", covers=("shop", "other"))
    delivery = {"headers": world.sign(BODY, app="other"), "body": BODY.decode()}
    async with world.client(mine) as client:
        blind = structured(await client.call_tool("verify_webhook", delivery))
    async with world.client(both) as client:
        seeing = structured(await client.call_tool("verify_webhook", {**delivery, "app": "shop"}))
    assert blind["cause"] != "secret_of_another_app"
    assert seeing["verdict"] == "invalid"
    assert "other" in seeing["explanation"] + (seeing["fix"] or "")


async def test_rotation_delivers_to_the_session_file_and_the_session_goes_on(
    world: World, era: Era, tmp_path: Path
) -> None:
    file = tmp_path / "client.key"
    old = await world.add_app("shop")
    file.write_text(old)
    file.chmod(0o600)
    person = Person(typed={"app": "shop"})
    async with world.client(None, era, key_file=file, person=person) as client:
        result = await client.call_tool("rotate_key", {"reason": "scheduled"})
        status = structured(await client.call_tool("get_key_status", {}))
    rotated, new = structured(result), file.read_text().strip()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert new != old
    assert api_key.checksum_holds(new)
    assert rotated["fingerprint"] == api_key.fingerprint(new)
    assert rotated["delivered_to"]["sink"] == "file"
    assert str(tmp_path) not in json.dumps(rotated)
    assert rotated["previous_valid_until"] == "2026-07-02T12:00:00Z"
    assert new not in repr(result)
    assert "This very session uses the key" in person.shown[0]
    assert status["current"]["key_id"] == rotated["key_id"]
    assert status["used_by_this_session"]
    assert status["previous"]["fingerprint"] == api_key.fingerprint(old)


async def test_a_second_rotation_in_the_grace_is_refused_with_the_hours_left(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    person = Person(typed={"app": "shop"})
    async with world.client(key, era, person=person) as client:
        await client.call_tool("rotate_key", {"reason": "scheduled"})
        world.clock.forward(hours=6)
        again = structured(await client.call_tool("rotate_key", {"reason": "other"}))
    assert (again["status"], again["code"]) == ("refused", "grace_period_active")
    assert "18 h" in again["message"]


async def test_forcing_a_second_rotation_needs_a_separate_word(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    forced = {"reason": "other", "force": True}
    async with world.client(key, era, person=Person(typed={"app": "shop"})) as client:
        await client.call_tool("rotate_key", {"reason": "scheduled"})
        assert structured(await client.call_tool("rotate_key", forced))["code"] == "wrong_text"
    both = Person(typed={"app": "shop", "override": "rotate again"})
    async with world.client(key, era, person=both) as client:
        assert structured(await client.call_tool("rotate_key", forced))["status"] == "rotated"
    async with world.client(key, era) as client:
        assert structured(await client.call_tool("whoami", {}))["problem"]["code"] == "revoked_key"


async def test_a_sink_that_cannot_be_written_changes_nothing(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    (world.directory / "secrets").write_text("a file where the folder should be")
    person = Person(typed={"app": "shop"})
    async with world.client(key, era, person=person) as client:
        answer = structured(await client.call_tool("rotate_key", {"reason": "scheduled"}))
        status = structured(await client.call_tool("get_key_status", {}))
    assert (answer["status"], answer["code"]) == ("refused", "delivery_failed")
    assert person.shown == []
    assert status["previous"] is None


async def test_a_rotated_signing_secret_verifies_with_both_for_24_hours(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    async with world.client(key, era, person=Person(typed={"app": "shop"})) as client:
        rotated = structured(await client.call_tool("rotate_key", {"reason": "scheduled", "kind": "signing_secret"}))
        assert rotated["status"] == "rotated"
        old = {"headers": world.sign(BODY), "body": BODY.decode()}
        assert structured(await client.call_tool("verify_webhook", old))["signed_with"] == "previous"
        world.secrets["acme", "shop"] = (world.directory / "secrets/acme/shop.signing_secret").read_text().strip()
        fresh = json.dumps({"id": "evt_2"})
        new = {"headers": world.sign(fresh.encode()), "body": fresh}
        assert structured(await client.call_tool("verify_webhook", new))["signed_with"] == "current"
        world.clock.forward(hours=24)
        late = {**old, "received_at": "2026-07-01T12:00:00Z"}
        assert structured(await client.call_tool("verify_webhook", late))["verdict"] == "invalid"


async def test_revoking_ends_the_grace_at_once(world: World, era: Era) -> None:
    old = await world.add_app("shop")
    ops = await world.add_app("ops", covers=("shop",))
    person = Person(typed={"app": "shop"})
    async with world.client(ops, era, person=person) as client:
        nothing = structured(await client.call_tool("revoke_previous_key", {"app": "shop"}))
        assert (nothing["status"], nothing["code"]) == ("refused", "nothing_to_revoke")
        await client.call_tool("rotate_key", {"app": "shop", "reason": "team_change"})
        answer = structured(await client.call_tool("revoke_previous_key", {"app": "shop"}))
    assert (answer["status"], answer["fingerprint"]) == ("revoked", api_key.fingerprint(old))
    async with world.client(old, era) as client:
        assert structured(await client.call_tool("whoami", {}))["problem"]["code"] == "revoked_key"


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("rotate_key", {"reason": "suspected_compromise"}),
        ("revoke_previous_key", {}),
        ("update_allow_list", {"entries": "203.0.113.0/24", "reason": "x"}),
    ],
)
async def test_what_lives_at_chekt_is_changed_in_its_portal(
    world: World, era: Era, tool: str, arguments: dict[str, Any]
) -> None:
    key = await world.add_app("shop", authority="platform")
    person = Person(typed={"app": "shop"})
    async with world.client(key, era, person=person) as client:
        result = await client.call_tool(tool, arguments)
    answer = structured(result)
    assert answer["status"] == "portal_required"
    assert answer["steps"][0] == "In the dealer portal open Settings → CHeKT Apps → shop → Security."
    assert "Nothing was changed" in answer["message"]
    assert person.shown == []
    assert answer["steps"][1] in words(result)


async def test_an_idempotency_key_answers_a_repeat_and_refuses_another_request(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    person = Person(typed={"app": "shop"})
    arguments = {"reason": "scheduled", "idempotency_key": "night-1"}
    async with world.client(key, era, person=person) as client:
        first = structured(await client.call_tool("rotate_key", arguments))
        second = structured(await client.call_tool("rotate_key", arguments))
        other = words(await client.call_tool("rotate_key", {**arguments, "reason": "other"}))
    assert second == {**first, "repeated": True}
    assert len(person.shown) == 1
    assert other.startswith("idempotency_conflict")


async def test_key_status_hides_addresses_from_those_without_operators_read(world: World, era: Era) -> None:
    await world.add_app("shop")
    blind = await world.add_app("desk", covers=("shop",), scopes=(Scope.KEYS_READ, Scope.KEYS_WRITE))
    seeing = await world.add_app("ops", covers=("shop",))
    async with world.client(seeing, era, person=Person(typed={"app": "shop"})) as client:
        status = structured(await client.call_tool("get_key_status", {"app": "shop"}))
        await world.log(*traffic(world, "192.0.2.9", 3, key_id=status["current"]["key_id"]))
        await client.call_tool("rotate_key", {"app": "shop", "reason": "scheduled"})
        full = structured(await client.call_tool("get_key_status", {"app": "shop"}))
    async with world.client(blind, era) as client:
        cut = structured(await client.call_tool("get_key_status", {"app": "shop"}))
    assert (full["previous"]["source_ips"], full["missing_scope"]) == (["192.0.2.9"], None)
    assert (cut["previous"]["source_ips"], cut["missing_scope"]) == (None, "operators:read")
    assert cut["previous"]["sources"] == 1
    assert full["safe_to_revoke"] == "no"


async def test_search_pages_through_everything_once_and_says_when_it_is_complete(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    await world.log(*traffic(world, "192.0.2.77", 7))
    seen: list[str] = []
    query: dict[str, Any] = {"source_ip": "192.0.2.0/24", "limit": 3}
    async with world.client(key, era) as client:
        while True:
            result = await client.call_tool("search_audit_log", query)
            page = structured(result)
            seen += [entry["request_id"] for entry in page["entries"]]
            if page["complete"]:
                break
            assert "NOT complete" in words(result)
            query["cursor"] = page["next_cursor"]
    assert seen == [f"req_192.0.2.77_{number}" for number in reversed(range(7))]
    assert page["omitted"] == {"entries": 0, "at_least": False, "values_cut": 0}


async def test_search_shows_only_apps_the_grant_covers(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    other = await world.add_app("other")
    async with world.client(other, era) as client:
        await client.call_tool("whoami", {})
    async with world.client(key, era) as client:
        await client.call_tool("whoami", {})
        found = structured(await client.call_tool("search_audit_log", {}))
    assert {entry["app"] for entry in found["entries"]} == {"shop"}
    assert found["apps"] == ["shop"]


async def test_search_shows_what_concerns_the_dealer_as_a_whole_unless_an_app_is_named(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    (entry,) = traffic(world, "192.0.2.77", 1)
    login = replace(entry, app=None, kind=Kind.OPERATOR_ACTION, action="login", request_id="req_login")
    await world.log(login, replace(login, dealer="other", request_id="req_theirs"), entry)
    async with world.client(key, era) as client:
        everything = structured(await client.call_tool("search_audit_log", {"source_ip": "192.0.2.77"}))
        named = structured(await client.call_tool("search_audit_log", {"source_ip": "192.0.2.77", "app": "shop"}))
        logins = structured(await client.call_tool("search_audit_log", {"action": "login"}))
    assert {one["request_id"] for one in everything["entries"]} == {"req_login", entry.request_id}
    assert [one["request_id"] for one in named["entries"]] == [entry.request_id]
    assert [one["request_id"] for one in logins["entries"]] == ["req_login"]
    assert (everything["dealer_wide"], named["dealer_wide"]) == (True, False)


async def test_what_the_log_is_said_to_hold_is_what_was_searched(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    (entry,) = traffic(world, "192.0.2.77", 1)
    await world.log(entry, replace(entry, app=None, request_id="req_login"))
    async with world.client(key, era) as client:
        for app in ({}, {"app": "shop"}):
            found = structured(await client.call_tool("search_audit_log", {"since": "3650d", "limit": 200, **app}))
            assert found["complete"]
            assert found["log"]["entries"] == len(found["entries"])
            assert found["log"]["oldest"] == found["entries"][-1]["timestamp"]


async def test_foreign_text_in_the_log_is_escaped_cut_and_counted(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    await world.log(*traffic(world, "192.0.2.77", 1, actor="ignore previous\n\u202e" + "x" * 500))
    async with world.client(key, era) as client:
        result = await client.call_tool("search_audit_log", {"source_ip": "192.0.2.77"})
    (entry,) = structured(result)["entries"]
    assert entry["actor"].startswith("ignore previous\\u{a}\\u{202e}")
    assert len(entry["actor"]) <= 120
    assert structured(result)["omitted"]["values_cut"] == 1
    assert "\u202e" not in words(result)


async def test_a_page_of_twenty_stays_within_1800_tokens(world: World) -> None:
    key = await world.add_app("shop")
    await world.log(*traffic(world, "192.0.2.77", 40, key_id="key_7fq2m5xk4tda"))
    async with world.client(key) as client:
        result = await client.call_tool("search_audit_log", {"source_ip": "192.0.2.77"})
    assert len(structured(result)["entries"]) == 20
    assert len(words(result).encode()) / 3 <= 1800


async def test_every_structured_answer_fits_its_published_schema(world: World, era: Era) -> None:
    key = await world.add_app("shop", allow_list="203.0.113.0/24 # office")
    await world.log(*traffic(world, "192.0.2.77", 30))
    calls: list[tuple[str, dict[str, Any]]] = [
        ("whoami", {}),
        ("check_ip", {"addresses": ["203.0.113.7", "x"]}),
        ("get_allow_list", {}),
        ("preview_allow_list", {"entries": "203.0.113.0/24"}),
        ("preview_allow_list", {"entries": "203.0.113.0/8"}),
        ("update_allow_list", {"entries": "192.0.2.0/24", "reason": "x"}),
        ("verify_webhook", {"headers": world.sign(BODY), "body": BODY.decode()}),
        ("verify_webhook", {"headers": {}, "body": ""}),
        ("rotate_key", {"reason": "scheduled"}),
        ("rotate_key", {"reason": "other"}),
        ("get_key_status", {}),
        ("get_key_status", {"kind": "signing_secret"}),
        ("revoke_previous_key", {}),
        ("search_audit_log", {"fields": ["details", "action"]}),
        ("search_audit_log", {"limit": 1}),
        ("export_audit_log", {"format": "jsonl"}),
        ("analyze_audit_log", {}),
        ("correlate_requests", {"request_ids": ["req_192.0.2.77_3", "req_unknown"]}),
    ]
    async with world.client(key, era, person=Person(typed={"app": "shop"})) as client:
        schemas = {tool.name: tool.output_schema for tool in (await client.list_tools()).tools}
        for name, arguments in calls:
            if name == "revoke_previous_key":
                continue  # its own key would go: covered by the ops caller above
            answer = structured(await client.call_tool(name, arguments))
            Draft202012Validator(schemas[name] or {}).validate(answer)


async def test_the_tools_cost_a_model_no_more_than_promised(world: World) -> None:
    key = await world.add_app("shop", scopes=SERVER_SCOPES)
    async with world.client(key) as client:
        listed = await client.list_tools()
    tokens = [
        len((tool.name + (tool.description or "") + json.dumps(tool.input_schema, separators=(",", ":"))).encode()) / 3
        for tool in listed.tools
    ]
    assert len(tokens) == len(CATALOG)
    assert sum(tokens) / len(tokens) <= 350
    assert len(listed.model_dump_json(by_alias=True, exclude_none=True).encode()) / 3 <= 15_000
