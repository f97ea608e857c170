"""`chekt-mcp approvals|approve|deny`: a person at a terminal reads, types, and decides; nobody else can."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from chekt_mcp.config import from_environment
from chekt_mcp.domain.app import ConfirmBy
from chekt_mcp.domain.approval import Approval, Challenge, Intent
from chekt_mcp.domain.audit import Entry, Kind, Query
from chekt_mcp.domain.choice import any_of
from chekt_mcp.domain.scope import SERVER_SCOPES, Grant
from chekt_mcp.operations.approvals import find_or_create
from chekt_mcp.operations.services import Call
from chekt_mcp.wiring import open_services, system_clock
from terminal_child import PASSPHRASE, Machine

WORDS = "Rotate the API key of app shop (test).\nAsked by app:shop over stdio; reason: scheduled."


def asked(machine: Machine, app: str = "shop", *, words: str = WORDS, ago: timedelta = timedelta(0)) -> str:
    """Store an approval as a call of an assistant does, and return its id."""
    return asyncio.run(_ask(machine, app, words, ago)).approval_id


async def _ask(machine: Machine, app: str, words: str, ago: timedelta) -> Approval:
    services = open_services(from_environment(machine.environment()), clock=lambda: system_clock() - ago)
    grant = Grant("main", f"app:{app}", "api_key", app, (app,), frozenset(SERVER_SCOPES))
    challenges = (Challenge("app", f"Type the app's name, {app}", app), Challenge("override", "Type: again", "again"))
    intent = Intent(
        dealer="main",
        app=app,
        tool="rotate_key",
        requester=f"app:{app}",
        confirm=ConfirmBy.OUT_OF_BAND,
        arguments={},
        state={},
        words=words,
        challenges=challenges,
    )
    try:
        return await find_or_create(services, Call(grant, "req_example", services.clock(), "stdio"), intent)
    finally:
        await services.storage.close()


def stored(machine: Machine, approval_id: str) -> Approval:
    async def work() -> Approval | None:
        services = open_services(from_environment(machine.environment()))
        try:
            return await services.storage.read(lambda reader: reader.approval("main", approval_id))
        finally:
            await services.storage.close()

    found = asyncio.run(work())
    assert found is not None
    return found


def logged(machine: Machine, action: str) -> list[Entry]:
    async def work() -> list[Entry]:
        services, now = open_services(from_environment(machine.environment())), system_clock()
        since, until = now - timedelta(days=1), now + timedelta(days=1)
        query = Query("main", ("shop",), since, until, kind=any_of(Kind.OPERATOR_ACTION))
        try:
            found = await services.storage.read(lambda reader: reader.search(query, 100))
        finally:
            await services.storage.close()
        return [entry for entry in found if entry.action == action]

    return asyncio.run(work())


def test_a_person_who_types_everything_right_approves_once(ready: Machine) -> None:
    approval = asked(ready)
    with ready.terminal("approve", approval) as person:
        person.expect("Asked by app:shop with rotate_key")
        person.expect("  | Rotate the API key of app shop (test).")
        person.answer("Type the app's name, shop: ", "shop")
        person.answer("Type: again: ", "again")
        person.expect("Approved.")
    assert person.code == 0
    decided = stored(ready, approval)
    assert decided.state == "approved"
    assert (decided.decided_by or "").startswith("terminal:")
    [entry] = logged(ready, "approval.approve")
    assert entry.actor == decided.decided_by
    again = ready.run("deny", approval)
    assert (again.code, again.error) == (1, "already_decided")
    assert again.err.endswith("It was approved, and the change is made when the assistant calls again in time.\n")


@pytest.mark.parametrize("typed", ["Shop", "shop ", " shop", "\u0455hop", "", "yes"])
def test_what_only_looks_alike_approves_nothing(ready: Machine, typed: str) -> None:
    approval = asked(ready)
    with ready.terminal("approve", approval) as person:
        person.answer("Type the app's name, shop: ", typed)
        person.answer("Type: again: ", "again")
        person.expect("That is not what was asked for")
        person.expect("Type the app's name, shop: ")
        person.press_control_c()
    assert person.code == 1
    assert stored(ready, approval).state == "pending"


def test_three_wrong_texts_deny(ready: Machine) -> None:
    approval = asked(ready)
    with ready.terminal("approve", approval) as person:
        for _ in range(3):
            person.answer("Type the app's name, shop: ", "shop")
            person.answer("Type: again: ", "wrong")
    assert person.code == 1
    assert "error: too_many_attempts: " in person.screen
    assert stored(ready, approval).state == "denied"


def test_without_a_terminal_nobody_approves(ready: Machine) -> None:
    approval = asked(ready)
    done = ready.run("approve", approval, typed="shop\nagain\n")
    assert (done.code, done.error) == (1, "terminal_required")
    assert stored(ready, approval).state == "pending"
    assert ready.run("approve", approval, "--passphrase-stdin").code == 2


def test_a_live_app_wants_the_passphrase_after_the_texts(live: Machine) -> None:
    approval = asked(live)
    with live.terminal("approve", approval) as person:
        person.answer("Type the app's name, shop: ", "shop")
        person.answer("Type: again: ", "again")
        person.answer("Approver passphrase: ", PASSPHRASE)
        person.expect("Approved.")
    assert person.code == 0
    assert stored(live, approval).state == "approved"


def test_right_texts_and_a_wrong_passphrase_approve_nothing(live: Machine) -> None:
    approval = asked(live)
    with live.terminal("approve", approval) as person:
        person.answer("Type the app's name, shop: ", "shop")
        person.answer("Type: again: ", "again")
        for left in (4, 3):
            person.answer("Approver passphrase: ", "not the right one")
            person.expect(f"{left} attempts left.")
        person.answer("Approver passphrase: ", "not the right one")
        person.expect("error: wrong_passphrase: ")
    assert person.code == 1
    assert stored(live, approval).state == "pending"
    assert [entry.result for entry in logged(live, "approver.passphrase.refuse")] == ["denied"] * 3


def test_denying_needs_the_passphrase_too_and_then_nothing_more(live: Machine) -> None:
    approval = asked(live)
    assert live.run("deny", approval).error == "passphrase_required"
    assert "Denied" in live.ok("deny", approval, "--passphrase-stdin", typed=f"{PASSPHRASE}\n")
    assert stored(live, approval).state == "denied"


def test_an_expired_approval_cannot_be_decided(ready: Machine) -> None:
    approval = asked(ready, ago=timedelta(hours=1))
    assert ready.run("deny", approval).error == "approval_expired"
    with ready.terminal("approve", approval) as person:
        pass
    assert "error: approval_expired: " in person.screen


@pytest.mark.parametrize("guess", ["apr_aaaaaaaaaaaaaaaaaaaa", "", "' OR 1=1 --", "apr_\x1b[2J"])
def test_a_guessed_id_is_unknown(ready: Machine, guess: str) -> None:
    asked(ready)
    done = ready.run("deny", guess)
    assert (done.code, done.error) == (1, "approval_unknown")
    assert "\x1b" not in done.err


def test_what_waits_is_listed_with_its_first_line_and_time(ready: Machine) -> None:
    assert ready.ok("approvals") == "Nothing waits for a decision.\n"
    approval = asked(ready)
    listed = ready.ok("approvals")
    assert approval in listed
    assert "app:shop" in listed
    assert "9 min" in listed
    assert "Rotate the API key of app shop (test)." in listed
    assert "reason: scheduled" not in listed


def test_words_cannot_draw_on_the_terminal_or_forge_a_line(ready: Machine) -> None:
    approval = asked(ready, words="Rotate\x1b[2J it\r  | All is well\u202e\nsecond line")
    with ready.terminal("approve", approval) as person:
        person.expect("second line")
        person.press_control_c()
    assert "\x1b[2J" not in person.screen
    assert "\n  | All is well" not in person.screen
    assert "\u202e" not in person.screen
    assert "\x1b" not in ready.ok("approvals")
