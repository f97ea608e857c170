"""A world with one dealer, and both protocol eras."""

from __future__ import annotations

from pathlib import Path

import pytest

from world import Era, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "state")


@pytest.fixture(params=["modern", "legacy"])
def era(request: pytest.FixtureRequest) -> Era:
    return request.param  # type: ignore[no-any-return]  # the params above
