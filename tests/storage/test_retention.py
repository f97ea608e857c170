"""What a prune would remove is counted by app before it is removed."""

from __future__ import annotations

from dataclasses import replace

import pytest

import storage_samples as sample
from chekt_mcp.storage.interface import Storage
from chekt_mcp.storage.records import AgedEntries

pytestmark = pytest.mark.anyio


async def test_entries_before_a_moment_are_counted_by_app(storage: Storage) -> None:
    times = [sample.NOW + number * sample.HOUR for number in range(4)]
    entries = [replace(sample.entry(), app=app, timestamp=at) for app in ("shop", "desk", None) for at in times]
    await storage.write(lambda writer: writer.append([*entries, replace(entries[0], dealer="other")]))
    aged = await storage.read(lambda reader: reader.aged_entries("acme", times[2]))
    assert aged == [AgedEntries(app, 2, times[0], times[1]) for app in (None, "desk", "shop")]
    assert await storage.read(lambda reader: reader.aged_entries("acme", times[0])) == []
    assert await storage.read(lambda reader: reader.aged_entries("nobody", times[3])) == []
