"""The same promises for every engine: a new one is added to ENGINES and gets this whole folder."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import pytest

from chekt_mcp.storage.interface import Storage
from chekt_mcp.storage.sqlite import open_storage
from storage_samples import furnish

ENGINES: dict[str, Callable[[Path], Storage]] = {
    "sqlite": open_storage,
    "sqlite, one caller": partial(open_storage, one_caller=True),
}


WRITES_BESIDE = {name: engine for name, engine in ENGINES.items() if name != "sqlite, one caller"}
"""Engines that write beside the event loop, so that reads go on meanwhile."""


@pytest.fixture(params=WRITES_BESIDE)
async def storage_that_writes_beside(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Storage]:
    """As `storage`, of an engine that writes in a thread of its own."""
    opened = WRITES_BESIDE[request.param](tmp_path)
    await furnish(opened)
    yield opened
    await opened.close()


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
