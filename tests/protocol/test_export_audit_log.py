"""The tool answers with a link, and the link opens for whoever made it, as long as they may see what it holds."""

from __future__ import annotations

import csv
import io
import json
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import ResourceLink, TextResourceContents

from chekt_mcp.domain.audit import Kind, NewEntry, Result
from chekt_mcp.domain.scope import SERVER_SCOPES, Scope
from chekt_mcp.operations.audit import export_for_tool
from chekt_mcp.operations.audit.export_check import ExportStatus, Given, check_export
from chekt_mcp.operations.audit.export_store import MOST_EXPORTS
from world import Era, World, refusal, structured, words

pytestmark = pytest.mark.anyio


def entry(world: World, number: int, **changes: Any) -> NewEntry:
    made = NewEntry(
        dealer="acme",
        timestamp=world.clock() - timedelta(minutes=number),
        actor="=HYPERLINK(1)",
        kind=Kind.API_CALL,
        action="devices.list",
        result=Result.OK,
        request_id=f"req_{number}",
        app="shop",
        source_ip="203.0.113.7",
    )
    return replace(made, **changes)


async def read(client: Client, uri: str) -> str:
    (content,) = (await client.read_resource(uri)).contents
    assert isinstance(content, TextResourceContents)
    return content.text


async def refused(client: Client, uri: str) -> str:
    with pytest.raises(MCPError) as caught:
        await client.read_resource(uri)
    return caught.value.error.message


async def test_an_export_is_a_link_never_the_rows_and_can_be_read_and_checked(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    await world.log(*(entry(world, number) for number in range(3)))
    async with world.client(key, era) as client:
        result = await client.call_tool("export_audit_log", {"format": "csv", "action": "devices.list"})
        told = structured(result)
        (link,) = [block for block in result.content if isinstance(block, ResourceLink)]
        content, manifest = await read(client, link.uri), json.loads(await read(client, told["manifest"]))
    assert "HYPERLINK" not in words(result) + json.dumps(told)
    assert (told["rows"], link.uri, link.size) == (3, told["uri"], told["bytes"])
    assert told["sha256"] == sha256(content.encode()).hexdigest() == manifest["manifest"]["file"]["sha256"]
    assert told["checkpoint"] == manifest["manifest"]["checkpoint"]
    rows = list(csv.DictReader(io.StringIO(content, newline="")))
    assert [row["actor"] for row in rows] == ["'=HYPERLINK(1)"] * 3
    path = Path(told["path"])
    check = check_export(Given(path, path.with_name(path.name + ".manifest.json"), path))
    assert check.status is ExportStatus.CONSISTENT


async def test_the_default_window_is_90_days_and_every_app_covered(world: World) -> None:
    await world.add_app("till")
    key = await world.add_app("shop", covers=("till",))
    far = world.clock() - timedelta(days=91)
    await world.log(
        entry(world, 1), entry(world, 2, app="till"), entry(world, 3, timestamp=far), entry(world, 4, app="x")
    )
    async with world.client(key) as client:
        told = structured(await client.call_tool("export_audit_log", {"kind": "api_call"}))
    assert (told["rows"], told["apps"], told["dealer_wide"]) == (2, ["shop", "till"], True)


async def test_an_empty_export_is_a_valid_file_without_rows(world: World) -> None:
    key = await world.add_app("shop")
    async with world.client(key) as client:
        for form, content in (("csv", "seq,actor\r\n"), ("json", "[\n]\n"), ("jsonl", "")):
            asked = {"format": form, "actor": "nobody", "fields": ["actor", "seq"]}
            told = structured(await client.call_tool("export_audit_log", asked))
            assert (told["rows"], await read(client, told["uri"])) == (0, content)


async def test_files_are_the_owners_alone_and_lie_in_the_state_directory(world: World) -> None:
    key = await world.add_app("shop")
    async with world.client(key) as client:
        path = Path(structured(await client.call_tool("export_audit_log", {}))["path"])
    assert path.is_relative_to(world.directory / "exports" / "acme")
    for directory in (path.parent, path.parent.parent):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()} == {0o600}


async def foreign(world: World) -> str:
    return await world.add_app("rival", dealer="other")


async def colleague(world: World) -> str:
    return await world.add_app("till", covers=("shop",))


@pytest.mark.parametrize("somebody", [foreign, colleague])
async def test_an_export_of_somebody_else_reads_as_none(
    world: World, era: Era, somebody: Callable[[World], Any]
) -> None:
    key = await world.add_app("shop")
    async with world.client(key, era) as client:
        uri = structured(await client.call_tool("export_audit_log", {}))["uri"]
    async with world.client(await somebody(world), era) as client:
        invented = uri.replace(uri[24:30], "aaaaaa")
        assert await refused(client, uri) == await refused(client, invented)
        assert (await client.list_resources()).resources == []


