"""An import takes every good row exactly once, whatever happens on the way, and leaves a trace of itself."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from chekt_mcp.domain.audit import Entry, Kind, Result
from chekt_mcp.domain.identifier import new_id
from chekt_mcp.domain.import_mapping import ImportMapping, Reading
from chekt_mcp.domain.retention import Plan
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.errors import Conflict, InvalidInput
from chekt_mcp.operations.audit.import_audit import import_log, newest_timestamp
from chekt_mcp.operations.audit.import_tally import APPS_LISTED, PROBLEMS_LISTED, ImportProgress, ImportReport
from chekt_mcp.operations.audit.log_file.row import RowProblem
from chekt_mcp.storage.records import ImportFile, ImportState, LegalHold
from world import Randomness, World

pytestmark = pytest.mark.anyio

EXAMPLES = Path(__file__).parents[3] / "examples"
SAMPLE = EXAMPLES / "sample_log.csv"
KILLED = Path(__file__).with_name("import_until_killed.py")
FAKE_KEY = "chekt_test_" + "EXAMPLE" * 5
FIRST = datetime(2026, 6, 1, tzinfo=UTC)
BATCH = 500
"""Rows of a batch in tests; what is true of these is true of the usual 10,000."""


@pytest.fixture(autouse=True)
async def _dealer(world: World) -> None:
    await world.add_dealer("acme")


def row(number: int, **changes: object) -> dict[str, object]:
    moment = FIRST + timedelta(seconds=number)
    made = {"timestamp": rfc3339(moment), "app": "shop", "actor": "app:shop", "action": "GET /v1/devices"}
    return {**made, "result": "ok", "request_id": f"req_{number}", "source_ip": "192.0.2.7", **changes}


def lines_file(directory: Path, *rows: dict[str, object] | str, name: str = "log.jsonl") -> Path:
    file = directory / name
    file.write_text("".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in rows), "utf-8")
    return file


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


async def imported(world: World, file: Path, *, seed: str = "first", **options: Any) -> ImportReport:
    services = replace(world.services(), random=Randomness(seed))
    rest = {
        "dealer": "acme",
        "imported_by": "terminal:maria",
        "progress": lambda _progress: None,
        "batch": BATCH,
        **options,
    }
    return await import_log(services, file=file, **rest)


async def log_size(world: World, dealer: str = "acme") -> int:
    return (await world.storage.read(lambda reader: reader.log_extent(dealer))).entries


async def requests(world: World, request_id: str, dealer: str = "acme") -> list[Entry]:
    """Return the entries of one request, oldest first."""
    found = await world.storage.read(lambda reader: reader.entries_by_request_id(dealer, request_id, 10))
    return sorted(found, key=lambda entry: entry.seq)


async def traces(world: World, seed: str = "first") -> list[Entry]:
    """Return what the import with this seed said about itself."""
    random = Randomness(seed)
    new_id("imp", random)
    return await requests(world, new_id("req", random))


async def record(world: World, file: Path) -> ImportFile | None:
    return await world.storage.read(lambda reader: reader.import_file("acme", sha256(file)))


class TestSample:
    async def test_every_row_arrives_and_a_second_import_adds_none(self, world: World) -> None:
        first = await imported(world, SAMPLE)
        assert (first.added, first.known, first.rejected, first.redacted) == (5820, 0, 0, 0)
        assert first.first_timestamp == datetime(2026, 6, 16, 23, 59, tzinfo=UTC)
        assert first.last_timestamp == datetime(2026, 6, 30, 23, 59, tzinfo=UTC)
        assert await log_size(world) == 5820 + 2
        again = await imported(world, SAMPLE, seed="second")
        assert (again.added, again.known, again.rejected, again.file_known) == (0, 5820, 0, True)
        assert again.import_id == first.import_id
        assert await log_size(world) == 5820 + 2

    async def test_the_same_rows_in_other_bytes_and_formats_add_none(self, world: World, tmp_path: Path) -> None:
        await imported(world, SAMPLE)
        with SAMPLE.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        array, lines, crlf = (tmp_path / name for name in ("log.json", "log.jsonl", "log.csv"))
        array.write_text(json.dumps({"entries": rows}), "utf-8")
        lines.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in reversed(rows)), "utf-8")
        crlf.write_bytes(b"\xef\xbb\xbf" + SAMPLE.read_bytes().replace(b"\n", b"\r\n"))
        for file in (array, lines, crlf):
            again = await imported(world, file, seed=file.name)
            assert (again.added, again.known, again.rejected, again.file_known) == (0, 5820, 0, False)

    async def test_a_row_is_stored_as_it_was_written_and_says_where_it_came_from(self, world: World) -> None:
        report = await imported(world, SAMPLE)
        (found,) = await requests(world, "req_b2rw6nx62tnraqmdzdra")
        assert found.origin == report.import_id
        assert (found.app, found.actor, found.kind) == ("night-watch", "app:night-watch", Kind.API_CALL)
        assert (found.action, found.scope, found.result) == ("GET /v1/events", "events:read", Result.OK)
        assert (found.source, found.source_ip, found.key_id) == ("import", "198.51.100.20", "key_m4tz8c3vq6ep")
        assert found.details == {"user_agent": "night-watch/2.8 python-httpx/0.28.1"}

    async def test_the_newest_timestamp_lets_a_shifted_log_end_now(self, world: World) -> None:
        newest = newest_timestamp(SAMPLE)
        assert newest == datetime(2026, 6, 30, 23, 59, tzinfo=UTC)
        shift = world.clock() - newest
        report = await imported(world, SAMPLE, shift=shift)
        assert report.last_timestamp == world.clock()
        (found,) = await requests(world, "req_b2rw6nx62tnraqmdzdra")
        assert found.timestamp == datetime(2026, 6, 16, 23, 59, tzinfo=UTC) + shift


class TestApps:
    async def test_rows_of_apps_that_are_not_known_are_counted_by_app(self, world: World, tmp_path: Path) -> None:
        await world.add_app("shop")
        await world.add_app("rival", dealer="other")
        apps = ("shop", "rival", "rival", "Shop", None)
        file = lines_file(tmp_path, *(row(number, app=app) for number, app in enumerate(apps)))
        report = await imported(world, file)
        assert report.added == 5
        assert report.unknown_apps == {"rival": 2, "Shop": 1}
        assert report.unknown_app_rows == 3

    async def test_more_unknown_apps_than_are_told_apart_are_counted_together(
        self, world: World, tmp_path: Path
    ) -> None:
        rows = (row(number, app=f"app-{number}") for number in range(APPS_LISTED + 3))
        report = await imported(world, lines_file(tmp_path, *rows))
        assert (len(report.unknown_apps), report.unknown_app_rows) == (APPS_LISTED, APPS_LISTED + 3)


class TestTrace:
    async def test_an_import_is_an_entry_at_its_start_and_at_its_end(self, world: World, tmp_path: Path) -> None:
        file = lines_file(tmp_path, row(1), row(2), row(2), "broken")
        report = await imported(world, file)
        started, finished = await traces(world)
        of_file = {
            "import_id": report.import_id,
            "file": "log.jsonl",
            "sha256": sha256(file),
        }
        assert (started.action, started.details) == ("audit.import_started", of_file)
        assert finished.action == "audit.import"
        outcome = {"added": 2, "known": 1, "rejected": 1, "first": "2026-06-01T00:00:01Z"}
        assert finished.details == {**of_file, **outcome}
        assert started.seq < finished.seq
        for entry in (started, finished):
            assert (entry.actor, entry.kind, entry.source) == ("terminal:maria", Kind.OPERATOR_ACTION, "terminal")
            assert (entry.timestamp, entry.origin) == (world.clock(), None)

    async def test_a_finished_import_is_remembered_by_its_file(self, world: World, tmp_path: Path) -> None:
        file = lines_file(tmp_path, row(1), "broken")
        report = await imported(world, file)
        kept = await record(world, file)
        assert kept is not None
        assert (kept.import_id, kept.file_name, kept.imported_by) == (report.import_id, "log.jsonl", "terminal:maria")
        assert (kept.added, kept.known, kept.rejected) == (1, 0, 1)
        assert kept.imported_at == world.clock()

    async def test_a_credential_in_the_files_name_is_not_stored(self, world: World, tmp_path: Path) -> None:
        file = lines_file(tmp_path, row(1), name=f"{FAKE_KEY}.jsonl")
        await imported(world, file)
        assert FAKE_KEY not in str([entry.details for entry in await traces(world)])
        assert FAKE_KEY not in str(await record(world, file))

    async def test_a_shifted_log_is_not_taken_for_the_file(self, world: World, tmp_path: Path) -> None:
        file = lines_file(tmp_path, row(1))
        await imported(world, file, shift=timedelta(hours=1))
        assert (await traces(world))[1].details["shifted_seconds"] == 3600
        assert await record(world, file) is None
        report = await imported(world, file, seed="second")
        assert (report.added, report.file_known) == (1, False)

    async def test_a_file_that_is_written_to_meanwhile_is_not_taken_for_known(
        self, world: World, tmp_path: Path
    ) -> None:
        file = lines_file(tmp_path, *map(row, range(BATCH + 1)))

        def grow(_progress: ImportProgress) -> None:
            with file.open("a", encoding="utf-8") as out:
                out.write(json.dumps(row(999_999)) + "\n")

        report = await imported(world, file, progress=grow)
        assert report.file_changed
        assert (await traces(world))[1].details["file_changed"] is True
        again = await imported(world, file, seed="second")
        assert not again.file_known
        assert again.added + report.added == BATCH + 2

    async def test_a_file_with_rows_from_the_future_is_read_again_when_the_clock_is_right(
        self, world: World, tmp_path: Path
    ) -> None:
        latest = world.clock() + timedelta(days=1)
        times = [rfc3339(moment) for moment in (latest, latest + timedelta(seconds=1))]
        file = lines_file(tmp_path, *(row(number, timestamp=moment) for number, moment in enumerate(times)))
        report = await imported(world, file)
        assert (report.added, report.rejected, report.postponed) == (1, 1, 1)
        assert [(one.line, one.code, one.field) for one in report.problems] == [(2, "future_time", "timestamp")]
        world.clock.forward(seconds=1)
        again = await imported(world, file, seed="second")
        assert (again.added, again.known, again.rejected, again.file_known) == (1, 1, 0, False)

    async def test_a_shifted_row_is_held_against_the_clock_where_it_ends_up(self, world: World, tmp_path: Path) -> None:
        file = lines_file(tmp_path, row(1, timestamp=rfc3339(world.clock())))
        assert (await imported(world, file, shift=timedelta(days=1))).added == 1
        assert (await imported(world, file, seed="second", shift=timedelta(days=2))).postponed == 1

    async def test_dealers_know_nothing_of_each_others_files(self, world: World, tmp_path: Path) -> None:
        await world.add_dealer("other")
        file = lines_file(tmp_path, row(1))
        await imported(world, file)
        report = await imported(world, file, dealer="other", seed="second")
        assert (report.added, report.file_known) == (1, False)
        assert len(await requests(world, "req_1", "other")) == 1


class TestBadRows:
    async def test_bad_rows_are_reported_by_line_and_cost_no_good_one(self, world: World, tmp_path: Path) -> None:
        file = lines_file(
            tmp_path,
            row(1),
            "{",
            row(2, timestamp="2026-06-30T23:59:00"),
            row(3, source_ip="evil"),
            row(4, request_id=None),
            row(5),
        )
        report = await imported(world, file)
        assert (report.added, report.rejected) == (2, 4)
        assert [(one.line, one.code, one.field) for one in report.problems] == [
            (2, "bad_json", ""),
            (3, "naive_time", "timestamp"),
            (4, "bad_address", "source_ip"),
            (5, "missing_field", "request_id"),
        ]
        assert "evil" not in repr(report)

    async def test_all_bad_rows_are_counted_and_the_first_are_listed(self, world: World, tmp_path: Path) -> None:
        file = lines_file(tmp_path, *["broken"] * (BATCH + 500), name="log.jsonl")
        report = await imported(world, file)
        assert (report.added, report.rejected, len(report.problems)) == (0, BATCH + 500, PROBLEMS_LISTED)
        assert (report.first_timestamp, report.last_timestamp) == (None, None)
        assert [entry.action for entry in await traces(world)] == ["audit.import_started", "audit.import"]

    async def test_credentials_are_counted_and_not_stored(self, world: World, tmp_path: Path) -> None:
        file = lines_file(tmp_path, row(1, user_agent=FAKE_KEY), row(2, key_id=FAKE_KEY, note=[FAKE_KEY]))
        report = await imported(world, file)
        assert (report.added, report.redacted) == (2, 3)
        assert (await traces(world))[1].details["redacted"] == 3
        await world.storage.close()
        assert not any(FAKE_KEY.encode() in part.read_bytes() for part in world.directory.rglob("*") if part.is_file())

    async def test_of_a_name_that_stands_twice_the_last_counts_and_the_word_null_is_a_word(
        self, world: World, tmp_path: Path
    ) -> None:
        twice = json.dumps(row(1, actor="null"))[:-1] + ', "result": "denied"}'
        assert (await imported(world, lines_file(tmp_path, twice))).added == 1
        (found,) = await requests(world, "req_1")
        assert (found.actor, found.result) == ("null", Result.DENIED)

    @pytest.mark.parametrize("kind", ["csv", "json", "jsonl"])
    async def test_hostile_lines_between_good_ones_change_nothing(
        self, world: World, tmp_path: Path, kind: str
    ) -> None:
        file = tmp_path / f"log.{kind}"
        hostile = [b'{"a', b"\0" * 9, b"\xff\xfe", b"x" * 10_000_000, b'"', b"[" * 50_000 + b"]" * 50_000]
        good = [row(number) for number in range(len(hostile) + 1)]
        if kind == "csv":
            lines = [",".join(map(str, one.values())).encode() for one in good]
            begin, between, end = ",".join(good[0]).encode() + b"\n", b"\n", b"\n"
        else:
            lines = [json.dumps(one).encode() for one in good]
            begin, between, end = (b"[\n", b",\n", b"\n]") if kind == "json" else (b"", b"\n", b"\n")
        mixed = [part for pair in zip(lines, hostile, strict=False) for part in pair]
        file.write_bytes(begin + between.join([*mixed, lines[-1]]) + end)
        report = await imported(world, file)
        assert (report.added, report.rejected) == (len(good), len(hostile))

    @pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda _file: None])
    async def test_what_is_no_file_is_refused(self, world: World, tmp_path: Path, make: Any) -> None:
        file = tmp_path / "log.csv"
        make(file)
        with pytest.raises(InvalidInput) as refusal:
            await imported(world, file)
        assert (refusal.value.code, refusal.value.field) == ("unreadable_file", "file")
        assert await log_size(world) == 0

    async def test_a_file_without_rows_has_no_newest_timestamp(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidInput) as refusal:
            newest_timestamp(lines_file(tmp_path, "broken"))
        assert refusal.value.code == "no_rows"


async def test_progress_is_told_after_each_batch_up_to_the_end(world: World, tmp_path: Path) -> None:
    file = lines_file(tmp_path, *map(row, range(2 * BATCH)), "broken")
    told: list[ImportProgress] = []
    await imported(world, file, progress=told.append)
    assert [(one.rows, one.added, one.rejected) for one in told] == [
        (BATCH, BATCH, 0),
        (2 * BATCH, 2 * BATCH, 0),
        (2 * BATCH + 1, 2 * BATCH, 1),
    ]
    assert [one.bytes_read for one in told] == sorted(one.bytes_read for one in told)
    assert told[-1].bytes_read == told[-1].bytes_total == file.stat().st_size


class TestInterruption:
    @pytest.mark.parametrize("batches", [1, 2, 4])
    async def test_an_import_that_was_killed_goes_on_where_it_was_and_every_row_is_there_once(
        self, world: World, tmp_path: Path, batches: int
    ) -> None:
        count = 6 * BATCH
        file = lines_file(tmp_path, *map(row, range(count)))
        run_until_killed(world.directory, file, batches)
        part = await log_size(world) - 1
        assert batches * BATCH <= part < count
        told: list[ImportProgress] = []
        report = await imported(world, file, seed="again", progress=told.append)
        assert (report.added, report.known, report.rejected, report.resumed_at) == (count, 0, 0, part)
        assert (report.first_timestamp, report.last_timestamp) == (FIRST, FIRST + timedelta(seconds=count - 1))
        assert told[-1].rows == count
        assert await log_size(world) == count + 3
        for number in (0, part - 1, part, count - 1):
            assert len(await requests(world, f"req_{number}")) == 1
        assert (await imported(world, file, seed="third")).file_known

    async def test_an_import_that_was_killed_has_left_who_it_was(self, world: World, tmp_path: Path) -> None:
        file = lines_file(tmp_path, *map(row, range(3 * BATCH)))
        run_until_killed(world.directory, file, 1)
        (started,) = await traces(world, "killed")
        (first,) = await requests(world, "req_0")
        assert (started.action, started.actor) == ("audit.import_started", "terminal:killed")
        assert started.details["import_id"] == first.origin
        kept = await record(world, file)
        assert kept is not None
        assert (kept.state, kept.import_id) == (ImportState.UNDER_WAY, first.origin)
        await imported(world, file, seed="again")
        resumed, finished = await requests(world, new_id("req", Randomness("again")))
        assert (resumed.action, resumed.details["rows"]) == ("audit.import_resumed", kept.rows)
        assert (finished.details["import_id"], finished.details["added"]) == (first.origin, 3 * BATCH)

    async def test_rejected_rows_of_both_runs_are_named_and_counted_once(self, world: World, tmp_path: Path) -> None:
        file = lines_file(tmp_path, *("broken" if number % 3 else row(number) for number in range(3 * BATCH)))
        run_until_killed(world.directory, file, 1)
        named: list[RowProblem] = []
        report = await imported(world, file, seed="again", reject=named.append)
        assert report.rejected == len(named) == 2 * BATCH
        assert [one.line for one in named] == [number + 1 for number in range(3 * BATCH) if number % 3]

    async def test_a_file_that_was_changed_meanwhile_is_read_anew(self, world: World, tmp_path: Path) -> None:
        file = lines_file(tmp_path, *map(row, range(3 * BATCH)))
        run_until_killed(world.directory, file, 1)
        part = await log_size(world) - 1
        lines_file(tmp_path, row(-1), *map(row, range(3 * BATCH)))
        report = await imported(world, file, seed="again")
        assert (report.resumed_at, report.known, report.added) == (0, part, 3 * BATCH + 1 - part)

    async def test_a_file_that_is_written_to_while_it_is_imported_is_not_gone_on_with(
        self, world: World, tmp_path: Path
    ) -> None:
        file = lines_file(tmp_path, *map(row, range(3 * BATCH)))
        before = file.read_bytes()

        def rewrite(progress: ImportProgress) -> None:
            if progress.rows == BATCH:
                file.write_bytes(before.replace(b"req_", b"rex_"))
            elif progress.rows == 2 * BATCH:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            await imported(world, file, progress=rewrite)
        file.write_bytes(before)
        report = await imported(world, file, seed="again")
        assert (report.resumed_at, report.file_changed) == (0, False)
        assert report.added + report.known == 3 * BATCH
        assert await log_size(world) >= 3 * BATCH


def elsewhere(world: World, file: Path) -> list[ImportReport]:
    """Import in another process's place: a store of its own and a thread of its own, to the end."""
    ended: list[ImportReport] = []

    def work() -> None:
        ended.append(asyncio.run(imported(World(world.directory), file, seed="elsewhere")))

    thread = Thread(target=work)
    thread.start()
    thread.join()
    return ended


