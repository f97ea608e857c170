"""Request ids out of somebody's own log: known within the grant, unknown beyond it, echoed as data."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from api_traffic import traffic
from chekt_mcp.domain.audit import Kind
from world import Era, World, structured, words

pytestmark = pytest.mark.anyio

TOOL = "correlate_requests"


async def asked(world: World, key: str, era: Era, *request_ids: str, **more: Any) -> tuple[dict[str, Any], str]:
    async with world.client(key, era) as client:
        result = await client.call_tool(TOOL, {"request_ids": list(request_ids), **more})
    return structured(result), words(result)


async def test_known_and_unknown_are_told_apart_in_the_order_given(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    await world.log(*traffic(world, "192.0.2.77", 3))
    answer, said = await asked(world, key, era, "req_gone", "req_192.0.2.77_2", "req_192.0.2.77_0", "req_away")
    assert [one["request_id"] for one in answer["known"]] == ["req_192.0.2.77_2", "req_192.0.2.77_0"]
    assert answer["known"][0] == {
        "request_id": "req_192.0.2.77_2",
        "seq": 3,
        "timestamp": "2026-07-01T11:59:00Z",
        "app": "shop",
        "result": "ok",
    }
    assert answer["unknown"] == ["req_gone", "req_away"]
    assert answer["log"] == {"oldest": "2026-07-01T11:57:00Z", "newest": "2026-07-01T11:59:00Z", "entries": 3}
    assert said.startswith(
        "Request ids known: 2 of 4; unknown: 2. Searched: shop and the dealer as a whole, 2026-04-02"
    )
    assert "unknown req_gone\nunknown req_away\nknown req_192.0.2.77_2 3 2026-07-01T11:59:00Z shop ok" in said
    assert "The log holds 3 entries" in said


async def test_of_an_empty_log_it_is_said_that_it_is_empty(world: World, era: Era) -> None:
    _, said = await asked(world, await world.add_app("shop"), era, "req_x")
    assert "The log holds no entries." in said


async def test_an_id_given_twice_is_counted_once(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    await world.log(*traffic(world, "192.0.2.77", 1))
    answer, said = await asked(world, key, era, *["req_192.0.2.77_0", "req_x"] * 3)
    assert (len(answer["known"]), answer["unknown"], answer["repeated"]) == (1, ["req_x"], 4)
    assert "counted once: 4." in said


async def test_what_lies_outside_the_grant_reads_exactly_as_unknown(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    await world.add_app("till")
    await world.add_app("rival", dealer="other")
    (entry,) = traffic(world, "192.0.2.77", 1)
    await world.log(
        replace(entry, app="till", request_id="req_till"),
        replace(entry, app="rival", dealer="other", request_id="req_rival"),
        replace(entry, app=None, dealer="other", request_id="req_their_login"),
    )
    hidden = ["req_till", "req_rival", "req_their_login", "req_never_was"]
    answer, said = await asked(world, key, era, *hidden)
    assert (answer["known"], answer["unknown"]) == ([], hidden)
    assert "till " not in said
    assert answer["apps"] == ["shop"]


async def test_covered_apps_and_the_dealer_as_a_whole_are_searched(world: World, era: Era) -> None:
    await world.add_app("till")
    key = await world.add_app("shop", covers=("till",))
    (entry,) = traffic(world, "192.0.2.77", 1)
    await world.log(
        replace(entry, app="till", request_id="req_till"),
        replace(entry, app=None, kind=Kind.OPERATOR_ACTION, request_id="req_login"),
    )
    answer, _ = await asked(world, key, era, "req_till", "req_login")
    assert [(one["request_id"], one["app"]) for one in answer["known"]] == [("req_till", "till"), ("req_login", None)]


async def test_an_id_the_grant_shares_with_another_app_shows_the_grants_own_entry(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    (entry,) = traffic(world, "192.0.2.77", 1)
    theirs = replace(entry, app="till", timestamp=entry.timestamp + timedelta(seconds=1))
    await world.log(entry, *[theirs] * 20)
    answer, _ = await asked(world, key, era, entry.request_id)
    assert [(one["app"], one["seq"]) for one in answer["known"]] == [("shop", 1)]


async def test_what_is_older_than_the_window_is_unknown_and_the_answer_says_that_it_may_be(
    world: World, era: Era
) -> None:
    key = await world.add_app("shop")
    await world.log(*traffic(world, "192.0.2.77", 1, until=world.clock() - timedelta(days=91)))
    answer, said = await asked(world, key, era, "req_192.0.2.77_0")
    assert answer["unknown"] == ["req_192.0.2.77_0"]
    assert "older than the window" in said
    longer, _ = await asked(world, key, era, "req_192.0.2.77_0", since="92d")
    assert len(longer["known"]) == 1


async def test_of_several_entries_with_one_id_the_newest_is_shown(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    (entry,) = traffic(world, "192.0.2.77", 1)
    await world.log(*(replace(entry, timestamp=entry.timestamp + timedelta(seconds=step)) for step in (1, 5, 3)))
    answer, _ = await asked(world, key, era, entry.request_id)
    assert [one["seq"] for one in answer["known"]] == [2]


async def test_ids_come_back_escaped_and_cut(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    hostile = "req_\n\u202e\x1b[2J" + "\u200b" * 80
    answer, said = await asked(world, key, era, hostile, "'; DROP TABLE entries; --", "%")
    assert answer["unknown"][0].startswith("req_\\u{a}\\u{202e}\\u{1b}[2J")
    assert len(answer["unknown"][0]) == 100
    assert len(answer["unknown"]) == 3
    assert not set(said) & set("\u202e\x1b\u200b")


async def test_a_thousand_ids_are_answered_in_full(world: World, era: Era) -> None:
    key = await world.add_app("shop")
    await world.log(*traffic(world, "192.0.2.77", 500))
    answer, _ = await asked(world, key, era, *(f"req_192.0.2.77_{number}" for number in range(1000)))
    assert (len(answer["known"]), len(answer["unknown"])) == (500, 500)
