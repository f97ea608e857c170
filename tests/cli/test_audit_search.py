"""`chekt-mcp audit search`: the tool's answer at the terminal, for every app of the dealer."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from terminal_child import Machine

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "search.md"
HEADER = "timestamp,actor,app,kind,action,scope,result,request_id,source_ip\n"
ROW = "2021-06-01T10:00:{0:02}Z,shop,shop,api_call,alarms.list,alarms:read,{1},req_abcdefg{0},203.0.113.{0}\n"
SINCE = ("--since", "2021-01-01T00:00:00Z", "--app", "shop")


@pytest.fixture
def known(ready: Machine) -> Machine:
    """Six calls, every other one refused, a year that no clock of a test machine is near."""
    export = ready.home / "export.csv"
    export.write_text(HEADER + "".join(ROW.format(number, ("ok", "denied")[number % 2]) for number in range(6)))
    ready.ok("audit", "hold", "set", "old entries are looked at", typed="shop\n")
    ready.ok("audit", "import", export)
    return ready


def test_pages_follow_each_other_until_all_is_said(known: Machine) -> None:
    asked = (*SINCE, "--result", "!ok", "--limit", "2")
    first = known.ok("audit", "search", *asked)
    assert "req_abcdefg5" in first
    assert "NOT complete: at least 1 older entry fits. Repeat with cursor=" in first
    cursor = first.split("cursor=")[1].split()[0]
    second = known.ok("audit", "search", *asked, "--cursor", cursor)
    assert "req_abcdefg1" in second
    assert "Complete: nothing else in this window fits." in second
    refused = known.run("audit", "search", *SINCE, "--result", "ok", "--cursor", cursor)
    assert (refused.code, "bad_cursor" in refused.err) == (1, True)


def test_json_is_the_tools_answer(known: Machine) -> None:
    said = json.loads(known.ok("audit", "search", *SINCE, "--source-ip", "203.0.113.4/31", "--format", "json"))
    assert [entry["request_id"] for entry in said["entries"]] == ["req_abcdefg5", "req_abcdefg4"]
    assert said["complete"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--limit", "0"), "out_of_range"),
        (("--kind", "null"), "Values: api_call"),
        (("--since", "2021-01-01T00:00:00"), "Add the offset"),
        (("--app", "nobody"), "unknown_app"),
    ],
)
def test_what_cannot_be_meant_is_refused(known: Machine, asked: tuple[str, ...], said: str) -> None:
    refused = known.run("audit", "search", *asked)
    assert refused.code == 1
    assert said in refused.err


def test_the_documents_example_can_be_typed(known: Machine) -> None:
    (line,) = [line for line in DOCUMENT.read_text("utf-8").splitlines() if line.startswith("chekt-mcp audit search")]
    assert "Complete: nothing else in this window fits." in known.ok(*shlex.split(line)[1:])
