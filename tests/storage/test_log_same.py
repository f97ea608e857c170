"""What an import brings is told from what the log has, whatever lies between them in time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import storage_samples as sample
from chekt_mcp.domain.audit import NewEntry
from chekt_mcp.storage.interface import Storage

pytestmark = pytest.mark.anyio

LOGS = count()
"""Every example gets a log of its own."""

ENTRIES = st.builds(
    lambda app, second, request_id, actor: replace(
        sample.entry(), app=app, timestamp=sample.NOW + timedelta(seconds=second), request_id=request_id, actor=actor
    ),
    st.sampled_from(["shop", "desk", None]),
    st.integers(0, 3),
    st.sampled_from(["req_1", "req_2"]),
    st.sampled_from(["maria", "tom"]),
)


def marks(entry: NewEntry) -> tuple[object, ...]:
    return (entry.dealer, entry.app, entry.timestamp, entry.request_id, entry.action, entry.actor)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(batches=st.lists(st.lists(ENTRIES, max_size=6), max_size=4))
async def test_of_entries_with_the_same_marks_one_is_taken(storage: Storage, batches: list[list[NewEntry]]) -> None:
    dealer, known = f"dealer-{next(LOGS)}", set[tuple[object, ...]]()
    for batch in batches:
        entries = [replace(entry, dealer=dealer) for entry in batch]
        fresh = {marks(entry) for entry in entries} - known
        assert await storage.write(sample.work("append_imported", entries)) == len(fresh)
        known |= fresh
