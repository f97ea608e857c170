"""Removing what is too old: whole hours of one log, oldest first, by the one way that the database leaves open.

What goes is recorded first, as ranges of numbers tied to the entry that tells of the prune; the triggers let entries
within such a range go and no others, and neither while a legal hold stands. Leaves and tree hashes stay.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import datetime
from itertools import islice

from chekt_mcp.errors import Conflict, NotFound
from chekt_mcp.storage.records import LegalHold, PrunePlan
from chekt_mcp.storage.sqlite.log_entries import SEQ_MASK
from chekt_mcp.storage.sqlite.log_evidence import EvidenceWriter, LogEvidence
from chekt_mcp.storage.sqlite.log_reader import HOUR, NO_APP, SEQ_BITS
from chekt_mcp.storage.sqlite.log_stretches import StretchWriter
from chekt_mcp.storage.sqlite.log_tree import TILE
from chekt_mcp.storage.sqlite.log_upkeep import forget_summaries
from chekt_mcp.storage.sqlite.request_prints import PrintWriter
from chekt_mcp.storage.sqlite.values import microseconds, moment

OLD = (
    "SELECT {} FROM entries INDEXED BY entries_by_app WHERE log = ?1 AND app IS ?2 AND ts < ?3"
    " AND id NOT IN (SELECT (log << 40) + prune_seq FROM pruned WHERE log = ?1)"
)
OLDEST = OLD.format("ts") + " ORDER BY ts LIMIT ?4"
IDS = OLD.format("id")
KEEP_LEAF = "INSERT INTO pruned_leaves SELECT id, leaf FROM entries WHERE id = ?"
HOLD = "SELECT reason, placed_by, placed_at FROM legal_holds WHERE log = ?"
PLACE_HOLD = "INSERT OR REPLACE INTO legal_holds (log, reason, placed_by, placed_at) VALUES (?, ?, ?, ?)"


class LogPruning(LogEvidence):
    """Lookups, see `storage.tree_interface.TreeLookups`."""

    async def legal_hold(self, dealer: str) -> LegalHold | None:
        """Return the hold on the dealer's log."""
        row = self._row(HOLD, self._log(dealer))
        return None if row is None else LegalHold(row[0], row[1], moment(row[2]))

    async def prunable(self, dealer: str, before: datetime, limit: int) -> PrunePlan:
        """Return what `prune` removes."""
        log = self._log(dealer) or 0
        cut, remaining = self._cut(log, microseconds(before) // HOUR * HOUR, limit)
        ids = sorted(number for app in self._apps(log) for (number,) in self._rows(IDS, log, app, cut))
        return PrunePlan(moment(cut), len(ids), tuple(ranges([number & SEQ_MASK for number in ids])), remaining)

    def _cut(self, log: int, end: int, limit: int) -> tuple[int, bool]:
        """Return up to where `limit` entries go, in whole hours and at least one, and whether more is left."""
        with ExitStack() as stack:
            walks = [
                stack.enter_context(closing(self._run(OLDEST, log, app, end, limit + 1))) for app in self._apps(log)
            ]
            oldest = [ts for (ts,) in islice(heapq.merge(*walks), limit + 1)]
        if len(oldest) <= limit:
            return end, False
        first, last = oldest[0] // HOUR, oldest[-1] // HOUR
        cut = max(last, first + 1) * HOUR
        return cut, cut < end

    def _apps(self, log: int) -> list[int | None]:
        return [app or None for (app,) in self._rows("SELECT app FROM entry_counts WHERE log = ?", log)]


class PruningWriter(LogPruning, EvidenceWriter, StretchWriter, PrintWriter):
    """Changes, see `storage.tree_interface.TreeChanges`."""

    async def set_legal_hold(self, dealer: str, hold: LegalHold | None) -> None:
        """Place, replace or end the hold."""
        log = self._opened_log(dealer)
        if hold is None:
            self._change("DELETE FROM legal_holds WHERE log = ?", log)
        else:
            self._change(PLACE_HOLD, log, hold.reason, hold.placed_by, microseconds(hold.placed_at))

    async def prune(self, dealer: str, before: datetime, limit: int, prune_seq: int) -> PrunePlan:
        """Remove the oldest whole hours before a moment."""
        if await self.legal_hold(dealer) is not None:
            raise Conflict("A legal hold is on this log: nothing of it may be pruned.", code="legal_hold")
        log = self._log(dealer) or 0
        told = self._row("SELECT ts FROM entries WHERE id = ?", (log << SEQ_BITS) + prune_seq)
        if told is None:
            raise NotFound("There is no entry that tells of this prune.")
        plan = await self.prunable(dealer, min(before, moment(told[0])), limit)
        for first, last in plan.ranges:
            self._change("INSERT INTO pruned VALUES (?, ?, ?, ?)", log, first, last, prune_seq)
        self._remove(log, plan)
        return plan

    def _remove(self, log: int, plan: PrunePlan) -> None:
        cut, base, many = microseconds(plan.before), log << SEQ_BITS, self._connection.executemany
        size = self.frontier(log).size
        numbers = [seq for first, last in plan.ranges for seq in range(first, last + 1)]
        many(KEEP_LEAF, [(base + seq,) for seq in numbers if seq > size - size % TILE])
        counts = {app: len(self._rows(IDS, log, app, cut)) for app in self._apps(log)}
        many(
            "UPDATE entry_counts SET entries = entries - ? WHERE log = ? AND app = ?",
            [(count, log, app or NO_APP) for app, count in counts.items()],
        )
        many("DELETE FROM entries WHERE id = ?", [(base + seq,) for seq in numbers])
        self._change("DELETE FROM entry_counts WHERE log = ? AND entries <= 0", log)
        forget_summaries(self._connection, log, cut // HOUR)
        self.draw_pruned(log, cut)
        self.print_pruned(log, size, plan.ranges)


def ranges(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Return ascending numbers as ranges of consecutive ones, both ends inside."""
    begin = last = None
    for number in numbers:
        if begin is None or last is None or number != last + 1:
            if begin is not None and last is not None:
                yield begin, last
            begin = number
        last = number
    if begin is not None and last is not None:
        yield begin, last
