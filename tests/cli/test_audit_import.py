"""`chekt-mcp audit import`: what came in, what could not be taken and why, and the same end every time."""

from __future__ import annotations

from pathlib import Path

import pytest

from terminal_child import PASSPHRASE, Machine

HEADER = "timestamp,actor,app,kind,action,scope,result,request_id,source_ip\n"
GOOD = "2026-06-01T10:00:00Z,shop,shop,api_call,devices.list,devices:read,ok,req_1,203.0.113.7\n"
SECOND = "2026-06-01T10:00:01Z,shop,shop,api_call,devices.list,devices:read,ok,req_2,203.0.113.7\n"
BAD = "yesterday,shop,shop,api_call,devices.list,devices:read,ok,req_3,203.0.113.7\n"


@pytest.fixture
def export(ready: Machine) -> Path:
    file = ready.home / "export.csv"
    file.write_text(HEADER + GOOD + BAD + SECOND)
    return file


def test_good_rows_come_in_and_bad_ones_are_named_by_line_and_reason(ready: Machine, export: Path) -> None:
    done = ready.run("audit", "import", export)
    assert done.code == 0
    assert "2 new, 0 known, 1 rejected" in done.out
    assert "  line 3: bad_time (field timestamp)" in done.out
    assert "2026-06-01T10:00:00Z to 2026-06-01T10:00:01Z" in done.out
    assert "yesterday" not in done.out + done.err
    assert done.err == ""


def test_the_same_file_again_adds_nothing_and_is_no_failure(ready: Machine, export: Path) -> None:
    ready.ok("audit", "import", export)
    assert "there is nothing to add" in ready.ok("audit", "import", export)
    export.write_text(export.read_text() + "\n")
    assert "0 new, 2 known" in ready.ok("audit", "import", export)


def test_a_file_with_nothing_usable_is_a_failure(ready: Machine, export: Path) -> None:
    export.write_text(HEADER + BAD)
    done = ready.run("audit", "import", export)
    assert (done.code, done.error) == (1, "nothing_imported")
    assert "line 2: bad_time" in done.out


@pytest.mark.parametrize("name", ["missing.csv", "."])
def test_a_file_that_cannot_be_read_is_said_in_words(ready: Machine, name: str) -> None:
    done = ready.run("audit", "import", name)
    assert (done.code, done.error) == (1, "unreadable_file")


def test_at_a_terminal_a_bar_shows_how_far_it_is(ready: Machine, export: Path) -> None:
    with ready.terminal("audit", "import", export) as person:
        person.expect("[##############################] 100%  3 rows")
        person.expect("2 new, 0 known, 1 rejected")
    assert person.code == 0


def test_importing_wants_the_passphrase_where_there_is_one(live: Machine) -> None:
    export = live.home / "export.csv"
    export.write_text(HEADER + GOOD)
    assert live.run("audit", "import", export).error == "passphrase_required"
    live.ok("audit", "import", export, "--passphrase-stdin", typed=f"{PASSPHRASE}\n")


def test_who_imported_what_is_in_the_log(ready: Machine, export: Path) -> None:
    ready.ok("audit", "import", export)
    database = b"".join(path.read_bytes() for path in ready.state.glob("chekt.db*"))
    assert b"audit.import" in database
    assert b"export.csv" in database
