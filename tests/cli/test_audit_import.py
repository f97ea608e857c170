"""`chekt-mcp audit import`: what came in, what could not be taken and why, and the same end every time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chekt_mcp.cli.audit.row_problem import SENTENCES
from chekt_mcp.domain.imported_value import RowCode
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.operations.audit.log_file.row import FileCode
from terminal_child import PASSPHRASE, Machine

DAY = timedelta(days=1)
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
    assert "  line 3: bad_time (field timestamp). This is no time since 1970: write RFC 3339" in done.out
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


def test_every_reason_why_a_row_is_not_taken_has_its_sentence() -> None:
    assert set(SENTENCES) == {*RowCode, *FileCode}
    assert all(said.endswith(".") and said.count(". ") == 0 for said in SENTENCES.values())


def test_rows_of_apps_that_nobody_can_search_are_said_with_what_to_do(ready: Machine, export: Path) -> None:
    ready.ok("app", "add", "desk")
    rows = [GOOD.replace(",shop,api_call", f",{app},api_call") for app in ("desk", "night-watch", "ci-smoke")]
    export.write_text(HEADER + GOOD + "".join(rows) + rows[1].replace("req_1", "req_2"))
    assert (
        "3 rows are of apps not known here (night-watch, ci-smoke): add them with `chekt-mcp app add` or `app adopt`; "
        "until then no search shows these rows."
    ) in ready.ok("audit", "import", export)


def test_one_row_of_an_unknown_app_is_said_in_the_singular_and_its_name_cannot_deceive(
    ready: Machine, export: Path
) -> None:
    export.write_text(HEADER + GOOD.replace(",shop,api_call", ",\u202epohs\x1b[2J,api_call"), "utf-8")
    said = ready.ok("audit", "import", export)
    assert "1 row is of an app not known here (\\u{202e}pohs\\u{1b}[2J): add it with" in said


def test_only_the_largest_unknown_apps_are_named(ready: Machine, export: Path) -> None:
    rows = [
        GOOD.replace(",shop,api_call", f",app-{app},api_call").replace("req_1", f"req_{app}_{number}")
        for app in range(9)
        for number in range(app + 1)
    ]
    export.write_text(HEADER + "".join(rows))
    said = ready.ok("audit", "import", export)
    assert "45 rows are of apps not known here (app-8, app-7, app-6, app-5, app-4, …)" in said


def test_a_log_of_known_apps_is_imported_without_remarks(ready: Machine, export: Path) -> None:
    export.write_text(HEADER + GOOD)
    assert len(ready.ok("audit", "import", export).splitlines()) == 2


def test_a_row_from_the_future_is_not_taken_and_a_clock_may_be_to_blame(ready: Machine, export: Path) -> None:
    tomorrow = rfc3339(datetime.now(UTC) + 2 * DAY)
    export.write_text(HEADER + GOOD + SECOND.replace("2026-06-01T10:00:01Z", tomorrow))
    said = ready.ok("audit", "import", export)
    assert "1 new, 0 known, 1 rejected" in said
    assert "line 3: future_time (field timestamp). The time is more than a day ahead of this machine's clock" in said
