"""kill -9 anywhere between a delivery's arrival and the end of its hand-on: nothing is lost, nothing is new twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from chekt_mcp.operations.webhook.deliver_due import Delivered, deliver_due
from dying_receiver import Appending, receive
from state_processes import PATHS, TESTS
from world import Randomness, World

pytestmark = pytest.mark.anyio
BODY = '{"id":"evt_2hKqx9","type":"alarm.created"}'


@pytest.fixture
async def shop(world: World) -> World:
    await world.add_app("shop")
    world.random = Randomness("survivor")
    return world


def die_at(world: World, point: str, output: Path) -> None:
    """Let a process receive the delivery and end at a point."""
    done = subprocess.run(
        [sys.executable, str(TESTS / "dying_receiver.py"), str(world.directory), point, str(output)],
        input=json.dumps({"headers": world.sign(BODY.encode()), "body": BODY}),
        env={**os.environ, "PYTHONPATH": PATHS},
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL


async def retried(world: World) -> str:
    """Receive the platform's retry, signed as the first time."""
    return await receive(world.services(), world.sign(BODY.encode()), BODY.encode())


async def handed_on(world: World, output: Path) -> list[str]:
    """Hand on what is due, and return what the target has been given in all."""
    target = Appending(output, "nowhere")
    await deliver_due(world.services(), "acme", "shop", target)
    return target.given()


@pytest.mark.parametrize("point", ["claim_delivery", "enqueue_event", "complete_claim", "append"])
async def test_a_receiver_killed_before_it_was_durable_lets_the_retry_through_once(
    shop: World, tmp_path: Path, point: str
) -> None:
    output = tmp_path / "output"
    die_at(shop, point, output)
    assert await shop.entries() == []
    assert [await retried(shop) for _ in range(3)] == ["accepted", "duplicate", "duplicate"]
    assert len(await handed_on(shop, output)) == 1


async def test_a_receiver_killed_before_it_could_answer_has_taken_the_event_in(shop: World, tmp_path: Path) -> None:
    output = tmp_path / "output"
    die_at(shop, "committed", output)
    assert await retried(shop) == "duplicate"
    assert len(await handed_on(shop, output)) == 1


async def test_an_event_in_hand_when_the_process_is_killed_is_handed_on_once(shop: World, tmp_path: Path) -> None:
    output = tmp_path / "output"
    die_at(shop, "taken", output)
    assert await handed_on(shop, output) == []
    shop.clock.forward(minutes=1)
    assert len(await handed_on(shop, output)) == 1
    assert await retried(shop) == "duplicate"


async def test_an_event_taken_but_not_noted_comes_once_more_with_the_same_ids(shop: World, tmp_path: Path) -> None:
    output = tmp_path / "output"
    die_at(shop, "handed_on", output)
    shop.clock.forward(minutes=1)
    first, again = await handed_on(shop, output)
    assert first == again
    assert first.endswith(" evt_2hKqx9")
    shop.clock.forward(days=1)
    assert await deliver_due(shop.services(), "acme", "shop", Appending(output, "nowhere")) == Delivered()
