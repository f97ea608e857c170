"""Appending to the log: numbers, rows, tree, counts and summaries in the caller's one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

from chekt_mcp.domain.audit import Kind, NewEntry
from chekt_mcp.domain.merkle import Frontier
from chekt_mcp.storage.sqlite.log_batch import Batch, OpenLog
from chekt_mcp.storage.sqlite.log_pruning import PruningWriter
from chekt_mcp.storage.sqlite.log_rows import EntryRows
from chekt_mcp.storage.sqlite.log_same import LogSame
from chekt_mcp.storage.sqlite.log_tree import split
from chekt_mcp.storage.sqlite.log_upkeep import keep_summaries
from chekt_mcp.storage.sqlite.page_cache import PageCache

INSERT = f"INSERT INTO entries VALUES ({','.join('?' * 18)})"  # noqa: S608 -- places only
LOG = "SELECT log, size, peaks FROM logs WHERE dealer = ?"
GROW = "UPDATE logs SET size = ?, peaks = ? WHERE log = ?"
TILE = "INSERT INTO log_tiles (log, level, number, root, hashes) VALUES (?, ?, ?, ?, ?)"
COUNT = (
    "INSERT INTO entry_counts (log, app, entries) VALUES (?, ?, ?)"
    " ON CONFLICT (log, app) DO UPDATE SET entries = entries + excluded.entries"
)
TRAFFIC = (
    "INSERT INTO traffic (log, app, hour, source_ip, requests, last_ts) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (log, app, hour, source_ip) DO UPDATE SET"
    " requests = requests + excluded.requests, last_ts = max(last_ts, excluded.last_ts)"
)
KEY_USE = (
    "INSERT INTO key_use (log, key_id, hour, place, calls, first_ts, last_ts) VALUES (?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (log, key_id, hour, place) DO UPDATE SET calls = calls + excluded.calls,"
    " first_ts = min(first_ts, excluded.first_ts), last_ts = max(last_ts, excluded.last_ts)"
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
        self._pages.suit(len(entries))
        batch = Batch()
        numbers = [self._add(batch, entry) for entry in entries]
        self._store(batch)
        return numbers

    async def sum_up(self, dealer: str) -> None:
        """Bring the summaries of the dealer's log up to its last entry."""
        log, size = self._row("SELECT log, size FROM logs WHERE dealer = ?", dealer) or (0, 0)
        keep_summaries(self._connection, self._names.find, log, size, stretch=1)

    async def append_imported(self, entries: Sequence[NewEntry]) -> int:
        """Append those that the log lacks; return how many these were."""
        self._pages.suit(len(entries))
        batch = Batch()
        for dealer in dict.fromkeys(entry.dealer for entry in entries):
            of_dealer = [entry for entry in entries if entry.dealer == dealer]
            for entry in self.lacking(self._opened_log(dealer), of_dealer):
                self._add(batch, entry)
        self._store(batch)
        return len(batch.rows)

    def _add(self, batch: Batch, entry: NewEntry) -> int:
        """Number an entry and put its row into the batch."""
        log = batch.logs.get(entry.dealer) or self._open_log(batch, entry.dealer)
        seq = log.size + 1
        batch.rows.append(self._entry_rows.row(log.log, seq, entry))
        log.size = seq
        return seq

    def _open_log(self, batch: Batch, dealer: str) -> OpenLog:
        row = self._row(LOG, dealer)
        number, size, peaks = row or (self._opened_log(dealer), 0, b"")
        same = next((log for log in batch.logs.values() if log.log == number), None)  # one log by two spellings
        opened = batch.logs[dealer] = same or OpenLog(number, size, Frontier(size, split(peaks)))
        return opened

    def _store(self, batch: Batch) -> None:
        many = self._connection.executemany
        many(INSERT, batch.rows)
        self._grow(batch)
        many(COUNT, batch.entry_counts())
        many(KEY_USE, batch.key_use())
        many(TRAFFIC, batch.traffic(self._names.find(Kind.API_CALL.value)))
        for log in batch.logs.values():
            keep_summaries(self._connection, self._names.find, log.log, log.size)

    def _grow(self, batch: Batch) -> None:
        """Add the batch's leaves to the trees of their logs."""
        leaves = batch.leaves()
        for log in {log.log: log for log in batch.logs.values()}.values():
            added = leaves.get(log.log, [])
            for tile in self.grow(log.log, log.tree, added):
                self._change(TILE, *tile)
            self.draw_completed(log.log, log.size - len(added), log.size)
            self.print_completed(log.log, log.size - len(added), log.size)
            self._change(GROW, log.size, b"".join(log.tree.peaks), log.log)
