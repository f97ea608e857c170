"""What a page costs does not grow with the log: counted in SQLite's own steps, which no clock disturbs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

import storage_samples as sample
from chekt_mcp.domain.audit import Page, Position, Result
from chekt_mcp.domain.choice import any_of, none_of
from chekt_mcp.storage.sqlite import log_pages, log_sifting, open_storage
from chekt_mcp.storage.sqlite.connection import connect_to_read
from chekt_mcp.storage.sqlite.database_file import DATABASE
from chekt_mcp.storage.sqlite.snapshots import Snapshots

ENTRIES = 6_000
MIDDLE = sample.NOW + ENTRIES // 2 * sample.MINUTE
STEP = 100


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snapshots]:
    directory = tmp_path_factory.mktemp("state")
    entries = [
        sample.entry(
            f"req_{number}",
            at=sample.NOW + number * sample.MINUTE,
            app=("shop", "till", "gate")[number % 3],
            source_ip=f"198.51.100.{number % 200}",
            key_id=f"key_{number % 4}",
        )
        for number in range(ENTRIES)
    ]

    async def fill(path: Path) -> None:
        storage = open_storage(path)
        await storage.write(sample.work("append", entries))
        await storage.close()

    asyncio.run(fill(directory))
    with closing(connect_to_read(directory / DATABASE)) as connection:
        yield Snapshots(connection)


def steps(log: Snapshots, method: str, *arguments: Any) -> int:
    """Return how many hundreds of steps SQLite took."""
    taken = 0

    def count() -> int:
        nonlocal taken
        taken += 1
        return 0

    log.run(sample.work(method, *arguments))  # names are looked up once and then remembered
    log.connection.set_progress_handler(count, STEP)
    log.run(sample.work(method, *arguments))
    log.connection.set_progress_handler(None, STEP)
    return taken


ALL_APPS = {"apps": ("shop", "till", "gate")}
CASES: dict[str, dict[str, Any]] = {
    "newest": {},
    "deep page": {"before": Position(sample.microseconds(MIDDLE), ENTRIES // 2)},
    "all apps": ALL_APPS,
    "old window": {"until": MIDDLE},
    "request": {"request_id": "req_3000"},
    "key": {**ALL_APPS, "key_id": "key_1"},
    "address": {**ALL_APPS, "source_network": ip_network("198.51.100.7/32")},
    "network": {**ALL_APPS, "source_network": ip_network("198.51.100.0/27")},
}


@pytest.mark.parametrize("conditions", CASES.values(), ids=CASES)
def test_a_page_reads_little_more_than_itself(log: Snapshots, conditions: dict[str, Any]) -> None:
    assert steps(log, "search", sample.query(**conditions), 20) * STEP < 3_500


UNINDEXED: dict[str, dict[str, Any]] = {
    "text nowhere": {"text": any_of("nowhere to be found")},
    "two letters": {"text": any_of("zq")},
    "not a text": {"text": none_of("watch")},
    "negated": {**ALL_APPS, "result": none_of(Result.OK)},
    "wide network": {**ALL_APPS, "source_network": none_of(ip_network("198.51.0.0/16"))},
    "key and more": {**ALL_APPS, "key_id": any_of("key_1"), "action": none_of("GET /v1/devices")},
    "one actor": {"actor": any_of("app:shop"), "scope": none_of("devices:read")},
}


@pytest.mark.parametrize("conditions", (CASES | UNINDEXED).values(), ids=CASES | UNINDEXED)
def test_a_page_never_looks_at_more_than_it_may(
    log: Snapshots, monkeypatch: pytest.MonkeyPatch, conditions: dict[str, Any]
) -> None:
    for module, name in [(log_pages, "FIRST_LOOK"), (log_pages, "MOST_WALKED"), (log_sifting, "MOST_READ")]:
        monkeypatch.setattr(module, name, 100)
    assert steps(log, "search_page", sample.query(**conditions), 20) * STEP < 60_000


@pytest.mark.parametrize("conditions", UNINDEXED.values(), ids=UNINDEXED)
def test_a_page_that_may_look_at_everything_is_complete(log: Snapshots, conditions: dict[str, Any]) -> None:
    assert log.run(sample.work("search_page", sample.query(**conditions), 20)) == Page([])


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("log_extent", ["acme"]),
        ("log_extent", ["acme", ["shop"]]),
        ("last_use", ["acme", "key_1"]),
        ("entries_by_request_id", ["acme", "req_3000", 10]),
    ],
)
def test_a_lookup_reads_a_few_rows(log: Snapshots, method: str, arguments: list[Any]) -> None:
    assert steps(log, method, *arguments) * STEP < 500
