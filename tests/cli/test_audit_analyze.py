"""`chekt-mcp audit analyze`: every app of the dealer, and whether anything is to be looked at by the exit code."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from terminal_child import Machine

SAMPLE = Path(__file__).parents[2] / "examples" / "sample_log.csv"
END = datetime(2026, 6, 30, 23, 59, tzinfo=UTC)
HEADER = "timestamp,actor,app,kind,action,scope,result,request_id,source_ip\n"
CALL = "{},a,shop,api_call,devices.list,devices:read,ok,req_abcdefg1,192.0.2.1\n"


def ago(**span: float) -> datetime:
    """Return a moment before now: the command has the machine's clock, and imports take nothing past its retention."""
    return datetime.now(UTC) - timedelta(**span)


def stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moved(text: str, shift: timedelta) -> str:
    """Return a sample row at another time."""
    at, rest = text.split(",", 1)
    return f"{stamp(datetime.fromisoformat(at) + shift)},{rest}"


@pytest.fixture
def quiet(ready: Machine) -> Machine:
    """One call of shop three days ago, and nothing else but what the terminal did itself."""
    export = ready.home / "export.csv"
    export.write_text(HEADER + CALL.format(stamp(ago(days=3))))
    ready.ok("audit", "import", export)
    return ready


def test_nothing_to_look_at_ends_with_0_and_a_question_that_cannot_be_answered_with_2(quiet: Machine) -> None:
    window = ("--since", "4d", "--until", "2d")
    done = quiet.run("audit", "analyze", *window)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("0 findings to look at, ")
    assert "No baseline" in done.out
    assert "Entries: 1\n" in done.out
    for mistake, code in ((("--since", "yesterday"), "bad_time"), (("--app", "nobody"), "unknown_app")):
        done = quiet.run("audit", "analyze", *mistake)
        assert (done.code, done.out, done.error) == (2, "", code)


def test_a_threshold_that_cannot_be_read_is_refused_by_its_name(quiet: Machine) -> None:
    quiet.variables["CHEKT_MCP_ANALYSIS"] = "burst_calls=many"
    done = quiet.run("audit", "analyze")
    assert done.error == "bad_setting"
    assert "for burst_calls" in done.err


def test_the_sample_is_analysed_over_every_app_of_the_log_and_ends_with_1(ready: Machine) -> None:
    header, *rows = SAMPLE.read_text("utf-8").splitlines()
    shift = ago(days=1).replace(hour=23, minute=59, second=0, microsecond=0) - END
    export = ready.home / "sample.csv"
    export.write_text("\n".join([header, *(moved(row, shift) for row in rows)]) + "\n")
    ready.ok("audit", "import", export)
    window = ("--since", stamp(END + shift - timedelta(days=1)), "--until", stamp(END + shift + timedelta(seconds=1)))
    done = ready.run("audit", "analyze", *window, "--format", "json")
    told = json.loads(done.out)
    assert done.code == 1
    assert set(told["apps"]) == {"shop", "front-desk", "night-watch", "ci-smoke", "dealer-portal"}
    assert told["totals"]["by_source_ip"]["192.0.2.77"] == 112
    codes = {one["code"] for one in told["findings"] if one["severity"] != "info"}
    assert codes == {"first_seen_address", "denied_then_allowed", "burst", "unusual_hour"}
    ready.variables["CHEKT_MCP_ANALYSIS"] = "burst_calls=50,refusals=20"
    done = ready.run("audit", "analyze", *window, "--app", "front-desk")
    assert "burst" not in done.out
    assert "denied_then_allowed" not in done.out
