"""Requests are found in whatever run of the log they are, and by their whole id."""

from __future__ import annotations

from pathlib import Path

import pytest

import storage_samples as sample
from chekt_mcp.storage.sqlite import open_storage, request_key, request_prints
from chekt_mcp.storage.sqlite.request_key import keys_of, request_hash, run_of

pytestmark = pytest.mark.anyio


async def test_a_request_is_found_in_every_run_newest_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_key, "RUN_BITS", 4)
    storage = open_storage(tmp_path)
    ids = [f"req_{number % 40}" for number in range(100)]
    entries = [sample.entry(one, at=sample.NOW + at * sample.MINUTE) for at, one in enumerate(ids)]
    await storage.write(sample.work("append", entries))
    for one in range(40):
        found = await storage.read(sample.work("entries_by_request_id", "acme", f"req_{one}", 10))
        assert [entry.seq for entry in found] == [seq for seq in range(100, 0, -1) if (seq - 1) % 40 == one]
    assert [entry.seq for entry in await sample.search(storage, request_id="req_3")] == [84, 44, 4]
    await storage.close()


async def test_requests_of_one_hash_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (request_key, request_prints):
        monkeypatch.setattr(module, "request_hash", lambda _: 7)
    storage = open_storage(tmp_path)
    await storage.write(sample.work("append", [sample.entry("req_1"), sample.entry("req_2")]))
    assert await sample.request_ids(storage, request_id="req_2") == ["req_2"]
    assert await storage.read(sample.work("entries_by_request_id", "acme", "req_3", 10)) == []
    await storage.close()


@pytest.mark.parametrize("size", [0, 1, 2**18 - 1, 2**18, 10**7])
def test_the_keys_of_a_request_are_one_for_each_run(size: int) -> None:
    runs = {run_of(seq) for seq in range(0, size + 1, 1000)} | {run_of(size)}
    keys = keys_of(request_hash("req_1"), range(run_of(size) + 1))
    assert keys == sorted({request_key.request_key(run << 18, "req_1") for run in runs})
