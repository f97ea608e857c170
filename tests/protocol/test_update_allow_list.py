"""What a person reads before a list changes, what they type, and what is kept of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from ipaddress import IPv4Network
from typing import Any

import anyio
import pytest

from api_traffic import traffic
from chekt_mcp.domain.approval import Approval
from chekt_mcp.domain.audit import Kind
from chekt_mcp.domain.scope import SERVER_SCOPES, Scope
from world import Era, Person, World, refusal, structured, words

pytestmark = pytest.mark.anyio

OFFICE = "203.0.113.0/24 # office"
TYPED = {"app": "shop"}


async def updated(world: World, key: str, era: Era, person: Person, **arguments: Any) -> dict[str, Any]:
    async with world.client(key, era, person=person) as client:
        return structured(await client.call_tool("update_allow_list", {"reason": "we moved", **arguments}))


async def waiting(world: World) -> list[Approval]:
    return list(await world.storage.read(lambda reader: reader.approvals("acme", world.clock())))


async def test_the_person_reads_difference_effect_and_whom_it_cuts_off(world: World, era: Era) -> None:
    key = await world.add_app("shop", allow_list=OFFICE)
    await world.log(*traffic(world, "203.0.113.7", 30), *traffic(world, "192.0.2.77", 12))
    person = Person(typed=TYPED)
    await updated(world, key, era, person, entries="198.51.100.0/24\n198.51.99.1")
    lines = person.shown[0].splitlines()
    assert lines[0] == "Put a new allow list in force for app shop (test); version 1 is in force."
    assert "Added (2): 198.51.100.0/24, 198.51.99.1/32." in lines
    assert "Removed (1): 203.0.113.0/24." in lines
    assert "Unchanged: 0." in lines
    assert any(line.startswith("Of 42 requests in the last 7 days it would refuse 42, from 2") for line in lines)
    assert "What is in force now lets 30 of those in: whoever sent them is cut off." in lines
    assert "Cut off: 203.0.113.7, 30 requests, last 2026-07-01T11:59:00Z." in lines
    assert not any("192.0.2.77" in line for line in lines)  # refused already: nothing changes for it


async def test_comments_and_reason_are_escaped_labelled_and_end_their_lines(world: World, era: Era) -> None:
    key = await world.add_app("shop", allow_list=OFFICE)
    person = Person(typed=TYPED)
    entries = "203.0.113.0/24 # office\n192.0.2.1 # fine\u202e\x1b[2J. Unchanged: all.\n192.0.2.2"
    await updated(world, key, era, person, entries=entries, reason="routine\nAdded: none.")
    lines = person.shown[0].splitlines()
    assert "Comment on 192.0.2.1/32 by the caller (not checked): fine\\u{202e}\\u{1b}[2J. Unchanged: all." in lines
    assert "Reason given by the caller (not checked): routine\\u{a}Added: none." in lines
    assert "Added: none." not in lines
    assert sum(line.startswith("Comment on ") for line in lines) == 1


async def test_a_form_in_the_callers_client_names_no_address_that_the_caller_may_not_see(
    world: World, era: Era
) -> None:
    await world.add_app("shop", allow_list=OFFICE)
    scopes = tuple(scope for scope in SERVER_SCOPES if scope is not Scope.OPERATORS_READ)
    blind = await world.add_app("desk", covers=("shop",), scopes=scopes)
    await world.log(*traffic(world, "203.0.113.7", 30))
    person = Person(typed=TYPED)
    await updated(world, blind, era, person, app="shop", entries="198.51.100.0/24")
    assert "lets 30 of those in" in person.shown[0]
    assert "203.0.113.7" not in person.shown[0]


async def test_an_approver_elsewhere_sees_whom_a_list_cuts_off_and_the_caller_does_not(world: World, era: Era) -> None:
    await world.add_app("shop", env="live", allow_list=OFFICE)
    scopes = tuple(scope for scope in SERVER_SCOPES if scope is not Scope.OPERATORS_READ)
    blind = await world.add_app("desk", covers=("shop",), scopes=scopes)
    await world.log(*traffic(world, "203.0.113.7", 30))
    change = {"app": "shop", "entries": "198.51.100.0/24", "reason": "x"}
    async with world.client(blind, era) as client:
        result = await client.call_tool("update_allow_list", change)
    assert structured(result)["status"] == "approval_required"
    assert "203.0.113.7" not in repr(result)
    (approval,) = await waiting(world)
    assert "Cut off: 203.0.113.7, 30 requests" in approval.words


async def test_turning_the_layer_off_is_confirmed_and_logged_as_what_it_is(world: World, era: Era) -> None:
    key = await world.add_app("shop", env="live", confirm="client", allow_list=OFFICE)
    person = Person(typed=TYPED)
    off = await updated(world, key, era, person, disable=True)
    lines = person.shown[0].splitlines()
    assert lines[0] == "Turn the allow list OFF for app shop (live); version 1 is in force."
    assert any("Requests from ANY address are then accepted" in line for line in lines)
    assert any("a production app should always have its allow list on" in line for line in lines)
    assert (off["status"], off["enabled"], off["version"], off["removed"]) == ("applied", False, 2, ["203.0.113.0/24"])
    changes = [entry.action for entry in await world.entries(kind=Kind.OPERATOR_ACTION)]
    assert changes[-1] == "allow_list.disable"
    again = Person(typed=TYPED)
    assert "in force already" in (await updated(world, key, era, again, disable=True))["message"]
    assert again.shown == []


async def test_a_confirmation_to_change_a_list_does_not_turn_it_off(world: World, era: Era) -> None:
    key = await world.add_app("shop", env="live", allow_list=OFFICE)
    async with world.client(key, era) as client:
        change = {"entries": "198.51.100.0/24", "reason": "x"}
        asked = structured(await client.call_tool("update_allow_list", change))["approval"]["approval_id"]
        off = {"disable": True, "reason": "x", "approval_id": asked}
        answer = structured(await client.call_tool("update_allow_list", off))
    assert (answer["status"], answer["code"]) == ("refused", "approval_for_another_request")


async def test_every_version_is_kept_with_who_and_why(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    for entries, reason in ((OFFICE, "start"), (OFFICE + "\n192.0.2.1", "second site")):
        await updated(world, key, era, Person(typed=TYPED), entries=entries, reason=reason)
        world.clock.forward(hours=1)
    await updated(world, key, era, Person(typed=TYPED), disable=True, reason="gave up")
    history = await world.storage.read(lambda reader: reader.allow_list_history("acme", "shop", 10))
    assert [(one.version, one.enabled, one.set_by, one.reason) for one in history] == [
        (3, False, "app:shop", "gave up"),
        (2, True, "app:shop", "second site"),
        (1, True, "app:shop", "start"),
    ]
    assert [one.text for one in history] == [OFFICE + "\n192.0.2.1", OFFICE + "\n192.0.2.1", OFFICE]


async def test_the_answer_says_by_when_a_list_is_in_force(world: World, era: Era) -> None:
    key = await world.add_app("shop", allow_list=OFFICE)
    answer = await updated(world, key, era, Person(typed=TYPED), entries="192.0.2.1")
    assert datetime.fromisoformat(answer["effective_by"]) - world.clock() <= timedelta(seconds=30)


async def test_of_two_writers_at_once_with_one_expected_version_one_wins_and_the_other_is_told(
    world: World, era: Era
) -> None:
    key = await world.add_app("shop", allow_list=OFFICE)
    both_asked, answers = anyio.Event(), list[dict[str, Any]]()
    people: list[Person] = []

    async def read_both() -> None:
        if len([one for one in people if one.shown]) == 2:
            both_asked.set()
        await both_asked.wait()

    async def write(address: str) -> None:
        person = Person(typed=TYPED, before=read_both)
        people.append(person)
        answers.append(await updated(world, key, era, person, entries=address, expected_version=1))

    async with anyio.create_task_group() as group:
        group.start_soon(write, "192.0.2.1")
        group.start_soon(write, "192.0.2.2")
    outcomes = sorted((one["status"], one.get("code", "")) for one in answers)
    assert outcomes == [("applied", ""), ("refused", "approval_outdated")]
    late = await updated(world, key, era, Person(typed=TYPED), entries="192.0.2.3", expected_version=1)
    assert (late["status"], late["code"]) == ("refused", "version_conflict")
    assert "version 2" in late["message"]
    history = await world.storage.read(lambda reader: reader.allow_list_history("acme", "shop", 10))
    assert len(history) == 2


async def test_a_list_that_cannot_be_read_is_refused_with_its_errors_before_anybody_is_asked(
    world: World, era: Era
) -> None:
    key = await world.add_app("shop", allow_list=OFFICE)
    person = Person(typed=TYPED)
    bad = "203.0.113.5/24\n" * 150
    async with world.client(key, era, person=person) as client:
        said = refusal(await client.call_tool("update_allow_list", {"entries": bad, "reason": "x"}))
    assert said.startswith("bad_allow_list (entries): The list cannot be read.\nLine 1, column 1, host_bits_set: ")
    assert "Write 203.0.113.0/24." in said
    assert "And more than 80 others. Correct these first." in said
    assert person.shown == []


async def test_a_long_list_is_confirmed_and_answered_in_few_words(world: World) -> None:
    key = await world.add_app("shop", allow_list=OFFICE)
    entries = "\n".join(f"9.{n >> 8}.{n & 255}.1 # {'c' * 40}" for n in range(15_000))
    person = Person(typed=TYPED)
    async with world.client(key, person=person) as client:
        result = await client.call_tool("update_allow_list", {"entries": entries, "reason": "x"})
    answer = structured(result)
    assert len(person.shown[0]) < 4_000
    assert (len(answer["added"]), answer["added_total"], answer["removed_total"]) == (500, 15_000, 1)
    assert len(words(result)) < 500


async def test_what_opens_most_is_named_first_however_many_entries_hide_it(world: World, era: Era) -> None:
    key = await world.add_app("shop", allow_list="203.0.113.0/24")
    harmless = [f"198.51.100.{number}" for number in range(1, 60, 2)]
    person = Person("decline")
    async with world.client(key, era, person=person) as client:
        entries = "\n".join([*harmless, "128.0.0.0/2", "2600::/12"])
        await client.call_tool("update_allow_list", {"entries": entries, "reason": "x"})
    assert "Added (32): 128.0.0.0/2, 2600::/12, " in person.shown[0] or "2600::/12, 128.0.0.0/2" in person.shown[0]
    assert "none of them wider" in person.shown[0]


async def test_all_but_one_address_takes_the_word_that_all_takes(world: World, era: Era) -> None:
    key = await world.add_app("shop", allow_list="203.0.113.0/24")
    almost = "\n".join(str(one) for one in IPv4Network("0.0.0.0/0").address_exclude(IPv4Network("1.2.3.4/32")))
    person = Person(typed={"app": "shop"})
    async with world.client(key, era, person=person) as client:
        answer = structured(await client.call_tool("update_allow_list", {"entries": almost, "reason": "x"}))
    assert answer["code"] == "wrong_text"
    assert "MORE THAN HALF" in person.shown[0]


async def test_turning_the_layer_off_takes_a_person_also_where_changes_are_unattended(world: World, era: Era) -> None:
    key = await world.add_app("shop", allow_list="203.0.113.0/24")
    app = await world.storage.read(lambda reader: reader.app("acme", "shop"))
    assert app is not None
    runbook = replace(app, unattended=("shop",))
    await world.storage.write(lambda writer: writer.update_app(runbook, world.clock()))
    async with world.client(key, era) as client:
        narrowed = structured(await client.call_tool("update_allow_list", {"entries": "203.0.113.7", "reason": "x"}))
        off = structured(await client.call_tool("update_allow_list", {"disable": True, "reason": "x"}))
    assert (narrowed["status"], off["status"]) == ("applied", "approval_required")
