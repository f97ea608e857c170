"""Hold every row of a log against its leaf, and every leaf against the tree; a piece at a time, memory stays flat.

1. Each row that is there can be read whole, is found where a search looks, and hashes to its leaf; a row that is
   not there was pruned, and an entry tells of it. What lets searches pass over stretches fits the rows in them.
2. The leaves add up to the stored tiles (every 256th, 65,536th, … leaf), to the stored head, and to the roots that
   are asked for: those of checkpoints.
3. No row stands outside the tree.

A check may begin late: then the tree before is taken from its stored hashes, which the roots at the end cover, and
the rows before are not looked at. What grew meanwhile is not part of a check: it is about the log as it was then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from chekt_mcp.domain.log_problem import LogProblem, Tampering, runs
from chekt_mcp.domain.merkle import Frontier, peak_places
from chekt_mcp.errors import Unavailable
from chekt_mcp.operations.audit.log_findings import (
    MOST_SUSPECTS,
    Findings,
    PrunedNumbers,
    leaf_at,
    rows_against_leaves,
)
from chekt_mcp.storage.interface import Reader, Storage
from chekt_mcp.storage.records import PrunedRange

TILE_LEVELS = 8
TILE = 1 << TILE_LEVELS
PIECE = 16 * TILE
"""Entries looked at on one snapshot: some ten milliseconds, a few megabytes."""

Progress = Callable[[int, int], None]
"""Told how many entries were looked at, and of how many."""


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
        rows_against_leaves(found, rows, leaves, begin, PrunedNumbers(await _pruned(reader, self.dealer, begin, end)))
        found.broken += [_passed_over(*span) for span in await reader.misdrawn_stretches(self.dealer, begin, end)]
        for number in range(begin, end):
            completed = frontier.append(leaf_at(leaves, number - begin))
            if frontier.size in wanted:
                found.roots[frontier.size] = frontier.root()
            for level in range(TILE_LEVELS, len(completed) + 1, TILE_LEVELS):
                index = number >> level
                if await reader.subtree_hash(self.dealer, level, index) != completed[level - 1]:
                    first, last = (index << level) + 1, (index + 1) << level
                    found.broken.append(_tree(first, last, "The stored tree does not fit its own leaves."))


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
    """Find rows before the first entry and after the last, and what searches go by of no entries."""
    size = (await reader.tree_head(dealer)).size
    before = [one.entry.seq for one in await reader.logged_entries(dealer, -1, 1) if one.entry.seq < 1]
    after = [one.entry.seq for one in await reader.logged_entries(dealer, size, MOST_SUSPECTS)]
    stray = await reader.stray_stretch(dealer)
    return runs(Tampering.INSERTED, [*before, *after]) + ([] if stray is None else [_passed_over(*stray)])


def _tree(first: int, last: int, why: str) -> LogProblem:
    span = f"Somewhere in the entries {first:,} to {last:,} a hash was changed, and may be an entry with it."
    return LogProblem(Tampering.TREE, first, last, f"{why} {span}")


def _passed_over(first: int, last: int) -> LogProblem:
    message = f"What searches go by for the entries {first:,} to {last:,} was changed: they may pass over what fits."
    return LogProblem(Tampering.SUMMARY, first, last, message)
