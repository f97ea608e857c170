"""`chekt-mcp audit correlate`: what is on one side only, by lines and by exit code, whatever the file holds."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from terminal_child import Machine

HEADER = "timestamp,actor,app,kind,action,scope,result,request_id,source_ip\n"
ROW = "2021-06-01T10:00:{0:02}Z,shop,{1},api_call,devices.list,devices:read,ok,req_abcdefg{0},203.0.113.7\n"
SINCE = ("--since", "2021-01-01T00:00:00Z")
NGINX = '203.0.113.7 - - [01/Jun/2021:10:00:00 +0000] "GET /v1/devices HTTP/1.1" 200 512 "-" "curl/8" {}\n'


@pytest.fixture
def known(ready: Machine) -> Machine:
    """Four calls of shop and one of till, a year that no clock of a test machine is near."""
    export = ready.home / "export.csv"
    export.write_text(HEADER + "".join(ROW.format(number, "shop") for number in range(4)) + ROW.format(4, "till"))
    ready.ok("audit", "hold", "set", "calls of long ago")
    ready.ok("audit", "import", export)
    return ready


def log(machine: Machine, *request_ids: str) -> Path:
    file = machine.home / "access.log"
    file.write_text("".join(NGINX.format(one) for one in request_ids))
    return file


def test_what_is_on_one_side_only_is_listed_and_ends_with_1(known: Machine) -> None:
    file = log(known, "req_abcdefg0", "-", "req_madeup99", "req_abcdefg2", "req_madeup99", "req_abcdefg4")
    done = known.run("audit", "correlate", file, *SINCE)
    assert (done.code, done.error) == (1, "")
    assert "lines in the file: 6; without a request id: 1" in done.out
    assert "matched: 2, 2021-06-01T10:00:00Z to 2021-06-01T10:00:02Z" in done.out
    assert "only in the file, unknown to the audit log: 1\n  line 3: req_madeup99 (on 2 lines)\n" in done.out
    assert "only in the audit log, calls and deliveries that the file lacks: 2\n" in done.out
    assert "2021-06-01T10:00:03Z req_abcdefg3 api_call devices.list ok" in done.out
    assert "older or newer than every match (the file may not reach that far): 1\n" in done.out
    assert "  line 6: req_abcdefg4 (till, 2021-06-01T10:00:04Z)" in done.out
    assert "not compared (" in done.out
    assert "the audit log begins within the window" in done.err


def test_nothing_one_sided_ends_with_0(known: Machine) -> None:
    file = log(known, *(f"req_abcdefg{number}" for number in range(4)))
    assert known.run("audit", "correlate", file, *SINCE, "--app", "shop").code == 0


def test_json_says_the_same_to_programs(known: Machine) -> None:
    file = log(known, "req_abcdefg0", "req_madeup99", "req_abcdefg4")
    done = known.run("audit", "correlate", file, *SINCE, "--format", "json")
    told = json.loads(done.out)
    assert done.code == 1
    assert told["one_sided"] is True
    assert told["file"] == {"lines": 3, "without_id": 0, "cut": 0}
    assert told["only_in_file"] == [{"request_id": "req_madeup99", "line": 2, "lines": 1}]
    assert [one["request_id"] for one in told["only_in_audit_log"]] == ["req_abcdefg3", "req_abcdefg2", "req_abcdefg1"]
    assert told["only_in_audit_log_total"] == 3
    assert told["known_elsewhere"][0]["app"] == "till"
    assert told["window"]["since"] == "2021-01-01T00:00:00Z"


def test_json_lines_gzip_and_a_pattern_of_ones_own_are_read(known: Machine) -> None:
    file = known.home / "app.log.gz"
    rows = [{"level": "info", "ctx": {"requestId": f"req_abcdefg{number}"}} for number in range(4)]
    file.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode() + b"\n\xff\xfe\x00 broken \xe9\n"))
    assert known.run("audit", "correlate", file, *SINCE).code == 0
    file.write_text("".join(f"rid=<req_abcdefg{number}> req_notthisone\n" for number in range(4)))
    assert known.run("audit", "correlate", file, *SINCE, "--pattern", "rid=<([^>]+)>").code == 0


def test_a_pattern_that_would_never_end_is_broken_off_and_said(known: Machine) -> None:
    file = known.home / "evil.log"
    file.write_text("fine\n" + "a" * 5_000 + "!\n")
    done = known.run("audit", "correlate", file, *SINCE, "--pattern", "(a+)+$")
    assert (done.code, done.error) == (2, "slow_pattern")
    assert "line 2" in done.err
    assert done.out == ""


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["missing.log"], "unreadable_file"),
        (["access.log", "--pattern", "("], "bad_pattern"),
        (["access.log", "--since", "yesterday"], "bad_time"),
        (["access.log", "--app", "nobody"], "unknown_app"),
        (["access.log", "--format", "xml"], "usage"),
        ([], "usage"),
    ],
)
def test_without_an_answer_it_ends_with_2(known: Machine, arguments: list[str], code: str) -> None:
    log(known, "req_abcdefg0")
    done = known.run("audit", "correlate", *arguments)
    assert (done.code, done.error, done.out) == (2, code, "")


def test_a_file_without_any_id_is_said_to_have_none(known: Machine) -> None:
    done = known.run("audit", "correlate", log(known, "-", "-"), *SINCE)
    assert done.code == 1
    assert "no line holds a request id. Say with --pattern" in done.err


def test_what_others_wrote_is_escaped_cut_and_without_keys(known: Machine) -> None:
    key = "chekt_live_" + "EXAMPLE0" * 4
    file = known.home / "app.log"
    file.write_text(json.dumps({"request_id": "\u202e\x1b[2J" + "x" * 190}) + f'\n{{"request_id": "{key}"}}\n')
    for form in ("text", "json"):
        done = known.run("audit", "correlate", file, *SINCE, "--format", form)
        assert not set(done.out) & set("\u202e\x1b")
        assert "x" * 100 not in done.out
        assert "EXAMPLE0" not in done.out
        assert "redacted" in done.out


def test_at_a_terminal_a_bar_shows_how_far_it_is(known: Machine) -> None:
    with known.terminal("audit", "correlate", log(known, "req_abcdefg0"), *SINCE) as person:
        person.expect("100%  1 rows")
        person.expect("100%  ")
        person.expect("matched: 1, ")
    assert person.code == 1
