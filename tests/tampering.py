"""A log to tamper with: the database file itself through plain sqlite3, its triggers dropped first."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from chekt_mcp.domain.audit import Kind, NewEntry, Result
from chekt_mcp.operations.audit.verify_log import LogVerifier, Verification
from chekt_mcp.operations.audit.vouchers import GivenCheckpoint
from world import START, World

ENTRY = NewEntry(
    dealer="acme",
    timestamp=START,
    actor="api_key:CHK_1",
    kind=Kind.API_CALL,
    action="GET /v1/devices",
    result=Result.OK,
    request_id="req_1",
    app="shop",
    scope="devices:read",
    source="import",
    source_ip="203.0.113.7",
    key_id="key_1",
    details={"status": 200, "note": "Café"},
)


def numbered(count: int, **changes: Any) -> list[NewEntry]:
    """Return so many entries that differ in their request ids."""
    return [replace(ENTRY, request_id=f"req_{number}", **changes) for number in range(1, count + 1)]


@contextmanager
def database(directory: Path) -> Iterator[sqlite3.Connection]:
    """Open the database as somebody does who has the file and sqlite3; every trigger is gone."""
    connection = sqlite3.connect(directory / "chekt.db", isolation_level=None)
    try:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f'DROP TRIGGER "{name}"')
        yield connection
    finally:
        connection.close()


def log_of(connection: sqlite3.Connection, dealer: str = "acme") -> int:
    """Return what is added to an entry's number to make its id."""
    (number,) = connection.execute("SELECT log FROM logs WHERE dealer = ?", (dealer,)).fetchone()
    return int(number) << 40


async def verified(world: World, *against: str, newest: int | None = None) -> Verification:
    """Verify as a new process does, which remembers nothing."""
    fresh = World(world.directory, world.clock, world.random)
    try:
        kept = [GivenCheckpoint(f"kept-{number}.txt", note) for number, note in enumerate(against)]
        return await LogVerifier(fresh.services(), "acme", newest, kept).run()
    finally:
        await fresh.storage.close()
