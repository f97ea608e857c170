"""Hold every row of a log against its leaf, and every leaf against the tree; a piece at a time, memory stays flat.

1. Each row that is there can be read whole, is found where a search looks, and hashes to its leaf; a row that is
   not there was pruned, and an entry tells of it.
2. The leaves add up to the stored tiles (every 256th, 65,536th, … leaf), to the stored head, and to the roots that
   are asked for: those of checkpoints.
3. No row stands outside the tree.

A check may begin late: then the tree before is taken from its stored hashes, which the roots at the end cover, and
the rows before are not looked at. What grew meanwhile is not part of a check: it is about the log as it was then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from chekt_mcp.domain.audit import LoggedEntry
from chekt_mcp.domain.audit_leaf import leaf_hash
from chekt_mcp.domain.log_problem import LogProblem, Tampering, changed_places, runs
from chekt_mcp.domain.merkle import HASH_LENGTH, Frontier, peak_places
from chekt_mcp.errors import Unavailable
from chekt_mcp.storage.interface import Reader, Storage
from chekt_mcp.storage.records import PrunedRange, TreeHead

TILE_LEVELS = 8
TILE = 1 << TILE_LEVELS
PIECE = 16 * TILE
"""Entries looked at on one snapshot: some ten milliseconds, a few megabytes."""

MOST_SUSPECTS = 1_000
"""Rows that are named one by one; beyond, only counted. Somebody who changes more leaves no doubt."""

NO_LEAF = bytes(HASH_LENGTH)
"""What storage gives for a leaf that it has not."""

Progress = Callable[[int, int], None]
"""Told how many entries were looked at, and of how many."""


@dataclass(slots=True)
class Findings:
    """What a check found, and what it looked at: `entries` rows, `pruned` places without one.

    `hole`: the first entry whose hash is gone together with its row. No root can be computed from there on, and that
    none fits says nothing more.
    """

    head: TreeHead
    first: int
    roots: dict[int, bytes] = field(default_factory=dict)
    entries: int = 0
    pruned: int = 0
    by_app: Counter[str | None] = field(default_factory=Counter)
    edited: dict[int, LoggedEntry] = field(default_factory=dict)
    leaves: dict[int, bytes] = field(default_factory=dict)
    missing: list[int] = field(default_factory=list)
    more: int = 0
    hole: int | None = None
    broken: list[LogProblem] = field(default_factory=list)

    def problems(self) -> list[LogProblem]:
        """Return what is wrong, in the order of kinds, then of places."""
        moved = changed_places(self.edited, self.leaves)
        found = [
            *runs(Tampering.REORDERED, moved),
            *runs(Tampering.EDITED, self.edited.keys() - moved),
            *runs(Tampering.DELETED, self.missing),
            *self.broken,
        ]
        if self.more:
            message = f"{self.more:,} more entries are changed or gone; they are not listed."
            found.append(LogProblem(Tampering.EDITED, None, None, message))
        return found


@dataclass(frozen=True, slots=True)
class LogCheck:
    """A check of one dealer's log. `newest` limits it to about so many of the newest entries; None: all of it."""

    storage: Storage = field(repr=False)
    dealer: str
    newest: int | None = None

    async def run(self, sizes: Iterable[int], progress: Progress | None = None) -> Findings:
        """Look at it all; `sizes` are those at which the root is wanted.

        Raises:
            Unavailable: code `tree_incomplete`; a check cannot begin late where the stored tree has holes.
        """
        head = await self.storage.read(lambda reader: reader.tree_head(self.dealer))
        begin = 0 if self.newest is None else max(0, head.size - self.newest) // TILE * TILE
        found, wanted = Findings(head, begin + 1), frozenset(sizes)
        frontier = await self.storage.scan(lambda reader: _frontier_at(reader, self.dealer, begin))
        while frontier.size < head.size:
            await self.storage.scan(lambda reader: self._piece(reader, found, frontier, wanted))
            if progress is not None:
                progress(frontier.size - begin, head.size - begin)
        if found.hole is None and frontier.root() != head.root:
            found.broken.append(_tree(begin + 1, head.size, "The stored head of the tree is not that of its leaves."))
        found.broken += await self.storage.scan(lambda reader: _outside(reader, self.dealer))
        return found

    async def _piece(self, reader: Reader, found: Findings, frontier: Frontier, wanted: frozenset[int]) -> None:
        begin = frontier.size
        end = min(begin + PIECE, found.head.size)
        leaves = await reader.leaf_hashes(self.dealer, begin, end - begin)
        rows = {
            logged.entry.seq: logged
            for logged in await reader.logged_entries(self.dealer, begin, end - begin)
            if logged.entry.seq <= end
        }
        _rows_against_leaves(found, rows, leaves, begin, _Pruned(await _pruned(reader, self.dealer, begin, end)))
        for number in range(begin, end):
            completed = frontier.append(_leaf(leaves, number - begin))
            if frontier.size in wanted:
                found.roots[frontier.size] = frontier.root()
            for level in range(TILE_LEVELS, len(completed) + 1, TILE_LEVELS):
                index = number >> level
                if await reader.subtree_hash(self.dealer, level, index) != completed[level - 1]:
                    first, last = (index << level) + 1, (index + 1) << level
                    found.broken.append(_tree(first, last, "The stored tree does not fit its own leaves."))


