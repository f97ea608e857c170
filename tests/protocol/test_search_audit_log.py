"""What a search takes and what its answer says: of what was asked, of how far it looked, and of what cannot be read."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from api_traffic import traffic
from chekt_mcp.domain.audit import Kind, NewEntry, Result
from chekt_mcp.storage.interface import Writer
from chekt_mcp.storage.sqlite import log_pages, log_sifting
from chekt_mcp.storage.sqlite.database_file import DATABASE
from world import Era, World, refusal, structured, words

pytestmark = pytest.mark.anyio

TOOL = "search_audit_log"


def calls(world: World) -> list[NewEntry]:
    (entry,) = traffic(world, "192.0.2.77", 1)
    return [
        replace(entry, request_id="req_ok"),
        replace(entry, request_id="req_denied", result=Result.DENIED, source_ip="198.51.100.9", actor="Smith, Jane"),
        replace(entry, request_id="req_error", result=Result.ERROR, source_ip="2001:db8::9", scope=None),
    ]


ASKED: dict[str, tuple[dict[str, str], list[str]]] = {
    "not ok": ({"result": "!ok"}, ["req_error", "req_denied"]),
    "several": ({"result": "ok, denied"}, ["req_denied", "req_ok"]),
    "none of several": ({"result": "!ok,error"}, ["req_denied"]),
    "a comma in a name": ({"actor": r"Smith\, Jane"}, ["req_denied"]),
    "networks": ({"source_ip": "192.0.2.0/24,2001:db8::/32"}, ["req_error", "req_ok"]),
    "none of these networks": ({"source_ip": "!192.0.2.0/24,2001:db8::9"}, ["req_denied"]),
    "no scope either": ({"scope": "!alarms:write"}, ["req_error", "req_denied", "req_ok"]),
    "texts": ({"text": "JANE,curl/9"}, ["req_denied"]),
    "none of the texts": ({"text": "!jane"}, ["req_error", "req_ok"]),
    "requests": ({"request_id": "req_ok,req_error,req_gone"}, ["req_error", "req_ok"]),
    "all together": ({"result": "!ok", "source_ip": "!2001:db8::/32", "text": "curl", "app": "shop"}, ["req_denied"]),
    "a word is a word": ({"actor": "null"}, []),
}


@pytest.mark.parametrize(("asked", "found"), ASKED.values(), ids=ASKED)
async def test_filters_combine_repeat_and_negate(world: World, asked: dict[str, str], found: list[str]) -> None:
    key = await world.add_app("shop")
    await world.log(*calls(world))
    async with world.client(key) as client:
        answer = structured(await client.call_tool(TOOL, {"kind": "api_call", **asked}))
    assert [entry["request_id"] for entry in answer["entries"]] == found
    assert answer["complete"]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"kind": "null"}, "bad_value (kind)"),
        ({"result": "ok,maybe"}, "bad_value (result)"),
        ({"actor": ""}, "empty_value (actor)"),
        ({"text": "a,,b"}, "empty_value (text)"),
        ({"result": "ok,!denied"}, "misplaced_not (result)"),
        ({"source_ip": "!192.0.2.0/24,null"}, "bad_address (source_ip)"),
        ({"since": "2026-07-01T12:00:00"}, "bad_time (since): That time does not say in which time zone it is."),
    ],
)
async def test_what_cannot_be_meant_is_refused_with_a_way_out(world: World, asked: dict[str, str], code: str) -> None:
    key = await world.add_app("shop")
    async with world.client(key) as client:
        assert refusal(await client.call_tool(TOOL, asked)).startswith(code)


@pytest.mark.parametrize(
    ("asked", "found", "apps", "dealer_wide"),
    [
        (None, ["login", "gate", "till", "shop"], ["shop", "till", "gate"], True),
        ("till,shop", ["till", "shop"], ["shop", "till"], False),
        ("!till", ["login", "gate", "shop"], ["shop", "gate"], True),
    ],
)
async def test_apps_are_chosen_like_everything_else_among_those_covered(
    world: World,
    asked: str | None,
    found: list[str],
    apps: list[str],
    dealer_wide: bool,  # noqa: FBT001 -- a row's column
) -> None:
    await world.add_app("till")
    await world.add_app("gate")
    await world.add_app("rival", dealer="other")
    key = await world.add_app("shop", covers=("till", "gate"))
    (entry,) = traffic(world, "192.0.2.77", 1)
    await world.log(*(replace(entry, app=app, request_id=app) for app in ("shop", "till", "gate")))
    await world.log(replace(entry, app=None, request_id="login"))
    app = {} if asked is None else {"app": asked}
    async with world.client(key) as client:
        answer = structured(await client.call_tool(TOOL, {"kind": "api_call", **app}))
        for foreign in ("shop,rival", "!nobody"):
            assert refusal(await client.call_tool(TOOL, {"app": foreign})).startswith("unknown_app (app)")
    assert [entry["request_id"] for entry in answer["entries"]] == found
    assert (sorted(answer["apps"]), answer["dealer_wide"]) == (sorted(apps), dealer_wide)


async def test_a_cursor_knows_its_question_however_it_is_written(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    await world.log(*calls(world))
    asked = {"result": "!ok,error", "source_ip": "::ffff:198.51.100.0/120,192.0.2.0/24", "limit": 1, "since": "2d"}
    await world.log(*[replace(entry, result=Result.DENIED) for entry in calls(world)[:2]])
    async with world.client(key, era) as client:
        cursor = structured(await client.call_tool(TOOL, asked))["next_cursor"]
        same = {**asked, "result": "! error , ok", "source_ip": "192.0.2.0/24,198.51.100.0/24", "cursor": cursor}
        structured(await client.call_tool(TOOL, same))
        for other in (
            {"result": "ok,error"},
            {"result": "!ok"},
            {"source_ip": "!192.0.2.0/24"},
            {"cursor": cursor[:-1]},
        ):
            assert refusal(await client.call_tool(TOOL, {**same, **other})).startswith("bad_cursor (cursor)")


async def test_a_search_that_would_take_long_says_how_far_it_got_and_goes_on(
    world: World, era: Era, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name in [(log_pages, "FIRST_LOOK"), (log_pages, "MOST_WALKED"), (log_sifting, "MOST_READ")]:
        monkeypatch.setattr(module, name, 10)
    key = await world.add_app("shop")
    await world.log(*traffic(world, "192.0.2.77", 40))
    asked: dict[str, Any] = {"text": "!curl", "app": "shop"}
    said, entries, rounds = "", [], 0
    async with world.client(key, era) as client:
        answer: dict[str, Any] = {"complete": False}
        while not answer["complete"]:
            result = await client.call_tool(TOOL, asked)
            answer, said, rounds = structured(result), said + words(result), rounds + 1
            entries += [entry["action"] for entry in answer["entries"]]
            assert answer["complete"] == (answer["searched_to"] is None)
            if not answer["complete"]:
                assert (answer["omitted"]["entries"], answer["omitted"]["at_least"]) == (0, True)
                assert f"NOT complete: searched back to {answer['searched_to']}" in words(result)
            asked["cursor"] = answer["next_cursor"]
    assert rounds > 2
    assert "Complete: nothing else in this window fits." in said
    assert set(entries) <= {TOOL}


async def test_what_was_pruned_is_told_where_the_window_reaches_it(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    month = world.clock() - timedelta(days=30)
    await world.log(*traffic(world, "192.0.2.77", 3, until=month), *traffic(world, "192.0.2.77", 2))
    (told,) = traffic(world, "192.0.2.1", 1)
    told = replace(told, app=None, kind=Kind.OPERATOR_ACTION, details={"up_to": "2026-06-02T00:00:00Z"})

    async def prune(writer: Writer) -> None:
        (number,) = await writer.append([told])
        await writer.prune("acme", month + timedelta(days=1), 100, number)

    await world.storage.write(prune)
    async with world.client(key, era) as client:
        long = await client.call_tool(TOOL, {"since": "90d"})
        short = await client.call_tool(TOOL, {"since": "7d"})
    assert structured(long)["pruned_before"] == "2026-06-02T00:00:00Z"
    assert "Entries before 2026-06-02T00:00:00Z were pruned" in words(long)
    assert structured(short)["pruned_before"] is None
    assert "pruned" not in words(short)


async def test_what_cannot_be_read_is_marked_and_hides_nothing(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    await world.log(*traffic(world, "192.0.2.77", 2))
    with closing(sqlite3.connect(world.directory / DATABASE, isolation_level=None)) as raw:
        names = [row[1] for row in raw.execute("PRAGMA table_info(entries)")]
        raw.execute("INSERT INTO names (id, text) VALUES (900, 'unheard_of')")
        odd = {"id": "id + 500", "kind": "900", "result": "900", "actor": "901", "scope": "NULL", "details": "x'5b31'"}
        values = ", ".join(odd.get(name, name) for name in names)
        raw.execute(f"INSERT INTO entries SELECT {values} FROM entries ORDER BY id DESC LIMIT 1")  # noqa: S608 -- constants
    async with world.client(key, era) as client:
        result = await client.call_tool(
            TOOL, {"source_ip": "192.0.2.77", "fields": ["actor", "kind", "scope", "details"]}
        )
        errors = structured(await client.call_tool(TOOL, {"result": "error"}))
        not_ok = structured(await client.call_tool(TOOL, {"result": "!ok", "kind": "!tool_call"}))
    odd_one, *others = structured(result)["entries"]
    assert sorted(odd_one["odd"]) == ["actor", "details", "kind", "result"]
    assert (odd_one["actor"], odd_one["kind"], odd_one["scope"], odd_one["details"]) == (None, None, None, None)
    assert len(others) == 2
    assert not any("odd" in entry for entry in others)
    assert "1 entry has values that cannot be read, marked odd." in words(result)
    assert errors["entries"] == []
    assert len(not_ok["entries"]) == 1


async def test_a_page_of_twenty_real_entries_stays_within_1800_tokens_in_either_form(world: World) -> None:
    key = await world.add_app("front-desk")
    (entry,) = traffic(world, "203.0.113.177", 1)
    real = replace(entry, app="front-desk", actor="app:front-desk", key_id="key_7fq2m5xk4tda", scope="devices:read")
    agents = {"user_agent": "night-watch/2.8 (linux)", "path": "/v1/devices/dev_8c2f/state", "ms": 41}
    await world.log(*(replace(real, request_id=f"req_{number:016x}", details=agents) for number in range(30)))
    async with world.client(key) as client:
        result = await client.call_tool(TOOL, {"source_ip": "203.0.113.0/24"})
    assert len(structured(result)["entries"]) == 20
    assert len(words(result).encode()) / 3 <= 1800
    assert len(json.dumps(structured(result), separators=(",", ":")).encode()) / 3 <= 1800 * 1.2
