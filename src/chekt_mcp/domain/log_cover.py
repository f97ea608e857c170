"""One proof for many entries of a log: the hashes of what lies between them, nothing else.

The tree of RFC 6962 is built once more from left to right: an entry that is there gives its own leaf hash, and a gap
gives the hashes of the complete subtrees it consists of, the widest that fit first. Which ones these are follows from
the numbers alone, so a proof is a plain sequence of hashes: a few dozen for a contiguous range of any length. Memory
on both sides stays O(log n). Leaves are counted from 0.
"""

from __future__ import annotations

from collections.abc import Iterator

from chekt_mcp.domain.merkle import Frontier, node_hash


def gap_places(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield (level, index) of the complete subtrees that leaves `start` to `end` (not included) consist of."""
    while start < end:
        level = (end - start).bit_length() - 1
        if start:
            level = min(level, (start & -start).bit_length() - 1)
        yield level, start >> level
        start += 1 << level


class Cover:
    """The tree as it is put together again from entries and gaps."""

    def __init__(self) -> None:
        self._frontier = Frontier()

    @property
    def size(self) -> int:
        """How many leaves are covered so far."""
        return self._frontier.size

    def add_leaf(self, leaf: bytes) -> None:
        """Add the hash of the next leaf."""
        self._frontier.append(leaf)

    def add_subtree(self, level: int, subtree: bytes) -> None:
        """Add the hash of the next complete subtree, one of `gap_places` from `size` on."""
        frontier = self._frontier
        trees = frontier.size >> level
        while trees & 1:
            subtree = node_hash(frontier.peaks.pop(), subtree)
            trees >>= 1
        frontier.peaks.append(subtree)
        frontier.size += 1 << level

    def root(self) -> bytes:
        """Return the root over everything added."""
        return self._frontier.root()