class TestTogether:
    async def test_of_two_imports_of_one_file_one_goes_on_and_every_row_is_there_once(
        self, world: World, tmp_path: Path
    ) -> None:
        file = lines_file(tmp_path, *map(row, range(4 * BATCH)))
        others: list[ImportReport] = []
        with pytest.raises(Conflict) as refusal:
            await imported(world, file, progress=lambda _: others.extend(elsewhere(world, file)))
        assert refusal.value.code == "import_overtaken"
        (other,) = others
        assert (other.added, other.resumed_at) == (4 * BATCH, BATCH)
        assert await log_size(world) == 4 * BATCH + 3

    async def test_of_two_that_begin_at_once_the_second_stops_before_its_first_row(
        self, world: World, tmp_path: Path
    ) -> None:
        file = lines_file(tmp_path, row(1))
        services = world.services()

        def random(length: int) -> bytes:  # the first is drawn when no other import was found
            if await_other.pop():
                elsewhere(world, file)
            return world.random(length)

        await_other = [False, False, True]
        with pytest.raises(Conflict) as refusal:
            await import_log(
                replace(services, random=random),
                dealer="acme",
                file=file,
                imported_by="terminal:maria",
                progress=lambda _progress: None,
            )
        assert refusal.value.code == "import_overtaken"
        assert await log_size(world) == 3

    async def test_others_append_between_the_batches(self, world: World, tmp_path: Path) -> None:
        file = lines_file(tmp_path, *map(row, range(4 * BATCH)))
        other = lines_file(tmp_path, *map(row, range(10_000, 10_100)), name="other.jsonl")
        reports = await asyncio.gather(imported(world, file), imported(world, other, seed="two"))
        assert [one.added for one in reports] == [4 * BATCH, 100]