class _Pruned:
    """Which entry numbers were pruned, asked in ascending order."""

    def __init__(self, ranges: Sequence[PrunedRange]) -> None:
        self._ranges = list(reversed(ranges))

    def __contains__(self, number: int) -> bool:
        while self._ranges and self._ranges[-1].last < number:
            self._ranges.pop()
        return bool(self._ranges) and self._ranges[-1].first <= number


def _rows_against_leaves(
    found: Findings, rows: dict[int, LoggedEntry], leaves: bytes, begin: int, pruned: _Pruned
) -> None:
    for at in range(len(leaves) // HASH_LENGTH):
        number, leaf = begin + at + 1, _leaf(leaves, at)
        logged = rows.get(number)
        if logged is None and number in pruned:
            found.pruned += 1
        elif logged is not None and not logged.entry.odd and leaf_hash(*logged) == leaf:
            found.entries += 1
            found.by_app[logged.entry.app] += 1
        elif len(found.leaves) == MOST_SUSPECTS:
            found.more += 1
        else:
            _suspect(found, number, logged, leaf)


def _suspect(found: Findings, number: int, logged: LoggedEntry | None, leaf: bytes) -> None:
    found.leaves[number] = leaf
    if logged is None:
        found.missing.append(number)
        if leaf == NO_LEAF and found.hole is None:
            found.hole = number
    else:
        found.entries += 1
        found.by_app[logged.entry.app] += 1
        found.edited[number] = logged


async def _frontier_at(reader: Reader, dealer: str, size: int) -> Frontier:
    peaks = [await reader.subtree_hash(dealer, *place) for place in peak_places(size)]
    if None in peaks:
        raise Unavailable(
            "The stored tree has holes before the entries that were to be checked.",
            code="tree_incomplete",
            fix="Run `chekt-mcp audit verify --full`, which says where.",
        )
    return Frontier(size, [peak for peak in peaks if peak is not None])


async def _pruned(reader: Reader, dealer: str, begin: int, end: int) -> list[PrunedRange]:
    """Return the ranges that reach into the entries begin + 1 to end and have an entry that tells of them."""
    found = await reader.pruned_ranges(dealer, begin, end - begin)
    told = {one.prune_seq for one in found}
    there = {number for number in told if await _is_there(reader, dealer, number)}
    return [one for one in found if one.first <= end and one.prune_seq in there and one.prune_seq > one.last]


async def _is_there(reader: Reader, dealer: str, number: int) -> bool:
    return [one.entry.seq for one in await reader.logged_entries(dealer, number - 1, 1)] == [number]


async def _outside(reader: Reader, dealer: str) -> list[LogProblem]:
    """Find rows before the first entry and after the last."""
    size = (await reader.tree_head(dealer)).size
    before = [one.entry.seq for one in await reader.logged_entries(dealer, -1, 1) if one.entry.seq < 1]
    after = [one.entry.seq for one in await reader.logged_entries(dealer, size, MOST_SUSPECTS)]
    return runs(Tampering.INSERTED, [*before, *after])


def _leaf(leaves: bytes, at: int) -> bytes:
    return leaves[at * HASH_LENGTH : (at + 1) * HASH_LENGTH]


def _tree(first: int, last: int, why: str) -> LogProblem:
    span = f"Somewhere in the entries {first:,} to {last:,} a hash was changed, and may be an entry with it."
    return LogProblem(Tampering.TREE, first, last, f"{why} {span}")
