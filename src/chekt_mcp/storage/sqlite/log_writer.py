"""Appending to the log: numbers, rows, counts and summaries in the caller's one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from chekt_mcp.domain.audit import Kind, NewEntry
from chekt_mcp.storage.sqlite.log_reader import HOUR, NO_APP, SEQ_BITS, place_of
from chekt_mcp.storage.sqlite.log_search import LogSearch
from chekt_mcp.storage.sqlite.session import Row
from chekt_mcp.storage.sqlite.values import json_text, microseconds, storable

OPEN_LOG = "INSERT INTO logs (dealer, size) VALUES (?, 0) ON CONFLICT DO NOTHING"
INSERT = f"INSERT INTO entries VALUES ({','.join('?' * 15)})"  # noqa: S608 -- places only
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
SAME = (
    "SELECT 1 FROM entries INDEXED BY entries_by_request"
    " WHERE log = ? AND request_id = ? AND ts = ? AND action = ? AND actor = ? AND app IS ? LIMIT 1"
)


@dataclass(slots=True)
class Batch:
    """Rows on their way into the log, and what they add to its counts."""

    rows: list[Row] = field(default_factory=list)
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    entries: Counter[tuple[int, int]] = field(default_factory=Counter)
    requests: Counter[tuple[int, int, int, int]] = field(default_factory=Counter)
    last: dict[tuple[int, int, int, int], int] = field(default_factory=dict)
    uses: dict[tuple[int, int, int, int], tuple[int, int, int]] = field(default_factory=dict)

    def count_use(self, place: tuple[int, int, int, int], ts: int) -> None:
        """Count one more use of a key (log, key, hour, source), and keep its first and last."""
        calls, first, last = self.uses.get(place, (0, ts, ts))
        self.uses[place] = (calls + 1, min(first, ts), max(last, ts))


class LogWriter(LogSearch):
    """Changes, see `storage.interface.Writer`."""

    async def append(self, entries: Sequence[NewEntry]) -> Sequence[int]:
        """Append to each entry's dealer's log; return the numbers given, in the order of `entries`."""
        batch = Batch()
        numbers = [self._add(batch, entry) for entry in entries]
        self._store(batch)
        return numbers

    async def append_imported(self, entries: Sequence[NewEntry]) -> int:
        """Append those that the log lacks; return how many these were."""
        batch, taken = Batch(), set[Row]()
        for entry in entries:
            same = self._sameness(entry)
            if same not in taken and self._row(SAME, *same) is None:
                taken.add(same)
                self._add(batch, entry)
        self._store(batch)
        return len(batch.rows)

    def _sameness(self, entry: NewEntry) -> Row:
        """Return what makes two entries the same one, as the values of SAME."""
        name = self._names
        return (
            self._log_size(entry.dealer)[0],
            storable(entry.request_id),
            microseconds(entry.timestamp),
            name.intern(entry.action),
            name.intern(entry.actor),
            name.intern_optional(entry.app),
        )

    def _add(self, batch: Batch, entry: NewEntry) -> int:
        """Number an entry and put its row and its share of the counts into the batch."""
        log, size = batch.sizes.get(entry.dealer) or self._log_size(entry.dealer)
        batch.sizes[entry.dealer] = (log, size + 1)
        row = self._columns(log, size + 1, entry)
        _, _, ts, app, *_ = row
        address = row[11]
        batch.rows.append(row)
        batch.entries[log, app or NO_APP] += 1
        if entry.kind is Kind.API_CALL and app is not None and address is not None:
            place = (log, app, ts // HOUR, address)
            batch.requests[place] += 1
            batch.last[place] = max(ts, batch.last.get(place, ts))
        if (key := row[12]) is not None:
            batch.count_use((log, key, ts // HOUR, place_of(address, row[10])), ts)
        return size + 1

    def _columns(self, log: int, seq: int, entry: NewEntry) -> Row:
        """Return the columns of `entries`, in the table's order."""
        name = self._names
        return (
            (log << SEQ_BITS) + seq,
            log,
            microseconds(entry.timestamp),
            name.intern_optional(entry.app),
            name.intern(entry.actor),
            name.intern(entry.kind.value),
            name.intern(entry.action),
            name.intern_optional(entry.scope),
            name.intern(entry.result.value),
            storable(entry.request_id),
            name.intern_optional(entry.source),
            self._addresses.intern_optional(entry.source_ip),
            name.intern_optional(entry.key_id),
            name.intern_optional(entry.origin),
            json_text(entry.details) if entry.details else None,
        )

    def _store(self, batch: Batch) -> None:
        many = self._connection.executemany
        many(INSERT, batch.rows)
        many("UPDATE logs SET size = ? WHERE log = ?", [(size, log) for log, size in batch.sizes.values()])
        many(COUNT, [(*place, count) for place, count in batch.entries.items()])
        many(KEY_USE, [(*place, *use) for place, use in batch.uses.items()])
        many(TRAFFIC, [(*place, count, batch.last[place]) for place, count in batch.requests.items()])

    def _log_size(self, dealer: str) -> tuple[int, int]:
        """Return number and size of the dealer's log, opening one at its first entry."""
        find = "SELECT log, size FROM logs WHERE dealer = ?"
        row = self._row(find, dealer)
        if row is None:
            self._change(OPEN_LOG, dealer)
            row = self._row(find, dealer)
        return (0, 0) if row is None else (row[0], row[1])
