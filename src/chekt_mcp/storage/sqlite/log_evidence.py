"""What proves a log: its tree, the entries as they were hashed, checkpoints and what vouches for them outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chekt_mcp.domain.audit import LoggedEntry
from chekt_mcp.storage.records import PrunedRange, StoredAnchor, StoredCheckpoint, TreeHead
from chekt_mcp.storage.sqlite.log_blocks import LogBlocks
from chekt_mcp.storage.sqlite.log_entries import COLUMNS
from chekt_mcp.storage.sqlite.log_filing import INDEXED, PRINTS, Filing
from chekt_mcp.storage.sqlite.log_reader import SEQ_BITS
from chekt_mcp.storage.sqlite.log_stretches import StretchReader, complete
from chekt_mcp.storage.sqlite.log_tree import StoredTree
from chekt_mcp.storage.sqlite.session import Row
from chekt_mcp.storage.sqlite.sketch import STRETCH_BITS
from chekt_mcp.storage.sqlite.values import microseconds, moment, storable

ENTRIES = (
    f"SELECT {COLUMNS}, salt, log, request_key, {PRINTS}, {INDEXED} FROM entries"  # noqa: S608 -- ours
    " WHERE id > ? AND id <= ? ORDER BY id LIMIT ?"
)
PRUNED = "SELECT first, last, prune_seq FROM pruned WHERE log = ? AND first > ? ORDER BY first LIMIT ?"
PRUNED_ACROSS = (
    "SELECT first, last, prune_seq FROM"
    " (SELECT * FROM pruned WHERE log = ? AND first <= ? ORDER BY first DESC LIMIT 1) WHERE last > ?"
)
CHECKPOINT = "SELECT size, root, note, created_at FROM checkpoints WHERE log = ?"
ANCHORS = "SELECT max(size), anchor, anchored_at, receipt FROM anchors WHERE log = ? GROUP BY anchor ORDER BY anchor"


class LogEvidence(LogBlocks, StretchReader, StoredTree):
    """Lookups, see `storage.tree_interface.TreeLookups`."""

    async def tree_head(self, dealer: str) -> TreeHead:
        """Return size and root of the dealer's tree."""
        return self.head(self._log(dealer) or 0)

    async def subtree_hash(self, dealer: str, level: int, index: int) -> bytes | None:
        """Return the root of a complete subtree."""
        return self.subtree(self._log(dealer) or 0, level, index)

    async def leaf_hashes(self, dealer: str, first: int, count: int) -> bytes:
        """Return the hashes of leaves, pruned ones too."""
        return b"".join(self.leaves(self._log(dealer) or 0, first, count))

    async def logged_entries(self, dealer: str, after_seq: int, limit: int) -> Sequence[LoggedEntry]:
        """Return entries with their salts, in the order of writing, as the file has them now.

        Those that a search would look for elsewhere than where they are count as odd.
        """
        self.forget()  # somebody who changes a name in the file must not be covered by what we remember
        log, known, filing = self._log(dealer) or 0, storable(dealer), Filing(self._connection)
        base = log << SEQ_BITS
        rows = self._run(ENTRIES, base + after_seq, base + (1 << SEQ_BITS) - 1, limit)
        logged = []
        for *columns, salt, of_log, key, prints, indexed in rows:
            entry = self._entry(known, tuple(columns))
            found = bool(indexed) and of_log == log
            misfiled = filing.misfiled(entry, tuple(columns), key, prints, indexed=found)
            logged.append(
                LoggedEntry(replace(entry, odd=odd) if (odd := (*entry.odd, *misfiled)) else entry, _bytes(salt))
            )
        return logged

    async def misdrawn_stretches(self, dealer: str, after_seq: int, until_seq: int) -> Sequence[tuple[int, int]]:
        """Return the stretches that a search would judge by what is not in them."""
        self._names.forget()
        found = self.misdrawn(self._log(dealer) or 0, complete(after_seq), complete(until_seq))
        return [_span(stretch) for stretch in found]

    async def stray_stretch(self, dealer: str) -> tuple[int, int] | None:
        """Return the entries that are in no complete stretch, where something is kept as if they, or others, were."""
        log = self._log(dealer) or 0
        end = complete(self.head(log).size)
        return _span(end) if self.has_stray(log, end) else None

    async def pruned_ranges(self, dealer: str, after_seq: int, limit: int) -> Sequence[PrunedRange]:
        """Return the ranges that end above a number."""
        log = self._log(dealer)
        across = self._rows(PRUNED_ACROSS, log, after_seq, after_seq)
        rows = across + self._rows(PRUNED, log, after_seq, limit)
        return [PrunedRange(*row) for row in rows[:limit]]

    async def checkpoint(self, dealer: str) -> StoredCheckpoint | None:
        """Return the checkpoint of the largest size."""
        return _checkpoint(self._row(f"{CHECKPOINT} ORDER BY size DESC LIMIT 1", self._log(dealer)))

    async def checkpoint_at(self, dealer: str, size: int) -> StoredCheckpoint | None:
        """Return the checkpoint of this size."""
        return _checkpoint(self._row(f"{CHECKPOINT} AND size = ?", self._log(dealer), size))

    async def anchors(self, dealer: str) -> Sequence[StoredAnchor]:
        """Return the newest of every anchor."""
        rows = self._rows(ANCHORS, self._log(dealer))
        return [StoredAnchor(size, anchor, moment(at), receipt) for size, anchor, at, receipt in rows]


class EvidenceWriter(LogEvidence):
    """Changes, see `storage.tree_interface.TreeChanges`."""

    async def add_checkpoint(self, dealer: str, checkpoint: StoredCheckpoint) -> None:
        """Keep a checkpoint, unless there is one of this size."""
        self._change(
            "INSERT INTO checkpoints (log, size, root, note, created_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            self._opened_log(dealer),
            checkpoint.size,
            checkpoint.root,
            checkpoint.note,
            microseconds(checkpoint.created_at),
        )

    async def add_anchor(self, dealer: str, anchor: StoredAnchor) -> None:
        """Keep what an anchor answered, unless it is known."""
        self._change(
            "INSERT INTO anchors (log, anchor, size, anchored_at, receipt) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING",
            self._opened_log(dealer),
            anchor.anchor,
            anchor.size,
            microseconds(anchor.anchored_at),
            anchor.receipt,
        )

    def _opened_log(self, dealer: str) -> int:
        """Return the number of the dealer's log, opening one if there is none yet."""
        found = self._log(dealer)
        if found is not None:
            return found
        self._change("INSERT INTO logs (dealer, size) VALUES (?, 0)", dealer)
        return self._log(dealer) or 0


def _span(stretch: int) -> tuple[int, int]:
    return max(1, stretch << STRETCH_BITS), (stretch + 1 << STRETCH_BITS) - 1


def _checkpoint(row: Row | None) -> StoredCheckpoint | None:
    return None if row is None else StoredCheckpoint(row[0], _bytes(row[1]), row[2], moment(row[3]))


def _bytes(value: object) -> bytes:
    """Read bytes; what is none reads as empty, and will not verify."""
    return value if isinstance(value, bytes) else b""
