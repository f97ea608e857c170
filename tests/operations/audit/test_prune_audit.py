"""What is older than a plan keeps goes when a person says so, in batches that are told of; a legal hold stops it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chekt_mcp.domain.audit import Entry, Kind, NewEntry, Result
from chekt_mcp.domain.retention import Plan
from chekt_mcp.errors import Conflict, InvalidInput, NotFound
from chekt_mcp.operations.audit.prune_audit import prune_log
from chekt_mcp.operations.audit.retention import (
    REASON_LIMIT,
    Retention,
    clear_hold,
    prunable_before,
    retention,
    set_hold,
    set_plan,
)
from chekt_mcp.operations.operator import Operator
from world import World

pytestmark = pytest.mark.anyio

MARIA = Operator("terminal:maria", "req_maria")
YEAR = timedelta(days=365)
HOUR = timedelta(hours=1)
FAKE_KEY = "chekt_test_" + "EXAMPLE" * 5


@pytest.fixture(autouse=True)
async def _log(world: World) -> None:
    """Write 40 entries that are older than a year by 1 to 40 hours, and 10 that are not."""
    await world.add_dealer("acme")
    edge = world.clock() - YEAR
    old = [entry(number, edge - number * HOUR) for number in range(40, 0, -1)]
    young = [entry(number, edge + number * HOUR) for number in range(100, 110)]
    await world.storage.write(lambda writer: writer.append([*old, *young]))


def entry(number: int, at: datetime) -> NewEntry:
    app = (None, "shop", "desk")[number % 3]
    return NewEntry("acme", at, "app:shop", Kind.API_CALL, "GET /", Result.OK, f"req_{number}", app=app)


async def nothing(_gone: int) -> None:
    """Nobody waits."""


async def found(world: World) -> Retention:
    return await retention(world.services(), "acme")


async def left(world: World) -> list[str]:
    entries = await world.storage.read(lambda reader: reader.logged_entries("acme", 0, 1_000))
    return [one.entry.request_id for one in entries]


async def told_of(world: World) -> list[Entry]:
    entries = await world.storage.read(lambda reader: reader.entries_by_request_id("acme", "req_maria", 100))
    return sorted(entries, key=lambda one: one.seq)


class TestForecast:
    async def test_what_would_go_is_told_by_app_with_oldest_and_newest(self, world: World) -> None:
        now = await found(world)
        edge = world.clock() - YEAR
        assert (now.plan, now.kept_days, now.before, now.hold, now.entries) == (Plan.STANDARD, 365, edge, None, 40)
        assert [(one.app, one.entries) for one in now.aged] == [(None, 13), ("desk", 13), ("shop", 14)]
        assert (now.aged[2].oldest, now.aged[2].newest) == (edge - 40 * HOUR, edge - HOUR)

    async def test_the_enterprise_plan_keeps_seven_years(self, world: World) -> None:
        await set_plan(world.services(), MARIA, "acme", Plan.ENTERPRISE)
        now = await found(world)
        assert (now.kept_days, now.entries) == (2557, 0)
        (told,) = await told_of(world)
        assert (told.action, told.actor) == ("audit.retention.set", "terminal:maria")
        assert told.details == {"plan": "enterprise", "before": "standard", "days": 2557}

    async def test_an_hour_that_is_kept_in_part_is_kept_whole(self, world: World) -> None:
        world.clock.forward(minutes=59)
        assert prunable_before(Plan.STANDARD, world.clock()) == world.clock() - YEAR - timedelta(minutes=59)

    async def test_a_dealer_that_is_not_known_has_no_retention(self, world: World) -> None:
        with pytest.raises(NotFound):
            await retention(world.services(), "nobody")


class TestPrune:
    async def test_what_is_too_old_goes_and_everything_else_stays(self, world: World) -> None:
        before = await world.storage.read(lambda reader: reader.tree_head("acme"))
        assert await prune_log(world.services(), MARIA, "acme", nothing) == 40
        assert await left(world) == [*(f"req_{number}" for number in range(100, 110)), "req_maria"]
        after = await world.storage.read(lambda reader: reader.tree_head("acme"))
        assert after.size == before.size + 1
        leaves = await world.storage.read(lambda reader: reader.leaf_hashes("acme", 0, 51))
        assert len(leaves) == 51 * 32
        assert bytes(32) not in [leaves[at : at + 32] for at in range(0, len(leaves), 32)]

    async def test_every_batch_is_an_entry_that_says_who_removed_what(self, world: World) -> None:
        gone: list[int] = []

        async def told(so_far: int) -> None:
            gone.append(so_far)

        await prune_log(world.services(), MARIA, "acme", told, batch=15)
        assert gone == [15, 30, 40]
        entries = await told_of(world)
        assert [(one.action, one.actor, one.details["entries"]) for one in entries] == [
            ("audit.prune", "terminal:maria", count) for count in (15, 15, 10)
        ]
        assert [(one.details["first"], one.details["last"]) for one in entries] == [(1, 15), (16, 30), (31, 40)]
        ranges = await world.storage.read(lambda reader: reader.pruned_ranges("acme", 0, 10))
        assert [(one.first, one.last, one.prune_seq) for one in ranges] == [
            (entry.details["first"], entry.details["last"], entry.seq) for entry in entries
        ]

    async def test_after_a_prune_by_a_longer_plan_it_is_still_told_how_far_an_earlier_one_went(
        self, world: World
    ) -> None:
        async def pruned_before() -> datetime | None:
            return await world.storage.read(lambda reader: reader.pruned_before("acme"))

        await prune_log(world.services(), MARIA, "acme", nothing)
        first = await pruned_before()
        assert first is not None
        await set_plan(world.services(), MARIA, "acme", Plan.ENTERPRISE)
        await world.storage.write(lambda writer: writer.append([entry(200, world.clock() - 8 * YEAR)]))
        assert await prune_log(world.services(), MARIA, "acme", nothing) == 1
        assert await pruned_before() == first

    async def test_where_nothing_is_too_old_nothing_is_written(self, world: World) -> None:
        await prune_log(world.services(), MARIA, "acme", nothing)
        assert await prune_log(world.services(), MARIA, "acme", nothing) == 0
        assert len(await told_of(world)) == 1

    async def test_one_that_was_stopped_half_way_goes_on_the_next_time(self, world: World) -> None:
        async def stop(_gone: int) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            await prune_log(world.services(), MARIA, "acme", stop, batch=15)
        assert (await found(world)).entries == 25
        assert await prune_log(world.services(), MARIA, "acme", nothing, batch=15) == 25
        assert (await found(world)).entries == 0

    async def test_what_others_append_meanwhile_stays(self, world: World) -> None:
        async def append(_gone: int) -> None:
            late = [entry(200, world.clock())]
            await world.storage.write(lambda writer: writer.append(late))

        await prune_log(world.services(), MARIA, "acme", append, batch=15)
        assert (await left(world)).count("req_200") == 3

    async def test_entries_that_tell_of_prunes_outlive_their_time(self, world: World) -> None:
        await prune_log(world.services(), MARIA, "acme", nothing)
        world.clock.forward(days=3650)
        later = replace(MARIA, request_id="req_later")
        assert await prune_log(world.services(), later, "acme", nothing) == 10
        assert await left(world) == ["req_maria", "req_later"]
        assert (await found(world)).aged == []

    async def test_another_dealers_log_is_not_touched(self, world: World) -> None:
        await world.add_dealer("other")
        theirs = replace(entry(1, world.clock() - 2 * YEAR), dealer="other")
        await world.storage.write(lambda writer: writer.append([theirs]))
        await prune_log(world.services(), MARIA, "acme", nothing)
        assert (await world.storage.read(lambda reader: reader.log_extent("other"))).entries == 1


class TestHold:
    async def test_a_hold_stops_a_prune_and_is_told_of(self, world: World) -> None:
        await set_hold(world.services(), MARIA, "acme", "case 7")
        with pytest.raises(Conflict) as refusal:
            await prune_log(world.services(), MARIA, "acme", nothing)
        assert refusal.value.code == "legal_hold"
        now = await found(world)
        assert now.hold is not None
        assert (now.hold.reason, now.hold.placed_by, now.hold.placed_at, now.entries) == (
            *("case 7", "terminal:maria", world.clock()),
            40,
        )
        (told,) = await told_of(world)
        assert (told.action, told.details) == ("audit.hold.set", {"reason": "case 7"})

    async def test_a_hold_placed_meanwhile_stops_what_is_left(self, world: World) -> None:
        async def hold(_gone: int) -> None:
            await set_hold(world.services(), replace(MARIA, request_id="req_hold"), "acme", "case 7")

        with pytest.raises(Conflict):
            await prune_log(world.services(), MARIA, "acme", hold, batch=15)
        assert (await found(world)).entries == 25
        assert [one.action for one in await told_of(world)] == ["audit.prune"]

    async def test_a_plan_set_meanwhile_keeps_what_is_left(self, world: World) -> None:
        async def keep(_gone: int) -> None:
            await set_plan(world.services(), replace(MARIA, request_id="req_plan"), "acme", Plan.ENTERPRISE)

        assert await prune_log(world.services(), MARIA, "acme", keep, batch=15) == 15

    async def test_a_hold_that_was_cleared_stops_nothing_and_both_stand_in_the_log(self, world: World) -> None:
        await set_hold(world.services(), MARIA, "acme", "case 7")
        await set_hold(world.services(), MARIA, "acme", "case 8")
        assert (await clear_hold(world.services(), MARIA, "acme")).reason == "case 8"
        with pytest.raises(Conflict) as refusal:
            await clear_hold(world.services(), MARIA, "acme")
        assert refusal.value.code == "no_hold"
        assert [(one.action, one.details["reason"]) for one in await told_of(world)] == [
            *(("audit.hold.set", "case 7"), ("audit.hold.set", "case 8"), ("audit.hold.clear", "case 8")),
        ]
        assert await prune_log(world.services(), MARIA, "acme", nothing) == 40

    @pytest.mark.parametrize("reason", ["", "  ", "x" * (REASON_LIMIT + 1), "a\nb", FAKE_KEY])
    async def test_a_reason_must_be_readable_and_hold_no_key(self, world: World, reason: str) -> None:
        with pytest.raises(InvalidInput) as refusal:
            await set_hold(world.services(), MARIA, "acme", reason)
        assert refusal.value.code == "bad_reason"
        assert (await found(world)).hold is None