class TestReading:
    async def test_a_file_read_in_another_way_is_another_import(self, world: World, tmp_path: Path) -> None:
        renamed = [{"when": one.pop("timestamp"), **one} for one in map(row, range(3))]
        file = lines_file(tmp_path, *renamed)
        assert (await imported(world, file)).rejected == 3
        reading = Reading(ImportMapping(fields={"timestamp": "when"}))
        report = await imported(world, file, seed="mapped", reading=reading)
        assert (report.added, report.rejected, report.file_known) == (3, 0, False)
        assert (await traces(world, "mapped"))[0].details["reading"] == reading.digest
        assert (await imported(world, file, seed="again", reading=reading)).file_known

    async def test_columns_that_a_mapping_names_must_be_there(self, world: World, tmp_path: Path) -> None:
        file = tmp_path / "log.csv"
        file.write_text("when,what,result,request_id\n2026-06-01T00:00:00Z,GET /,ok,req_1\n")
        names = {"timestamp": "when", "action": "what"}
        with pytest.raises(InvalidInput) as refusal:
            await imported(world, file, reading=Reading(ImportMapping(fields={**names, "actor": "who"})))
        assert refusal.value.code == "bad_header"
        report = await imported(world, file, reading=Reading(ImportMapping(fields=names)))
        assert (report.added, report.rejected) == (1, 0)

    async def test_times_without_an_offset_are_taken_in_the_zone_that_was_named(
        self, world: World, tmp_path: Path
    ) -> None:
        file = lines_file(tmp_path, row(1, timestamp="2026-06-01 10:00:00"))
        assert (await imported(world, file)).problems[0].code == "naive_time"
        report = await imported(
            world, file, seed="zone", reading=Reading(zone=ZoneInfo("Europe/Berlin"), zone_name="x")
        )
        assert report.first_timestamp == datetime(2026, 6, 1, 8, tzinfo=UTC)


