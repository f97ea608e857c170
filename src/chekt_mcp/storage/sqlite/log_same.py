"""Telling entries that the log has from those that it lacks: by request id, timestamp, action, actor and app."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chekt_mcp.domain.audit import NewEntry
from chekt_mcp.storage.sqlite.session import Row, Session
from chekt_mcp.storage.sqlite.values import microseconds, storable

ANY_BETWEEN = (
    "SELECT 1 FROM entries INDEXED BY entries_by_app WHERE log = ? AND app IS ? AND ts BETWEEN ? AND ? LIMIT 1"
)
SAME = (
    "SELECT 1 FROM entries INDEXED BY entries_by_app"
    " WHERE log = ? AND app IS ? AND ts = ? AND request_id = ? AND action = ? AND actor = ? LIMIT 1"
)


class LogSame(Session):
    """Looks at the log before a batch is appended, in the transaction that appends it."""

    def lacking(self, log: int, entries: Sequence[NewEntry]) -> Iterator[NewEntry]:
        """Yield the entries that one log lacks, each once.

        Nearly always a batch is of a time that the log has nothing of: then no entry is looked up by itself.
        """
        rows = [self._sameness(log, entry) for entry in entries]
        occupied = self._occupied(log, rows)
        taken = set[Row]()
        for entry, row in zip(entries, rows, strict=True):
            if row not in taken and not (row[1] in occupied and self._row(SAME, *row)):
                taken.add(row)
                yield entry

    def _occupied(self, log: int, rows: Sequence[Row]) -> set[int | None]:
        """Return the apps of which the log has anything between the first and the last of these rows."""
        moments: dict[int | None, list[int]] = {}
        for row in rows:
            moments.setdefault(row[1], []).append(row[2])
        return {app for app, of in moments.items() if self._row(ANY_BETWEEN, log, app, min(of), max(of))}

    def _sameness(self, log: int, entry: NewEntry) -> Row:
        """Return what makes two entries the same one, as the values of SAME."""
        name = self._names
        return (
            log,
            name.intern_optional(entry.app),
            microseconds(entry.timestamp),
            storable(entry.request_id),
            name.intern(entry.action),
            name.intern(entry.actor),
        )
