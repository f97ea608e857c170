"""A live app whose changes an approver decides on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from approver_desk import Desk, set_passphrase
from world import World


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    world = World(tmp_path / "state")
    await world.add_app("shop", env="live", allow_list="203.0.113.0/24")
    await set_passphrase(world, "acme")
    yield Desk(world)
    await world.storage.close()
