"""A log's tree as it is stored: leaves beside their entries, complete tiles of 256 hashes (c2sp.org/tlog-tiles), peaks.

Every hash of a complete subtree is at most a tile's worth of hashing away from one row or a few narrow ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chekt_mcp.domain.merkle import HASH_LENGTH, Frontier, node_hash
from chekt_mcp.storage.records import TreeHead
from chekt_mcp.storage.sqlite.log_reader import SEQ_BITS
from chekt_mcp.storage.sqlite.session import Row, Session

TILE_BITS = 8
TILE = 1 << TILE_BITS
MISSING = bytes(HASH_LENGTH)
"""Stands where a leaf should be and is not."""

PEAKS = "SELECT size, peaks FROM logs WHERE log = ?"
TILE_ROOTS = "SELECT number, root FROM log_tiles WHERE log = ? AND level = ? AND number >= ? AND number < ?"
TILE_HASHES = "SELECT hashes FROM log_tiles WHERE log = ? AND level = ? AND number = ?"
TAIL = (
    "SELECT id, leaf FROM entries WHERE id > ?1 AND id <= ?2"
    " UNION ALL SELECT id, leaf FROM pruned_leaves WHERE id > ?1 AND id <= ?2"
)


def split(hashes: bytes) -> list[bytes]:
    """Return the single hashes of a row of them."""
    return [hashes[at : at + HASH_LENGTH] for at in range(0, len(hashes), HASH_LENGTH)]


def _row_of(stored: object, count: int) -> list[bytes]:
    """Return so many hashes as stored; what was made something else by force reads as missing, and fits no root."""
    if not isinstance(stored, bytes) or len(stored) != count * HASH_LENGTH:
        return [MISSING] * count
    return split(stored)


def folded(hashes: Sequence[bytes]) -> bytes:
    """Return the root over a complete subtree's hashes, whose number is a power of two."""
    while len(hashes) > 1:
        hashes = [node_hash(left, right) for left, right in zip(hashes[::2], hashes[1::2], strict=True)]
    return hashes[0]


class StoredTree(Session):
    """What the rows of one log's tree say, by the log's number."""

    def frontier(self, log: int) -> Frontier:
        """Return the tree's right edge."""
        row = self._row(PEAKS, log)
        return Frontier() if row is None else Frontier(row[0], _row_of(row[1], row[0].bit_count()))

    def head(self, log: int) -> TreeHead:
        """Return size and root."""
        frontier = self.frontier(log)
        return TreeHead(frontier.size, frontier.root())

    def subtree(self, log: int, level: int, index: int) -> bytes | None:
        """Return the root of a complete subtree; None unless all of it is there."""
        row = self._row(PEAKS, log)
        if row is None or level < 0 or index < 0 or (index + 1) << level > row[0]:
            return None
        tile_level, within = divmod(level, TILE_BITS)
        hashes = self._nodes(log, tile_level, index << within, 1 << within)
        return None if hashes is None else folded(hashes)

    def leaves(self, log: int, first: int, count: int) -> list[bytes]:
        """Return the hashes of leaves, fewer where the log ends."""
        row = self._row(PEAKS, log)
        end = min(first + count, 0 if row is None else row[0])
        hashes: list[bytes] = []
        while (at := first + len(hashes)) < end:
            stop = min(end, (at // TILE + 1) * TILE)
            hashes += self._leaves_of_tile(log, at, stop)
        return hashes

    def grow(self, log: int, tree: Frontier, leaves: Sequence[bytes]) -> Iterator[Row]:
        """Append leaves to a log's tree; yield the rows of `log_tiles` that this completes, to be stored one by one.

        Leaves of the first tile that are not among `leaves` are read from the rows.
        """
        first = tree.size
        for number, leaf in enumerate(leaves, first + 1):
            completed = tree.append(leaf)
            if number % TILE == 0:
                begin = number - TILE
                new = leaves[max(begin - first, 0) : number - first]
                old = self._leaves_of_tile(log, begin, first) if begin < first else []
                yield log, 0, begin // TILE, completed[TILE_BITS - 1], b"".join([*old, *new])
                yield from self._tiles_above(log, number, completed)

    def _tiles_above(self, log: int, size: int, completed: Sequence[bytes]) -> Iterator[Row]:
        """Yield the tiles of tile roots that the tile ending at leaf `size` completes."""
        for level in range(1, len(completed) // TILE_BITS):
            number = (size >> TILE_BITS * (level + 1)) - 1
            hashes = self._nodes(log, level, number * TILE, TILE) or []
            yield log, level, number, completed[TILE_BITS * (level + 1) - 1], b"".join(hashes)

    def _nodes(self, log: int, tile_level: int, first: int, count: int) -> list[bytes] | None:
        """Return nodes of level `8 * tile_level`, all within one tile."""
        if tile_level == 0:
            return self._leaves_of_tile(log, first, first + count)
        rows = self._rows(TILE_ROOTS, log, tile_level - 1, first, first + count)
        roots = [root for _, root in sorted(rows)]
        return roots if len(roots) == count else None

    def _leaves_of_tile(self, log: int, first: int, stop: int) -> list[bytes]:
        """Return leaves within one tile: from the tile where it is complete, else from the rows."""
        row = self._row(TILE_HASHES, log, 0, first // TILE)
        if row is not None:
            return _row_of(row[0], TILE)[first % TILE : first % TILE + stop - first]
        base = log << SEQ_BITS
        leaves: dict[int, bytes] = dict(self._rows(TAIL, base + first, base + stop))
        return [leaves.get(base + number + 1, MISSING) for number in range(first, stop)]
