"""The incident that examples/ hides is found, each sign of it with the calls that show it."""

from __future__ import annotations

import csv
import importlib
import io
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chekt_mcp.domain.allow_list.version import AllowListVersion
from chekt_mcp.domain.audit import Kind, NewEntry, Result
from chekt_mcp.domain.scope import Scope
from chekt_mcp.operations.allow_list.compiled_lists import CompiledLists
from chekt_mcp.operations.audit.analysis.subject import Asked
from chekt_mcp.operations.audit.analyze_log import Analysis, AnalyzeAuditLog, LogFinding, summary
from world import World

pytestmark = pytest.mark.anyio

EXAMPLES = Path(__file__).parents[3] / "examples"
Row = dict[str, str]


@pytest.fixture(scope="module", name="dealer")
def _dealer() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXAMPLES)
        yield importlib.import_module("sample_dealer")


@pytest.fixture(scope="module", name="facts")
def _facts(dealer: Any) -> Any:
    return importlib.import_module("sample_incident")


@pytest.fixture(scope="module", name="rows")
def _rows() -> list[Row]:
    text = (EXAMPLES / "sample_log.csv").read_bytes().decode()
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


@pytest.fixture
async def sample(world: World, dealer: Any, facts: Any, rows: list[Row]) -> World:
    """The sample's dealer at the end of its log: apps with their grants, and the list that was turned off."""
    world.clock.now = dealer.START - timedelta(days=30)
    for app in (dealer.FRONT_DESK, dealer.NIGHT_WATCH, dealer.CI_SMOKE):
        listed = facts.ALLOW_LIST if app.name == facts.APP else None
        await world.add_app(app.name, scopes=tuple(map(Scope, app.scopes)), allow_list=listed)
    off = AllowListVersion(
        "acme",
        facts.APP,
        2,
        enabled=False,
        text=facts.ALLOW_LIST,
        effective_at=facts.ALLOW_LIST_OFF,
        set_by=facts.ALLOW_LIST_OFF_BY,
        reason="deploy",
    )
    await world.storage.write(lambda writer: writer.add_allow_list(off))
    await world.log(*map(entry, rows))
    world.clock.now = dealer.END
    return world


def entry(row: Row) -> NewEntry:
    return NewEntry(
        "acme",
        datetime.fromisoformat(row["timestamp"]),
        row["actor"],
        Kind(row["kind"]),
        row["action"],
        Result(row["result"]),
        row["request_id"],
        app=row["app"],
        scope=row["scope"] or None,
        source="import",
        source_ip=row["source_ip"],
        key_id=row["key_id"] or None,
        origin="imp_1",
        details={"user_agent": row["user_agent"]},
    )


async def analysed(world: World, since: str) -> AnalyzeAuditLog:
    asked = Asked("acme", ("front-desk", "night-watch", "ci-smoke", "dealer-portal", None), since)
    return await Analysis(world.services(), CompiledLists(), asked, world.clock()).run()


def found(result: AnalyzeAuditLog, code: str, app: str = "front-desk") -> LogFinding:
    (one,) = [one for one in result["findings"] if (one["code"], one["app"]) == (code, app)]
    return one


def ids(rows: list[Row], facts: Any, **values: str) -> set[str]:
    """Return the stranger's request ids whose rows have these values."""
    strange = [row for row in rows if row["source_ip"] == facts.ADDRESS]
    return {row["request_id"] for row in strange if values.items() <= row.items()}


async def test_every_sign_of_the_incident_is_found_in_the_last_24_hours(
    sample: World, rows: list[Row], facts: Any
) -> None:
    result = await analysed(sample, "24h")
    listed = found(result, "outside_list_while_off")
    assert (listed["count"], listed["about"]["source_ips"]) == (112, [facts.ADDRESS])
    new = found(result, "first_seen_address")
    assert (new["severity"], new["count"], new["about"]["source_ips"]) == ("warning", 112, [facts.ADDRESS])
    assert "It began before the window" in new["message"]
    refused = found(result, "denied_then_allowed")
    assert refused["about"]["source_ips"] == [facts.ADDRESS]
    assert set(refused["evidence"]) == ids(rows, facts, result="denied")
    tried = found(result, "scope_not_granted")
    assert (tried["severity"], tried["count"]) == ("warning", facts.DENIED_CALLS)
    assert set(tried["about"]["scopes"]) == {"operators:read", "devices:write"}
    assert set(tried["evidence"]) == ids(rows, facts, result="denied")
    burst = found(result, "burst")
    assert (burst["severity"], len(burst["about"]["times"])) == ("warning", 9)
    assert "busiest has 4" in burst["message"]
    assert set(burst["evidence"]) <= ids(rows, facts, scope="snapshots:read")
    hours = found(result, "unusual_hour")
    assert (hours["count"], hours["about"]["times"]) == (112, ["2026-06-30T23:00:00Z", "2026-06-30T00:00:00Z"])
    for one in (listed, new, burst, hours):
        assert len(one["evidence"]) == 10
        assert set(one["evidence"]) <= ids(rows, facts)


async def test_nothing_but_the_incident_is_worth_a_look(sample: World) -> None:
    for since in ("24h", "48h"):
        result = await analysed(sample, since)
        worth = [one for one in result["findings"] if one["severity"] != "info"]
        assert {one["app"] for one in worth} == {"front-desk"}
        assert len(worth) == 6


async def test_26_hours_hold_all_of_it(sample: World, facts: Any) -> None:
    result = await analysed(sample, "26h")
    assert found(result, "outside_list_while_off")["count"] == facts.CALLS
    assert result["totals"]["by_source_ip"][facts.ADDRESS] == facts.CALLS
    assert "It began before" not in found(result, "first_seen_address")["message"]


async def test_totals_are_a_plain_count(sample: World, rows: list[Row], dealer: Any) -> None:
    result = await analysed(sample, "24h")
    recent = [row for row in rows if dealer.END - datetime.fromisoformat(row["timestamp"]) <= timedelta(hours=24)]
    totals = result["totals"]
    assert totals["entries"] == len(recent) == sum(totals["by_hour"].values())
    columns = {"by_result": "result", "by_scope": "scope", "by_key": "key_id", "by_actor": "actor", "by_app": "app"}
    for name, column in columns.items():
        counted: dict[str, int] = totals[name]  # type: ignore[literal-required]  # the names above
        assert counted == {
            value or "-": sum(row[column] == value for row in recent) for value in {r[column] for r in recent}
        }
    for name, column in {"by_action": "action", "by_source_ip": "source_ip"}.items():
        listed: dict[str, int] = totals[name]  # type: ignore[literal-required]  # as above
        others = totals["others"].get(name, {"values": 0, "entries": 0})
        assert all(calls == sum(row[column] == value for row in recent) for value, calls in listed.items())
        assert sum(listed.values()) + others["entries"] == len(recent)
        assert len(listed) + others["values"] == len({row[column] for row in recent})


async def test_what_others_wrote_is_in_no_message(sample: World, facts: Any) -> None:
    result = await analysed(sample, "48h")
    for one in result["findings"]:
        assert facts.ADDRESS not in one["message"]
        assert "app:" not in one["message"]
    assert facts.INJECTION not in summary(result)


async def test_the_words_alone_say_it_too(sample: World, facts: Any) -> None:
    said = summary(await analysed(sample, "24h"))
    assert said.startswith("6 findings to look at, 1 for information: front-desk, ")
    assert "warning first_seen_address (front-desk): 1 address never seen" in said
    assert f"app:front-desk | {facts.ADDRESS}" in said
    assert "evidence (7 of 7): " in said
    assert "The log holds 5,820 entries" in said
