"""Two logs side by side: each id and entry on the side where it is, however often, and in bounded memory."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from api_traffic import traffic
from chekt_mcp.domain.audit import Kind
from chekt_mcp.domain.timespan import Window
from chekt_mcp.errors import InvalidInput, NotFound
from chekt_mcp.operations.audit import correlate_log, log_correlation
from chekt_mcp.operations.audit.correlate_log import Correlator, app_to_correlate
from chekt_mcp.operations.audit.log_correlation import FoundId, LogCorrelation
from world import World

pytestmark = pytest.mark.anyio

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
async def shop(world: World) -> None:
    await world.add_app("shop")


def found(*request_ids: str) -> list[FoundId]:
    return [FoundId(number, one) for number, one in enumerate(request_ids, 1)]


async def compared(world: World, *pieces: Sequence[FoundId], app: str = "shop") -> LogCorrelation:
    now = world.clock()
    correlator = await Correlator.begin(world.storage, "acme", app, Window(now - 90 * DAY, now))
    for piece in pieces:
        await correlator.take(piece)
    return await correlator.finish()


async def test_what_both_know_matches_and_the_rest_is_on_its_side(world: World) -> None:
    await world.log(*traffic(world, "a", 5))
    result = await compared(world, found("req_a_0", "req_gone"), [FoundId(9, "req_a_3"), FoundId(9, "req_gone")])
    assert result.matched == 2
    assert [(row.request_id, row.line, row.lines) for row in result.unknown.values()] == [("req_gone", 2, 2)]
    assert [entry.request_id for entry in result.lacking] == ["req_a_4", "req_a_2", "req_a_1"]
    assert (result.lacking_total, result.lacking_outside) == (3, 1)
    assert result.one_sided


async def test_nothing_is_one_sided_where_both_say_the_same(world: World) -> None:
    await world.log(*traffic(world, "a", 3))
    result = await compared(world, found("req_a_0", "req_a_1", "req_a_2", "req_a_1"))
    assert (result.matched, result.lacking, result.unknown, result.one_sided) == (3, [], {}, False)


async def test_an_id_of_several_entries_covers_all_of_them(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(correlate_log, "PAGE", 3)
    (entry,) = traffic(world, "a", 1)
    await world.log(*(replace(entry, timestamp=entry.timestamp - step * HOUR) for step in range(10)))
    result = await compared(world, found("req_a_0"), found("req_a_0"))
    assert (result.matched, result.lacking_total) == (1, 0)
    assert (result.first_match, result.last_match) == (entry.timestamp - 9 * HOUR, entry.timestamp)


async def test_an_id_of_another_app_or_time_is_no_unknown_one(world: World) -> None:
    (entry,) = traffic(world, "a", 1)
    await world.log(
        replace(entry, app="till", request_id="req_till"),
        replace(entry, app=None, request_id="req_login"),
        replace(entry, timestamp=entry.timestamp - 91 * DAY, request_id="req_old"),
        replace(entry, dealer="other", request_id="req_theirs"),
    )
    result = await compared(world, found("req_till", "req_login", "req_old", "req_theirs", "req_till"))
    told = [(row.request_id, row.app, row.lines) for row in result.elsewhere.values()]
    assert told == [("req_till", "till", 2), ("req_login", None, 1), ("req_old", "shop", 1)]
    assert list(result.unknown) == ["req_theirs"]
    assert result.lacking_total == 0


async def test_what_no_application_logs_is_counted_and_not_called_lacking(world: World) -> None:
    (entry,) = traffic(world, "a", 1)
    kinds = (Kind.TOOL_CALL, Kind.OPERATOR_ACTION, Kind.WEBHOOK_DELIVERY)
    await world.log(*(replace(entry, kind=kind, request_id=f"req_{kind}") for kind in kinds))
    result = await compared(world)
    assert ([one.request_id for one in result.lacking], result.not_compared) == (["req_webhook_delivery"], 2)


async def test_beyond_what_is_listed_is_counted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_correlation, "MOST_LISTED", 2)
    (entry,) = traffic(world, "a", 1)
    await world.log(*traffic(world, "a", 5), *(replace(entry, app="till", request_id=f"req_t{n}") for n in range(5)))
    result = await compared(world, found("u1", "u2", "u3", "u1", "u4", "u3"), found(*(f"req_t{n}" for n in range(5))))
    assert ({one: row.lines for one, row in result.unknown.items()}, result.unknown_more) == ({"u1": 2, "u2": 1}, 3)
    assert (len(result.elsewhere), result.elsewhere_more) == (2, 3)
    assert ([entry.request_id for entry in result.lacking], result.lacking_total) == (["req_a_4", "req_a_3"], 5)


async def test_it_finds_what_two_sets_would(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(correlate_log, "PAGE", 7)
    monkeypatch.setattr(correlate_log, "IDS_AT_ONCE", 10)
    chance = random.Random(6)  # noqa: S311 -- a sample, the same in every run
    logged = [f"req_a_{number}" for number in range(300)]
    await world.log(*traffic(world, "a", 300))
    for _ in range(5):
        held = chance.choices(logged, k=200) + [f"made_{chance.randrange(50)}" for _ in range(60)]
        chance.shuffle(held)
        pieces = [found(*held[start : start + 37]) for start in range(0, len(held), 37)]
        result = await compared(world, *pieces)
        assert set(result.unknown) == set(held) - set(logged)
        assert {entry.request_id for entry in result.lacking} == set(logged) - set(held)
        assert result.matched == len(set(held) & set(logged))


async def test_hostile_ids_are_looked_up_as_they_are(world: World) -> None:
    hostile = ["\ud800", "'; DROP TABLE entries; --", "%", "_", "\0", "x" * 60_000]
    result = await compared(world, found(*hostile))
    assert list(result.unknown) == hostile


async def test_the_app_may_be_left_out_where_there_is_one(world: World) -> None:
    assert await app_to_correlate(world.storage, "acme", None) == "shop"
    await world.add_app("till")
    with pytest.raises(InvalidInput, match="shop, till") as caught:
        await app_to_correlate(world.storage, "acme", None)
    assert caught.value.code == "app_required"


async def test_an_app_known_from_its_entries_alone_is_known(world: World) -> None:
    (entry,) = traffic(world, "a", 1)
    await world.log(replace(entry, app="imported"))
    assert await app_to_correlate(world.storage, "acme", "imported") == "imported"
    with pytest.raises(NotFound) as caught:
        await app_to_correlate(world.storage, "acme", "nobody")
    assert caught.value.code == "unknown_app"
