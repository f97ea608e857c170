"""What a check of a log found: rows held against their leaves, and how that is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from chekt_mcp.domain.audit import LoggedEntry
from chekt_mcp.domain.audit_leaf import leaf_hash
from chekt_mcp.domain.log_problem import LogProblem, Tampering, changed_places, runs
from chekt_mcp.domain.merkle import HASH_LENGTH
from chekt_mcp.operations.audit.prune_ages import PruneAges
from chekt_mcp.storage.records import PrunedRange, TreeHead

MOST_SUSPECTS = 1_000
"""Rows that are named one by one; beyond, only counted. Somebody who changes more leaves no doubt."""

NO_LEAF = bytes(HASH_LENGTH)
"""What storage gives for a leaf that it has not."""


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
    ages: PruneAges = field(default_factory=PruneAges)

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


class PrunedNumbers:
    """Which entry numbers were pruned, asked in ascending order."""

    def __init__(self, ranges: Sequence[PrunedRange]) -> None:
        self._ranges = list(reversed(ranges))

    def told_by(self, number: int) -> int | None:
        """Return the entry that tells of it; None when it was not pruned."""
        while self._ranges and self._ranges[-1].last < number:
            self._ranges.pop()
        return self._ranges[-1].prune_seq if self._ranges and self._ranges[-1].first <= number else None


def rows_against_leaves(
    found: Findings, rows: dict[int, LoggedEntry], leaves: bytes, begin: int, pruned: PrunedNumbers
) -> None:
    """Note of each leaf from `begin` on whether its row fits; `leaves` are their hashes in one piece."""
    for at in range(len(leaves) // HASH_LENGTH):
        number, leaf = begin + at + 1, leaf_at(leaves, at)
        logged = rows.get(number)
        if logged is None and (told_by := pruned.told_by(number)) is not None:
            found.pruned += 1
            found.ages.gone(number, told_by)
        elif logged is not None and not logged.entry.odd and leaf_hash(*logged) == leaf:
            found.entries += 1
            found.by_app[logged.entry.app] += 1
            found.ages.there(logged.entry)
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


def leaf_at(leaves: bytes, at: int) -> bytes:
    """Return one hash out of a row of them."""
    return leaves[at * HASH_LENGTH : (at + 1) * HASH_LENGTH]
