"""The same promises for every engine: a new one is added to ENGINES and gets this whole folder."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from chekt_mcp.storage.interface import Storage
from chekt_mcp.storage.sqlite import open_storage
from storage_samples import furnish

ENGINES: dict[str, Callable[[Path], Storage]] = {"sqlite": open_storage}


@pytest.fixture(params=ENGINES)
def open_same(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Storage]:
    """Opens one and the same database, as often as it is called."""
    return lambda: ENGINES[request.param](tmp_path)


@pytest.fixture
async def storage(open_same: Callable[[], Storage]) -> AsyncIterator[Storage]:
    """A store with the dealers `acme` and `other`, each with an app `shop`."""
    opened = open_same()
    await furnish(opened)
    yield opened
    await opened.close()
