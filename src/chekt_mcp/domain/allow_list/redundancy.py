"""Entries that a list would not need: the same network twice, one within another, neighbours that make one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from chekt_mcp.domain.allow_list.address import address_text
from chekt_mcp.domain.allow_list.coverage import VERSIONS
from chekt_mcp.domain.allow_list.entry import WIDTH, Entry, IPVersion
from chekt_mcp.domain.allow_list.finding import named
from chekt_mcp.domain.allow_list.prefix_mistake import BROADEST
from chekt_mcp.domain.allow_list.ranges import in_order, outermost

Redundancy = tuple[tuple[str, ...], str]
"""The networks concerned, and the sentence about them."""


def duplicates(entries: Sequence[Entry]) -> Iterator[Redundancy]:
    """Yield each network that is listed more than once, in whatever notation."""
    lines: defaultdict[str, list[int]] = defaultdict(list)
    for entry in entries:
        lines[entry.network].append(entry.line)
    for network, found in lines.items():
        if len(found) > 1:
            where = named(str(line) for line in found)
            yield (network,), f"{network} is listed {len(found):,} times (lines {where}). Keep one."


def overlaps(entries: Sequence[Entry]) -> Iterator[Redundancy]:
    """Yield each entry that holds others, with those it holds."""
    for version in VERSIONS:
        for outer, inner in _nested(entries, version):
            message = (
                f"{outer.network} already lets in {named(inner)}. Remove what you do not mean: taking out the "
                "smaller alone changes nothing."
            )
            yield (outer.network, *inner), message


def mergeable(entries: Sequence[Entry]) -> Iterator[Redundancy]:
    """Yield each group of neighbours that is exactly one larger network, with that network in the sentence.

    A larger network that would be too broad to suggest is left out.
    """
    for version in VERSIONS:
        apart = outermost(entries, version)
        for first, prefix, start, end in _merged(apart, WIDTH[version]):
            if end - start > 1 and prefix >= BROADEST[version]:
                parts = tuple(entry.network for entry in apart[start:end])
                whole = f"{address_text(version, first)}/{prefix}"
                yield parts, f"{named(parts)} are neighbours: {whole} means the same."


def _nested(entries: Sequence[Entry], version: IPVersion) -> Iterator[tuple[Entry, list[str]]]:
    outer: Entry | None = None
    inner: dict[str, None] = {}
    for entry in in_order(entries, version):
        if outer and entry.first <= outer.last:
            inner[entry.network] = None
            continue
        yield from _unless_alone(outer, inner)
        outer, inner = entry, {}
    yield from _unless_alone(outer, inner)


def _unless_alone(outer: Entry | None, inner: dict[str, None]) -> Iterator[tuple[Entry, list[str]]]:
    others = [network for network in inner if outer and network != outer.network]
    if outer and others:
        yield outer, others


def _merged(apart: Sequence[Entry], width: int) -> list[tuple[int, int, int, int]]:
    """Join halves into wholes: first number, prefix, and which places of `apart` (start, end) went in."""
    joined: list[tuple[int, int, int, int]] = []
    for place, entry in enumerate(apart):
        joined.append((entry.first, entry.prefix, place, place + 1))
        while len(joined) > 1 and _are_halves(joined[-2], joined[-1], width):
            _, _, _, end = joined.pop()
            first, prefix, start, _ = joined.pop()
            joined.append((first, prefix - 1, start, end))
    return joined


def _are_halves(low: tuple[int, int, int, int], high: tuple[int, int, int, int], width: int) -> bool:
    return low[1] == high[1] and low[0] ^ high[0] == 1 << (width - low[1])
