"""How fast an export is against a bare scan of the same rows, and how much memory it takes, in SQLite.

    python benchmarks/export.py [ENTRIES] [STATE]

Fills a state (1,000,000 entries unless told otherwise; a temporary one, or STATE, which is kept and taken as it is if
it is there) with 90 days of calls: 400 actors, 60 actions, 20,000 addresses, 40 keys, 3,000 user agents, and a request
id each. Then every format is exported as `audit export` does it, hash, fsync and manifest included, alternating with
the bare scan: one SELECT of the same columns of all entries in the same order through `sqlite3`, names and addresses
resolved by LEFT JOINs, each row fetched and dropped. Time is the processor's: what else the machine does is not ours.
The best of three of each counts; JSON lines must reach 0.6 of the bare scan. Memory: peak resident size of a process
of its own that exports once and does nothing else.
"""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from chekt_mcp.domain.audit import Kind, NewEntry, Result
from chekt_mcp.domain.scope import Grant, Scope
from chekt_mcp.operations.audit.export_audit import ExportRequest, export_log
from chekt_mcp.operations.audit.export_file import manifest_path
from chekt_mcp.operations.audit.export_format import ExportFormat
from chekt_mcp.operations.audit.export_target import target_of
from chekt_mcp.operations.services import Call, Services
from chekt_mcp.secrets.sealing import Sealer
from chekt_mcp.storage.interface import Writer
from chekt_mcp.storage.records import Dealer
from chekt_mcp.storage.sqlite import open_storage

ENTRIES = 1_000_000
BATCH = 10_000
ROUNDS = 3
LEAST = 0.6
NOW = datetime(2026, 7, 1, 12, 30, tzinfo=UTC)
SPAN = timedelta(days=89)
NAMED = ("app", "actor", "kind", "action", "scope", "result", "source", "key_id", "origin")
GRANT = Grant("acme", "terminal:bench", "none", None, ("shop", "till"), frozenset(Scope))


def bare_scan(database: Path) -> int:
    """Read every column of every entry, with its names, and drop it; return how many there were."""
    texts = ", ".join(f"{name}.text" for name in NAMED)
    joins = " ".join(f"LEFT JOIN names AS {name} ON {name}.id = entries.{name}" for name in NAMED)
    connection = sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)
    rows = connection.execute(
        f"SELECT entries.id, entries.ts, {texts}, entries.request_id, addresses.text, entries.details FROM entries"  # noqa: S608 -- ours
        f" {joins} LEFT JOIN addresses ON addresses.id = entries.source_ip ORDER BY entries.id"
    )
    count = sum(1 for _ in rows)
    connection.close()
    return count


def entries(count: int) -> Iterator[NewEntry]:
    """Make up calls, the same in every run, oldest first."""
    chance = random.Random(6)  # noqa: S311 -- test data
    for number in range(count):
        yield NewEntry(
            dealer="acme",
            timestamp=NOW - SPAN * (count - number) / count,
            actor=f"user-{chance.randrange(400)}@example.com",
            kind=Kind.API_CALL,
            action=f"GET /v1/sites/{chance.randrange(60)}/devices",
            result=Result.DENIED if chance.random() < 0.02 else Result.OK,
            request_id="req_" + chance.randbytes(10).hex(),
            app=("shop", "till")[chance.random() < 0.2],
            scope="devices:read",
            source="import",
            source_ip=f"203.{chance.randrange(80)}.113.{chance.randrange(250)}",
            key_id=f"key_{chance.randrange(40)}",
            details={"user_agent": f"night-watch/2.{chance.randrange(3000)} (linux; x86_64)"},
        )


async def fill(directory: Path, count: int) -> None:
    """Write the log."""
    storage = open_storage(directory)

    async def begin(writer: Writer) -> None:
        sealer = Sealer(b"k" * 32, os.urandom)
        await writer.add_dealer(Dealer("acme", NOW, sealer.new_data_key("acme")))

    async def append(batch: list[NewEntry], writer: Writer) -> None:
        await writer.append(batch)

    await storage.write(begin)
    batch = list[NewEntry]()
    for one in entries(count):
        batch.append(one)
        if len(batch) == BATCH:
            await storage.write(partial(append, batch))
            batch = []
    if batch:
        await storage.write(partial(append, batch))
    await storage.close()


async def export(directory: Path, form: ExportFormat, *, proofs: bool = False) -> tuple[int, float]:
    """Export everything; return how many entries, and the seconds of the processor it took."""
    services = Services(
        open_storage(directory),
        lambda: Sealer(b"k" * 32, os.urandom),
        None,  # type: ignore[arg-type]  # no key is delivered here
        lambda: NOW,
        os.urandom,
    )
    path = directory / f"export.{form}"
    target = target_of(path, manifest_path(path), proofs=proofs, force=True)
    request = ExportRequest(GRANT.apps, form=form, proofs=proofs)
    start = time.process_time()
    manifest = await export_log(services, Call(GRANT, "req", NOW, "bench"), request, target, lambda _: None)
    seconds = time.process_time() - start
    await services.storage.close()
    remove_exports(directory)
    return manifest.rows, seconds


def remove_exports(directory: Path) -> None:
    """Make room."""
    for written in directory.glob("export.*"):
        written.unlink()


def memory(directory: Path, form: ExportFormat) -> float:
    """Return the peak resident size, in MB, of a process that exports once."""
    done = subprocess.run([sys.executable, __file__, "--once", str(directory), form], capture_output=True, check=True)
    return int(done.stdout) / 1024


def peak() -> int:
    """Return the peak resident size in KB; `getrusage` would count what the process was forked from."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.partition("VmHWM:")[2].split()[0])


def compare(directory: Path) -> bool:
    """Measure and report; tell whether JSON lines keep the limit."""
    database = next(directory.glob("*.db"))
    kept = True
    for form in (ExportFormat.JSONL, ExportFormat.JSON, ExportFormat.CSV, ExportFormat.PARQUET):
        bare, exported = list[float](), list[float]()
        for _ in range(ROUNDS):
            start = time.process_time()
            count = bare_scan(database)
            bare.append(count / (time.process_time() - start))
            rows, seconds = asyncio.run(export(directory, form))
            exported.append(rows / seconds)
        ratio = max(exported) / max(bare)
        kept &= form is not ExportFormat.JSONL or ratio >= LEAST
        print(
            f"{form:8} {rows:,} rows: {max(exported):,.0f}/s, bare scan {max(bare):,.0f}/s, ratio {ratio:.2f}, "
            f"peak {memory(directory, form):.0f} MB",
            flush=True,
        )
    rows, seconds = asyncio.run(export(directory, ExportFormat.JSONL, proofs=True))
    print(f"proofs   {rows:,} rows: {rows / seconds:,.0f}/s")
    return kept


def main() -> int:
    """Measure; 1 when the limit is not kept."""
    if sys.argv[1:2] == ["--once"]:
        asyncio.run(export(Path(sys.argv[2]), ExportFormat(sys.argv[3])))
        print(peak())
        return 0
    count = int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(sys.argv[2] if len(sys.argv) > 2 else temporary)
        directory.mkdir(mode=0o700, exist_ok=True)
        if not any(directory.glob("*.db")):
            asyncio.run(fill(directory, count))
        kept = compare(directory)
    print(f"JSON lines at {LEAST} of a bare scan: {'kept' if kept else 'NOT KEPT'}")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