async def test_a_scope_taken_away_closes_an_export_that_was_made_before(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    async with world.client(key, era) as client:
        uri = structured(await client.call_tool("export_audit_log", {}))["uri"]
        assert [one.uri for one in (await client.list_resources()).resources] == [uri]
        app = await world.storage.read(lambda reader: reader.app("acme", "shop"))
        assert app is not None
        narrowed = replace(app, scopes=frozenset(SERVER_SCOPES) - {Scope.OPERATORS_READ})
        await world.storage.write(lambda writer: writer.update_app(narrowed, world.clock()))
        assert (await refused(client, uri)).startswith("permission_denied")
        assert (await client.list_resources()).resources == []


async def test_an_app_no_longer_covered_closes_an_export_that_holds_its_entries(world: World, era: Era) -> None:
    await world.add_app("till")
    key = await world.add_app("shop", covers=("till",))
    async with world.client(key, era) as client:
        uri = structured(await client.call_tool("export_audit_log", {}))["uri"]
        app = await world.storage.read(lambda reader: reader.app("acme", "shop"))
        assert app is not None
        narrowed = replace(app, covers=())
        await world.storage.write(lambda writer: writer.update_app(narrowed, world.clock()))
        assert (await refused(client, uri)).startswith("unknown_export")


async def test_every_read_is_an_entry_also_one_that_is_refused(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    async with world.client(key, era) as client:
        uri = structured(await client.call_tool("export_audit_log", {}))["uri"]
        await read(client, uri)
        await refused(client, "chekt-export://audit/exp_none/log.csv")
    made, *reads = [one for one in await world.entries() if one.action in {"audit.export", "resources/read"}]
    assert (made.actor, made.kind, made.details["rows"]) == ("app:shop", Kind.OPERATOR_ACTION, 0)
    assert [one.details["outcome"] for one in reads] == ["read", "unknown_export"]
    assert reads[0].details["export"] == made.details["export"]
    assert [one.result for one in reads] == [Result.OK, Result.DENIED]


async def test_a_large_export_cannot_be_read_into_a_conversation(
    world: World, era: Era, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await world.add_app("shop")
    await world.log(*(entry(world, number, details={"note": "x" * 1000}) for number in range(120)))
    async with world.client(key, era) as client:
        told = structured(await client.call_tool("export_audit_log", {}))
        said = await refused(client, told["uri"])
        assert (await read(client, told["manifest"])).startswith("{")
        assert not told["readable"]
        assert told["path"] in told["how"]
        assert said.startswith("too_large")
        assert told["path"] in said
        monkeypatch.setattr(export_for_tool, "MOST_ROWS", 100)
        too_many = refusal(await client.call_tool("export_audit_log", {}))
    assert too_many.startswith("too_many_rows (since)")
    assert len(list(Path(told["path"]).parent.iterdir())) == 2


async def test_an_export_goes_after_a_week_and_when_there_are_twenty(world: World) -> None:
    key = await world.add_app("shop")
    async with world.client(key) as client:
        uri = structured(await client.call_tool("export_audit_log", {}))["uri"]
        world.clock.forward(days=7)
        assert (await refused(client, uri)).startswith("unknown_export")
        assert list((world.directory / "exports" / "acme").iterdir()) == []
        for _ in range(MOST_EXPORTS + 1):
            world.clock.forward(seconds=1)
            newest = structured(await client.call_tool("export_audit_log", {}))["uri"]
        listed = [one.uri for one in (await client.list_resources()).resources]
    assert (len(listed), listed[0]) == (MOST_EXPORTS, newest)


def add_a_row(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"9,forged\r\n")


def give_to_till(manifest: Path) -> None:
    manifest.write_text(manifest.read_text().replace('"app:shop"', '"app:till"'))


async def test_a_file_that_was_changed_in_the_state_directory_is_not_served(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    async with world.client(key, era) as client:
        told = structured(await client.call_tool("export_audit_log", {}))
        add_a_row(Path(told["path"]))
        assert (await refused(client, told["uri"])).startswith("export_altered")
        give_to_till(Path(f"{told['path']}.manifest.json"))
        assert (await refused(client, told["uri"])).startswith("unknown_export")


@pytest.mark.parametrize(
    "uri",
    [
        "file:///etc/passwd",
        "chekt-export://audit/../../kek",
        "chekt-export://audit/exp_aaaaaaaaaaaaaaaaaaaa/../state.db",
        "chekt-export://audit/exp_aaaaaaaaaaaaaaaaaaaa/log.parquet",
    ],
)
async def test_nothing_but_an_export_can_be_read(world: World, era: Era, uri: str) -> None:
    key = await world.add_app("shop")
    async with world.client(key, era) as client:
        assert (await refused(client, uri)).startswith("unknown_export")


async def test_a_key_in_a_uri_or_in_an_export_is_not_repeated(world: World, era: Era) -> None:
    planted = "chekt_live_" + "EXAMPLE0" * 4
    key = await world.add_app("shop")
    await world.log(entry(world, 1, actor=planted))
    async with world.client(key, era) as client:
        told = structured(await client.call_tool("export_audit_log", {}))
        said = [await refused(client, told["uri"]), await refused(client, f"chekt-export://audit/{planted}/log.csv")]
    assert [one.split(":")[0] for one in said] == ["credential_in_export", "credential_exposed"]
    assert "EXAMPLE0" not in "".join(said)


async def test_without_a_usable_key_nothing_is_listed_or_read(world: World, era: Era) -> None:
    await world.add_app("shop")
    async with world.client(None, era) as client:
        assert (await client.list_resources()).resources == []
        assert (await client.list_resource_templates()).resource_templates == []
        assert (await refused(client, "chekt-export://audit/exp_aaaaaaaaaaaaaaaaaaaa/log.csv")).startswith("no_")
