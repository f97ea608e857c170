"""`chekt-mcp audit export` and `verify-export`, as a person and as a script use them."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import signal
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chekt_mcp.domain.audit import Kind, NewEntry, Result
from chekt_mcp.storage.sqlite import open_storage
from terminal_child import DEADLINE, PROGRAM, Machine

HEADER = "timestamp,actor,app,kind,action,scope,result,request_id,source_ip\n"
ROW = (
    f"{datetime.now(UTC) - timedelta(days=10):%Y-%m-%d}"
    "T10:{:02}:{:02}Z,{},shop,api_call,devices.list,devices:read,{},req_{},203.0.113.7\n"
)
SINCE = ("--since", "30d")
NOTHING = ("--since", "25d", "--until", "20d")


def fill(machine: Machine, rows: int) -> None:
    export = machine.home / "portal.csv"
    results = ("ok", "denied")
    export.write_text(
        HEADER + "".join(ROW.format(n // 60 % 60, n % 60, f"user-{n % 7}", results[n % 2], n) for n in range(rows))
    )
    machine.ok("audit", "import", export)


async def append(machine: Machine, rows: int) -> None:
    """Write calls into the log as its own process would: quicker than an import."""
    storage = open_storage(machine.state)
    moment = datetime.now(UTC) - timedelta(days=10)
    entries = [
        NewEntry("main", moment, "app:shop", Kind.API_CALL, "devices.list", Result.OK, f"req_{number}", "shop")
        for number in range(rows)
    ]
    await storage.write(lambda writer: writer.append(entries))
    await storage.close()


@pytest.fixture
def long(ready: Machine) -> Machine:
    """So many calls that an export has several blocks."""
    asyncio.run(append(ready, 40_000))
    return ready


@pytest.fixture
def known(ready: Machine) -> Machine:
    """Ten calls of shop."""
    fill(ready, 10)
    return ready


def test_an_export_is_a_file_and_a_manifest_and_says_so(known: Machine) -> None:
    said = known.ok("audit", "export", "audit.csv", *SINCE, "--action", "devices.list")
    assert "Exported 10 entries, 20" in said
    assert "manifest audit.csv.manifest.json" in said
    assert "personal data" in said
    rows = list(csv.DictReader((known.home / "audit.csv").read_text().splitlines()))
    assert [row["request_id"] for row in rows] == [f"req_{number}" for number in range(10)]
    assert {path.stat().st_mode & 0o777 for path in known.home.glob("audit.csv*")} == {0o600}


def test_exit_codes_tell_verified_altered_no_answer_and_unvouched(known: Machine) -> None:
    said = known.ok("audit", "export", "a.jsonl", *SINCE)
    key = said.split("key ")[1].split("\n")[0]
    done = known.run("audit", "verify-export", "a.jsonl")
    assert (done.code, "nobody told me whose key this is" in done.out, "VERIFIED" in done.out) == (3, True, False)
    done = known.run("audit", "verify-export", "a.jsonl", "--key", key)
    assert (done.code, "VERIFIED" in done.out) == (0, True)
    assert known.run("audit", "verify-export", "nothing.jsonl").code == 2
    assert known.run("audit", "verify-export", "a.jsonl", "--key", "x").code == 2
    assert known.run("audit", "verify-export", "a.jsonl", "--against", "nothing").code == 2
    with (known.home / "a.jsonl").open("ab") as file:
        file.write(b"{}\n")
    done = known.run("audit", "verify-export", "a.jsonl", "--key", key)
    assert (done.code, "problem: file_altered" in done.out, "VERIFIED" in done.out) == (1, True, False)


def test_it_is_checked_on_a_machine_that_has_no_state(known: Machine, tmp_path: Path) -> None:
    known.ok("audit", "export", "a.jsonl", *SINCE, "--proofs", "--result", "!ok")
    elsewhere = Machine(tmp_path / "elsewhere")
    elsewhere.home.mkdir()
    for path in known.home.glob("a.jsonl*"):
        path.rename(elsewhere.home / path.name)
    done = elsewhere.run("audit", "verify-export", "a.jsonl", "--format", "json")
    told = json.loads(done.out)
    assert (done.code, told["status"], told["rows"], told["entries_in_log_shown"]) == (3, "consistent", 5, True)
    assert not elsewhere.state.exists()


def test_standard_output_is_the_export_alone(known: Machine) -> None:
    done = known.run("audit", "export", "-", *SINCE, "--format", "jsonl", "--fields", "request_id", "--actor", "user-1")
    assert [json.loads(line) for line in done.out.splitlines()] == [{"request_id": "req_1"}, {"request_id": "req_8"}]
    assert "nothing vouches for this copy" in done.err
    done = known.run("audit", "export", "-", *SINCE, "--manifest", "m.json", "--actor", "user-1")
    (known.home / "copy.csv").write_text(done.out, newline="")
    assert known.run("audit", "verify-export", "copy.csv", "--manifest", "m.json").code == 3


def test_the_format_follows_the_name_and_nothing_is_replaced_unasked(known: Machine) -> None:
    known.ok("audit", "export", "a.json", *SINCE)
    assert isinstance(json.loads((known.home / "a.json").read_text()), list)
    done = known.run("audit", "export", "a.json", *SINCE)
    assert (done.code, done.error) == (1, "file_exists")
    known.ok("audit", "export", "a.json", "--force", *NOTHING)
    assert json.loads((known.home / "a.json").read_text()) == []


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["no/where.csv"], "not_writable"),
        ([".", "--format", "csv"], "not_a_file"),
        (["a.csv", "--since", "1h", "--until", "2h"], "empty_window"),
        (["a.csv", "--app", "nobody"], "unknown_app"),
        (["a.csv", "--fields", "seq,password"], "unknown_field"),
        (["a.csv", "--result", "fine"], "bad_value"),
        (["a.csv", "--proofs"], "proofs_need_all"),
        (["a.jsonl", "--proofs", "--format", "csv"], "proofs_need_all"),
        (["-", "--proofs"], "proofs_need_file"),
        (["a.xml", "--format", "xml"], "usage"),
        ([], "usage"),
    ],
)
def test_a_mistake_is_said_and_leaves_nothing(known: Machine, arguments: list[str], error: str) -> None:
    before = sorted(known.home.iterdir())
    done = known.run("audit", "export", *arguments)
    assert (done.code, done.error) == ({"usage": 2}.get(error, 1), error)
    assert sorted(known.home.iterdir()) == before


def test_at_a_terminal_a_bar_shows_how_far_it_is_and_none_in_a_pipe(known: Machine) -> None:
    with known.terminal("audit", "export", "a.csv", *SINCE) as person:
        person.expect("100%  1")
        person.expect("Exported 1")
    assert person.code == 0
    assert known.run("audit", "export", "b.csv", *SINCE).err == ""


def test_control_c_leaves_no_file(long: Machine) -> None:
    with long.terminal("audit", "export", "a.jsonl", "--proofs", *SINCE) as person:
        person.expect(" rows")
        person.press_control_c()
        person.expect("error: interrupted")
    assert person.code == 1
    assert list(long.home.glob("*a.jsonl*")) == []


def test_killed_half_way_no_file_looks_complete_and_the_next_one_clears_up(long: Machine) -> None:
    command = [PROGRAM, "audit", "export", "a.jsonl", "--proofs", *SINCE]
    child = subprocess.Popen(command, env=long.environment(), cwd=long.home, stdout=subprocess.DEVNULL)
    give_up = time.monotonic() + DEADLINE
    while not any(path.stat().st_size for path in long.home.glob(".a.jsonl.*.new")):
        assert time.monotonic() < give_up
        assert child.poll() is None
    os.kill(child.pid, signal.SIGKILL)
    child.wait(DEADLINE)
    assert list(long.home.glob("a.jsonl*")) == []
    long.ok("audit", "export", "a.jsonl", *NOTHING)
    assert sorted(path.name for path in long.home.glob("*a.jsonl*")) == ["a.jsonl", "a.jsonl.manifest.json"]


def test_two_at_once_to_one_name_end_with_one_whole_file(long: Machine) -> None:
    command = [PROGRAM, "audit", "export", "a.jsonl", *SINCE]
    both = [
        subprocess.Popen(command, env=long.environment(), cwd=long.home, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    said = [child.communicate(timeout=DEADLINE) for child in both]
    assert sorted(child.returncode for child in both) in ([0, 1], [0, 0])
    assert sum(b"file_exists" in error for _, error in said) == sum(child.returncode for child in both)
    assert long.run("audit", "verify-export", "a.jsonl").code == 3


def test_a_file_system_that_is_full_says_so(known: Machine) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [PROGRAM, "audit", "export", "-", *SINCE],
            env=known.environment(),
            cwd=known.home,
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=DEADLINE,
            check=False,
        )
    assert (done.returncode, b"error: disk_full: The disk is full." in done.stderr) == (1, True)


def test_csv_cells_that_would_run_are_defused(ready: Machine) -> None:
    export = ready.home / "portal.csv"
    export.write_text(HEADER + ROW.format(0, 0, "=HYPERLINK(1)", "ok", 1) + ROW.format(0, 0, "@SUM(1)", "ok", 2))
    ready.ok("audit", "import", export)
    out = ready.run("audit", "export", "-", *SINCE, "--action", "devices.list", "--fields", "actor").out
    assert [row[0] for row in csv.reader(io.StringIO(out))] == ["actor", "'=HYPERLINK(1)", "'@SUM(1)"]
