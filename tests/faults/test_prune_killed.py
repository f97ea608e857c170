"""A prune that is killed wherever it is has removed whole batches, told of each, and is gone on with the next time."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from chekt_mcp.domain.audit import Kind, NewEntry, Result
from chekt_mcp.operations.audit.prune_audit import prune_log
from chekt_mcp.operations.operator import Operator
from world import START, World

pytestmark = pytest.mark.anyio

CHILD = Path(__file__).with_name("prune_until_killed.py")
OLD, YOUNG = 3_000, 50


async def filled(world: World) -> None:
    await world.add_dealer("acme")
    edge = START - timedelta(days=365)
    times = [edge - timedelta(minutes=number + 1) for number in range(OLD)]
    times += [edge + timedelta(minutes=number) for number in range(YOUNG)]
    entries = [
        NewEntry("acme", at, "app:shop", Kind.API_CALL, "GET /", Result.OK, f"req_{number}", app="shop")
        for number, at in enumerate(times)
    ]
    await world.storage.write(lambda writer: writer.append(entries))


def killed_after(state: Path, batches: int) -> None:
    command = [sys.executable, str(CHILD), str(state), "100"]
    path = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}) as child:
        assert child.stdout is not None
        for _ in range(batches):
            assert child.stdout.readline()
        child.kill()


async def numbers(world: World) -> tuple[set[int], dict[int, int]]:
    """Return the numbers that are there, and of those that were pruned the entries that tell of it."""
    there = await world.storage.read(lambda reader: reader.logged_entries("acme", 0, 100_000))
    gone = await world.storage.read(lambda reader: reader.pruned_ranges("acme", 0, 100_000))
    told = {number: one.prune_seq for one in gone for number in range(one.first, one.last + 1)}
    return {one.entry.seq for one in there}, told


@pytest.mark.parametrize("batches", [1, 4, 9])
async def test_whatever_is_gone_was_told_of_and_the_rest_goes_the_next_time(world: World, batches: int) -> None:
    await filled(world)
    before = await world.storage.read(lambda reader: reader.leaf_hashes("acme", 0, OLD + YOUNG))
    killed_after(world.directory, batches)
    there, told = await numbers(world)
    size = (await world.storage.read(lambda reader: reader.tree_head("acme"))).size
    assert not there & set(told)
    assert there | set(told) == set(range(1, size + 1))
    assert set(told.values()) <= there
    assert len(told) >= 60 * batches  # whole hours of an entry a minute
    await prune_log(world.services(), Operator("terminal:maria", "req_maria"), "acme", nothing, 1_000)
    there, told = await numbers(world)
    assert set(told) == set(range(1, OLD + 1))
    assert await world.storage.read(lambda reader: reader.leaf_hashes("acme", 0, OLD + YOUNG)) == before


async def nothing(_gone: int) -> None:
    """Nobody waits."""
