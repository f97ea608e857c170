"""How long request ids of an application's log take against a long audit log, in SQLite.

    python benchmarks/correlate.py [ENTRIES]

Fills a temporary state (1,000,000 entries unless told otherwise) with 90 days of calls under random ids. Then it asks
`correlate_requests` for 1,000 ids, half of them known, and compares a log file of 100,000 lines in both directions, as
`audit correlate` does. "first": the database's pages are dropped from the page cache before; the others follow.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from chekt_mcp.cli.audit.matching import LineTally, ids_in, pieces
from chekt_mcp.domain.audit import Kind, NewEntry, Result
from chekt_mcp.domain.request_pattern import RequestPattern
from chekt_mcp.domain.scope import Grant, Scope
from chekt_mcp.domain.timespan import Window
from chekt_mcp.operations.audit.correlate_log import Correlator
from chekt_mcp.operations.audit.correlate_requests import correlate_requests
from chekt_mcp.operations.audit.log_file.text_log import opened_text
from chekt_mcp.operations.services import Call
from chekt_mcp.storage.interface import Writer
from chekt_mcp.storage.records import Dealer
from chekt_mcp.storage.sqlite import open_storage
from chekt_mcp.storage.sqlite.engine import SqliteStorage

ENTRIES = 1_000_000
BATCH = 5_000
ASKED = 1_000
LINES = 100_000
ROUNDS = 20
LIMIT = 0.1  # seconds of the processor: what else the machine does is not ours
SPAN = timedelta(days=90)
NOW = datetime(2026, 7, 1, 12, 30, tzinfo=UTC)
CALL = Call(Grant("acme", "app:shop", "api_key", "shop", ("shop",), frozenset(Scope)), "req_1", NOW, "benchmark")
LINE = '203.0.113.7 - - [01/Jul/2026:12:00:00 +0000] "GET /v1/devices HTTP/1.1" 200 512 "-" "curl/8" rid={}\n'


def request_id(number: int) -> str:
    """Return a random id, the same in every run."""
    return "req_" + random.Random(number).randbytes(10).hex()  # noqa: S311 -- test data


async def begin(writer: Writer) -> None:
    """Add the dealer."""
    await writer.add_dealer(Dealer("acme", NOW, b"key"))


async def append(numbers: range, count: int, writer: Writer) -> None:
    """Write one batch."""
    await writer.append([entry(number, NOW - SPAN * (count - number) / count) for number in numbers])


def entry(number: int, at: datetime) -> NewEntry:
    """Return one call of the API."""
    return NewEntry(
        dealer="acme",
        timestamp=at,
        actor="app:shop",
        kind=Kind.API_CALL,
        action="GET /v1/devices",
        result=Result.OK,
        request_id=request_id(number),
        app="shop",
        scope="devices:read",
        source="import",
        source_ip=f"203.0.113.{number % 250}",
        key_id="key_1",
        details={"user_agent": "night-watch/2.8"},
    )


async def ask(storage: SqliteStorage, count: int, round_: int) -> tuple[float, float]:
    """Return the seconds that 1,000 ids take, others in every round: by the clock, and of the processor."""
    chosen = random.Random(round_)  # noqa: S311 -- as above
    half = ASKED // 2
    ids = [request_id(chosen.randrange(count)) for _ in range(half)] + [f"req_unknown{one}" for one in range(half)]
    start, worked = time.perf_counter(), time.process_time()
    await storage.scan(lambda reader: correlate_requests(reader, CALL, ids, "90d"))
    return time.perf_counter() - start, time.process_time() - worked


async def compare(storage: SqliteStorage, file: Path) -> tuple[float, float]:
    """Return the seconds for the file's side and for the audit log's."""
    start, tally = time.perf_counter(), LineTally()
    correlator = await Correlator.begin(storage, "acme", "shop", Window(NOW - SPAN, NOW))
    with opened_text(file) as log:
        for piece in pieces(log.lines()):
            await correlator.take(ids_in(piece, RequestPattern(), tally))
    between = time.perf_counter()
    await correlator.finish()
    return between - start, time.perf_counter() - between


def drop_pages(directory: Path) -> None:
    """Let the database's pages leave the page cache."""
    with next(directory.glob("*.db")).open("rb") as database:
        os.posix_fadvise(database.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


async def run(directory: Path, count: int) -> bool:
    """Fill, measure and report; tell whether the median keeps the limit."""
    storage = open_storage(directory)
    await storage.write(begin)
    for start in range(0, count, BATCH):
        await storage.write(partial(append, range(start, min(start + BATCH, count)), count))
    drop_pages(directory)
    (first, _), *others = [await ask(storage, count, round_) for round_ in range(1 + ROUNDS)]
    median, worked = (statistics.median(one[which] for one in others) for which in (0, 1))
    print(f"{ASKED:,} ids at {count:,} entries: first {first * 1e3:.0f} ms, median {median * 1e3:.0f} ms")
    print(f"of the processor: median {worked * 1e3:.0f} ms")
    file = directory / "access.log"
    file.write_text("".join(LINE.format(request_id(number * count // LINES)) for number in range(LINES)))
    file_side, log_side = await compare(storage, file)
    await storage.close()
    print(f"log file: {LINES / file_side:,.0f} lines/s; audit log: {count / log_side:,.0f} entries/s")
    return worked <= LIMIT


def main() -> int:
    """Measure; 1 when the limit is not kept."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES
    with tempfile.TemporaryDirectory() as directory:
        kept = asyncio.run(run(Path(directory), count))
    print(f"{ASKED:,} ids in {LIMIT * 1e3:.0f} ms: {'kept' if kept else 'NOT KEPT'}")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
