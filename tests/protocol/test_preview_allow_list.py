"""A preview says everything before anybody is asked, shows addresses to those who may see them, changes nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api_traffic import traffic
from chekt_mcp.domain.allow_list.version import AllowListVersion
from chekt_mcp.domain.audit import Kind, Result
from chekt_mcp.domain.scope import SERVER_SCOPES, Grant, Scope
from chekt_mcp.operations.allow_list.preview_allow_list import PreviewAllowList, preview_allow_list
from chekt_mcp.operations.services import Call
from world import Era, World, structured, words

pytestmark = pytest.mark.anyio

LIST = "203.0.113.0/24 # office\n198.51.100.7"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def asked(world: World, key: str, era: Era = "modern", **arguments: Any) -> tuple[dict[str, Any], str]:
    """Preview through a client; return the structured answer and the words."""
    async with world.client(key, era) as client:
        result = await client.call_tool("preview_allow_list", arguments)
    return structured(result), words(result)


def codes(answer: dict[str, Any]) -> list[str]:
    return [one["code"] for one in answer["findings"]]


async def test_a_preview_tells_the_difference_and_whom_the_list_would_cut_off(world: World, era: Era) -> None:
    key = await world.add_app("shop", allow_list=LIST)
    await world.log(
        *traffic(world, "203.0.113.7", 30, actor="app:shop"),
        *traffic(world, "198.51.100.7", 12),
        *traffic(world, "192.0.2.5", 90, actor="stranger\u202e", result=Result.DENIED),
    )
    answer, said = await asked(world, key, era, entries="198.51.100.0/24 # new\n203.0.113.128/25")
    assert answer["valid"]
    assert (answer["current_version"], answer["currently_enabled"]) == (1, True)
    assert answer["added"] == ["198.51.100.0/24", "203.0.113.128/25"]
    assert answer["removed"] == ["203.0.113.0/24", "198.51.100.7/32"]
    assert answer["totals"] == {"added": 2, "removed": 2, "unchanged": 0}
    impact = answer["impact"]
    assert (impact["requests_seen"], impact["requests_refused"], impact["newly_refused"]) == (132, 120, 30)
    assert impact["addresses_refused"] == 2
    assert impact["would_be_refused"] == [
        {
            "source_ip": "203.0.113.7",
            "requests": 30,
            "last_seen": "2026-07-01T11:59:00Z",
            "actors": ["app:shop"],
            "refused_now": False,
        },
        {
            "source_ip": "192.0.2.5",
            "requests": 90,
            "last_seen": "2026-07-01T11:59:00Z",
            "actors": ["stranger\\u{202e}"],
            "refused_now": True,
        },
    ]
    assert answer["unused"] == ["203.0.113.128/25"]
    assert "Of 132 requests since 2026-06-24T12:00:00Z it would refuse 120, from 2 addresses;" in said
    assert "lets 30 of them in" in said
    assert "update_allow_list with expected_version=1" in said


async def test_a_preview_changes_nothing(world: World, era: Era) -> None:
    key = await world.add_app("shop", allow_list=LIST)
    await asked(world, key, era, entries="0.0.0.0/0")
    history = await world.storage.read(lambda reader: reader.allow_list_history("acme", "shop", 10))
    assert [version.text for version in history] == [LIST]
    assert [entry.kind for entry in await world.entries()] == [Kind.TOOL_CALL]
    assert not await world.storage.read(lambda reader: reader.approvals("acme", world.clock()))


async def test_without_operators_read_there_are_counts_and_no_address_actor_or_use_of_an_entry(
    world: World, era: Era
) -> None:
    await world.add_app("shop", allow_list=LIST)
    blind = await world.add_app("desk", covers=("shop",), scopes=(Scope.ALLOWLIST_READ,))
    await world.log(*traffic(world, "192.0.2.77", 12, actor="app:night"), *traffic(world, "198.51.100.7", 3))
    answer, said = await asked(world, blind, era, app="shop", entries="203.0.113.9")
    impact = answer["impact"]
    assert (impact["requests_refused"], impact["newly_refused"], impact["addresses_refused"]) == (15, 3, 2)
    assert (impact["would_be_refused"], impact["missing_scope"]) == (None, "operators:read")
    assert (answer["unused"], answer["unused_total"]) == (None, None)
    for told in (json.dumps(answer), said):
        assert "192.0.2.77" not in told
        assert "app:night" not in told
    assert "operators:read" in said


async def test_a_list_with_errors_tells_all_of_them_and_claims_no_effect(world: World, era: Era) -> None:
    key = await world.add_app("shop", allow_list=LIST)
    await world.log(*traffic(world, "198.51.100.7", 4))
    answer, said = await asked(world, key, era, entries="203.0.113.9\n203.0.113.5/24, 010.0.0.1\nexample.org")
    assert not answer["valid"]
    assert [(one["line"], one["column"], one["code"]) for one in answer["errors"]] == [
        (2, 1, "host_bits_set"),
        (2, 17, "leading_zeros"),
        (3, 1, "not_an_address"),
    ]
    assert answer["errors"][0]["suggestion"] == "203.0.113.0/24"
    assert (answer["added"], answer["removed"], answer["findings"], answer["unused"]) == ([], [], [], None)
    assert answer["impact"]["requests_seen"] == 4
    assert answer["impact"]["requests_refused"] is None
    assert answer["impact"]["would_be_refused"] is None
    assert "NOT valid" in said
    assert "Line 2, column 1, host_bits_set: " in said
    assert "Write 203.0.113.0/24." in said


@pytest.mark.parametrize("text", ["", "\n\n", "# nobody"])
async def test_a_list_without_entries_is_not_valid_since_it_would_turn_the_layer_off(world: World, text: str) -> None:
    key = await world.add_app("shop", allow_list=LIST)
    answer, said = await asked(world, key, entries=text)
    assert not answer["valid"]
    assert [one["code"] for one in answer["errors"]] == ["empty_allow_list"]
    assert "disable=true" in said


async def test_while_the_layer_is_off_everything_that_would_be_refused_is_let_in_now(world: World) -> None:
    key = await world.add_app("shop")
    await world.log(*traffic(world, "192.0.2.5", 7))
    answer, said = await asked(world, key, entries="203.0.113.0/24")
    assert (answer["current_version"], answer["currently_enabled"]) == (0, False)
    assert answer["impact"]["newly_refused"] == 7
    assert not answer["impact"]["would_be_refused"][0]["refused_now"]
    assert "Compared with no list at all" in said


async def test_what_lives_at_chekt_can_be_previewed_and_is_changed_in_its_portal(world: World, era: Era) -> None:
    key = await world.add_app("shop", authority="platform", allow_list=LIST)
    await world.log(*traffic(world, "198.51.100.7", 5))
    answer, said = await asked(world, key, era, entries="203.0.113.0/24")
    assert (answer["valid"], answer["authority"], answer["impact"]["newly_refused"]) == (True, "platform", 5)
    assert "dealer portal" in answer["next_step"]
    assert answer["next_step"] in said


async def test_the_window_is_told_as_it_was_counted_by_whole_hours(world: World) -> None:
    key = await world.add_app("shop", allow_list=LIST)
    world.clock.forward(minutes=50)
    early = datetime(2026, 7, 1, 11, 5, tzinfo=UTC)
    await world.log(*traffic(world, "192.0.2.5", 1, until=early), *traffic(world, "192.0.2.5", 1, until=early - HOUR))
    answer, said = await asked(world, key, entries="203.0.113.0/24", lookback="90m")
    assert answer["impact"]["window"] == {"since": "2026-07-01T11:00:00Z", "until": "2026-07-01T12:50:00Z"}
    assert answer["impact"]["requests_seen"] == 1
    assert answer["impact"]["log"] == {"oldest": "2026-07-01T10:00:00Z", "newest": "2026-07-01T11:04:00Z"}
    assert "since 2026-07-01T11:00:00Z" in said


async def test_a_window_reaches_to_requests_that_an_imported_log_dates_ahead(world: World) -> None:
    key = await world.add_app("shop", allow_list=LIST)
    await world.log(*traffic(world, "192.0.2.5", 1, until=world.clock() + DAY))
    answer, _ = await asked(world, key, entries="203.0.113.0/24")
    assert answer["impact"]["window"]["until"] == "2026-07-02T11:59:00Z"


async def test_a_log_without_requests_says_so_instead_of_promising_no_effect(world: World) -> None:
    key = await world.add_app("shop", allow_list=LIST)
    _, empty = await asked(world, key, entries="203.0.113.0/24")
    await world.log(*traffic(world, "192.0.2.5", 1, until=world.clock() - 20 * DAY))
    answer, old = await asked(world, key, entries="203.0.113.0/24")
    assert "holds no requests since 2026-06-24T12:00:00Z to hold it against; it holds none at all" in empty
    assert "its newest is of 2026-06-11T11:59:00Z" in old
    assert answer["impact"]["requests_seen"] == 0


async def test_an_entry_is_stale_only_if_it_was_listed_and_the_log_goes_on_long_enough(world: World, era: Era) -> None:
    text = "203.0.113.0/24\n198.51.100.7\n192.0.2.9"
    key = await world.add_app("shop", env="live", allow_list=text)
    blind = await world.add_app("desk", covers=("shop",), scopes=(Scope.ALLOWLIST_READ,))
    await world.log(*traffic(world, "203.0.113.7", 2, until=world.clock() + DAY))
    world.clock.forward(days=95)
    await world.log(*traffic(world, "203.0.113.7", 2), *traffic(world, "192.0.2.9", 1, until=world.clock() - 80 * DAY))
    answer, _ = await asked(world, key, era, entries=text + "\n192.0.2.200 # new")
    (stale,) = [one for one in answer["findings"] if one["code"] == "stale"]
    assert stale["entries"] == ["198.51.100.7/32"]
    async with world.client(key, era) as client:
        listed = structured(await client.call_tool("get_allow_list", {}))
    (stale,) = [one for one in listed["findings"] if one["code"] == "stale"]
    assert stale["entries"] == ["198.51.100.7/32"]
    assert [one["last_matched_at"] is None for one in listed["entries"]] == [False, True, False]
    assert "stale" not in codes((await asked(world, blind, era, app="shop", entries=text))[0])


async def test_nothing_is_stale_on_a_young_list_or_a_log_that_stopped(world: World) -> None:
    key = await world.add_app("shop", env="live")
    await world.log(*traffic(world, "203.0.113.7", 2))
    world.clock.forward(days=95)
    young = AllowListVersion(
        "acme", "shop", 1, enabled=True, text=LIST, effective_at=world.clock(), set_by="x", reason="x"
    )
    await world.storage.write(lambda writer: writer.add_allow_list(young))
    await world.log(*traffic(world, "203.0.113.7", 2))
    assert "stale" not in codes((await asked(world, key, entries=LIST))[0])
    world.clock.forward(days=95)  # no request was logged since: the log may just not have been brought in
    assert "stale" not in codes((await asked(world, key, entries=LIST))[0])


async def test_advice_fits_the_kind_of_app(world: World, era: Era) -> None:
    test = await world.add_app("shop", allow_list=LIST)
    live = await world.add_app("prod", env="live")
    workers = "\n".join(f"203.0.113.{number}" for number in range(120))
    assert "test_app_with_list" in codes((await asked(world, test, era, entries=LIST))[0])
    assert "test_app_with_list" not in codes((await asked(world, live, era, entries=LIST))[0])
    assert "many_single_addresses" in codes((await asked(world, live, era, entries=workers))[0])
    async with world.client(live, era) as client:
        assert "live_app_without_list" in codes(structured(await client.call_tool("get_allow_list", {})))


async def judged_from(world: World, source_ip: str | None, text: str) -> PreviewAllowList:
    grant = Grant("acme", "app:shop", "api_key", "shop", ("shop",), frozenset(SERVER_SCOPES))
    call = Call(grant, "req_test", world.clock(), "http", source_ip)
    return await world.storage.scan(lambda reader: preview_allow_list(reader, call, "shop", text, "7d"))


async def test_a_caller_is_told_whether_its_own_address_would_be_locked_out(world: World) -> None:
    key = await world.add_app("shop", allow_list=LIST)
    assert (await judged_from(world, "203.0.113.7", "203.0.113.0/24"))["locks_out_caller"] is False
    assert (await judged_from(world, "203.0.113.7", "198.51.100.7"))["locks_out_caller"] is True
    assert (await judged_from(world, "203.0.113.7", "no list"))["locks_out_caller"] is None
    local, _ = await asked(world, key, entries="198.51.100.7")
    assert local["locks_out_caller"] is None


HOPELESS = {
    "malformed": "300.1.1.1\n" * 100_000,
    "ranges": "10.0.0.1-10.0.0.9," * 58_000,
    "NUL": "1.2.3.4\0\n" * 100_000,
    "right to left": "\u202e1.2.3.4\u202c\n" * 80_000,
    "mixed encodings": "203.0.113.7 # caf\u00c3\u00a9 \ufffd\n\u00ff\u00fe1\u0000.\u0000\n" * 20_000,
    "hidden breaks": "# c\u20281.2.3.4\n" * 60_000,
    "one line": "x" * 1_000_000,
    "comments": "1.2.3.4 # " + "\u202e" * 300_000,
    "long lists": "\n".join(f"9.{n >> 14}.{(n >> 7) & 127}.{n & 127}" for n in range(75_000)),
}


@pytest.mark.parametrize("text", HOPELESS.values(), ids=HOPELESS)
async def test_whatever_the_text_an_answer_stays_small_and_hides_nothing(world: World, text: str) -> None:
    key = await world.add_app("shop", allow_list=LIST)
    async with world.client(key) as client:
        result = await client.call_tool("preview_allow_list", {"entries": text})
        answer = structured(result)
        change = await client.call_tool("update_allow_list", {"entries": text, "reason": "x"})
    assert len(result.model_dump_json()) < 120_000
    assert len(words(change)) < 6_000
    assert len(answer["errors"]) <= 101
    assert not set(words(result) + json.dumps(answer, ensure_ascii=False)) & set("\0\u202e\u202c\u2028")
    assert bool(change.is_error) is not answer["valid"]
