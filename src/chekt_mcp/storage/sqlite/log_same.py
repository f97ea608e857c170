"""Telling entries that the log has from those that it lacks: by request id, timestamp, action, actor and app."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chekt_mcp.domain.audit import NewEntry
from chekt_mcp.storage.sqlite.session import Row, Session
from chekt_mcp.storage.sqlite.values import microseconds, storable

ANY_BETWEEN = (
    "SELECT 1 FROM entries INDEXED BY entries_by_app WHERE log = ? AND app IS ? AND ts BETWEEN ? AND ? LIMIT 1"
)
AT = (
    "SELECT log, app, ts, request_id, action, actor FROM entries INDEXED BY entries_by_app"
    " WHERE log = ? AND app IS ? AND ts = ?"
)


class LogSame(Session):
    """Looks at the log before a batch is appended, in the transaction that appends it."""

    def lacking(self, log: int, entries: Sequence[NewEntry]) -> Iterator[NewEntry]:
        """Yield the entries that one log lacks, each once.

        Nearly always a batch is of a time that the log has nothing of: then no entry is looked up by itself.
        """
        rows = [self._sameness(log, entry) for entry in entries]
        taken = self._known(log, rows)
        for entry, row in zip(entries, rows, strict=True):
            if row not in taken:
                taken.add(row)
                yield entry

    def _known(self, log: int, rows: Sequence[Row]) -> set[Row]:
        """Return those of these rows that the log has; each moment is looked at once, however many rows it has."""
        occupied, wanted, known = self._occupied(log, rows), set(rows), set[Row]()
        for app, ts in dict.fromkeys(row[1:3] for row in rows):
            if app in occupied:
                known.update(row for row in self._run(AT, log, app, ts) if row in wanted)
        return known

    def _occupied(self, log: int, rows: Sequence[Row]) -> set[int | None]:
        """Return the apps of which the log has anything between the first and the last of these rows."""
        moments: dict[int | None, list[int]] = {}
        for row in rows:
            moments.setdefault(row[1], []).append(row[2])
        return {app for app, of in moments.items() if self._row(ANY_BETWEEN, log, app, min(of), max(of))}

    def _sameness(self, log: int, entry: NewEntry) -> Row:
        """Return what makes two entries the same one, as AT reads it."""
        name = self._names
        return (
            log,
            name.intern_optional(entry.app),
            microseconds(entry.timestamp),
            storable(entry.request_id),
            name.intern(entry.action),
            name.intern(entry.actor),
        )
