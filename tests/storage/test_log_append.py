from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

import storage_samples as sample
from chekt_mcp.domain.audit import Kind, NewEntry, Result
from chekt_mcp.errors import Conflict
from chekt_mcp.storage.interface import Storage, Writer

pytestmark = pytest.mark.anyio


async def append(storage: Storage, *entries: NewEntry) -> list[int]:
    return list(await storage.write(lambda writer: writer.append(entries)))


async def test_entries_are_numbered_from_one_in_the_order_of_writing(storage: Storage) -> None:
    assert await append(storage, sample.entry("req_1"), sample.entry("req_2")) == [1, 2]
    assert await append(storage, sample.entry("req_3", at=sample.NOW - sample.DAY)) == [3]
    assert await append(storage) == []


async def test_each_dealer_has_numbers_of_its_own(storage: Storage) -> None:
    mixed = [sample.entry(dealer=dealer) for dealer in ("acme", "other", "acme", "never-heard-of")]
    assert await append(storage, *mixed) == [1, 1, 2, 1]
    assert [entry.seq for entry in await sample.search(storage, dealer="other")] == [1]


async def test_an_entry_comes_back_as_it_was_appended(storage: Storage) -> None:
    full = sample.entry(origin="imp_1", details={"nested": {"list": [1, 2.5, None, True, "Büro ☂ 🔑"]}, "empty": ""})
    await append(storage, full)
    (kept,) = await sample.search(storage)
    assert {one.name: getattr(kept, one.name) for one in fields(full)} == {
        one.name: getattr(full, one.name) for one in fields(full)
    }
    assert kept.seq == 1


async def test_an_entry_of_bare_necessities_comes_back_as_it_was_appended(storage: Storage) -> None:
    bare = NewEntry("acme", sample.NOW, "", Kind.OPERATOR_ACTION, "", Result.ERROR, "")
    await append(storage, bare)
    (kept,) = await storage.read(lambda reader: reader.entries_by_request_id("acme", "", 10))
    assert replace(kept, seq=0) == replace(kept, seq=0, **{one.name: getattr(bare, one.name) for one in fields(bare)})


@pytest.mark.parametrize(
    "at",
    [
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999998, tzinfo=UTC),
        datetime(2026, 6, 1, 12, 0, 0, 1, tzinfo=timezone(timedelta(hours=-9, minutes=-30))),
    ],
)
async def test_any_moment_is_kept_to_the_microsecond(storage: Storage, at: datetime) -> None:
    await append(storage, sample.entry(at=at))
    assert [entry.timestamp for entry in await sample.search(storage)] == [at]


async def test_a_moment_without_a_time_zone_is_not_guessed_at(storage: Storage) -> None:
    naive = sample.entry(at=sample.NOW.replace(tzinfo=None))
    with pytest.raises(TypeError):
        await append(storage, naive)
    assert await append(storage, sample.entry()) == [1]


async def test_a_batch_that_cannot_be_written_leaves_nothing_of_itself_behind(storage: Storage) -> None:
    async def work(writer: Writer) -> None:
        with pytest.raises(TypeError):
            await writer.append([sample.entry("req_1"), sample.entry("req_2", at=sample.NOW.replace(tzinfo=None))])
        assert await writer.append([sample.entry("req_3")]) == [1]

    await storage.write(work)
    assert await sample.request_ids(storage) == ["req_3"]


ODD_DETAILS: list[dict[Any, Any]] = [
    {"lone": "\udc80 surrogate \ud83d"},
    {"nul": "a\0b", "newline": "a\nb", "quote": '"\\'},
    {"nan": float("nan"), "infinite": float("inf")},
    {"moment": sample.NOW, "bytes": b"\xff", "set": {1}},
    {("a", "tuple"): 1, 5: "a number as a key"},
    {"huge": "x" * 10_000_000},
    {"number": 2**100},
]


@pytest.mark.parametrize("details", ODD_DETAILS, ids=lambda details: str(next(iter(details))))
async def test_odd_details_never_cost_the_entry(storage: Storage, details: dict[Any, Any]) -> None:
    assert await append(storage, sample.entry(details=details), sample.entry("req_2")) == [1, 2]
    assert sorted(await sample.request_ids(storage)) == ["req_1", "req_2"]


