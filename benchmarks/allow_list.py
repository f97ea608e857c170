"""Is an address on the list: the function that `check_ip` calls, against what else Python offers, in one run.

    python benchmarks/allow_list.py [ROUNDS]

Addresses are text, as they come. Three quarters of entries and addresses are IPv4, half of the addresses are on
the list. The others answer yes or no; ours finds the entry that decides (`find`, `find_many`: what a gate asks), and
with reasons names it, or the nearest one and by how much it misses (`check_many`: what a person reads). Nothing is
kept between questions, and nobody is asked about an address twice. All take turns in every round, with several batches
a turn, each of fresh addresses; medians count. The first batch of a turn finds the processor's caches full of what the
others left there: it is told by itself. Targets against `netaddr.IPSet`: >= 50 x at 1,000 entries, >= 20 x at 100,000.
"""

from __future__ import annotations

import gc
import ipaddress
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from typing import Any

from chekt_mcp.domain.allow_list import AddressMatcher, AddressVerdict
from chekt_mcp.domain.allow_list.network import read_entry

SIZES = (10, 1_000, 100_000)
BATCH = 1_000
BATCHES = 5  # one after another in a turn
ROUNDS = 15
TARGETS = {1_000: 50, 100_000: 20}
LOOP_BUDGET = 2_000_000  # entries that the loop over `ipaddress` may look at in a round: it gets fewer addresses

Answers = Callable[[Sequence[str]], Sequence[object]]
Timings = dict[str, list[float]]
Work = tuple[str, Callable[[], object]]  # whose, and what to run


class Lists:
    """Random entries and addresses, the same in every run."""

    def __init__(self, size: int) -> None:
        self._random = random.Random(size)  # noqa: S311 -- test data that has to be the same every time
        ours = [self._network() for _ in range(size)]
        self.networks = list(dict.fromkeys(ours))
        self._parsed = [ipaddress.ip_network(network) for network in self.networks]

    def addresses(self, count: int) -> list[str]:
        """Return addresses that hardly ever were returned before."""
        return [self._inside() if self._random.random() < 0.5 else self._anywhere() for _ in range(count)]

    def _network(self) -> str:
        if self._random.random() < 0.75:
            return self._cut(self._random.getrandbits(32), 32, self._random.choice((16, 20, 24, 24, 28, 32)))
        return self._cut(self._ipv6(), 128, self._random.choice((32, 48, 48, 56, 64, 128)))

    def _ipv6(self) -> int:
        return 0x2 << 124 | self._random.getrandbits(124)

    def _cut(self, number: int, width: int, prefix: int) -> str:
        number = number >> width - prefix << width - prefix
        address = ipaddress.IPv4Address(number) if width == 32 else ipaddress.IPv6Address(number)
        return f"{address}/{prefix}"

    def _inside(self) -> str:
        network = self._random.choice(self._parsed)
        return str(network[self._random.randrange(network.num_addresses)])

    def _anywhere(self) -> str:
        if self._random.random() < 0.75:
            return str(ipaddress.IPv4Address(self._random.getrandbits(32)))
        return str(ipaddress.IPv6Address(self._ipv6()))


def with_ipaddress(networks: Sequence[str]) -> Answers:
    """The standard library, network by network."""
    parsed = [ipaddress.ip_network(network) for network in networks]

    def holds(text: str) -> bool:
        address = ipaddress.ip_address(text)
        return any(address in network for network in parsed)

    return lambda addresses: [holds(address) for address in addresses]


def with_netaddr(networks: Sequence[str]) -> Answers:
    """The set of the library for set algebra on networks."""
    netaddr: Any = import_module("netaddr")
    held, address_of = netaddr.IPSet(networks), netaddr.IPAddress
    return lambda addresses: [address_of(address) in held for address in addresses]


def with_pytricia(networks: Sequence[str]) -> Answers:
    """A Patricia tree in C; it takes one tree for each version."""
    pytricia: Any = import_module("pytricia")
    v4, v6 = pytricia.PyTricia(32), pytricia.PyTricia(128)
    for network in networks:
        (v6 if ":" in network else v4)[network] = True
    return lambda addresses: [address in (v6 if ":" in address else v4) for address in addresses]


def with_radix(networks: Sequence[str]) -> Answers:
    """Another radix tree in C."""
    radix: Any = import_module("radix")
    tree = radix.Radix()
    for network in networks:
        tree.add(network)
    best = tree.search_best
    return lambda addresses: [best(address) is not None for address in addresses]


