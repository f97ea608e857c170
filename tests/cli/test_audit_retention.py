"""Pruning and holds at the terminal: a person reads what would go, confirms it, and finds it in the log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chekt_mcp.domain.timespan import rfc3339
from terminal_child import PASSPHRASE, Machine

HEADER = "timestamp,actor,app,action,result,request_id\n"
NOW = datetime.now(UTC)
OLD = NOW - timedelta(days=400)


def row(at: datetime, number: int) -> str:
    return f"{rfc3339(at)},shop,shop,devices.list,ok,req_{number}\n"


def with_old_entries(machine: Machine, *flags: str, typed: str = "") -> Path:
    """Give a machine two entries that its plan no longer keeps, and one that it does."""
    export = machine.home / "export.csv"
    export.write_text(HEADER + row(OLD, 1) + row(OLD, 2) + row(NOW - timedelta(days=1), 3))
    machine.ok("audit", "hold", "set", "while old rows come in", *flags, typed=typed)
    assert "3 new, 0 known, 0 rejected" in machine.ok("audit", "import", export, *flags, typed=typed)
    return export


@pytest.fixture
def aged(ready: Machine) -> Machine:
    with_old_entries(ready)
    with ready.terminal("audit", "hold", "clear") as person:
        person.answer("Type the dealer's name (main) to end the hold:", "main")
        person.expect("It was: while old rows come in")
    return ready


def test_a_dry_run_says_what_would_go_and_removes_nothing(aged: Machine) -> None:
    said = aged.ok("audit", "prune", "--dry-run")
    assert "kept 365 days (plan standard)" in said
    assert "2 entries are older" in said
    assert f"shop  2        {rfc3339(OLD)}" in said
    assert "Nothing was removed." in said
    assert "2 entries are older" in aged.ok("audit", "retention")


def test_a_person_confirms_with_the_dealers_name(aged: Machine) -> None:
    with aged.terminal("audit", "prune") as person:
        person.answer("Type the dealer's name (main) to remove it:", "other")
        person.expect("not_confirmed")
    assert person.code == 1
    with aged.terminal("audit", "prune") as person:
        person.answer("Type the dealer's name (main) to remove it:", "main")
        person.expect("Removed 2 entries.")
    assert person.code == 0
    assert "Nothing in it is older" in aged.ok("audit", "prune")


def test_without_a_person_and_without_a_passphrase_nothing_is_removed(aged: Machine) -> None:
    done = aged.run("audit", "prune")
    assert (done.code, done.error) == (1, "terminal_required")
    assert "2 entries are older" in aged.ok("audit", "prune", "--dry-run")


def test_a_hold_stops_it_and_says_whose_it_is(aged: Machine) -> None:
    aged.ok("audit", "hold", "set", "case 7")
    done = aged.run("audit", "prune")
    assert (done.code, done.error) == (1, "legal_hold")
    assert "A legal hold stops every prune, placed by terminal:" in done.out
    assert "case 7" in aged.ok("audit", "hold", "show")


def test_ending_a_hold_takes_a_person(ready: Machine) -> None:
    ready.ok("audit", "hold", "set", "case 7")
    assert ready.run("audit", "hold", "clear").error == "terminal_required"
    assert "case 7" in ready.ok("audit", "hold", "show")


def test_the_enterprise_plan_keeps_what_the_standard_one_does_not(aged: Machine) -> None:
    assert "kept 2,557 days (plan enterprise)" in aged.ok("audit", "retention", "--plan", "enterprise")
    assert "Nothing in it is older" in aged.ok("audit", "prune")


def test_where_there_is_a_passphrase_everything_but_looking_needs_it(live: Machine) -> None:
    typed = f"{PASSPHRASE}\n"
    with_old_entries(live, "--passphrase-stdin", typed=typed)
    for words in (("hold", "set", "x"), ("hold", "clear"), ("retention", "--plan", "enterprise")):
        assert live.run("audit", *words).error == "passphrase_required"
    live.ok("audit", "hold", "clear", "--passphrase-stdin", typed=typed)
    assert live.run("audit", "prune").error == "passphrase_required"
    assert live.run("audit", "prune", "--passphrase-stdin", typed="wrong words of nobody\n").error == "wrong_passphrase"
    assert "Removed 2 entries." in live.ok("audit", "prune", "--passphrase-stdin", typed=typed)
    live.ok("audit", "hold", "show")


def test_a_dealer_can_be_set_up_with_its_plan(machine: Machine) -> None:
    machine.ok("init", "--app", "shop", "--plan", "enterprise")
    assert "kept 2,557 days (plan enterprise)" in machine.ok("audit", "retention")
