"""`chekt-mcp audit import`: what came in, what could not be taken and why, and the same end every time."""

from __future__ import annotations

import gzip
import json
import shutil
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chekt_mcp.cli.audit.row_problem import SENTENCES
from chekt_mcp.domain.imported_value import RowCode
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.operations.audit.log_file.row import FileCode
from terminal_child import PASSPHRASE, Machine

MAPPING = {
    "fields": {"timestamp": "when", "request_id": "rid", "action": "what", "result": "outcome"},
    "constants": {"app": "shop"},
    "results": {"DONE": "ok"},
}
LOG = "when,rid,what,outcome\n2026-06-01 12:00:00,req_1,GET /,Done\n"
FAKE_KEY = "chekt_test_" + "EXAMPLE" * 5
DAY = timedelta(days=1)
HEADER = "timestamp,actor,app,kind,action,scope,result,request_id,source_ip\n"
GOOD = "2026-06-01T10:00:00Z,shop,shop,api_call,devices.list,devices:read,ok,req_1,203.0.113.7\n"
SECOND = "2026-06-01T10:00:01Z,shop,shop,api_call,devices.list,devices:read,ok,req_2,203.0.113.7\n"
BAD = "yesterday,shop,shop,api_call,devices.list,devices:read,ok,req_3,203.0.113.7\n"


@pytest.fixture(scope="module")
def held(with_test_app: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state under a legal hold: rows of these tests are taken in any year that the machine's clock may tell."""
    made = Machine(tmp_path_factory.mktemp("held"))
    shutil.copytree(with_test_app, made.state)
    made.ok("audit", "hold", "set", "rows of tests")
    return made.state


@pytest.fixture
def ready(machine: Machine, held: Path) -> Machine:
    shutil.copytree(held, machine.state)
    return machine


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
    export.write_text(HEADER + GOOD.replace("2026-06-01T10:00:00Z", rfc3339(datetime.now(UTC) - DAY)))
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


class TestMapping:
    def test_a_log_of_another_make_comes_in_by_a_mapping_and_a_zone(self, ready: Machine, export: Path) -> None:
        export.write_text(LOG)
        assert ready.run("audit", "import", export).error == "bad_header"
        mapping = ready.home / "map.json"
        mapping.write_text(json.dumps(MAPPING))
        assert "naive_time" in ready.run("audit", "import", export, "--map", mapping).out
        said = ready.ok("audit", "import", export, "--map", mapping, "--timezone", "Europe/Berlin")
        assert "1 new, 0 known, 0 rejected" in said
        assert "2026-06-01T10:00:00Z" in said

    def test_everything_wrong_with_a_mapping_is_said_and_nothing_is_imported(
        self, ready: Machine, export: Path
    ) -> None:
        mapping = ready.home / "map.json"
        mapping.write_text(json.dumps({"fields": {"reqid\x1b": "a"}, "results": {"gone": "lost"}, "more": {}}))
        done = ready.run("audit", "import", export, "--map", mapping)
        assert (done.code, done.error) == (1, "bad_mapping")
        assert all(place in done.err for place in ("  fields.reqid\\u{1b}: ", "  results.gone: ", "  more: "))
        assert "3 new" not in ready.ok("audit", "import", export)

    @pytest.mark.parametrize("zone", ["Europe/Nowhere", "../etc/passwd", "", "+25:00", "25"])
    def test_a_zone_that_there_is_not_is_refused(self, ready: Machine, export: Path, zone: str) -> None:
        assert ready.run("audit", "import", export, "--timezone", zone).error == "bad_timezone"

    def test_an_offset_is_a_zone(self, ready: Machine, export: Path) -> None:
        export.write_text(HEADER + GOOD.replace("Z,", ",", 1))
        assert "2026-06-01T15:30:00Z" in ready.ok("audit", "import", export, "--timezone=-05:30")


class TestRejects:
    def test_rejected_rows_are_written_with_their_reasons_and_without_credentials(
        self, ready: Machine, export: Path
    ) -> None:
        export.write_text(HEADER + GOOD + BAD.replace("shop", FAKE_KEY) + '"broken\x1b\n')
        rejects = ready.home / "rejects.jsonl"
        ready.ok("audit", "import", export, "--rejects", rejects)
        first, second = map(json.loads, rejects.read_text().splitlines())
        assert (first["line"], first["code"], first["field"]) == (3, "bad_time", "timestamp")
        assert first["message"] == SENTENCES[RowCode.BAD_TIME]
        assert "yesterday" in first["excerpt"]
        assert (second["line"], second["code"], second["excerpt"]) == (4, "bad_csv", '"broken\\u{1b}')
        assert "EXAMPLE" not in rejects.read_text()
        assert stat.S_IMODE(rejects.stat().st_mode) == 0o600

    def test_they_are_written_for_a_file_that_was_imported_before(self, ready: Machine, export: Path) -> None:
        ready.ok("audit", "import", export)
        rejects = ready.home / "rejects.jsonl"
        assert "imported before" in ready.ok("audit", "import", export, "--rejects", rejects)
        assert [json.loads(line)["line"] for line in rejects.read_text().splitlines()] == [3]

    def test_a_file_that_is_there_is_not_replaced(self, ready: Machine, export: Path) -> None:
        before = export.read_bytes()
        assert ready.run("audit", "import", export, "--rejects", export).error == "rejects_exist"
        assert export.read_bytes() == before

    def test_a_place_that_cannot_be_written_is_said_in_words(self, ready: Machine, export: Path) -> None:
        done = ready.run("audit", "import", export, "--rejects", ready.home / "nowhere" / "rejects.jsonl")
        assert done.error == "rejects_unwritable"

    def test_nothing_is_left_beside_it_when_the_import_fails(self, ready: Machine) -> None:
        ready.run("audit", "import", "missing.csv", "--rejects", ready.home / "rejects.jsonl")
        assert not [path for path in ready.home.iterdir() if "rejects" in path.name]


def test_a_packed_export_comes_in_as_it_is(ready: Machine, export: Path) -> None:
    packed = ready.home / "export.csv.gz"
    packed.write_bytes(gzip.compress(export.read_bytes()))
    assert "2 new, 0 known, 1 rejected" in ready.ok("audit", "import", packed)
    assert "0 new, 2 known, 1 rejected" in ready.ok("audit", "import", export)


def test_rows_older_than_is_kept_are_not_taken_and_what_can_be_done_is_said(
    machine: Machine, with_test_app: Path
) -> None:
    shutil.copytree(with_test_app, machine.state)
    export = machine.home / "export.csv"
    recent = rfc3339(datetime.now(UTC) - DAY)
    export.write_text(HEADER + GOOD.replace("2026-06-01T10:00:00Z", recent) + SECOND.replace("2026", "2016"))
    said = machine.ok("audit", "import", export)
    assert "1 new, 0 known, 1 rejected" in said
    assert "1 row is older than the dealer's plan keeps" in said


def test_one_that_a_person_stops_goes_on_behind_what_was_stored(ready: Machine, export: Path) -> None:
    rows = [GOOD.replace("req_1", f"req_{number}") for number in range(40_000)]
    export.write_text(HEADER + "".join(rows))
    with ready.terminal("audit", "import", export) as person:
        person.expect("10,000 rows")
        person.press_control_c()
        person.expect("Run the same command again: it goes on behind that.")
    said = ready.ok("audit", "import", export)
    assert "40,000 new, 0 known, 0 rejected" in said
    assert "It went on from an import that was interrupted; " in said