def ours(networks: Sequence[str]) -> AddressMatcher:
    """The matcher that the tool asks; item by item, as 100,000 entries of this kind are more text than a list takes."""
    entries = [read_entry(network) for network in networks]
    return AddressMatcher([entry for entry in entries if entry])


LOOP = "ipaddress, a loop"
RIVAL = "netaddr.IPSet"
PEERS: dict[str, Callable[[Sequence[str]], Answers]] = {
    LOOP: with_ipaddress,
    RIVAL: with_netaddr,
    "pytricia": with_pytricia,
    "py-radix": with_radix,
}


def timed(work: Callable[[], object]) -> float:
    """Return how many seconds `work` took."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_turns(works: Sequence[Work], turn: int, timings: Timings) -> None:
    """Run every work once, each round beginning with another one; note the seconds it took."""
    for name, work in (*works[turn % len(works) :], *works[: turn % len(works)]):
        timings.setdefault(name, []).append(timed(work))


def measure_lookups(lists: Lists, rounds: int) -> tuple[Timings, Timings]:
    """Time lookups by everyone, ours in each of its ways: first batches of a turn, and those that follow."""
    matcher = ours(lists.networks)
    peers = {name: build(lists.networks) for name, build in PEERS.items()}
    agree(matcher, peers, lists.addresses(40))
    everyone: list[tuple[str, Answers]] = [
        *peers.items(),
        ("find, one by one", lambda addresses: [matcher.find(address) for address in addresses]),
        ("find_many", matcher.find_many),
        ("with reasons", matcher.check_many),
    ]
    gc.collect()
    gc.freeze()  # or everyone pays for walking over what all the others hold
    first: Timings = {}
    following: Timings = {}
    for turn in range(rounds):
        for name, answers in (*everyone[turn % len(everyone) :], *everyone[: turn % len(everyone)]):
            count = max(5, min(BATCH, LOOP_BUDGET // len(lists.networks))) if name == LOOP else BATCH
            batches = [lists.addresses(count) for _ in range(BATCHES)]
            times = [timed(partial(answers, batch)) / count for batch in batches]
            first.setdefault(name, []).append(times[0])
            following.setdefault(name, []).extend(times[1:])
    gc.unfreeze()
    return first, following


def agree(matcher: AddressMatcher, peers: dict[str, Answers], addresses: Sequence[str]) -> None:
    """Make sure that all answer the same question."""
    expected = [check.verdict is AddressVerdict.ALLOWED for check in matcher.check_many(addresses)]
    for name, answers in peers.items():
        if list(answers(addresses)) != expected:
            sys.exit(f"{name} answers otherwise than we do: the comparison would be worth nothing.")


def measure_building(networks: Sequence[str], rounds: int) -> Timings:
    """Time how long everyone takes from text to being ready."""
    works: list[Work] = [(name, partial(build, networks)) for name, build in PEERS.items()]
    works.append(("ours", partial(ours, networks)))
    timings: Timings = {}
    for turn in range(rounds):
        in_turns(works, turn, timings)
    return timings


def report(size: int, lookups: tuple[Timings, Timings], building: Timings) -> None:
    """Print microseconds for one address, and how many times as long everyone else takes."""
    first, medians = ({name: statistics.median(times) for name, times in timings.items()} for timings in lookups)
    ways = [name for name in medians if name not in PEERS]
    print(f"\n{size:,} entries      us/address   " + "".join(f"{name:>20}" for name in ways))
    for name in ways:
        print(f"  {name:<22}{medians[name] * 1e6:9.3f}")
    for name in PEERS:
        ratios = "".join(f"{medians[name] / medians[way]:>18,.1f} x" for way in ways)
        print(f"  {name:<22}{medians[name] * 1e6:9.3f}   {ratios}")
    print("  building, ms: " + ", ".join(f"{name} {statistics.median(t) * 1e3:,.2f}" for name, t in building.items()))
    print(f"  first batch of a turn, against {RIVAL}: {against_rival(first, ways)}")
    if size in TARGETS:
        print(f"  against {RIVAL}, target >= {TARGETS[size]} x: {against_rival(medians, ways)}")


def against_rival(medians: dict[str, float], ways: Sequence[str]) -> str:
    """Say how many times as long as each of our ways the set of netaddr takes."""
    return ", ".join(f"{way} {medians[RIVAL] / medians[way]:,.0f} x" for way in ways)


def main() -> None:
    """Measure every size and print the report."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    for size in SIZES:
        lists = Lists(size)
        building = measure_building(lists.networks, max(3, rounds // 3))
        report(size, measure_lookups(lists, rounds), building)


if __name__ == "__main__":
    main()