async def test_details_without_an_end_never_cost_the_entry(storage: Storage) -> None:
    circular: dict[str, object] = {}
    circular["self"] = circular
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert await append(storage, sample.entry(details=circular), sample.entry("req_2", details={"deep": deep})) == [
        1,
        2,
    ]
    assert [set(entry.details) for entry in await sample.search(storage)] == [{"not_kept"}, {"not_kept"}]


async def test_a_lone_surrogate_in_details_becomes_its_visible_escape(storage: Storage) -> None:
    details = {"user_agent": "a \udc80 b", "é": "\\ud800 written out"}
    await append(storage, sample.entry(details=details))
    assert [entry.details for entry in await sample.search(storage)] == [{**details, "user_agent": "a \\udc80 b"}]


@pytest.mark.parametrize("field", ["actor", "action", "app", "scope", "source", "source_ip", "key_id", "request_id"])
async def test_odd_text_in_any_field_is_kept_and_found_again(storage: Storage, field: str) -> None:
    odd = "a\0b \udc80 %_\\ ' \" é"
    change: dict[str, Any] = {field: odd}
    await append(storage, replace(sample.entry(), **change), sample.entry("req_2"))
    apps = (odd, "shop")
    found = await sample.search(storage, apps=apps)
    assert len(found) == 2
    if field in {"actor", "action", "scope", "key_id", "request_id"}:
        assert [entry.seq for entry in await sample.search(storage, apps=apps, **change)] == [1]


async def test_a_failed_transaction_leaves_no_entry_and_no_gap(storage: Storage) -> None:
    async def fail(writer: Writer) -> None:
        await writer.append([sample.entry("lost", actor="a name nobody else has", app="a new app")])
        raise Conflict("No.")

    with pytest.raises(Conflict):
        await storage.write(fail)
    assert await append(storage, sample.entry("kept", actor="another new name", app="another new app")) == [1]
    assert await append(storage, sample.entry("again", actor="a name nobody else has", app="a new app")) == [2]
    found = await sample.search(storage, apps=("a new app", "another new app"))
    assert [(entry.request_id, entry.actor, entry.app) for entry in found] == [
        ("again", "a name nobody else has", "a new app"),
        ("kept", "another new name", "another new app"),
    ]


async def test_an_import_adds_what_the_log_lacks_and_is_idempotent(storage: Storage) -> None:
    await append(storage, sample.entry("req_1"))
    rows = [sample.entry(f"req_{number}", origin="imp_1") for number in range(1, 301)]
    assert await storage.write(lambda writer: writer.append_imported(rows)) == 299
    assert await storage.write(lambda writer: writer.append_imported(rows)) == 0
    assert (await storage.read(lambda reader: reader.log_extent("acme"))).entries == 300
    assert await append(storage, sample.entry("next")) == [301]


async def test_a_row_repeated_within_an_import_is_added_once(storage: Storage) -> None:
    rows = [sample.entry(), sample.entry(details={"other": 1}), sample.entry("req_2")]
    assert await storage.write(lambda writer: writer.append_imported(rows)) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"request_id": "req_2"},
        {"timestamp": sample.NOW + timedelta(microseconds=1)},
        {"action": "POST /v1/devices"},
        {"actor": "app:till"},
        {"app": "till"},
        {"app": None},
        {"dealer": "other"},
    ],
    ids=str,
)
async def test_an_imported_row_is_new_when_one_of_its_marks_differs(storage: Storage, change: dict[str, Any]) -> None:
    await append(storage, sample.entry())
    assert await storage.write(lambda writer: writer.append_imported([replace(sample.entry(), **change)])) == 1


@pytest.mark.parametrize(
    "change", [{"result": Result.ERROR}, {"source_ip": None}, {"details": {}}, {"kind": Kind.TOOL_CALL}]
)
async def test_an_imported_row_is_known_by_its_marks_alone(storage: Storage, change: dict[str, Any]) -> None:
    await append(storage, sample.entry())
    assert await storage.write(lambda writer: writer.append_imported([replace(sample.entry(), **change)])) == 0


async def test_rows_without_app_or_request_id_are_told_apart_too(storage: Storage) -> None:
    rows = [sample.entry("", app=None), sample.entry("", at=sample.NOW + sample.MINUTE, app=None)]
    assert await storage.write(lambda writer: writer.append_imported(rows)) == 2
    assert await storage.write(lambda writer: writer.append_imported(rows)) == 0
