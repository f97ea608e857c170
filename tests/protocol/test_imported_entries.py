"""An imported entry says that it was imported, from which file, and by whom."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path

import pytest

from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.operations.audit.import_audit import import_log
from world import World, structured, words

pytestmark = pytest.mark.anyio


async def test_a_search_names_the_file_and_the_person_an_entry_came_from(world: World, tmp_path: Path) -> None:
    key = await world.add_app("shop")
    file = tmp_path / "portal\u202eexport.jsonl"
    at = rfc3339(world.clock() - timedelta(hours=1))
    row = {"timestamp": at, "app": "shop", "action": "GET /", "result": "ok", "request_id": "req_imported"}
    file.write_text(json.dumps(row), "utf-8")
    report = await import_log(
        world.services(), dealer="acme", file=file, imported_by="terminal:maria", progress=lambda _progress: None
    )
    asked = {"request_id": "req_imported", "fields": ["source", "origin"]}
    async with world.client(key) as client:
        result = await client.call_tool("search_audit_log", asked)
        without = structured(await client.call_tool("search_audit_log", {"request_id": "req_imported"}))
    (entry,) = structured(result)["entries"]
    assert (entry["source"], entry["origin"]) == ("import", report.import_id)
    assert structured(result)["imports"] == [
        {
            "import_id": report.import_id,
            "file": "portal\\u{202e}export.jsonl",
            "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
            "imported_by": "terminal:maria",
            "imported_at": rfc3339(world.clock()),
        }
    ]
    assert f"{report.import_id}: the file portal\\u{{202e}}export.jsonl" in words(result)
    assert without["imports"] == []
