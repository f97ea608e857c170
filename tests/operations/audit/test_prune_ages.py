"""A prune that somebody logs to hide a deletion is found by what stood around the entry that is gone."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from chekt_mcp.domain.audit import Kind
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.operations.audit.import_audit import import_log
from chekt_mcp.operations.audit.make_checkpoint import make_checkpoint
from chekt_mcp.operations.audit.prune_audit import PRUNED, prune_log, range_line
from chekt_mcp.operations.audit.verify_log import Status
from chekt_mcp.operations.audit.verify_report import report, summary
from chekt_mcp.operations.operator import operator_of
from tampering import ENTRY, database, log_of, numbered, verified
from world import START, World

pytestmark = pytest.mark.anyio

LONG_AGO = START - timedelta(days=400)
IMPORTED = (START - timedelta(days=300), START - timedelta(days=200), START - timedelta(days=1))


@pytest.fixture
async def logged(world: World) -> World:
    """A log of own entries, all of one day."""
    await world.add_app("shop")
    await world.log(*numbered(20))
    return world


async def test_a_forged_prune_of_an_entry_among_younger_ones_is_found(logged: World) -> None:
    note = (await make_checkpoint(logged.services(), "acme")).note
    await _forge_prune(logged, 10, before=LONG_AGO)
    verification = await verified(logged, note)
    assert verification.status is Status.TAMPERED
    assert "entry 10 stood among younger ones" in verification.problems[0].message


async def test_a_forged_prune_that_goes_too_far_is_found(logged: World) -> None:
    await _forge_prune(logged, 10, before=START + timedelta(days=2))
    assert "nothing may prune yet" in (await verified(logged)).problems[0].message


async def test_a_forged_prune_of_an_imported_entry_is_found_where_the_import_had_none_so_old(
    logged: World, tmp_path: Path
) -> None:
    await _import(logged, tmp_path, *IMPORTED[1:])
    await logged.log(*numbered(3))
    await _forge_prune(logged, 22, before=LONG_AGO)
    assert "entry 22 stood among younger ones" in (await verified(logged)).problems[0].message


async def test_old_imported_entries_are_pruned_from_among_younger_ones(logged: World, tmp_path: Path) -> None:
    await _import(logged, tmp_path, *IMPORTED)
    note = (await make_checkpoint(logged.services(), "acme")).note
    logged.clock.forward(days=100)
    assert await _prune(logged) == 1
    verification = await verified(logged, note)
    assert (verification.status, verification.problems) == (Status.VERIFIED, [])
    assert "Pruned were entries from before 2025-10-09T12:00:00Z" in summary(report(verification, [], []))


async def test_a_clock_that_was_ahead_for_a_while_makes_no_prune_a_forgery(logged: World) -> None:
    await logged.log(*numbered(2, timestamp=START + timedelta(days=2000)))
    await logged.log(*numbered(5, timestamp=START + timedelta(days=1)))
    await logged.log(*numbered(5, timestamp=START + timedelta(days=390)))
    logged.clock.forward(days=400)
    assert await _prune(logged) == 25
    assert (await verified(logged)).problems == []


async def _forge_prune(world: World, number: int, *, before: datetime) -> None:
    """Remove an entry, and log a prune that tells of it, all as the program would have it."""
    details = {"before": rfc3339(before), "entries": 1, "ranges_sha256": sha256(range_line(number, number)).hexdigest()}
    told = replace(ENTRY, kind=Kind.OPERATOR_ACTION, action=PRUNED, request_id="req_prune", details=details)
    await world.log(told)
    head = await world.storage.read(lambda reader: reader.tree_head("acme"))
    with database(world.directory) as connection:
        base = log_of(connection)
        row = (base + number,)
        connection.execute("INSERT INTO pruned_leaves SELECT id, leaf FROM entries WHERE id = ?", row)
        connection.execute("INSERT INTO pruned VALUES (?, ?, ?, ?)", (base >> 40, number, number, head.size))
        connection.execute(
            "UPDATE entry_counts SET entries = entries - 1 WHERE app = (SELECT app FROM entries WHERE id = ?)", row
        )
        connection.execute("DELETE FROM entries WHERE id = ?", row)


async def _import(world: World, directory: Path, *moments: datetime) -> None:
    file = directory / "log.jsonl"
    rows = [
        {"timestamp": rfc3339(at), "app": "shop", "action": "GET /v1/sites", "result": "ok", "request_id": f"req_i{at}"}
        for at in moments
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    report = await import_log(
        world.services(), dealer="acme", file=file, imported_by="terminal:ana", progress=lambda _progress: None
    )
    assert report.added == len(moments)


async def _prune(world: World) -> int:
    async def told(_gone: int) -> None:
        """Nobody watches."""

    return await prune_log(world.services(), operator_of("ana", world.random), "acme", told)
