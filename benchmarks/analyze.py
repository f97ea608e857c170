"""How long analysing a day takes against a long audit log, and what its summaries cost an append.

    python benchmarks/analyze.py [ENTRIES [DAYS]]

Fills a temporary state with five apps' calls of a year, or of so many days: 200,000 entries unless told otherwise. Ten
million take many minutes and 6 GB; what a window and its baseline hold is the same with 1100000 in 40 days. Then it
analyses 24 h against 30 d, at other hours in every round. What the summaries cost is measured before, on 100,000
entries: batches with and without upkeep, in turns, in time of the processor.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
import tempfile
import time
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from unittest.mock import patch

from chekt_mcp.domain.app import App, Authority, ConfirmBy, Environment
from chekt_mcp.domain.audit import Kind, NewEntry, Result
from chekt_mcp.domain.scope import Scope
from chekt_mcp.operations.allow_list.compiled_lists import CompiledLists
from chekt_mcp.operations.audit.analysis.subject import Asked
from chekt_mcp.operations.audit.analyze_log import Analysis
from chekt_mcp.operations.services import Limits, Services
from chekt_mcp.storage.interface import Writer
from chekt_mcp.storage.records import Dealer
from chekt_mcp.storage.sqlite import open_storage
from chekt_mcp.storage.sqlite.engine import SqliteStorage
from chekt_mcp.wiring import FileSinks

ENTRIES = 200_000
BATCH = 10_000
ROUNDS = 20
LIMIT = 0.1  # seconds of the processor: what else the machine does is not ours
COST_ENTRIES = 100_000
UPKEEP = "chekt_mcp.storage.sqlite.log_writer.keep_summaries"
YEAR = timedelta(days=365)
NOW = datetime(2026, 7, 1, 12, 30, tzinfo=UTC)
APPS = tuple(f"app-{number}" for number in range(5))
SCOPES = ("devices:read", "events:read", "sites:read", "snapshots:read")
RESULTS = [Result.OK] * 40 + [Result.ERROR, Result.DENIED]


async def begin(writer: Writer) -> None:
    """Add the dealer and its apps."""
    await writer.add_dealer(Dealer("acme", NOW, b"key"))
    for name in APPS:
        scopes = frozenset(map(Scope, SCOPES))
        live, local, how = Environment.LIVE, Authority.LOCAL, ConfirmBy.OUT_OF_BAND
        await writer.add_app(App("acme", name, live, local, scopes, how, NOW - YEAR))


def entries(numbers: range, count: int, span: timedelta) -> list[NewEntry]:
    """Return calls spread over a span, in order of time: of five apps with fifty addresses and twenty actions each."""
    dice = random.Random(numbers.start)  # noqa: S311 -- test data
    made = []
    for number in numbers:
        app = dice.randrange(len(APPS))
        made.append(
            NewEntry(
                dealer="acme",
                timestamp=NOW - span * ((count - number) / count),
                actor=f"app:{APPS[app]}",
                kind=Kind.API_CALL,
                action=f"GET /v1/things/{dice.randrange(20)}",
                result=dice.choice(RESULTS),
                request_id=f"req_{dice.getrandbits(80):020x}",
                app=APPS[app],
                scope=dice.choice(SCOPES),
                source="import",
                source_ip=f"203.0.{app}.{dice.randrange(50)}",
                key_id=f"key_{app}",
                details={"user_agent": "night-watch/2.8"},
            )
        )
    return made


async def append(batch: list[NewEntry], writer: Writer) -> None:
    """Write one batch."""
    await writer.append(batch)


def services(storage: SqliteStorage, directory: Path) -> Services:
    """Return services that can do no more than an analysis needs."""

    def no_sealing() -> None:
        raise AssertionError("an analysis opens no secret")

    sinks = FileSinks(directory)
    return Services(storage, no_sealing, sinks, lambda: NOW, random.randbytes, Limits())  # type: ignore[arg-type]  # see above


async def analyse(given: Services, round_: int) -> tuple[float, float, int]:
    """Return the seconds that a day takes, by the clock and of the processor, and how many entries it has."""
    until = NOW - timedelta(hours=7 * round_, minutes=11)
    day = (until - timedelta(days=1)).isoformat(), until.isoformat()
    start, worked = time.perf_counter(), time.process_time()
    result = await Analysis(given, CompiledLists(), Asked("acme", (*APPS, None), *day), NOW).run()
    return time.perf_counter() - start, time.process_time() - worked, result["totals"]["entries"]


async def days(directory: Path, count: int, span: timedelta) -> bool:
    """Fill, measure and report; tell whether the median keeps the limit."""
    storage = open_storage(directory)
    await storage.write(begin)
    start = time.perf_counter()
    for first in range(0, count, BATCH):
        await storage.write(partial(append, entries(range(first, min(first + BATCH, count)), count, span)))
    print(f"filled with {count:,} entries in {time.perf_counter() - start:.0f} s, making them included")
    first_time, *others = [await analyse(services(storage, directory), round_) for round_ in range(ROUNDS + 1)]
    await storage.close()
    clock, worked, of_a_day = (statistics.median(one[which] for one in others) for which in range(3))
    print(f"24 h ({of_a_day:,.0f} entries) against 30 d at {count:,}: first {first_time[0] * 1e3:.0f} ms")
    print(f"median {clock * 1e3:.0f} ms, of the processor {worked * 1e3:.0f} ms")
    return worked <= LIMIT


async def cost(directory: Path, batch: int) -> None:
    """Append in turns with and without upkeep, to a database each, and print what an entry costs."""
    kept, bare = directory / f"kept-{batch}", directory / f"bare-{batch}"
    stores = []
    for place in (kept, bare):
        place.mkdir()
        stores.append(open_storage(place))
        await stores[-1].write(begin)
    spent = [0.0, 0.0]
    per_year = COST_ENTRIES * 100  # as dense as ten million in a year
    for first in range(0, COST_ENTRIES, BATCH):
        made = entries(range(first, first + BATCH), per_year, YEAR)
        for which in (0, 1):
            began = time.process_time()
            for at in range(0, BATCH, batch):
                work = partial(append, made[at : at + batch])
                with patch(UPKEEP) if which else nullcontext():
                    await stores[which].write(work)
            spent[which] += time.process_time() - began
    for store in stores:
        await store.close()
    with_it, without = (one / COST_ENTRIES * 1e6 for one in spent)
    print(f"batches of {batch:,}: {with_it:.1f} µs an entry with summaries, {without:.1f} without")


async def run(directory: Path, count: int, span: timedelta) -> bool:
    """Measure both."""
    for batch in (100, 10_000):
        await cost(directory, batch)
    state = directory / "state"
    state.mkdir()
    return await days(state, count, span)


def main() -> int:
    """Measure; 1 when the limit is not kept."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES
    span = timedelta(days=int(sys.argv[2])) if len(sys.argv) > 2 else YEAR
    with tempfile.TemporaryDirectory() as directory:
        kept = asyncio.run(run(Path(directory), count, span))
    print(f"a day analysed in {LIMIT * 1e3:.0f} ms: {'kept' if kept else 'NOT KEPT'}")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
