"""An export is whole or not there, holds one state of the log, and stays what it was while others write."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chekt_mcp.domain.export_manifest import Manifest
from chekt_mcp.domain.formula import restored
from chekt_mcp.domain.log_block import LogBlock
from chekt_mcp.errors import ChektError, Conflict, InvalidInput, Unavailable
from chekt_mcp.operations.audit import export_audit
from chekt_mcp.operations.audit.export_audit import ExportProgress, ExportRequest, export_log
from chekt_mcp.operations.audit.export_csv import CsvEncoder
from chekt_mcp.operations.audit.export_file import ExportFile, manifest_path
from chekt_mcp.operations.audit.export_format import ExportFormat, encoder_of
from chekt_mcp.operations.audit.export_json import JsonEncoder, JsonLinesEncoder
from chekt_mcp.operations.audit.export_target import target_of
from chekt_mcp.operations.audit.export_text import FIELDS
from chekt_mcp.storage.interface import Writer
from export_samples import block_of, entry, operator
from tampering import database
from world import World

pytestmark = pytest.mark.anyio

ALL = ExportRequest(apps=("shop",), dealer_wide=True, since="9999d", form=ExportFormat.JSONL)


@pytest.fixture
async def filled(world: World) -> World:
    await world.add_app("shop")
    await world.log(*(entry(world, number) for number in range(25)))
    return world


async def export(
    world: World, path: Path, request: ExportRequest = ALL, *, seen: Callable[[ExportProgress], None] | None = None
) -> Manifest:
    target = target_of(path, manifest_path(path), proofs=request.proofs, force=False)
    return await export_log(world.services(), operator(world), request, target, seen or (lambda _: None))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def left(directory: Path) -> list[str]:
    """Return the files of an export that are there, temporary ones too."""
    return [path.name for path in directory.iterdir() if path.name != "state"]


def write_theirs(path: Path) -> None:
    path.write_text("theirs")


async def test_every_format_holds_the_same_entries_in_the_order_of_writing(filled: World, tmp_path: Path) -> None:
    await export(filled, tmp_path / "a.jsonl")
    window = replace(ALL, until="2026-07-01T12:00:00.001Z", filters={"action": "devices.list"})
    for form in ("json", "csv"):
        await export(filled, tmp_path / f"a.{form}", replace(window, form=ExportFormat(form)))
    rows = [row for row in lines(tmp_path / "a.jsonl") if row["action"] == "devices.list"]
    assert [row["seq"] for row in rows] == list(range(rows[0]["seq"], rows[0]["seq"] + 25))
    assert json.loads((tmp_path / "a.json").read_text("utf-8")) == rows
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        cells = list(csv.DictReader(file))
    assert [{name: cell for name, cell in row.items() if name != "details"} for row in cells] == [
        {name: "" if value is None else str(value) for name, value in row.items() if name != "details"} for row in rows
    ]


async def test_a_parquet_file_holds_typed_columns(filled: World, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    manifest = await export(filled, tmp_path / "a.parquet", replace(ALL, form=ExportFormat.PARQUET))
    await export(filled, tmp_path / "a.jsonl")
    table = parquet.read_table(tmp_path / "a.parquet")
    assert table.num_rows == manifest.rows
    assert table.column_names == list(FIELDS)
    assert table["seq"].to_pylist() == [row["seq"] for row in lines(tmp_path / "a.jsonl")][: manifest.rows]
    assert table["timestamp"].to_pylist()[-1].tzinfo is not None


async def test_parquet_without_pyarrow_says_what_to_install(
    filled: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(Unavailable) as caught:
        await export(filled, tmp_path / "a.parquet", replace(ALL, form=ExportFormat.PARQUET))
    assert caught.value.code == "no_parquet"
    assert "chekt-mcp[parquet]" in caught.value.fix
    assert left(tmp_path) == []


async def test_entries_appended_meanwhile_are_neither_waited_for_nor_mixed_in(
    filled: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_audit, "BLOCK", 5)
    before, waiting = await filled.entries(dealer_wide=True), list[Any]()
    real = filled.storage.scan

    async def scan(work: Any) -> Any:
        await filled.log(entry(filled, 1, request_id="meanwhile", timestamp=filled.clock() - timedelta(days=1)))
        waiting.append(1)
        return await real(work)

    monkeypatch.setattr(filled.storage, "scan", scan)
    manifest = await export(filled, tmp_path / "a.jsonl")
    assert len(waiting) > 5
    exported = [row["seq"] for row in lines(tmp_path / "a.jsonl")]
    assert exported == sorted(one.seq for one in before) == list(range(1, manifest.log_size + 1))


@pytest.mark.parametrize("looks", [0, 3])
async def test_an_export_that_pruning_met_is_refused(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, looks: int
) -> None:
    await world.add_app("shop")
    await world.log(*(entry(world, 24 - number) for number in range(25)))
    monkeypatch.setattr(export_audit, "BLOCK", 5)

    async def prune(writer: Writer) -> None:
        (seq,) = await writer.append([entry(world, 0, action="audit.prune")])
        await writer.prune("acme", world.clock() + timedelta(hours=1), 1000, seq)

    looked = list[bool]()
    real = world.storage.scan

    async def scan(work: Any) -> Any:
        if len(looked) == looks:
            await world.storage.write(prune)
        looked.append(True)
        return await real(work)

    monkeypatch.setattr(world.storage, "scan", scan)
    with pytest.raises(Conflict) as caught:
        await export(world, tmp_path / "a.jsonl")
    assert caught.value.code == "pruned_meanwhile"
    assert left(tmp_path) == []


async def test_the_file_is_the_owners_and_replaces_nothing_unasked(filled: World, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    masked = os.umask(0)
    await export(filled, path)
    os.umask(masked)
    assert {stat.S_IMODE(one.stat().st_mode) for one in (path, manifest_path(path))} == {0o600}
    with pytest.raises(Conflict, match="file of that name"):
        await export(filled, path)
    target = target_of(path, manifest_path(path), proofs=False, force=True)
    nobody = replace(ALL, filters={"actor": "nobody"})
    await export_log(filled.services(), operator(filled), nobody, target, lambda _: None)
    assert path.stat().st_size == 0


async def test_a_file_made_meanwhile_is_not_replaced_and_nothing_else_stays(filled: World, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with pytest.raises(Conflict):
        await export(filled, path, seen=lambda _: write_theirs(path))
    assert path.read_text() == "theirs"
    assert left(tmp_path) == ["a.jsonl"]


async def test_what_a_killed_export_left_goes_with_the_next_one_and_a_living_one_stays(
    filled: World, tmp_path: Path
) -> None:
    (tmp_path / ".a.jsonl.0123456789abcdef.new").write_text("personal data")
    with ExportFile(tmp_path / "a.jsonl"):
        await export(filled, tmp_path / "a.jsonl")
        assert len(left(tmp_path)) == 3  # the export, its manifest, and the living one
        with pytest.raises(Conflict, match="under way"), ExportFile(tmp_path / "a.jsonl", force=True):
            pytest.fail("two exports replace one file")
    assert len(left(tmp_path)) == 2


@pytest.mark.parametrize(
    ("number", "code"), [(errno.ENOSPC, "disk_full"), (errno.EDQUOT, "disk_full"), (errno.EIO, "export_failed")]
)
async def test_a_full_disk_says_so_and_leaves_nothing(
    filled: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    def full(handle: int, piece: object) -> int:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as broken:
        broken.setattr("chekt_mcp.operations.audit.export_file.os.write", full)
        with pytest.raises(Unavailable) as caught:
            await export(filled, tmp_path / "a.jsonl")
    assert caught.value.code == code
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    ("path", "code"),
    [("missing/a.csv", "not_writable"), (".", "not_a_file"), ("state/audit.csv/x", "not_writable")],
)
async def test_a_place_that_cannot_be_written_is_refused_before_anything_is_read(
    filled: World, tmp_path: Path, path: str, code: str
) -> None:
    with pytest.raises(ChektError) as caught:
        await export(filled, tmp_path / path)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"since": "1h", "until": "2h"}, "empty_window"),
        ({"since": "yesterday"}, "bad_time"),
        ({"fields": ["password"]}, "unknown_field"),
        ({"fields": []}, "no_fields"),
        ({"filters": {"result": "fine"}}, "bad_value"),
        ({"filters": {"source_ip": "10.0.0.1/8"}}, "bad_address"),
        ({"proofs": True, "form": ExportFormat.CSV}, "proofs_need_all"),
        ({"proofs": True, "fields": ["seq"]}, "proofs_need_all"),
        ({"most": 24}, "too_many_rows"),
    ],
)
async def test_what_cannot_be_exported_is_refused_and_leaves_nothing(
    filled: World, tmp_path: Path, changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        await export(filled, tmp_path / "a.jsonl", replace(ALL, **changes))
    assert caught.value.code == code
    assert left(tmp_path) == []


async def test_an_export_is_in_the_log_with_its_sha256_before_the_file_appears(filled: World, tmp_path: Path) -> None:
    manifest = await export(filled, tmp_path / "a.jsonl", replace(ALL, filters={"result": "denied"}))
    logged = (await filled.entries(dealer_wide=True))[-1]
    assert (logged.action, logged.actor) == ("audit.export", "terminal:root")
    assert logged.details["sha256"] == manifest.file.sha256
    assert (logged.details["export"], logged.details["rows"]) == (manifest.export_id, manifest.rows)
    assert (manifest.filter, manifest.exported_by) == ({"result": "denied"}, "terminal:root")


async def test_odd_rows_are_exported_as_what_they_are(world: World, tmp_path: Path) -> None:
    await world.add_app("shop")
    odd = [
        entry(world, 1, timestamp=datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
        entry(world, 2, timestamp=datetime(1, 1, 1, tzinfo=UTC), actor="lone \udc80 surrogate"),
        entry(world, 3, timestamp=datetime(1969, 12, 31, 23, 59, 59, 1, tzinfo=UTC), actor="a\0b\r\nc\u2028\"',"),
        entry(world, 4, details={"big": "x" * 10_000, "nan": float("nan"), "nested": {"a": [1, None]}}),
        entry(world, 5, details={"n": 2**70, "line": "1\n2", "\ud800": 1}),
    ]
    await world.log(*odd)
    everything = replace(
        ALL, since="0001-01-01T00:00:00Z", until="9999-12-31T23:59:59.999999Z", filters={"action": "devices.list"}
    )
    for form in ExportFormat:
        await export(world, tmp_path / f"a.{form}", replace(everything, form=form))
    rows = lines(tmp_path / "a.jsonl")
    assert json.loads((tmp_path / "a.json").read_text("utf-8")) == rows
    assert [row["timestamp"] for row in rows[:2]] == ["0001-01-01T00:00:00.000000Z", "1969-12-31T23:59:59.000001Z"]
    assert rows[2]["details"]["nested"] == {"a": [1, None]}
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        cells = list(csv.DictReader(file))
    assert len(cells) == len(rows) == 4
    assert [restored(row["actor"]) for row in cells] == [row["actor"] for row in rows]


async def test_what_somebody_put_into_the_file_hides_no_other_entry(
    filled: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database(filled.directory) as file:
        file.execute("PRAGMA ignore_check_constraints = ON")
        for number, change in enumerate(
            (
                "details = CAST(x'7bff7d' AS TEXT)",
                "request_id = CAST(x'61ff62' AS TEXT)",
                "details = x'7b7d'",
                "actor = 9999, source_ip = x'01', kind = x'00', key_id = 'x'",
            )
        ):
            file.execute(f"UPDATE entries SET {change} WHERE request_id = 'req_{number * 5}'")  # noqa: S608 -- ours
        file.execute("UPDATE addresses SET text = CAST(x'32ff' AS TEXT) WHERE text = '203.0.113.7'")
        file.execute("UPDATE names SET text = CAST(x'ff61' AS TEXT) WHERE text = 'devices.list'")
    monkeypatch.setattr(JsonLinesEncoder, "at_once", 4)
    await export(filled, tmp_path / "a.jsonl", replace(ALL, apps=("shop",)))
    rows = {row["request_id"]: row for row in lines(tmp_path / "a.jsonl")}
    assert {f"req_{number}" for number in range(25) if number != 5} <= set(rows)
    assert [rows["req_15"][field] for field in ("actor", "source_ip", "kind", "key_id")] == [None] * 4
    assert (rows["req_0"]["details"], rows["a\ufffdb"]["seq"], rows["req_10"]["details"]) == (
        {},
        rows["req_4"]["seq"] + 1,
        {},
    )
    assert (rows["req_7"]["source_ip"], rows["req_7"]["action"]) == ("2\ufffd", "\ufffda")


def block(values: list[str | None]) -> LogBlock:
    rows = [
        (number, number, *[value] * 6, value or "", *[value] * 4, None if value is None else json.dumps({"x": value}))
        for number, value in enumerate(values, 1)
    ]
    return block_of(rows)


@given(st.lists(st.none() | st.text(), min_size=1, max_size=5))
def test_every_text_comes_back_from_json_and_from_csv(values: list[str | None]) -> None:
    made = block(values)
    written = JsonLinesEncoder(FIELDS).block(made).split(b"\n")[:-1]
    for line, value in zip(written, values, strict=True):
        read = json.loads(line)
        assert (read["actor"], read["request_id"]) == (value, value or "")
        assert read["details"] == ({} if value is None else {"x": value})
    encoder = JsonEncoder(FIELDS)
    array = json.loads(encoder.head() + encoder.block(made) + encoder.tail())
    assert array == [json.loads(line) for line in written]
    table = CsvEncoder(("actor", "seq"))
    text = (table.head() + table.block(made) + table.tail()).decode()
    cells = [row[0] for row in list(csv.reader(io.StringIO(text, newline="")))[1:]]
    assert [restored(cell) for cell in cells] == [(value or "").replace("\0", "\ufffd") for value in values]


@pytest.mark.parametrize("form", [ExportFormat.CSV, ExportFormat.JSON, ExportFormat.JSONL])
def test_fields_come_in_their_own_order_and_blocks_join_without_a_seam(form: ExportFormat) -> None:
    fields = ("seq", "actor")
    whole, parts = encoder_of(form, fields), encoder_of(form, fields)
    once = whole.head() + whole.block(block(["a", "b"])) + whole.tail()
    first, second = block(["a"]), replace(block(["b"]), seq=[2])
    assert parts.head() + parts.block(first) + parts.block(block([])) + parts.block(second) + parts.tail() == once


@pytest.mark.parametrize("stored", ["", "null", "[1]", "{", '{"a":NaN}', "[" * 100_000, '"x"', "\udc80"])
def test_details_that_are_no_object_read_as_an_empty_one(stored: str) -> None:
    odd = replace(block(["a"]), details=[stored])
    assert json.loads(JsonLinesEncoder(("details",)).block(odd)) == {"details": {}}


def test_what_could_deceive_a_reader_stands_in_json_as_an_escape() -> None:
    written = JsonLinesEncoder(FIELDS).block(block(["a\u202eb\u200b\x7f\u3164", "Büro"])).decode()
    assert not set(written) & set("\u202e\u200b\x7f\u3164")
    assert json.loads(written.splitlines()[0])["actor"] == "a\u202eb\u200b\x7f\u3164"
    assert "Büro" in written


def test_details_with_line_breaks_stay_on_one_line() -> None:
    odd = replace(block(["a"]), details=['{\n "a":\r\n 1}'])
    assert JsonLinesEncoder(("details",)).block(odd) == b'{"details":{"a":1}}\n'
