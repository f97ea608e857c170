"""A world with one dealer, both protocol eras, and `chekt-mcp serve --http` as a child process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from serving_child import Child, Installation
from world import Era, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "state")


@pytest.fixture(params=["modern", "legacy"])
def era(request: pytest.FixtureRequest) -> Era:
    return request.param  # type: ignore[no-any-return]  # the params above


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation.made(tmp_path)


@pytest.fixture
def child(installation: Installation) -> Iterator[Child]:
    with installation.serving() as served:
        yield served
