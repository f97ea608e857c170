"""How fast the audit log takes entries, tree, indexes and summaries in place, and what one durable append costs.

    python benchmarks/append.py [--entries 1000000] [--check]

A log is filled with that many entries of a year: 20 apps, 40 keys, 160 usual addresses and 5,000 others, a few details.
Then, in turns: batches of 10,000 and batches of 100, one durable transaction each; and single appends beside a bare
INSERT of the same kind of row into a copy of the same table with the same indexes, WAL and synchronous=FULL. Singles go
three ways: as a server over HTTP records a call (`write_briefly`), as one over stdio does (one caller by itself, in a
copy of its own: two connections to one file read each other's pages anew), and through the commit thread, which is
there for writes that come together. Nothing else may use the disk meanwhile: a commit is mostly waiting for it.
`--check` fails when a target is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from chekt_mcp.domain.audit import Kind, NewEntry, Result
from chekt_mcp.storage.sqlite import SqliteStorage, open_storage
from chekt_mcp.storage.sqlite.database_file import DATABASE

START = datetime(2025, 6, 1, tzinfo=UTC)
YEAR = timedelta(days=365)
APPS = [f"app-{number}" for number in range(20)]
ACTIONS = [
    ("GET /v1/devices", "devices:read"),
    ("GET /v1/events", "events:read"),
    ("POST /v1/events", "events:write"),
    ("GET /v1/sites", "sites:read"),
    ("POST /v1/alarms", "alarms:write"),
    ("GET /v1/snapshots", "snapshots:read"),
]
BULK, SMALL = 10_000, 100
ROUNDS, SINGLES = 12, 40
TARGETS = {BULK: 40_000, SMALL: 15_000}
"""Entries a second at a million entries in the store; half of it at ten million."""

SINGLE = 1.5
"""The most a single append may take, as a multiple of the bare insert."""

TEN_MILLION = 10_000_000


def made(total: int, count: int) -> Iterator[NewEntry]:
    """Yield so many entries, in the pace of a log that has `total` of them after a year."""
    dice = random.Random(2026)  # noqa: S311 -- repeatable, not secret
    usual = {app: [f"203.0.{at}.{dice.randrange(256)}" for _ in range(8)] for at, app in enumerate(APPS)}
    others = [f"198.51.{dice.randrange(256)}.{dice.randrange(256)}" for _ in range(5_000)]
    for number in range(count):
        app = APPS[int(dice.random() ** 2 * len(APPS))]
        action, scope = dice.choice(ACTIONS)
        yield NewEntry(
            dealer="acme",
            timestamp=START + number * (YEAR / total) + timedelta(microseconds=dice.randrange(1_000_000)),
            actor=f"app:{app}",
            kind=Kind.API_CALL,
            action=action,
            result=dice.choices([Result.OK, Result.DENIED, Result.ERROR], [95, 3, 2])[0],
            request_id=f"req_{dice.randbytes(12).hex()}",
            app=app,
            scope=scope,
            source="http",
            source_ip=dice.choice(others if dice.random() < 0.02 else usual[app]),
            key_id=f"key_{app}_{dice.randrange(2)}",
            details={"status": 200, "ms": dice.randrange(2_000)},
        )


def taken(entries: Iterator[NewEntry], count: int) -> list[NewEntry]:
    """Take the next entries."""
    return [next(entries) for _ in range(count)]


async def seconds_to_append(storage: SqliteStorage, entries: list[NewEntry], batch: int) -> tuple[float, float]:
    """Append in batches, each durable before the next begins; return the time that took, and the processor's."""
    begin, begun = time.perf_counter(), time.process_time()
    for at in range(0, len(entries), batch):
        part = entries[at : at + batch]
        await storage.write(lambda writer, part=part: writer.append(part))  # type: ignore[misc]  # mypy infers no default
    return time.perf_counter() - begin, time.process_time() - begun


async def fill(directory: Path, entries: Iterator[NewEntry], total: int) -> None:
    """Make a store with so many entries, saying how it goes."""
    storage, took = open_storage(directory), 0.0
    for at in range(0, total, BULK):
        took += (await seconds_to_append(storage, taken(entries, min(BULK, total - at)), BULK))[0]
    await storage.close()
    size = (directory / DATABASE).stat().st_size
    print(f"  filled: {total:,} entries, {total / took:,.0f}/s on average, {size / total:.0f} bytes each")


async def measure_batches(
    storage: SqliteStorage, bare: BareTable, entries: Iterator[NewEntry]
) -> dict[int, tuple[float, float, float]]:
    """Return by batch, as medians over alternating rounds: seconds an entry, the processor's, and the bare table's."""
    rounds: dict[int, list[tuple[float, float, float]]] = {BULK: [], SMALL: []}
    for _ in range(ROUNDS):
        for batch, found in rounds.items():
            part = taken(entries, 2 * BULK)
            took, busy = await seconds_to_append(storage, part, batch)
            found.append((took / len(part), busy / len(part), bare.seconds_for(part, batch) / len(part)))
    return {batch: (median(found, 0), median(found, 1), median(found, 2)) for batch, found in rounds.items()}


