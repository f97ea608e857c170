"""Appending to the log: numbers, rows, tree, counts and summaries in the caller's one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

from chekt_mcp.domain.audit import NewEntry
from chekt_mcp.domain.merkle import Frontier
from chekt_mcp.storage.sqlite.log_batch import Batch, OpenLog
from chekt_mcp.storage.sqlite.log_pruning import PruningWriter
from chekt_mcp.storage.sqlite.log_rows import COLUMNS, EntryRows
from chekt_mcp.storage.sqlite.log_same import LogSame
from chekt_mcp.storage.sqlite.log_tree import split
from chekt_mcp.storage.sqlite.log_upkeep import STRETCH, keep_summaries
from chekt_mcp.storage.sqlite.page_cache import PageCache
from chekt_mcp.storage.sqlite.session import Row

INSERT = f"INSERT INTO entries ({COLUMNS}) VALUES ({','.join('?' * len(COLUMNS.split(',')))})"  # noqa: S608 -- places only
LOG = (
    "SELECT logs.log, size, peaks, coalesce(seq, 0) FROM logs LEFT JOIN log_summed ON log_summed.log = logs.log"
    " WHERE dealer = ?"
)
GROW = "UPDATE logs SET size = ?, peaks = ? WHERE log = ?"
TILE = "INSERT INTO log_tiles (log, level, number, root, hashes) VALUES (?, ?, ?, ?, ?)"
COUNT = (
    "INSERT INTO entry_counts (log, app, entries) VALUES (?, ?, ?)"
    " ON CONFLICT (log, app) DO UPDATE SET entries = entries + excluded.entries"
)


class LogWriter(PruningWriter, LogSame):
    """Changes, see `storage.interface.Writer`."""

    def __init__(self, connection: sqlite3.Connection, random: Callable[[int], bytes]) -> None:
        super().__init__(connection)
        self._entry_rows = EntryRows(self._names, self._addresses, random)
        self._pages = PageCache(connection)

    def forget(self) -> None:
        """Drop what was learned in a transaction that was rolled back."""
        super().forget()
        self._entry_rows.forget()

    async def append(self, entries: Sequence[NewEntry]) -> Sequence[int]:
        """Append to each entry's dealer's log; return the numbers given, in the order of `entries`."""
        return self._append(entries).numbers

    async def sum_up(self, dealer: str) -> None:
        """Bring the summaries of the dealer's log up to its last entry."""
        row = self._row(LOG, dealer)
        if row is not None and row[1] > row[3]:
            keep_summaries(self._connection, self._names.find, row[0], (row[3], row[1]))

    async def append_imported(self, entries: Sequence[NewEntry]) -> int:
        """Append those that the log lacks; return how many these were."""
        lacking: list[NewEntry] = []
        for dealer in dict.fromkeys(entry.dealer for entry in entries):
            of_dealer = [entry for entry in entries if entry.dealer == dealer]
            lacking += self.lacking(self._opened_log(dealer), of_dealer)
        return len(self._append(lacking).numbers)

    def _append(self, entries: Sequence[NewEntry]) -> Batch:
        self._pages.suit(len(entries))
        batch, many = Batch(), self._connection.executemany
        # All rows are made before any is written: an entry that cannot be one must not leave half a batch behind.
        many(INSERT, [self._row_of(batch, entry) for entry in entries])
        for log in batch.opened():
            self._grow(log)
            many(COUNT, log.entry_counts())
            if log.size - log.summed >= STRETCH:
                keep_summaries(self._connection, self._names.find, log.log, (log.summed, log.size))
        return batch

    def _row_of(self, batch: Batch, entry: NewEntry) -> Row:
        """Number an entry, and make its row."""
        log = batch.logs.get(entry.dealer) or self._open_log(batch, entry.dealer)
        log.size += 1
        row = self._entry_rows.row(log.log, log.size, entry)
        log.add(row)
        batch.numbers.append(log.size)
        return row

    def _open_log(self, batch: Batch, dealer: str) -> OpenLog:
        row = self._row(LOG, dealer)
        number, size, peaks, summed = row or (self._opened_log(dealer), 0, b"", 0)
        same = next((log for log in batch.logs.values() if log.log == number), None)  # one log by two spellings
        opened = batch.logs[dealer] = same or OpenLog(number, size, Frontier(size, split(peaks)), summed)
        return opened

    def _grow(self, log: OpenLog) -> None:
        """Add the batch's leaves to the tree of their log."""
        before = log.tree.size
        for tile in self.grow(log.log, log.tree, log.leaves):
            self._change(TILE, *tile)
        self.draw_completed(log.log, before, log.size)
        self.print_completed(log.log, before, log.size)
        self._change(GROW, log.size, b"".join(log.tree.peaks), log.log)
