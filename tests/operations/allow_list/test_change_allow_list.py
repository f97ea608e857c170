"""Changing a list over the network, where the caller has an address that a list can lock out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chekt_mcp.domain.allow_list.version import AllowListVersion
from chekt_mcp.domain.approval import Approval, ApprovalState, Intent
from chekt_mcp.domain.scope import SERVER_SCOPES, Grant
from chekt_mcp.operations import approvals
from chekt_mcp.operations.allow_list.change_allow_list import LOCK_CALLER_OUT, ChangeList
from chekt_mcp.operations.approvals import Decider
from chekt_mcp.operations.change import Ask, Outcome, Request, advance
from chekt_mcp.operations.services import Call
from world import World

pytestmark = pytest.mark.anyio

GRANT = Grant("acme", "app:shop", "api_key", "shop", ("shop",), frozenset(SERVER_SCOPES))
MARIA = Decider("terminal:maria", "terminal")


def change(world: World, text: str | None, source_ip: str | None = None) -> ChangeList:
    """Return a change asked for from an address."""
    call = Call(GRANT, "req_test", world.clock(), "http", source_ip)
    request = Request(call, "update_allow_list", "shop", {"entries": text, "reason": "x"})
    return ChangeList(world.services(), request, text, "x")


async def intent(of: ChangeList) -> Intent:
    proposed = await of.propose()
    assert isinstance(proposed, Intent)
    return proposed


async def approved(world: World, of: ChangeList) -> Approval:
    """Return the approval of a change, with everything typed that it asks for."""
    proposed = await intent(of)
    asked = await approvals.find_or_create(world.services(), of.request.call, proposed)
    typed = {challenge.field: challenge.expected for challenge in proposed.challenges}
    decided = await approvals.decide(world.services(), asked, MARIA, typed, "req_decide")
    assert isinstance(decided, Approval)
    return decided


async def versions(world: World) -> list[AllowListVersion]:
    return list(await world.storage.read(lambda reader: reader.allow_list_history("acme", "shop", 10)))


def status(outcome: Outcome) -> tuple[object, object]:
    return outcome["status"], outcome.get("code")


async def test_locking_oneself_out_takes_a_word_of_its_own_and_says_so_in_plain_words(world: World) -> None:
    await world.add_app("shop", allow_list="203.0.113.0/24")
    proposed = await intent(change(world, "198.51.100.0/24", "203.0.113.7"))
    assert [(one.field, one.expected) for one in proposed.challenges] == [
        ("app", "shop"),
        ("lock_out", LOCK_CALLER_OUT),
    ]
    assert "this list refuses 203.0.113.7, where this request came from: its caller is LOCKED OUT" in proposed.words
    asked = await approvals.find_or_create(world.services(), change(world, "").request.call, proposed)
    for typed in ({"app": "shop"}, {"app": "shop", "lock_out": "yes"}, {"lock_out": LOCK_CALLER_OUT}):
        await approvals.decide(world.services(), asked, MARIA, typed, "req_decide")
    assert [one.version for one in await versions(world)] == [1]


@pytest.mark.parametrize("source_ip", ["198.51.100.7", "::ffff:198.51.100.7", None])
async def test_who_stays_inside_or_has_no_address_is_not_asked_for_it(world: World, source_ip: str | None) -> None:
    await world.add_app("shop", allow_list="203.0.113.0/24")
    proposed = await intent(change(world, "198.51.100.0/24", source_ip))
    assert [one.field for one in proposed.challenges] == ["app"]
    assert "LOCKED OUT" not in proposed.words


async def test_shutting_others_out_is_impact_and_not_lock_out(world: World) -> None:
    await world.add_app("shop", allow_list="203.0.113.0/24\n198.51.100.7")
    proposed = await intent(change(world, "203.0.113.0/24", "203.0.113.7"))
    assert [one.field for one in proposed.challenges] == ["app"]


async def test_opening_to_everyone_of_one_family_can_lock_out_a_caller_of_the_other(world: World) -> None:
    await world.add_app("shop", allow_list="203.0.113.0/24")
    proposed = await intent(change(world, "::/0", "203.0.113.7"))
    assert [one.field for one in proposed.challenges] == ["app", "override", "lock_out"]


@pytest.mark.parametrize(
    ("text", "source_ip", "needs_a_person"),
    [("203.0.113.7", "203.0.113.7", False), ("198.51.100.7", "203.0.113.7", True), ("0.0.0.0/0", None, True)],
)
async def test_what_overrides_a_safeguard_takes_a_person_even_where_changes_are_unattended(
    world: World, text: str, source_ip: str | None, *, needs_a_person: bool
) -> None:
    await world.add_app("shop", allow_list="203.0.113.0/24")
    app = await world.storage.read(lambda reader: reader.app("acme", "shop"))
    assert app is not None
    await world.storage.write(lambda writer: writer.update_app(replace(app, unattended=("shop",)), world.clock()))
    step = await advance(world.services(), change(world, text, source_ip))
    assert isinstance(step, Ask) is needs_a_person


async def test_an_approval_given_where_nobody_is_locked_out_does_not_serve_where_the_caller_is(world: World) -> None:
    await world.add_app("shop", allow_list="203.0.113.0/24")
    approval = await approved(world, change(world, "198.51.100.0/24", "198.51.100.7"))
    elsewhere = await change(world, "198.51.100.0/24", "203.0.113.7").apply(approval)
    assert status(elsewhere) == ("refused", "approval_outdated")
    assert status(await change(world, "198.51.100.0/24", "198.51.100.7").apply(approval)) == ("applied", None)


async def test_a_change_is_logged_with_the_address_it_was_asked_from(world: World) -> None:
    await world.add_app("shop", allow_list="203.0.113.0/24")
    asked = change(world, "203.0.113.7", "203.0.113.7")
    await asked.apply(await approved(world, asked))
    entry = (await world.entries())[-1]
    assert (entry.action, entry.source_ip, entry.details["version"]) == ("allow_list.update", "203.0.113.7", 2)


async def test_a_list_that_was_damaged_in_storage_can_be_replaced(world: World) -> None:
    await world.add_app("shop", allow_list="203.0.113.0/24")
    (first,) = await versions(world)
    damaged = replace(first, version=2, text="203.0.113.0/24\n???")
    await world.storage.write(lambda writer: writer.add_allow_list(damaged))
    mend = change(world, "198.51.100.0/24")
    assert "version 2 is in force, but damaged" in (await intent(mend)).words
    assert status(await mend.apply(await approved(world, mend))) == ("applied", None)
    assert next((one.version, one.text) for one in await versions(world)) == (3, "198.51.100.0/24")


async def test_of_two_approved_changes_of_one_version_the_first_wins_and_the_other_is_told(world: World) -> None:
    await world.add_app("shop", allow_list="203.0.113.0/24")
    one, other = change(world, "198.51.100.1"), change(world, "198.51.100.2")
    first, second = await approved(world, one), await approved(world, other)
    assert status(await one.apply(first)) == ("applied", None)
    assert status(await other.apply(second)) == ("refused", "approval_outdated")
    unused = await world.storage.read(lambda reader: reader.approval("acme", second.approval_id))
    assert unused is not None
    assert unused.state is ApprovalState.APPROVED
    assert [version.text for version in await versions(world)] == ["198.51.100.1", "203.0.113.0/24"]


async def test_an_approval_changes_a_list_once(world: World) -> None:
    await world.add_app("shop", allow_list="203.0.113.0/24")
    asked = change(world, "198.51.100.1")
    approval = await approved(world, asked)
    assert status(await asked.apply(approval)) == ("applied", None)
    assert status(await asked.apply(approval)) == ("refused", "approval_outdated")
    assert len(await versions(world)) == 2