def median(found: list[tuple[float, float, float]], column: int) -> float:
    """Return the median of one column."""
    return statistics.median(one[column] for one in found)


async def measure_single(
    ways: dict[str, Callable[[NewEntry], Awaitable[object]]], entries: Iterator[NewEntry]
) -> dict[str, float]:
    """Return the median seconds of one durable append in each way, in turns."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS * SINGLES):
        for name, append in ways.items():
            (entry,) = taken(entries, 1)
            begin = time.perf_counter()
            await append(entry)
            found[name].append(time.perf_counter() - begin)
    return {name: statistics.median(each) for name, each in found.items()}


class BareTable:
    """The table of entries by itself, with its indexes: each row is inserted and durable, and nothing more is done."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")
        row = self._connection.execute("SELECT * FROM entries ORDER BY id DESC LIMIT 1").fetchone()
        self._row = dict(
            zip([column[1] for column in self._connection.execute("PRAGMA table_info(entries)")], row, strict=True)
        )
        self._insert = f"INSERT INTO entries VALUES ({','.join('?' * len(self._row))})"  # noqa: S608 -- places only
        self._dice = random.Random(7)  # noqa: S311 -- as above

    async def append(self, entry: NewEntry) -> None:
        """Insert one row."""
        self._commit([self._next(entry)])

    def seconds_for(self, entries: list[NewEntry], batch: int) -> float:
        """Insert so many rows, made beforehand, a batch in a transaction; return how long that took."""
        rows = [self._next(entry) for entry in entries]
        begin = time.perf_counter()
        for at in range(0, len(rows), batch):
            self._commit(rows[at : at + batch])
        return time.perf_counter() - begin

    def _next(self, entry: NewEntry) -> tuple[object, ...]:
        """Return a row like the last one, with a number, moment, request and address of its own."""
        row = self._row
        row["id"] += 1
        row["ts"] += 1_000_000
        row["request_id"] = entry.request_id
        row["request_key"] = (row["request_key"] >> 40 << 40) + self._dice.getrandbits(40)
        row["source_ip"] = 1 + self._dice.randrange(160)
        return tuple(row.values())

    def _commit(self, rows: list[tuple[object, ...]]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany(self._insert, rows)
        self._connection.execute("COMMIT")

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def appending(storage: SqliteStorage, *, briefly: bool = False) -> Callable[[NewEntry], Awaitable[object]]:
    """Return the append of one entry."""
    write = storage.write_briefly if briefly else storage.write
    return lambda entry: write(lambda writer: writer.append([entry]))


async def measure(directory: Path, total: int) -> tuple[dict[int, tuple[float, float, float]], dict[str, float]]:
    """Fill a store and measure both."""
    entries = made(total, total + 2 * (ROUNDS + 2) * 2 * BULK)
    for name in ("state", "alone", "fresh"):
        (directory / name).mkdir()
    await fill(directory / "state", entries, total)
    for name in ("alone", "fresh"):
        shutil.copy(directory / "state" / DATABASE, directory / name)
    shutil.copy(directory / "state" / DATABASE, directory / "bare.db")
    storage, bare = open_storage(directory / "state"), BareTable(directory / "bare.db")
    batches = await measure_batches(storage, bare, entries)
    alone, fresh = (open_storage(directory / name, one_caller=True) for name in ("alone", "fresh"))
    await seconds_to_append(alone, taken(entries, 4 * BULK), BULK)
    ways = {
        "a bare insert": bare.append,
        "append, a call over HTTP": appending(storage, briefly=True),
        "append, one caller": appending(alone),
        "append, one, begun anew": appending(fresh),
        "append, commit thread": appending(storage),
    }
    singles = await measure_single(ways, entries)
    bare.close()
    await alone.close()
    await fresh.close()
    await storage.close()
    return batches, singles


def report(total: int, batches: dict[int, tuple[float, float, float]], singles: dict[str, float]) -> list[str]:
    """Print the figures and return the targets missed."""
    missed = []
    for batch, (took, busy, bare) in batches.items():
        speed, target = 1 / took, TARGETS[batch] / (2 if total >= TEN_MILLION else 1)
        each = f"{took * 1e6:.1f} µs each, {busy * 1e6:.1f} the processor's; {took / bare:.2f} x bare rows"
        print(f"  batches of {batch:>6,}: {speed:10,.0f} entries/s (target {target:,.0f}); {each}")
        missed += [f"batches of {batch}: {speed:,.0f}/s"] if speed < target else []
    base = singles["a bare insert"]
    for name, seconds in singles.items():
        print(f"  {name:24}{seconds * 1000:8.2f} ms   {seconds / base:6.2f} x")
        missed += [f"{name}: {seconds / base:.2f} x a bare insert"] if seconds > SINGLE * base else []
    return missed


def main() -> int:
    """Measure; exit status 1 with `--check` when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    print(f"  load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as directory:
        missed = report(arguments.entries, *asyncio.run(measure(Path(directory), arguments.entries)))
    print("\n".join(f"  missed: {one}" for one in missed) or "  all targets met")
    return 1 if missed and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
