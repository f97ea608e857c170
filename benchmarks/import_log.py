"""How long an import takes, row by row and as a whole, into SQLite.

    python benchmarks/import_log.py [ROWS]

Writes an export of 1,000,000 rows (unless told otherwise) of 90 days as CSV, imports it into an empty state, and once
more under another name, when every row is known. Printed are the rates, the processor's time, the most memory, and of
the first import: what reading the file and judging its rows takes by itself. "others": how long another process waits
for a single append while the import goes on.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from chekt_mcp.cli.audit.import_file import collect_seldom
from chekt_mcp.domain.audit import Kind, NewEntry, Result
from chekt_mcp.domain.imported_row import Import
from chekt_mcp.operations.audit.import_audit import import_log
from chekt_mcp.operations.audit.import_run import CHUNK_ROWS
from chekt_mcp.operations.audit.import_tally import ImportReport, Tally
from chekt_mcp.operations.audit.log_file.opened import opened
from chekt_mcp.operations.services import Limits, Services
from chekt_mcp.storage.records import Dealer
from chekt_mcp.storage.sqlite import open_storage

ROWS = 1_000_000
GOAL = 25_000  # rows of a second, over all
NOW = datetime(2026, 7, 1, 12, 30, tzinfo=UTC)
SPAN = timedelta(days=90)
COLUMNS = "timestamp,app,actor,kind,action,scope,result,request_id,source_ip,key_id,user_agent\n"
ROW = "{},{},app:{},api_call,GET /v1/devices,devices:read,ok,{},203.0.113.{},key_{},night-watch/2.8 python-httpx/0.28\n"
EVERY = 0.1


def write_export(file: Path, count: int) -> None:
    """Write rows as the portal does: oldest first, with random request ids."""
    chance = random.Random(1)  # noqa: S311 -- test data
    with file.open("w", encoding="utf-8") as out:
        out.write(COLUMNS)
        for number in range(count):
            at = NOW - SPAN * (count - number) / count
            app = f"app-{number % 7}"
            time_text = at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"
            out.write(ROW.format(time_text, app, app, f"req_{chance.randbytes(10).hex()}", number % 250, number % 7))


def reading_alone(file: Path) -> float:
    """Return the seconds that reading and judging every row takes."""
    tally, begin = Tally(Import("acme", "imp_1"), frozenset()), time.perf_counter()
    with opened(file) as log:
        rows = log.rows()
        while chunk := list(islice(rows, CHUNK_ROWS)):
            tally.entries(chunk)
    return time.perf_counter() - begin


async def import_file(directory: Path, file: Path) -> ImportReport:
    """Import as the command does."""
    storage = open_storage(directory, one_caller=True)
    services = Services(storage, no_sealing, None, lambda: NOW, random.randbytes, Limits())  # type: ignore[arg-type]
    try:
        return await import_log(
            services, dealer="acme", file=file, imported_by="benchmark", progress=lambda _progress: None
        )
    finally:
        await storage.close()


def no_sealing() -> object:
    """Fail the measurement: an import seals nothing."""
    raise AssertionError("An import asked for the key-encryption key.")


def append_now_and_then(directory: Path, stop: Callable[[], bool], waits: list[float]) -> None:
    """Append single entries, as a server does while somebody imports, and note how long each takes."""

    async def run() -> None:
        storage = open_storage(directory)
        one = NewEntry("acme", NOW, "app:shop", Kind.TOOL_CALL, "whoami", Result.OK, "req_1")
        while not stop():
            begin = time.perf_counter()
            await storage.write(lambda writer: writer.append([one]))
            waits.append(time.perf_counter() - begin)
            await asyncio.sleep(EVERY)
        await storage.close()

    asyncio.run(run())


def beside(directory: Path, stop: object, answer: object) -> None:
    """Run `append_now_and_then` as a process."""
    waits: list[float] = []
    append_now_and_then(directory, stop.is_set, waits)  # type: ignore[attr-defined]
    answer.put(waits)  # type: ignore[attr-defined]


async def begin_state(directory: Path) -> None:
    """Make a state with one dealer."""
    storage = open_storage(directory)
    await storage.write(lambda writer: writer.add_dealer(Dealer("acme", NOW, b"key")))
    await storage.close()


def timed(directory: Path, file: Path) -> tuple[float, float, ImportReport]:
    """Return seconds by the clock and of the processor, and what became of the rows."""
    begin, worked = time.perf_counter(), time.process_time()
    report = asyncio.run(import_file(directory, file))
    return time.perf_counter() - begin, time.process_time() - worked, report


def main() -> int:
    """Measure; 1 when the first import is slower than the goal."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory() as folder:
        file, state = Path(folder) / "export.csv", Path(folder) / "state"
        state.mkdir(mode=0o700)
        write_export(file, count)
        asyncio.run(begin_state(state))
        collect_seldom()
        alone = reading_alone(file)
        context = multiprocessing.get_context("spawn")
        stop, answer = context.Event(), context.Queue()
        other = context.Process(target=beside, args=(state, stop, answer))
        other.start()
        taken, worked, report = timed(state, file)
        stop.set()
        waits = sorted(answer.get())
        other.join()
        again = file.with_name("again.csv")
        shutil.copy(file, again)
        with again.open("a", encoding="utf-8") as out:
            out.write("\n")
        known, _, second = timed(state, again)
    rate = count / taken
    print(f"{count:,} rows: {taken:.1f} s, {rate:,.0f} rows/s ({count / worked:,.0f} by the processor's time)")
    print(f"  reading and judging alone: {count / alone:,.0f} rows/s; all known: {count / known:,.0f} rows/s")
    print(f"  added {report.added:,}, then {second.added:,}; others: median {statistics.median(waits) * 1e3:.0f} ms, ")
    print(f"  longest {waits[-1] * 1e3:.0f} ms; memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")
    print(f"{GOAL:,} rows/s: {'kept' if rate >= GOAL else 'NOT KEPT'}")
    return 0 if rate >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
