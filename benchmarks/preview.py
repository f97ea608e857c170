"""How long `preview_allow_list` and `get_allow_list` take on a long log, in SQLite.

    python benchmarks/preview.py [ENTRIES]

Fills a temporary state (1,000,000 entries unless told otherwise; 10,000,000 take some minutes and 4 GB) with 90 days
of calls: most from 300 steady addresses, one in twenty from an address that is seen once. Then it previews lists
against 7 and 90 days of it. "first": the file's pages are dropped from the page cache before; the others follow.

The promise is a second at ten million entries, for a list as people have them and the window that is the default. The
log's length as such costs nothing: what counts are hours and different addresses within the window (ten million
entries of this kind have half a million in 90 days), and the length of the list. These extremes are measured as well.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from chekt_mcp.domain.allow_list.version import AllowListVersion
from chekt_mcp.domain.app import App, Authority, ConfirmBy, Environment
from chekt_mcp.domain.audit import Kind, NewEntry, Result
from chekt_mcp.domain.scope import Grant, Scope
from chekt_mcp.operations.allow_list.preview_allow_list import preview_allow_list
from chekt_mcp.operations.allow_list.read_allow_list import get_allow_list
from chekt_mcp.operations.services import Call
from chekt_mcp.storage.interface import Reader, Writer
from chekt_mcp.storage.records import Dealer
from chekt_mcp.storage.sqlite import open_storage
from chekt_mcp.storage.sqlite.engine import SqliteStorage

ENTRIES = 1_000_000
BATCH = 5_000
DAYS = 90
STEADY = 300
ONE_OFF = 0.05  # of all requests
ROUNDS = 7
LIMIT = 1.0  # seconds
NOW = datetime(2026, 7, 1, 12, 30, tzinfo=UTC)
CALL = Call(Grant("acme", "app:shop", "api_key", "shop", ("shop",), frozenset(Scope)), "req_1", NOW, "benchmark")

Ask = Callable[[Reader], Awaitable[object]]
EXTREME = "extreme: "
"""Begins the names of measurements that the promise does not cover."""


class Log:
    """Entries in the order of time, the same in every run."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._random = random.Random(count)  # noqa: S311 -- test data that has to be the same every time
        self.steady = [self._address() for _ in range(STEADY)]

    def batches(self) -> Iterator[list[NewEntry]]:
        """Yield all entries, as many at a time as one transaction takes."""
        step = timedelta(days=DAYS) / self._count
        for start in range(0, self._count, BATCH):
            numbers = range(start, min(start + BATCH, self._count))
            yield [self._entry(number, NOW - (self._count - number) * step) for number in numbers]

    def list_of(self, size: int) -> str:
        """Return a list that holds most of the steady addresses, and others up to `size`."""
        others = [self._address() for _ in range(size)]
        return "\n".join([*self.steady[: STEADY - 20], *others][:size])

    def _entry(self, number: int, at: datetime) -> NewEntry:
        seldom = self._random.random() < ONE_OFF
        address = self._address() if seldom else self._random.choice(self.steady)
        result = Result.DENIED if seldom else Result.OK
        return NewEntry(
            dealer="acme",
            timestamp=at,
            actor="app:shop" if self._random.random() < 0.9 else "app:stranger",
            kind=Kind.API_CALL,
            action="GET /v1/devices",
            result=result,
            request_id=f"req_{number}",
            app="shop",
            scope="devices:read",
            source="import",
            source_ip=address,
            key_id="key_1",
            details={"user_agent": "night-watch/2.8"},
        )

    def _address(self) -> str:
        number = self._random.getrandbits(24)
        return f"{100 + (number >> 22)}.{(number >> 16) & 63}.{(number >> 8) & 255}.{number & 255}"


async def fill(storage: SqliteStorage, log: Log) -> None:
    """Add the app, its list in force, and the log."""
    app = App(
        "acme", "shop", Environment.LIVE, Authority.LOCAL, frozenset(Scope), ConfirmBy.OUT_OF_BAND, NOW - timedelta(1)
    )
    version = AllowListVersion(
        "acme",
        "shop",
        version=1,
        enabled=True,
        text=log.list_of(200),
        effective_at=NOW - timedelta(days=DAYS + 10),
        set_by="terminal:x",
        reason="first",
    )

    async def begin(writer: Writer) -> None:
        await writer.add_dealer(Dealer("acme", NOW, b"key"))
        await writer.add_app(app)
        await writer.add_allow_list(version)

    await storage.write(begin)
    for batch in log.batches():
        await storage.write(partial(append, batch))


async def append(batch: list[NewEntry], writer: Writer) -> None:
    """Write one batch."""
    await writer.append(batch)


def questions(log: Log) -> dict[str, Ask]:
    """Return what is timed."""
    small, large = log.list_of(300), log.list_of(70_000)

    def preview(text: str, lookback: str) -> Ask:
        return lambda reader: preview_allow_list(reader, CALL, "shop", text, lookback)

    return {
        "preview, 300 entries, 7 days": preview(small, "7d"),
        "get_allow_list, 200 entries": lambda reader: get_allow_list(reader, CALL, "shop"),
        EXTREME + "preview, 300 entries, 90 days": preview(small, "90d"),
        EXTREME + "preview, 70,000 entries, 7 days": preview(large, "7d"),
    }


async def measure(storage: SqliteStorage, file: Path, ask: Ask) -> list[tuple[float, float]]:
    """Time a first answer with nothing of the file in memory, then others."""
    with file.open("rb") as opened:
        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return [await timed(storage, ask) for _ in range(1 + ROUNDS)]


async def timed(storage: SqliteStorage, ask: Ask) -> tuple[float, float]:
    """Return the seconds one answer takes: by the clock, and of the processor."""
    start, worked = time.perf_counter(), time.process_time()
    await storage.scan(ask)
    return time.perf_counter() - start, time.process_time() - worked


async def run(directory: Path, count: int) -> bool:
    """Fill, measure and report; tell whether the medians keep the promise."""
    storage, log, start = open_storage(directory), Log(count), time.perf_counter()
    await fill(storage, log)
    await storage.close()
    took, file = time.perf_counter() - start, directory / "chekt.db"
    print(f"{count:,} entries in {took:,.0f} s ({count / took:,.0f}/s), {file.stat().st_size / 1e6:,.0f} MB")
    storage, kept = open_storage(directory), True
    print(f"{'milliseconds':<42}{'first':>10}{'median':>10}{'worst':>10}{'processor':>10}")
    for name, ask in questions(log).items():
        (first, _), *others = await measure(storage, file, ask)
        median, processor = (statistics.median(times) for times in zip(*others, strict=True))
        kept = kept and (median < LIMIT or name.startswith(EXTREME))
        told = (first, median, max(clock for clock, _ in others), processor)
        print(f"{name:<42}" + "".join(f"{seconds * 1e3:>10,.0f}" for seconds in told))
    await storage.close()
    return kept


def main() -> int:
    """Measure in a temporary directory; 1 when an answer takes longer than promised."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES
    with tempfile.TemporaryDirectory(prefix="chekt-preview-") as directory:
        return 0 if asyncio.run(run(Path(directory), count)) else 1


if __name__ == "__main__":
    sys.exit(main())