class TestRetention:
    async def test_rows_older_than_the_plan_keeps_are_refused_until_it_keeps_them(
        self, world: World, tmp_path: Path
    ) -> None:
        edge = world.clock() - timedelta(days=365)
        times = (edge, edge - timedelta(microseconds=1))
        file = lines_file(tmp_path, *(row(number, timestamp=one.isoformat()) for number, one in enumerate(times)))
        report = await imported(world, file)
        assert (report.added, report.past_retention, report.problems[0].code) == (1, 1, "past_retention")
        await world.storage.write(lambda writer: writer.set_plan("acme", Plan.ENTERPRISE))
        again = await imported(world, file, seed="again")
        assert (again.added, again.known, again.rejected) == (1, 1, 0)

    async def test_under_a_legal_hold_rows_of_any_age_are_taken(self, world: World, tmp_path: Path) -> None:
        hold = LegalHold("case 7", "terminal:maria", world.clock())
        await world.storage.write(lambda writer: writer.set_legal_hold("acme", hold))
        file = lines_file(tmp_path, row(1, timestamp="1970-01-01T00:00:00Z"))
        assert (await imported(world, file)).added == 1


def run_until_killed(state: Path, file: Path, batches: int) -> None:
    """Import in a child process, and kill it as soon as it has told of so many batches."""
    command = [sys.executable, str(KILLED), str(state), str(file), str(batches)]
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}
    ) as child:
        assert child.stdout is not None
        for _ in range(batches):
            assert child.stdout.readline()
        child.kill()
