"""Rotating through a real client: what is minted once, what a person is told, and what nobody can undo by accident."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from mcp import Client

from chekt_mcp.auth.caller import by_key
from chekt_mcp.auth.credential import KeySource
from chekt_mcp.domain.api_key import KeyKind, KeyState
from chekt_mcp.domain.app import ConfirmBy, Environment
from chekt_mcp.domain.approval import ApprovalState, Refusal
from chekt_mcp.domain.audit import Kind, NewEntry, Result
from chekt_mcp.domain.rotation import DELIVERY_LEASE
from chekt_mcp.domain.scope import Scope
from chekt_mcp.errors import DeliveryFailed, NotPermitted, StateUnusable
from chekt_mcp.operations import approvals
from chekt_mcp.operations.approvals import Decider
from chekt_mcp.operations.apps.adopted_values import AdoptedValues
from chekt_mcp.operations.apps.app_settings import AppSettings
from chekt_mcp.operations.apps.readopt_app import Readoption
from chekt_mcp.operations.keys.gone_sources import GoneSources
from chekt_mcp.operations.keys.recovery import recover
from chekt_mcp.operations.keys.undecided_rotation import UndecidedRotation
from chekt_mcp.operations.operator import at_terminal
from chekt_mcp.operations.services import Services
from chekt_mcp.secrets.command import CommandSink
from chekt_mcp.secrets.file import read_key_file
from chekt_mcp.secrets.interface import DELIVERY_UNKNOWN, Sink
from chekt_mcp.server import build_server
from chekt_mcp.storage.sqlite import open_storage
from chekt_mcp.tools.gateway import Gateway
from world import MODES, Era, Person, World, structured, words

pytestmark = pytest.mark.anyio

SCHEDULED = {"reason": "scheduled"}
MARIA = at_terminal("maria", "req_maria")
TERMINAL = Decider("terminal:maria", "terminal")
NEW_KEY = "chekt_test_EXAMPLEexample0000000000000000BBBB"


class Place:
    """A sink that fails as told, and remembers what arrived."""

    name, target, reference = "place", "{}", "the place"

    def __init__(self, error: Exception | None = None, *, keeps: bool = True) -> None:
        self.error, self.keeps = error, keeps
        self.got: list[str] = []

    async def prove(self) -> None:
        """Always fit."""

    async def deliver(self, value: str) -> None:
        if self.keeps:
            self.got.append(value)
        if self.error is not None:
            raise self.error

    def choose(self, *_: object, **__: object) -> Sink:
        return self

    def restore(self, *_: object) -> Sink:
        return self


def lost(*, keeps: bool = True) -> Place:
    return Place(DeliveryFailed("No answer came back.", code=DELIVERY_UNKNOWN), keeps=keeps)


def connect(world: World, key: str, era: Era, services: Services, person: Any = None) -> Client:
    source = KeySource(file=None, value=key, read_file=read_key_file)
    gateway = Gateway(lambda: services, by_key(source), "stdio", 5.0)
    return Client(build_server(gateway), mode=MODES[era], elicitation_callback=person)


def with_place(world: World, place: Any) -> Services:
    return replace(world.services(), sinks=place)


async def approve(world: World, approval_id: str, typed: dict[str, Any] | None = None) -> Any:
    approval = await world.storage.read(lambda reader: reader.approval("acme", approval_id))
    assert approval is not None
    return await approvals.decide(world.services(), approval, TERMINAL, typed or {"app": "shop"}, "req_test")


async def minted(world: World, kind: KeyKind = KeyKind.API_KEY) -> int:
    """Return how many keys came after the first."""
    return len(await world.storage.read(lambda reader: reader.keys("acme", "shop", kind))) - 1


async def unattended(world: World, *callers: str) -> None:
    await AppSettings(world.services(), MARIA, "acme", "shop").unattended(callers)


def used(world: World, key_id: str, source: str, ago: timedelta, calls: int = 1) -> list[NewEntry]:
    return [
        NewEntry(
            dealer="acme",
            timestamp=world.clock() - ago,
            actor="shop",
            kind=Kind.API_CALL,
            action="GET /v1/devices",
            result=Result.OK,
            request_id=f"req_{source}_{number}",
            app="shop",
            source_ip=source,
            key_id=key_id,
        )
        for number in range(calls)
    ]


# -- asked for twice


async def test_an_idempotency_key_is_taken_while_the_first_request_still_waits(world: World, era: Era) -> None:
    key = await world.add_app("shop", env="live")
    async with world.client(key, era) as client:
        first = structured(await client.call_tool("rotate_key", {**SCHEDULED, "idempotency_key": "night-1"}))
        again = structured(await client.call_tool("rotate_key", {**SCHEDULED, "idempotency_key": "night-1"}))
        other = words(await client.call_tool("rotate_key", {"reason": "other", "idempotency_key": "night-1"}))
        await approve(world, first["approval"]["approval_id"])
        still = words(await client.call_tool("rotate_key", {"reason": "other", "idempotency_key": "night-1"}))
    assert first["approval"] == again["approval"]
    assert other.startswith("idempotency_conflict")
    assert still.startswith("idempotency_conflict")
    assert await minted(world) == 0


async def test_an_answer_that_got_lost_is_given_again_and_mints_nothing(world: World, era: Era) -> None:
    key = await world.add_app("shop", env="live")
    asked = {**SCHEDULED, "idempotency_key": "night-1"}
    async with world.client(key, era) as client:
        approval_id = structured(await client.call_tool("rotate_key", asked))["approval"]["approval_id"]
        await approve(world, approval_id)
        await client.call_tool("rotate_key", asked)  # and its answer is lost
    async with world.client(key, era) as client:
        by_idempotency_key = structured(await client.call_tool("rotate_key", asked))
        by_approval = structured(await client.call_tool("rotate_key", {**SCHEDULED, "approval_id": approval_id}))
        world.clock.forward(hours=25)
        late = await client.call_tool("rotate_key", asked)
    assert by_idempotency_key == by_approval
    assert (by_approval["status"], by_approval["repeated"]) == ("rotated", True)
    assert "expired_key" in words(late)  # the session's own key is past its grace, and nothing else is said
    assert await minted(world) == 1


async def test_after_a_crash_a_repeated_call_is_answered_with_what_recovery_completed(world: World, era: Era) -> None:
    key = await world.add_app("shop", env="live")
    place = Place(RuntimeError("the process dies here"))
    asked = {**SCHEDULED, "idempotency_key": "night-1"}
    async with connect(world, key, era, with_place(world, place)) as client:
        await approve(world, structured(await client.call_tool("rotate_key", asked))["approval"]["approval_id"])
        assert words(await client.call_tool("rotate_key", asked)).startswith("internal_error")
        assert structured(await client.call_tool("rotate_key", asked))["code"] == "in_progress"
        place.error = None
        world.clock.forward(minutes=3)
        assert await recover(with_place(world, place)) == []
        answer = structured(await client.call_tool("rotate_key", asked))
    assert (answer["status"], answer["repeated"]) == ("rotated", True)
    assert len(set(place.got)) == 1
    assert await minted(world) == 1


# -- where nobody knows


async def test_an_undecided_delivery_keeps_the_old_key_and_tells_a_person_everywhere(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    place = lost()
    async with connect(world, key, era, with_place(world, place), Person(typed={"app": "shop"})) as client:
        answer = structured(await client.call_tool("rotate_key", SCHEDULED))
        me = await client.call_tool("whoami", {})
        status = await client.call_tool("get_key_status", {})
    assert (answer["status"], answer["code"]) == ("refused", "delivery_unknown")
    command = f"chekt-mcp keys deliver {answer['rotation_id']}"
    assert command in answer["next_step"]
    assert command in structured(me)["attention"][0]["message"]
    assert command in words(me)
    assert structured(status)["rotation"]["state"] == "delivery_unknown"
    assert command in words(status)
    assert structured(status)["used_by_this_session"]
    assert structured(status)["previous"] is None


async def test_the_undelivered_key_opens_nothing_until_it_is_delivered_again(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    place = lost()
    services = with_place(world, place)
    async with connect(world, key, era, services, Person(typed={"app": "shop"})) as client:
        rotation_id = structured(await client.call_tool("rotate_key", SCHEDULED))["rotation_id"]
    async with connect(world, place.got[0], era, services) as client:
        assert structured(await client.call_tool("whoami", {}))["problem"]["code"] == "key_not_active"
    rotation = await world.storage.read(lambda reader: reader.rotation("acme", rotation_id))
    assert rotation is not None
    place.error = None
    await UndecidedRotation(services, MARIA, rotation).deliver()
    assert place.got[0] == place.got[1]
    async with connect(world, place.got[0], era, services) as client:
        assert structured(await client.call_tool("whoami", {}))["attention"] == []


async def test_another_dealers_undecided_rotation_is_not_told(world: World) -> None:
    key = await world.add_app("shop")
    other = await world.add_app("shop", dealer="other")
    async with connect(world, key, "modern", with_place(world, lost()), Person(typed={"app": "shop"})) as client:
        await client.call_tool("rotate_key", SCHEDULED)
    async with world.client(other) as client:
        assert structured(await client.call_tool("whoami", {}))["attention"] == []


async def test_a_new_rotation_gives_an_undecided_one_up_and_says_so(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    place, person = lost(), Person(typed={"app": "shop"})
    async with connect(world, key, era, with_place(world, place), person) as client:
        first = structured(await client.call_tool("rotate_key", SCHEDULED))
        place.error = None
        second = structured(await client.call_tool("rotate_key", SCHEDULED))
    assert second["status"] == "rotated"
    assert f"Rotation {first['rotation_id']} is undecided" in person.shown[1]
    given_up = [entry for entry in await world.entries() if entry.action == "key.rotate.discard"]
    assert [entry.details["rotation_id"] for entry in given_up] == [first["rotation_id"]]
    rotation = await world.storage.read(lambda reader: reader.rotation("acme", first["rotation_id"]))
    assert rotation is not None
    assert (rotation.state, rotation.sealed) == ("failed", None)


async def test_a_sink_that_hangs_is_killed_and_leaves_the_rotation_to_a_person(world: World, era: Era) -> None:
    key = await world.add_app("shop")

    class Hanging:
        def choose(self, *_: object, **__: object) -> Sink:
            return CommandSink(("sleep", "60"), None, 0.05, "a command that hangs")

    async with connect(world, key, era, with_place(world, Hanging()), Person(typed={"app": "shop"})) as client:
        answer = structured(await client.call_tool("rotate_key", SCHEDULED))
        status = structured(await client.call_tool("get_key_status", {}))
    assert answer["code"] == "delivery_unknown"
    assert status["rotation"]["state"] == "delivery_unknown"
    assert status["previous"] is None


async def test_a_disk_that_fills_after_the_delivery_ends_in_the_same_key_in_force(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    services = world.services()

    class Filling:
        """A storage that is full once the file has been written."""

        full = False

        def __getattr__(self, name: str) -> Any:
            return getattr(world.storage, name)

        async def write(self, work: Any) -> Any:
            if self.full:
                raise StateUnusable("The disk is full.", code="state_full")
            return await world.storage.write(work)

        write_briefly = write

    disk = Filling()

    class Filler(Place):
        async def deliver(self, value: str) -> None:
            await super().deliver(value)
            disk.full = True

    place = Filler()
    broken = replace(services, storage=disk, sinks=place)
    async with connect(world, key, era, broken, Person(typed={"app": "shop"})) as client:
        assert "audit_unavailable" in words(await client.call_tool("rotate_key", SCHEDULED))
        disk.full = False
        assert structured(await client.call_tool("whoami", {}))["problem"] is None
        world.clock.forward(minutes=3)
        assert await recover(with_place(world, Place())) == []
    async with world.client(place.got[0], era) as client:
        assert structured(await client.call_tool("whoami", {}))["problem"] is None


async def test_a_read_only_secrets_directory_refuses_before_anybody_is_asked(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    person = Person(typed={"app": "shop"})
    refusing = Place()

    async def prove() -> None:
        raise DeliveryFailed("The file system is read-only.")

    refusing.prove = prove  # type: ignore[method-assign]  # this one place is read-only
    async with connect(world, key, era, with_place(world, refusing), person) as client:
        answer = structured(await client.call_tool("rotate_key", SCHEDULED))
    assert (answer["status"], answer["code"]) == ("refused", "delivery_failed")
    assert person.shown == []


async def test_a_process_that_outlived_its_lease_finds_the_rotation_completed_by_another(world: World) -> None:
    key = await world.add_app("shop")
    quick = Place()

    class Slow(Place):
        """Takes so long that another process recovers the rotation meanwhile."""

        async def deliver(self, value: str) -> None:
            await super().deliver(value)
            world.clock.forward(seconds=DELIVERY_LEASE.total_seconds())
            assert await recover(with_place(world, quick)) == []

    slow = Slow()
    async with connect(world, key, "modern", with_place(world, slow), Person(typed={"app": "shop"})) as client:
        answer = structured(await client.call_tool("rotate_key", SCHEDULED))
    assert answer["status"] == "rotated"
    assert slow.got == quick.got
    done = [entry.action for entry in await world.entries() if entry.action.startswith("key.rotate")]
    assert done == ["key.rotate.recover"]


async def test_a_lease_left_by_a_clock_that_ran_ahead_does_not_hold_forever(world: World) -> None:
    key = await world.add_app("shop")
    world.clock.forward(days=3650)
    place = Place(RuntimeError("the process dies here"))
    async with connect(world, key, "modern", with_place(world, place), Person(typed={"app": "shop"})) as client:
        assert words(await client.call_tool("rotate_key", SCHEDULED)).startswith("internal_error")
    world.clock.forward(days=-3650)
    place.error = None
    assert await recover(with_place(world, place)) == []
    assert len(set(place.got)) == 1
    assert len(place.got) == 2


# -- who has to be asked


async def test_a_named_runbook_rotates_a_test_app_unattended_and_the_log_says_why(world: World, era: Era) -> None:
    await world.add_app("shop")
    nightly = await world.add_app("nightly", covers=("shop",))
    await unattended(world, "nightly")
    async with world.client(nightly, era) as client:
        answer = structured(await client.call_tool("rotate_key", {**SCHEDULED, "app": "shop"}))
    assert answer["status"] == "rotated"
    log = {entry.action: entry for entry in await world.entries()}
    assert log["app.unattended"].details["callers"] == "nightly"
    assert (log["approval.approve"].actor, log["approval.approve"].source) == ("policy:unattended", "configuration")


async def test_nobody_else_is_unattended(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    other = await world.add_app("other", covers=("shop",))
    await world.add_app("nightly", covers=("shop",))
    await unattended(world, "nightly")
    for one, arguments in ((key, SCHEDULED), (other, {**SCHEDULED, "app": "shop"})):
        async with world.client(one, era) as client:
            assert structured(await client.call_tool("rotate_key", arguments))["status"] == "approval_required"
    assert await minted(world) == 0


async def test_what_overrides_a_safeguard_is_never_unattended(world: World, era: Era) -> None:
    await world.add_app("shop")
    nightly = await world.add_app("nightly", covers=("shop",))
    await unattended(world, "nightly")
    forced = {"app": "shop", "reason": "other", "force": True}
    async with world.client(nightly, era) as client:
        await client.call_tool("rotate_key", {**SCHEDULED, "app": "shop"})
        assert structured(await client.call_tool("rotate_key", forced))["status"] == "approval_required"
    assert await minted(world) == 1


async def test_a_live_app_is_never_changed_unattended_even_if_its_row_says_so(world: World, era: Era) -> None:
    await world.add_app("shop", env="live")
    nightly = await world.add_app("nightly", covers=("shop",))
    with pytest.raises(NotPermitted):
        await unattended(world, "nightly")
    app = await world.storage.read(lambda reader: reader.app("acme", "shop"))
    assert app is not None
    assert app.environment is Environment.LIVE
    changed = replace(app, unattended=("nightly",))
    await world.storage.write(lambda writer: writer.update_app(changed, world.clock()))
    async with world.client(nightly, era) as client:
        answer = structured(await client.call_tool("rotate_key", {**SCHEDULED, "app": "shop"}))
    assert answer["status"] == "approval_required"


async def test_an_approval_asked_for_under_another_policy_is_asked_for_anew(world: World, era: Era) -> None:
    key = await world.add_app("shop", env="live")
    async with world.client(key, era) as client:
        first = structured(await client.call_tool("rotate_key", SCHEDULED))["approval"]["approval_id"]
        await approve(world, first)
        await AppSettings(world.services(), MARIA, "acme", "shop").confirm(ConfirmBy.CLIENT)
        second = structured(await client.call_tool("rotate_key", SCHEDULED))["approval"]["approval_id"]
        late = structured(await client.call_tool("rotate_key", {**SCHEDULED, "approval_id": first}))
    assert first != second
    assert late["code"] == Refusal.OUTDATED


async def test_two_approvers_at_once_decide_once(world: World) -> None:
    key = await world.add_app("shop", env="live")
    async with world.client(key) as client:
        approval_id = structured(await client.call_tool("rotate_key", SCHEDULED))["approval"]["approval_id"]
    decided = [await approve(world, approval_id) for _ in range(2)]
    assert decided[0].state is ApprovalState.APPROVED
    assert decided[1] is Refusal.ALREADY_DECIDED


async def test_an_approval_is_outdated_once_the_key_it_was_for_was_replaced(world: World, era: Era) -> None:
    key = await world.add_app("shop", env="live")
    async with world.client(key, era) as client:
        first = structured(await client.call_tool("rotate_key", SCHEDULED))["approval"]["approval_id"]
        other = structured(await client.call_tool("rotate_key", {"reason": "other"}))["approval"]["approval_id"]
        await approve(world, first)
        await approve(world, other)
        assert structured(await client.call_tool("rotate_key", SCHEDULED))["status"] == "rotated"
        late = structured(await client.call_tool("rotate_key", {"reason": "other", "approval_id": other}))
    assert (late["status"], late["code"]) == ("refused", "grace_period_active")
    assert await minted(world) == 1


# -- what the person reads


async def test_suspected_compromise_proposes_to_revoke_at_once_and_says_what_would_break(
    world: World, era: Era
) -> None:
    key = await world.add_app("shop")
    person = Person(typed={"app": "shop"})
    async with world.client(key, era, person=person) as client:
        status = structured(await client.call_tool("get_key_status", {}))
        hour = timedelta(hours=1)
        await world.log(*used(world, status["current"]["key_id"], "192.0.2.9", hour, calls=3))
        answer = structured(await client.call_tool("rotate_key", {"reason": "suspected_compromise"}))
    assert "Proposed instead: revoke_previous_now." in person.shown[0]
    assert (
        "What uses it, by the log from 2 sources, would then fail" in person.shown[0]
    )  # that address, and this session
    assert "- 192.0.2.9: 3 calls, last at" in person.shown[0]
    assert "revoke_previous_key" in answer["next_step"]


async def test_addresses_reach_the_approver_and_never_the_caller_without_operators_read(world: World, era: Era) -> None:
    await world.add_app("shop")
    blind = await world.add_app("desk", covers=("shop",), scopes=(Scope.KEYS_READ, Scope.KEYS_WRITE))
    in_client = Person(typed={"app": "shop"})
    async with world.client(blind, era, person=in_client) as client:
        current = structured(await client.call_tool("get_key_status", {"app": "shop"}))["current"]["key_id"]
        await world.log(*used(world, current, "192.0.2.9", timedelta(minutes=5)))
        rotated = await client.call_tool("rotate_key", {**SCHEDULED, "app": "shop"})
    await AppSettings(world.services(), MARIA, "acme", "shop").confirm(ConfirmBy.OUT_OF_BAND)
    async with world.client(blind, era) as client:
        asked = await client.call_tool("revoke_previous_key", {"app": "shop"})
    approval_id = structured(asked)["approval"]["approval_id"]
    approval = await world.storage.read(lambda reader: reader.approval("acme", approval_id))
    assert approval is not None
    assert "it was used from 1 source. Whatever" in approval.words
    assert "- 192.0.2.9: 1 call, last" in approval.words
    assert "192.0.2.9" not in in_client.shown[0] + words(rotated) + words(asked) + str(asked.structured_content)


# -- CHeKT's own


async def adopt(world: World, *, key_id: str | None = None, revoke_previous: bool = False) -> None:
    values = AdoptedValues(NEW_KEY, key_id=key_id)
    await Readoption(world.services(), MARIA, "acme", "shop", values, revoke_previous).run()


async def test_a_rotation_in_the_portal_is_remembered_until_the_new_key_is_adopted(world: World, era: Era) -> None:
    key = await world.add_app("shop", authority="platform")
    async with world.client(key, era) as client:
        first = structured(await client.call_tool("rotate_key", SCHEDULED))
        again = structured(await client.call_tool("rotate_key", SCHEDULED))
        waiting = structured(await client.call_tool("get_key_status", {}))
        await adopt(world)
        world.clock.forward(hours=1)
        adopted = structured(await client.call_tool("get_key_status", {}))
    assert first["status"] == again["status"] == "portal_required"
    assert first["rotation_id"] == again["rotation_id"]
    assert any("chekt-mcp keys adopt shop" in step for step in first["steps"])
    assert (waiting["rotation"]["state"], waiting["previous"]) == ("in_portal", None)
    assert adopted["rotation"] is None
    assert adopted["current"]["fingerprint"] == "chekt_test_…BBBB"
    assert adopted["previous"]["valid_until"] == "2026-07-02T12:00:00Z"


async def test_what_a_caller_asked_for_without_grace_ends_nothing_that_the_adopting_person_does_not_end(
    world: World, era: Era
) -> None:
    key = await world.add_app("shop", authority="platform")
    leaked = {"reason": "suspected_compromise", "revoke_previous_now": True}
    async with world.client(key, era) as client:
        answer = structured(await client.call_tool("rotate_key", leaked))
        await adopt(world)
        assert structured(await client.call_tool("whoami", {}))["problem"] is None
    assert any("keys adopt shop --revoke-previous" in step for step in answer["steps"])


async def test_the_person_who_adopts_can_end_the_old_key_here_at_once(world: World, era: Era) -> None:
    key = await world.add_app("shop", authority="platform")
    leaked = {"reason": "suspected_compromise", "revoke_previous_now": True}
    async with world.client(key, era) as client:
        answer = structured(await client.call_tool("rotate_key", leaked))
        await adopt(world, revoke_previous=True)
        assert structured(await client.call_tool("whoami", {}))["problem"]["code"] == "revoked_key"
    assert "Click Revoke previous at once" in answer["steps"][2]


async def test_the_imported_log_tells_when_a_platform_apps_old_key_may_go(world: World, era: Era) -> None:
    await world.add_app("shop", authority="platform")
    ops = await world.add_app("ops", covers=("shop",))
    async with world.client(ops, era) as client:

        async def status() -> dict[str, Any]:
            return structured(await client.call_tool("get_key_status", {"app": "shop"}))

        old = (await status())["current"]["key_id"]
        await adopt(world, key_id="key_at_chekt")
        world.clock.forward(hours=3)
        assert (await status())["safe_to_revoke"] == "unknown"
        await world.log(*used(world, old, "192.0.2.9", timedelta(hours=2)))
        assert (await status())["safe_to_revoke"] == "no"
        await world.log(*used(world, "key_at_chekt", "192.0.2.9", timedelta(minutes=1)))
        assert (await status())["safe_to_revoke"] == "yes"
        world.clock.forward(hours=20)
        assert (await status())["safe_to_revoke"] == "yes"


async def test_an_ordinary_request_does_not_take_an_urgent_one_away(world: World, era: Era) -> None:
    key = await world.add_app("shop", authority="platform")
    async with world.client(key, era) as client:
        urgent = structured(await client.call_tool("rotate_key", {"reason": "suspected_compromise"}))
        due = structured(await client.call_tool("get_key_status", {}))["rotation_due"]
        for number in range(6):
            ordinary = {"reason": "scheduled", "revoke_previous_now": bool(number % 2)}
            answer = structured(await client.call_tool("rotate_key", ordinary))
            assert answer["rotation_id"] == urgent["rotation_id"]
        assert structured(await client.call_tool("get_key_status", {}))["rotation_due"] == due


@pytest.mark.parametrize("key_id", ["key_nobody_linked", None])
async def test_calls_that_name_no_known_key_are_never_taken_for_an_unused_old_one(
    world: World, era: Era, key_id: str | None
) -> None:
    await world.add_app("shop", authority="platform")
    ops = await world.add_app("ops", covers=("shop",))
    async with world.client(ops, era) as client:
        await adopt(world, key_id="key_at_chekt")
        world.clock.forward(hours=3)
        await world.log(*used(world, "key_at_chekt", "192.0.2.9", timedelta(minutes=1)))
        strange = used(world, "", "192.0.2.10", timedelta(minutes=2))
        await world.log(*(replace(entry, key_id=key_id) for entry in strange))
        nowhere = used(world, "key_at_chekt", "", timedelta(minutes=3), calls=3)
        await world.log(*(replace(entry, source_ip=None, source="import") for entry in nowhere))
        status = structured(await client.call_tool("get_key_status", {"app": "shop"}))
    assert status["safe_to_revoke"] == "unknown"
    assert "name no key known here" in status["reasons"][0]


async def test_calling_this_server_with_a_platform_apps_new_key_does_not_show_that_it_is_deployed(
    world: World, era: Era
) -> None:
    key = await world.add_app("shop", authority="platform")
    async with world.client(key, era) as client:
        old = structured(await client.call_tool("get_key_status", {}))["current"]["key_id"]
        await adopt(world, key_id="key_at_chekt")
        world.clock.forward(hours=3)
        await world.log(*used(world, old, "192.0.2.9", timedelta(hours=2)))
    async with world.client(NEW_KEY, era) as client:
        structured(await client.call_tool("whoami", {}))
        assert structured(await client.call_tool("get_key_status", {}))["safe_to_revoke"] != "yes"


async def test_asking_does_not_make_an_old_import_look_fresh(world: World, era: Era) -> None:
    await world.add_app("shop", authority="platform")
    ops = await world.add_app("ops", covers=("shop",))
    async with world.client(ops, era) as client:
        old = structured(await client.call_tool("get_key_status", {"app": "shop"}))["current"]["key_id"]
        await adopt(world, key_id="key_at_chekt")
        world.clock.forward(hours=3)
        await world.log(*used(world, old, "192.0.2.9", timedelta(hours=26)))
        await world.log(*used(world, "key_at_chekt", "192.0.2.9", timedelta(hours=25)))
        status = structured(await client.call_tool("get_key_status", {"app": "shop"}))
    assert status["safe_to_revoke"] == "unknown"
    assert "import a newer export" in status["reasons"][0]


async def test_an_imported_log_with_a_gap_cannot_tell(world: World, era: Era) -> None:
    await world.add_app("shop", authority="platform")
    ops = await world.add_app("ops", covers=("shop",))
    async with world.client(ops, era) as client:
        old = structured(await client.call_tool("get_key_status", {"app": "shop"}))["current"]["key_id"]
        await adopt(world, key_id="key_at_chekt")
        world.clock.forward(hours=3)
        await world.log(*used(world, old, "192.0.2.9", timedelta(days=4)))
        await world.log(*used(world, "key_at_chekt", "192.0.2.9", timedelta(minutes=1)))
        status = structured(await client.call_tool("get_key_status", {"app": "shop"}))
    assert status["safe_to_revoke"] == "unknown"
    assert "The log tells nothing of" in status["reasons"][0]


async def test_a_source_that_a_person_calls_gone_keeps_no_key_alive(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    ops = await world.add_app("ops", covers=("shop",))
    async with world.client(ops, era, person=Person(typed={"app": "shop"})) as client:
        old = structured(await client.call_tool("get_key_status", {"app": "shop"}))["current"]["key_id"]
        await world.log(*used(world, old, "192.0.2.9", timedelta(hours=2)))
        rotated = structured(await client.call_tool("rotate_key", {**SCHEDULED, "app": "shop"}))
        await world.log(*used(world, rotated["key_id"], "192.0.2.10", timedelta(0)))
        before = structured(await client.call_tool("get_key_status", {"app": "shop"}))
        await GoneSources(world.services(), MARIA, "acme", "shop").add("192.0.2.9")
        after = structured(await client.call_tool("get_key_status", {"app": "shop"}))
    assert key != rotated["key_id"]
    assert (before["safe_to_revoke"], after["safe_to_revoke"]) == ("no", "yes")
    assert "gone as a person says (1)" in after["reasons"][0]


# -- time


async def test_the_end_of_a_grace_is_written_down_when_it_is_first_noticed(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    ops = await world.add_app("ops", covers=("shop",))
    async with world.client(ops, era, person=Person(typed={"app": "shop"})) as client:
        await client.call_tool("rotate_key", {**SCHEDULED, "app": "shop"})
        world.clock.forward(hours=23)
        await client.call_tool("whoami", {})
        assert not [one for one in await world.entries() if one.action == "key.grace.end"]
        world.clock.forward(hours=2)
        await client.call_tool("whoami", {})
        await client.call_tool("whoami", {})
    (ended,) = [one for one in await world.entries() if one.action == "key.grace.end"]
    assert ended.details["valid_until"] == "2026-07-02T12:00:00Z"
    async with world.client(key, era) as client:
        assert structured(await client.call_tool("whoami", {}))["problem"]["code"] == "expired_key"


async def test_a_clock_that_jumps_and_comes_back_ends_no_grace_for_good(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    async with world.client(key, era, person=Person(typed={"app": "shop"})) as client:
        await client.call_tool("rotate_key", SCHEDULED)
        world.clock.forward(days=30)
        assert structured(await client.call_tool("whoami", {}))["problem"]["code"] == "expired_key"
        world.clock.forward(days=-30)
        assert structured(await client.call_tool("whoami", {}))["problem"] is None


async def test_after_a_team_change_the_apps_other_credential_is_due_at_once(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    async with world.client(key, era, person=Person(typed={"app": "shop"})) as client:
        quarter = structured(await client.call_tool("get_key_status", {"kind": "signing_secret"}))["rotation_due"]
        world.clock.forward(days=10)
        await client.call_tool("rotate_key", {"reason": "team_change"})
        at_once = structured(await client.call_tool("get_key_status", {"kind": "signing_secret"}))["rotation_due"]
        rotated = structured(await client.call_tool("get_key_status", {}))["rotation_due"]
    assert quarter == "2026-09-29T12:00:00Z"
    assert at_once == "2026-07-11T12:00:00Z"
    assert rotated == "2026-10-09T12:00:00Z"


async def test_the_sealed_copy_of_a_new_key_is_destroyed_at_its_first_use_or_after_an_hour(
    world: World,
) -> None:
    key = await world.add_app("shop")
    person = Person(typed={"app": "shop"})

    def copies() -> int:
        with closing(sqlite3.connect(world.directory / "chekt.db")) as database:
            count: int = database.execute("SELECT count(*) FROM rotations WHERE sealed IS NOT NULL").fetchone()[0]
        return count

    async with world.client(key, person=person) as client:
        await client.call_tool("rotate_key", SCHEDULED)
        await client.call_tool("whoami", {})
        assert copies() == 1
    new = read_key_file(world.directory / "secrets" / "acme" / "shop.api_key")
    async with world.client(new, person=person) as client:
        await client.call_tool("whoami", {})
        assert copies() == 0
        await client.call_tool("rotate_key", {"reason": "scheduled", "kind": "signing_secret"})
        assert copies() == 1
        world.clock.forward(minutes=60)
        await client.call_tool("whoami", {})
        assert copies() == 0


async def test_a_revoked_key_is_named_as_revoked(world: World) -> None:
    key = await world.add_app("shop")
    async with world.client(key, person=Person(typed={"app": "shop"})) as client:
        await client.call_tool("rotate_key", {"reason": "suspected_compromise", "revoke_previous_now": True})
    stored = await world.storage.read(lambda reader: reader.keys("acme", "shop", KeyKind.API_KEY))
    assert [one.key.state for one in stored] == [KeyState.CURRENT, KeyState.REVOKED]


async def test_a_revocation_holds_at_the_next_call_of_every_other_server(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    ops = await world.add_app("ops", covers=("shop",))
    elsewhere = replace(world.services(), storage=open_storage(world.directory))
    async with (
        connect(world, key, era, elsewhere) as other,
        world.client(ops, era, person=Person(typed={"app": "shop"})) as client,
    ):
        await client.call_tool("rotate_key", {**SCHEDULED, "app": "shop"})
        assert structured(await other.call_tool("whoami", {}))["problem"] is None
        await client.call_tool("revoke_previous_key", {"app": "shop"})
        assert structured(await other.call_tool("whoami", {}))["problem"]["code"] == "revoked_key"
    await elsewhere.storage.close()
