"""Sorted ranges of numbers: the form in which a list is searched and reasoned about.

Networks in CIDR form either nest or are apart, never cross, so one sweep over them in order, with a stack of those
that are open, cuts the number line into segments that each belong to one entry (the innermost: longest prefix) or
to none.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter

from chekt_mcp.domain.allow_list.entry import WIDTH, Entry, IPVersion

_PLACE = attrgetter("first", "prefix")


@dataclass(frozen=True, slots=True)
class Ranges:
    """All entries of one IP version, cut into segments.

    Attributes:
        starts: first number of each segment, ascending, from 0; a segment reaches to the next one's start.
        owners: for each segment the entry with the longest prefix there; for a gap the place in `outermost` of
            the entry above it (the one below it stands just before).
        outermost: see the function of that name.
    """

    starts: Sequence[int]
    owners: Sequence[Entry | int]
    outermost: Sequence[Entry]

    def owner(self, number: int) -> Entry | int:
        """Return the entry that decides on `number`, or the gap's place in `outermost`."""
        return self.owners[bisect_right(self.starts, number) - 1]


def in_order(entries: Iterable[Entry], version: IPVersion) -> list[Entry]:
    """Return the entries of one version by first address, the broader first; equal ones in the list's order."""
    return sorted((entry for entry in entries if entry.version == version), key=_PLACE)


def compile_ranges(entries: Iterable[Entry], version: IPVersion) -> Ranges:
    """Cut the number line of `version` into segments."""
    sweep = _Sweep()
    for entry in in_order(entries, version):
        sweep.open(entry)
    sweep.close_before(1 << WIDTH[version])
    if sweep.starts[-1] >> WIDTH[version]:  # nothing lies above the highest address
        sweep.starts.pop()
        sweep.owners.pop()
    return Ranges(sweep.starts, sweep.owners, sweep.outermost)


def outermost(entries: Iterable[Entry], version: IPVersion) -> list[Entry]:
    """Return the entries of `version` that lie in no other, ascending; of equal networks the first of the list."""
    apart: list[Entry] = []
    for entry in in_order(entries, version):
        if not apart or entry.first > apart[-1].last:
            apart.append(entry)
    return apart


def spans(entries: Iterable[Entry], version: IPVersion) -> list[tuple[int, int]]:
    """Return what the entries cover together: first and last numbers, ascending, with gaps between them."""
    covered: list[tuple[int, int]] = []
    for entry in in_order(entries, version):
        if covered and entry.first <= covered[-1][1] + 1:
            covered[-1] = (covered[-1][0], max(covered[-1][1], entry.last))
        else:
            covered.append((entry.first, entry.last))
    return covered


class _Sweep:
    """Walks up the number line; `_open` holds the entries that contain the place reached, broadest first."""

    __slots__ = ("_open", "outermost", "owners", "starts")

    def __init__(self) -> None:
        self.starts: list[int] = [0]
        self.owners: list[Entry | int] = [0]
        self.outermost: list[Entry] = []
        self._open: list[Entry] = []

    def open(self, entry: Entry) -> None:
        self.close_before(entry.first)
        if not self._open:
            self.outermost.append(entry)
        elif self._open[-1].prefix == entry.prefix:  # the same network again
            return
        self._begin(entry.first, entry)
        self._open.append(entry)

    def close_before(self, number: int) -> None:
        while self._open and self._open[-1].last < number:
            closed = self._open.pop()
            self._begin(closed.last + 1, self._open[-1] if self._open else len(self.outermost))

    def _begin(self, start: int, owner: Entry | int) -> None:
        if self.starts[-1] == start:
            self.owners[-1] = owner
        else:
            self.starts.append(start)
            self.owners.append(owner)
