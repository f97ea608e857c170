"""A process of its own that changes or enforces the allow list of the app `shop` in a state directory.

    list_user.py DIRECTORY change ADDRESS        put a list of this address in force; print how that ended
    list_user.py DIRECTORY forever ROUND         change the list without an end; print each step before and after
    list_user.py DIRECTORY enforce ADDRESS       print "denied", check again until it is allowed, print the moment

It prints "ready" and waits for a line on standard input before it begins, so that several begin at once.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
from pathlib import Path

from chekt_mcp.domain.approval import Approval, Intent
from chekt_mcp.domain.scope import SERVER_SCOPES, Grant
from chekt_mcp.operations import approvals
from chekt_mcp.operations.allow_list.change_allow_list import ChangeList
from chekt_mcp.operations.allow_list.check_address import check_addresses
from chekt_mcp.operations.allow_list.compiled_lists import CompiledLists
from chekt_mcp.operations.approvals import Decider
from chekt_mcp.operations.change import Outcome, Request
from chekt_mcp.operations.services import Call
from world import Randomness, World

GRANT = Grant("acme", "app:shop", "api_key", "shop", ("shop",), frozenset(SERVER_SCOPES))


def say(line: object) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def change(world: World, text: str, expected: int | None = None) -> ChangeList:
    """Return one change of the list."""
    call = Call(GRANT, "req_child", world.clock(), "stdio")
    return ChangeList(
        world.services(), Request(call, "update_allow_list", "shop", {"entries": text}), text, "x", expected
    )


async def confirmed(world: World, of: ChangeList) -> Approval:
    """Return a change's approval, given by a person."""
    intent = await of.propose()
    assert isinstance(intent, Intent), intent
    asked = await approvals.find_or_create(world.services(), of.request.call, intent)
    by = Decider("terminal:maria", "terminal")
    decided = await approvals.decide(world.services(), asked, by, {"app": "shop"}, "req_decide")
    assert isinstance(decided, Approval), decided
    return decided


async def race(world: World, address: str) -> Outcome:
    """Confirm a change of version 1, wait for the others to be as far, and carry it out."""
    of = change(world, address, expected=1)
    approval = await confirmed(world, of)
    say("confirmed")
    sys.stdin.readline()
    return await of.apply(approval)


async def forever(world: World, round_: str) -> None:
    for number in itertools.count():
        text = "\n".join([f"10.{number >> 8}.{number & 255}.1 # {round_}"] * 50)
        of = change(world, text)
        approval = await confirmed(world, of)
        say("confirmed")
        outcome = await of.apply(approval)
        assert outcome["status"] == "applied", outcome
        say(f"applied {outcome['version']}")


async def enforce(world: World, address: str) -> None:
    compiled, told = CompiledLists(), False
    while True:
        result = await world.storage.read(lambda reader: check_addresses(reader, compiled, "acme", "shop", [address]))
        if result["results"][0]["verdict"] == "allowed":
            break
        if not told:
            say("denied")
            told = True
    say(time.monotonic())


async def main(directory: Path, command: str, *arguments: str) -> None:
    say("ready")
    sys.stdin.readline()
    world = World(directory, random=Randomness(f"{time.monotonic_ns()}"))
    match command:
        case "change":
            outcome = await race(world, arguments[0])
            say(f"{outcome['status']} {outcome.get('code', '')}".strip())
        case "forever":
            await forever(world, arguments[0])
        case "enforce":
            await enforce(world, arguments[0])
    await world.storage.close()


asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))
