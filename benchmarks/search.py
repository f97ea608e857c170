"""How long one page of a search takes in a long audit log, by kind of question, in SQLite.

    python benchmarks/search.py [ENTRIES] [DIRECTORY]

Fills a state with traffic of three apps, 10 million entries a year (100,000 entries unless told otherwise; with
DIRECTORY it is kept there and used again), in batches of 10,000, and says how fast. Then it asks for a page of 50,
every time for something else, and prints the median and the 99th percentile, by the clock and of the processor.

Judged is the clock: the median by the target, the 99th percentile by ten times as much; what is missed is named. The
targets are those of a request id, an app's day, a network's week, a deep page, and a text that fills its page from the
newest million entries; the limits of the other kinds, which may say how far they got, are our own.
Where other work shares the machine the processor tells more. The file is read through before each kind of question,
for a page that the operating system does not have takes the disk's 0.1 ms. "first": the median of a question that is
the first one of a new connection. "all": how many pages were full or complete; the others say how far they got.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from chekt_mcp.domain.audit import Kind, NewEntry, Page, Position, Query, Result
from chekt_mcp.domain.choice import any_of, none_of
from chekt_mcp.storage.interface import Reader, Writer
from chekt_mcp.storage.sqlite import open_storage
from chekt_mcp.storage.sqlite.connection import connect_to_read
from chekt_mcp.storage.sqlite.database_file import DATABASE
from chekt_mcp.storage.sqlite.snapshots import Snapshots

ENTRIES = 100_000
BATCH = 10_000
PAGE = 50
TARGETS = (
    "request id",
    "app + 24 h, newest",
    "CIDR in 7 days",
    "deep page",
    "text, one in 10,000",
    "text, in every second",
)
ROUNDS = 200
FIRST_ROUNDS = 20
CHUNK = 1 << 24
YEAR = timedelta(days=365)
BEGIN = datetime(2025, 7, 1, tzinfo=UTC)
END = BEGIN + 2 * YEAR
A_YEAR = 10_000_000
APPS = ("shop", "till", "gate")
ACTIONS = tuple(f"{verb} /v1/{what}" for verb in ("GET", "POST") for what in ("devices", "events", "alarms", "sites"))
AGENTS = tuple(
    f"{name}/{version}" for name in ("night-watch", "central", "curl", "python-httpx") for version in range(9)
)
MICROSECOND = timedelta(microseconds=1)
Ask = Callable[[random.Random], Query]


def entry(number: int, dice: random.Random) -> NewEntry:
    """Return one call of the API; one in 10,000 comes from a device that is named, and one in 1,000 fails."""
    app = APPS[min(dice.randrange(10) // 5, 2)] if dice.random() < 0.9 else "gate"
    device = f"dev_{dice.randrange(10_000):04}x"
    failed = dice.random()
    return NewEntry(
        dealer="acme",
        timestamp=moment(number),
        actor=f"app:{app}" if dice.random() < 0.8 else f"operator-{dice.randrange(300)}",
        kind=Kind.API_CALL,
        action=dice.choice(ACTIONS),
        result=Result.ERROR if failed < 0.001 else Result.DENIED if failed < 0.01 else Result.OK,
        request_id=request_id(number),
        app=app,
        scope="devices:read",
        source="import",
        source_ip=f"203.{dice.randrange(4)}.{dice.randrange(250)}.{dice.randrange(20)}",
        key_id=f"key_{app}",
        details={"user_agent": dice.choice(AGENTS), "ms": dice.randrange(900), "device": device},
    )


def moment(number: int) -> datetime:
    """Return when an entry was made."""
    return BEGIN + YEAR * (number / A_YEAR)


def request_id(number: int) -> str:
    """Return a random id, the same in every run."""
    return "req_" + random.Random(number).randbytes(10).hex()  # noqa: S311 -- test data


async def fill(directory: Path, count: int) -> None:
    """Fill what is not filled yet, and say how fast that went."""
    storage, dice = open_storage(directory), random.Random(1)  # noqa: S311 -- as above
    extent = await storage.read(lambda reader: reader.log_extent("acme"))
    spent = 0.0
    for start in range(extent.entries, count, BATCH):
        append = partial(write, [entry(number, dice) for number in range(start, min(start + BATCH, count))])
        begun = time.perf_counter()
        await storage.write(append)
        spent += time.perf_counter() - begun
    await storage.close()
    if spent:
        print(f"appended at {(count - extent.entries) / spent:,.0f} entries/s, {BATCH:,} at once")


async def write(batch: Sequence[NewEntry], writer: Writer) -> None:
    """Append a batch."""
    await writer.append(batch)


def questions(count: int) -> dict[str, tuple[float, Ask]]:
    """Return every kind of question, with the limit of its median in milliseconds."""
    everything = Query("acme", APPS, BEGIN, END)

    def at(dice: random.Random) -> datetime:
        return moment(dice.randrange(count // 10, count))

    def day(dice: random.Random) -> Query:
        until = at(dice)
        return replace(everything, apps=(dice.choice(APPS),), since=until - timedelta(days=1), until=until)

    def network(dice: random.Random) -> Query:
        until, place = at(dice), f"203.{dice.randrange(4)}.{dice.randrange(250)}.0/24"
        window = replace(everything, since=until - timedelta(days=7), until=until)
        return replace(window, source_network=any_of(ip_network(place)))

    def deep(dice: random.Random) -> Query:
        number = dice.randrange(count // 10, count)
        position = Position((moment(number) - datetime(1970, 1, 1, tzinfo=UTC)) // MICROSECOND, number)
        return replace(everything, apps=dice.choice([APPS, ("gate",)]), before=position)

    def asking(**filters: Callable[[random.Random], Any]) -> Ask:
        def ask(dice: random.Random) -> Query:
            chosen: dict[str, Any] = {name: make(dice) for name, make in filters.items()}
            return replace(everything, **chosen)

        return ask

    return {
        "request id": (0.1, asking(request_id=lambda dice: any_of(request_id(dice.randrange(count))))),
        "app + 24 h, newest": (1, day),
        "CIDR in 7 days": (1, network),
        "deep page": (1, deep),
        "text, one in 10,000": (20, asking(text=lambda dice: any_of(f"dev_{dice.randrange(10_000):04}x"))),
        "text, in every second": (20, asking(text=lambda _: any_of("WATCH", "central"))),
        "text, nowhere": (20, asking(text=lambda dice: any_of(f"nowhere {dice.random()}"))),
        "text, two letters": (20, asking(text=lambda dice: any_of(f"q{dice.choice('zqj')}"))),
        "actor, one in 1,500": (20, asking(actor=lambda dice: any_of(f"operator-{dice.randrange(300)}"))),
        "!ok": (20, asking(result=lambda _: none_of(Result.OK))),
        "error and not from one net": (
            20,
            asking(
                result=lambda _: any_of(Result.ERROR),
                source_network=lambda dice: none_of(ip_network(f"203.{dice.randrange(4)}.0.0/16")),
            ),
        ),
        "not a text": (20, asking(text=lambda _: none_of("watch", "central", "curl", "httpx"))),
        "CIDR of very many": (
            20,
            asking(source_network=lambda dice: any_of(ip_network(f"203.{dice.randrange(4)}.0.0/16"))),
        ),
    }


@dataclass(frozen=True, slots=True)
class Taken:
    """What the questions of a kind took, in milliseconds, ascending, and the pages."""

    clock: list[float]
    processor: list[float]
    first: list[float]
    pages: list[Page]

    @property
    def settled(self) -> float:
        """How many of the pages were full or complete."""
        return sum(one.full or one.following is None for one in self.pages) / len(self.pages)

    def missed(self, limit: float) -> list[str]:
        """Say what is beyond its limit."""
        measured = {"p50": (statistics.median(self.clock), limit), "p99": (p99(self.clock), limit * 10)}
        return [f"{name} {took:.3f} > {most:g}" for name, (took, most) in measured.items() if took > most]


def measure(database: Path, ask: Ask, dice: random.Random) -> Taken:
    """Ask `ROUNDS` questions of a kind on one connection, and `FIRST_ROUNDS` on a new one each."""
    read_through(database)
    taken = Taken([], [], [], [])
    with closing(connect_to_read(database)) as connection:
        log = Snapshots(connection)
        for query in [ask(dice) for _ in range(ROUNDS)]:
            start, began = time.perf_counter(), time.process_time()
            taken.pages.append(log.run(partial(page, query)))
            taken.processor.append((time.process_time() - began) * 1e3)
            taken.clock.append((time.perf_counter() - start) * 1e3)
    for query in [ask(dice) for _ in range(FIRST_ROUNDS)]:
        start = time.perf_counter()
        with closing(connect_to_read(database)) as connection:
            Snapshots(connection).run(partial(page, query))
        taken.first.append((time.perf_counter() - start) * 1e3)
    for times in (taken.clock, taken.processor, taken.first):
        times.sort()
    return taken


def read_through(database: Path) -> None:
    """Have the operating system remember the file, if it has the memory."""
    with database.open("rb") as file:
        while file.read(CHUNK):
            pass


def p99(ascending: Sequence[float]) -> float:
    """Return the 99th percentile."""
    return ascending[len(ascending) * 99 // 100]


async def page(query: Query, reader: Reader) -> Page:
    """Ask for one page."""
    return await reader.search_page(query, PAGE)


def run(directory: Path, count: int) -> list[str]:
    """Fill, measure and report; return what is beyond its limit."""
    asyncio.run(fill(directory, count))
    database, dice, missed = (directory / DATABASE).absolute(), random.Random(2), list[str]()  # noqa: S311 -- as above
    print(f"{count:,} entries, pages of {PAGE}, milliseconds")
    print(f"{'':28}{'clock p50':>11}{'p99':>9}{'proc. p50':>11}{'p99':>9}{'first':>9}{'limit':>8}{'all':>7}")
    for kind, (limit, ask) in questions(count).items():
        taken = measure(database, ask, dice)
        times = "".join(f"{statistics.median(one):11.3f}{p99(one):9.3f}" for one in (taken.clock, taken.processor))
        print(f"{kind:28}{times}{statistics.median(taken.first):9.3f}{limit:8}{taken.settled:7.0%}")
        whose = "" if kind in TARGETS else " (a limit of our own)"
        missed += [f"{kind}: {what}{whose}" for what in taken.missed(limit)]
    return missed


def main() -> int:
    """Measure; 1 when a limit is not kept."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(sys.argv[2] if len(sys.argv) > 2 else temporary)
        directory.mkdir(exist_ok=True)
        missed = run(directory, count)
    print("limits kept" if not missed else "\n".join(["MISSED", *missed]))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
