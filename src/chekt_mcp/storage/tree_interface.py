"""What every storage engine promises of a log's tree and of pruning. Part of `interface.Reader` and `interface.Writer`.

Leaves are counted from 0, entries from 1: leaf n is the hash of entry n + 1 (`domain.audit_leaf`). A dealer for which
nothing was ever logged has the empty tree. Leaves and tree hashes stay when entries are pruned.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from chekt_mcp.domain.audit import LoggedEntry, Query
from chekt_mcp.domain.log_block import LogBlock, LogSpan
from chekt_mcp.storage.records import LegalHold, PrunedRange, PrunePlan, StoredAnchor, StoredCheckpoint, TreeHead


class TreeLookups(Protocol):
    """What can be asked of a log as evidence. See `interface.Reader`."""

    async def tree_head(self, dealer: str) -> TreeHead:
        """Size and RFC 6962 root of the dealer's log at this moment."""
        ...

    async def subtree_hash(self, dealer: str, level: int, index: int) -> bytes | None:
        """The root of leaves `index * 2**level` up to `(index + 1) * 2**level`; None unless all of them are there."""
        ...

    async def leaf_hashes(self, dealer: str, first: int, count: int) -> bytes:
        """The hashes of leaves `first` to `first + count`, 32 bytes each, as stored; fewer where the log ends.

        Pruned entries' hashes are among them. A hash that is missing stands as 32 zero bytes.
        """
        ...

    async def logged_entries(self, dealer: str, after_seq: int, limit: int) -> Sequence[LoggedEntry]:
        """At most `limit` entries numbered above `after_seq`, in the order of writing; pruned ones are not there.

        Read from the file as it is now. Fields by which a search would not find the entry are `odd`.
        """
        ...

    async def misdrawn_stretches(self, dealer: str, after_seq: int, until_seq: int) -> Sequence[tuple[int, int]]:
        """First and last entries of stretches that searches may pass over, by what is kept of them, and should not.

        Of those that end above `after_seq` and not above `until_seq`.
        """
        ...

    async def stray_stretch(self, dealer: str) -> tuple[int, int] | None:
        """First and last entry of the stretch that is not complete, where something is kept of it, or of none."""
        ...

    async def log_span(self, query: Query) -> LogSpan:
        """Between which numbers the entries of a query lie; `before` counts for nothing here."""
        ...

    async def log_blocks(self, query: Query, first: int, last: int, at_once: int) -> Iterator[LogBlock]:
        """The entries of a query numbered `first` to `last`, in the order of writing, up to `at_once` in a block.

        They are read one after the other as they are asked for, in the work that got this and no later. What has been
        written never changes, so blocks read on several snapshots fit together, but for pruning.
        """
        ...

    async def pruned_ranges(self, dealer: str, after_seq: int, limit: int) -> Sequence[PrunedRange]:
        """At most `limit` ranges of removed entries that end above `after_seq`, in the order of their numbers."""
        ...

    async def prunable(self, dealer: str, before: datetime, limit: int) -> PrunePlan:
        """What `prune` with the same arguments removes, at this moment."""
        ...

    async def legal_hold(self, dealer: str) -> LegalHold | None:
        """The hold that stops pruning, if there is one."""
        ...

    async def checkpoint(self, dealer: str) -> StoredCheckpoint | None:
        """The checkpoint of the largest size."""
        ...

    async def checkpoint_at(self, dealer: str, size: int) -> StoredCheckpoint | None:
        """The checkpoint of exactly this size."""
        ...

    async def anchors(self, dealer: str) -> Sequence[StoredAnchor]:
        """The newest (largest) anchored checkpoint of every anchor, by the anchor's name."""
        ...


class TreeChanges(Protocol):
    """What can be changed around a log. See `interface.Writer`."""

    async def add_checkpoint(self, dealer: str, checkpoint: StoredCheckpoint) -> None:
        """Keep a checkpoint; the first of a size stays, and none is ever changed."""
        ...

    async def add_anchor(self, dealer: str, anchor: StoredAnchor) -> None:
        """Keep what an anchor answered; the first of a size and anchor stays."""
        ...

    async def prune(self, dealer: str, before: datetime, limit: int, prune_seq: int) -> PrunePlan:
        """Remove the oldest entries before `before`, in whole hours (UTC), and return what `prunable` said of it.

        Hours are taken until about `limit` entries are reached, one at least; an hour that `before` cuts stays.
        `prune_seq` numbers the entry, appended before in this very transaction, that tells of it. Entries that tell
        of prunes stay for good. Counts and summaries of those hours go along; leaves and tree hashes stay.

        Raises:
            Conflict: code `legal_hold`; nothing was removed.
            NotFound: there is no entry `prune_seq`.
        """
        ...

    async def set_legal_hold(self, dealer: str, hold: LegalHold | None) -> None:
        """Place, replace or (None) end the hold that stops pruning."""
        ...
