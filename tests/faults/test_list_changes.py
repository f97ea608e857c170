"""Changes of an allow list with processes that race, that are killed, and that have to learn of it."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from chekt_mcp.domain.allow_list.version import AllowListVersion
from chekt_mcp.domain.approval import Approval, Intent
from chekt_mcp.domain.scope import SERVER_SCOPES, Grant
from chekt_mcp.operations import approvals
from chekt_mcp.operations.allow_list.change_allow_list import IN_FORCE_WITHIN, ChangeList
from chekt_mcp.operations.approvals import Decider
from chekt_mcp.operations.change import Request
from chekt_mcp.operations.services import Call
from state_processes import Child, children
from world import World

pytestmark = pytest.mark.anyio

SCRIPT = Path(__file__).parent / "list_user.py"
ROUNDS = 12
FIRST = "203.0.113.0/24"


async def versions(world: World) -> list[AllowListVersion]:
    return list(await world.storage.read(lambda reader: reader.allow_list_history("acme", "shop", 10_000)))


def line(child: Child) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


def go_on(child: Child) -> None:
    assert child.stdin is not None
    child.stdin.write("go\n")
    child.stdin.flush()


async def test_of_two_processes_with_one_expected_version_one_wins_and_the_other_is_told(world: World) -> None:
    await world.add_app("shop", allow_list=FIRST)
    commands = [["change", "192.0.2.1"], ["change", "192.0.2.2"]]
    with children(world.directory, *commands, script=SCRIPT) as started:
        assert [line(child) for child in started] == ["confirmed", "confirmed"]
        for child in started:
            go_on(child)
        assert sorted(line(child) for child in started) == ["applied", "refused approval_outdated"]
    newest, first = await versions(world)
    assert (newest.version, first.text) == (2, FIRST)
    assert newest.text in {"192.0.2.1", "192.0.2.2"}


async def test_a_crash_between_confirmation_and_write_leaves_the_old_list_or_the_new_one(world: World) -> None:
    await world.add_app("shop", allow_list=FIRST)
    dice = random.Random(2026)  # noqa: S311 -- repeatable, not secret
    acknowledged = 1
    for round_ in range(ROUNDS):
        with children(world.directory, ["forever", str(round_)], script=SCRIPT) as (child,):
            for _ in range(dice.randrange(1, 12)):
                said = line(child)
                assert said
                acknowledged = max(acknowledged, int(said.partition(" ")[2] or 0))
            for _ in range(dice.randrange(20_000)):  # a moment of no fixed length, within the next step
                pass
            child.kill()
            assert child.stdout is not None
            rest = [said for said in child.stdout.readlines() if said.startswith("applied") and said.endswith("\n")]
            acknowledged = max([acknowledged, *(int(said.partition(" ")[2]) for said in rest)])
        history = await versions(world)
        assert [one.version for one in history] == list(range(len(history), 0, -1))
        assert acknowledged <= len(history) <= acknowledged + 1
        assert all(one.text.count("\n") == 49 for one in history[:-1])
        changes = [entry for entry in await world.entries() if entry.action == "allow_list.update"]
        assert [entry.details["version"] for entry in changes] == list(range(2, len(history) + 1))
        acknowledged = len(history)
    assert acknowledged > ROUNDS


async def test_another_process_enforces_a_new_list_within_the_time_promised(world: World) -> None:
    await world.add_app("shop", allow_list=FIRST)
    text = f"{FIRST}\n198.51.100.7"
    grant = Grant("acme", "app:shop", "api_key", "shop", ("shop",), frozenset(SERVER_SCOPES))
    request = Request(Call(grant, "req_test", world.clock(), "stdio"), "update_allow_list", "shop", {"entries": text})
    of = ChangeList(world.services(), request, text, "x")
    intent = await of.propose()
    assert isinstance(intent, Intent)
    asked = await approvals.find_or_create(world.services(), request.call, intent)
    by = Decider("terminal:maria", "terminal")
    approval = await approvals.decide(world.services(), asked, by, {"app": "shop"}, "req_decide")
    assert isinstance(approval, Approval)
    with children(world.directory, ["enforce", "198.51.100.7"], script=SCRIPT) as (child,):
        assert line(child) == "denied"
        outcome = await of.apply(approval)
        answered = time.monotonic()
        seen = float(line(child))
    assert outcome["status"] == "applied"
    assert seen - answered < IN_FORCE_WITHIN.total_seconds()
