"""Carrying a log from before the tree over: every entry, as it reads, gets its salt and its leaf, in the order written.

A million entries take about a minute of the processor, and as much room again until the old pages are used anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from chekt_mcp.domain.audit_leaf import SALT_LENGTH, leaf_hash
from chekt_mcp.domain.canonical_json import details_text
from chekt_mcp.domain.merkle import Frontier
from chekt_mcp.storage.sqlite.log_entries import COLUMNS, SEQ_MASK
from chekt_mcp.storage.sqlite.log_reader import SEQ_BITS
from chekt_mcp.storage.sqlite.log_search import LogSearch
from chekt_mcp.storage.sqlite.log_tree import MISSING, TILE, StoredTree
from chekt_mcp.storage.sqlite.request_key import request_key
from chekt_mcp.storage.sqlite.session import Row

SOME = f"SELECT {COLUMNS} FROM entries WHERE id > ? AND id < ? ORDER BY id LIMIT 4096"  # noqa: S608 -- ours
CARRY_OVER = (
    "INSERT INTO entries_with_leaves SELECT id, log, ts, app, actor, kind, action, scope, result, request_id, source,"
    " source_ip, key_id, origin, coalesce(?, details), ?, ?, ? FROM entries WHERE id = ?"
)
TILE_ROW = "INSERT INTO log_tiles (log, level, number, root, hashes) VALUES (?, ?, ?, ?, ?)"


class LogUpgrade(LogSearch, StoredTree):
    """One upgrade, inside the transaction of the migrations."""

    def run(self, random: Callable[[int], bytes]) -> None:
        """Fill `entries_with_leaves`, `log_tiles` and the peaks of every log."""
        for log, dealer, size in self._rows("SELECT log, dealer, size FROM logs"):
            tree, leaves, last = Frontier(), dict[int, bytes](), log << SEQ_BITS
            while some := self._rows(SOME, last, (log + 1) << SEQ_BITS):
                leaves |= {row[1] & SEQ_MASK: self._carried_over(dealer, row, random(SALT_LENGTH)) for row in some}
                self._add(log, tree, leaves, max(leaves) & -TILE)
                leaves = {seq: leaf for seq, leaf in leaves.items() if seq > tree.size}
                last = some[-1][1]
            self._add(log, tree, leaves, max(size, *leaves, 0))
            self._change("UPDATE logs SET size = ?, peaks = ? WHERE log = ?", tree.size, b"".join(tree.peaks), log)

    def _add(self, log: int, tree: Frontier, leaves: Mapping[int, bytes], until: int) -> None:
        """Add the leaves up to a number. Where somebody took an entry out none stands, as a check will tell."""
        in_order = [leaves.get(seq, MISSING) for seq in range(tree.size + 1, until + 1)]
        for tile in self.grow(log, tree, in_order):
            self._change(TILE_ROW, *tile)

    def _carried_over(self, dealer: str, row: Row, salt: bytes) -> bytes:
        """Write one row anew with what it lacks, and details as they are hashed and searched; return its leaf."""
        entry = self._entry(dealer, row)
        leaf = leaf_hash(entry, salt)
        details = details_text(entry.details) if entry.details else None  # what cannot be read stays as it is
        self._change(CARRY_OVER, details, request_key(entry.seq, entry.request_id), salt, leaf, row[1])
        return leaf
