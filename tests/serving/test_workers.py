"""Several processes on one socket: nothing that one knows is missing in another."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from serving_child import Child, Installation, structured_content
from world import Era, Person


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def eventually(holds: Callable[[], bool]) -> None:
    """Wait for another process; ends by itself after half a minute."""
    until = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_calls_are_answered_by_each_of_several_workers(installation: Installation, era: Era) -> None:
    async def scenario() -> None:
        with installation.serving("--workers", "2") as child:
            for _ in range(6):
                async with child.client(installation.key, era) as client:
                    checked = await client.call_tool("check_ip", {"addresses": ["203.0.113.9"]})
                    assert structured_content(checked)["counts"] == {"allowed": 1}
            assert child.end() == 0

    asyncio.run(scenario())


def test_a_confirmation_begun_on_one_worker_finishes_on_another(installation: Installation) -> None:
    async def scenario() -> None:
        with installation.serving("--workers", "4") as child:
            for last in range(4):  # each round of each call takes a connection of its own, and so any worker
                person = Person(typed={"app": "shop"})
                async with child.client(installation.key, person=person) as client:
                    arguments = {"entries": f"127.0.0.1\n203.0.113.{last}", "reason": "test"}
                    answer = structured_content(await client.call_tool("update_allow_list", arguments))
                    assert answer["status"] == "applied"
                    assert len(person.shown) == 1

    asyncio.run(scenario())


def test_an_older_client_of_several_workers_is_told_to_find_an_approver(installation: Installation) -> None:
    async def scenario() -> None:
        person = Person(typed={"app": "shop"})
        with installation.serving("--workers", "2") as child:
            async with child.client(installation.key, "legacy", person=person) as client:
                answer = structured_content(await client.call_tool("rotate_key", {"reason": "scheduled"}))
        assert answer["status"] == "approval_required"
        assert not person.shown

    asyncio.run(scenario())


def test_a_change_of_scopes_counts_in_every_worker_from_the_next_call_on(installation: Installation) -> None:
    check = {"addresses": ["203.0.113.9"]}

    async def refusals(child: Child, calls: int) -> list[bool]:
        async with child.client(installation.key) as client:  # each call takes a connection of its own
            return [(await client.call_tool("check_ip", check)).is_error for _ in range(calls)]

    with installation.serving("--workers", "4") as child:
        assert asyncio.run(refusals(child, 12)) == [False] * 12
        Installation.command(installation.state, "app", "scopes", "shop", "--remove", "allowlist:read")
        assert asyncio.run(refusals(child, 12)) == [True] * 12


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="reads /proc")
def test_a_worker_that_dies_is_replaced_and_all_end_together(installation: Installation) -> None:
    with installation.serving("--workers", "2") as child:
        pid = child.process.pid
        eventually(lambda: len(children(pid)) == 2)
        first = children(pid)[0]
        os.kill(first, signal.SIGKILL)
        eventually(lambda: len(children(pid)) == 2 and first not in children(pid))
        running = children(pid)
        assert child.end() == 0
    assert not any(Path(f"/proc/{one}").exists() for one in running)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="reads /proc")
def test_workers_do_not_outlive_the_process_that_began_them(installation: Installation) -> None:
    with installation.serving("--workers", "2") as child:
        eventually(lambda: len(children(child.process.pid)) == 2)
        running = children(child.process.pid)
        child.process.kill()
        eventually(lambda: not any(Path(f"/proc/{one}").exists() for one in running))
