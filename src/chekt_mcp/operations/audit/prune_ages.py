"""Could what is recorded as pruned have been old enough: judged by what stood around it, for the rows are gone.

Our own entries were written in the order of time, so what stood between two young ones was young. Imported ones come in
any order; then the import must have had rows that old, which its last entry says. Without this, whoever can write the
database file could remove any entry and log a prune that tells of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chekt_mcp.domain.audit import Entry
from chekt_mcp.domain.timespan import parse_moment
from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.audit.import_run import FINISHED, FIRST_ROW, RESUMED, STARTED

DISORDER = timedelta(days=1)
"""How far entries may stand out of the order of time, and imports reach over the moment up to which a prune went."""

Gap = tuple[int, frozenset[str]]
"""The entry that tells of a prune, and the imports that were under way where something is gone by it."""


@dataclass(slots=True)
class PruneAges:
    """What a walk through the whole log, oldest number first, tells of the age of what is gone.

    `young`: for each gap, the latest moment of an entry of our own that stood right before it and was not ahead of
    what came behind, and the number of the first entry gone there.
    """

    young: dict[Gap, tuple[datetime, int]] = field(default_factory=dict)
    first_rows: dict[str, datetime | None] = field(default_factory=dict)
    _last: datetime | None = None
    _under_way: frozenset[str] = frozenset()
    _open: dict[Gap, int] = field(default_factory=dict)

    def gone(self, number: int, told_by: int) -> None:
        """Note an entry that was pruned."""
        if self._last is not None:
            self._open.setdefault((told_by, self._under_way), number)

    def there(self, entry: Entry) -> None:
        """Note an entry that is there, and is what was logged."""
        if entry.origin is not None:
            return
        if self._open:
            self._close_gaps(entry.timestamp)
        self._last = entry.timestamp
        if entry.action in {STARTED, RESUMED, FINISHED}:
            self._note_import(entry)

    def too_young(self, told_by: int, before: datetime) -> list[int]:
        """Return numbers of entries that a prune cannot have removed because they were from before that moment."""
        return [
            number
            for (prune, imports), (age, number) in self.young.items()
            if prune == told_by and age >= before + DISORDER and all(self._has_none(one, before) for one in imports)
        ]

    def _close_gaps(self, behind: datetime) -> None:
        for gap, number in self._open.items():
            known = self.young.get(gap)
            if self._last is not None and behind >= self._last - DISORDER and (known is None or self._last > known[0]):
                self.young[gap] = self._last, number
        self._open.clear()

    def _note_import(self, entry: Entry) -> None:
        one = frozenset([str(entry.details.get("import_id"))])
        if entry.action == FINISHED:
            self._under_way -= one
            self.first_rows[min(one)] = moment_said(entry, FIRST_ROW)
        else:
            self._under_way |= one

    def _has_none(self, import_id: str, before: datetime) -> bool:
        first = self.first_rows.get(import_id)
        return first is not None and first >= before


def moment_said(entry: Entry, name: str) -> datetime | None:
    """Return the moment that an entry's details have under a name; None where there is none."""
    try:
        return parse_moment(str(entry.details.get(name)), entry.timestamp, field=name)
    except InvalidInput:
        return None
