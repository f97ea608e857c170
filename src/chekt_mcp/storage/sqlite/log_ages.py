"""How old a log's entries are, by app."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chekt_mcp.domain.timespan import parse_moment
from chekt_mcp.errors import InvalidInput
from chekt_mcp.storage.records import AgedEntries
from chekt_mcp.storage.sqlite.session import Session
from chekt_mcp.storage.sqlite.values import json_object, microseconds, moment

APPS = "SELECT DISTINCT app FROM entry_counts WHERE log = ?"
AGED = (
    "SELECT count(*), min(ts), max(ts) FROM entries INDEXED BY entries_by_app WHERE log = ?1 AND app IS ?2 AND ts < ?3"
    " AND id NOT IN (SELECT (log << 40) + prune_seq FROM pruned WHERE log = ?1)"
)
TOLD = (
    "SELECT details, ts FROM logs JOIN entries"
    " ON id = (logs.log << 40) + (SELECT max(prune_seq) FROM pruned WHERE log = logs.log) WHERE dealer = ?"
)


class LogAges(Session):
    """Lookups, see `storage.retention_interface.RetentionLookups`."""

    async def aged_entries(self, dealer: str, before: datetime) -> Sequence[AgedEntries]:
        """Count the entries before a moment; those that tell of prunes stay, and are not among them."""
        (log,) = self._row("SELECT log FROM logs WHERE dealer = ?", dealer) or (0,)
        found = [self._of_app(log, app or None, before) for (app,) in self._rows(APPS, log)]
        return sorted((one for one in found if one.entries), key=lambda one: (one.app is not None, one.app or ""))

    async def pruned_before(self, dealer: str) -> datetime | None:
        """Return up to where any prune went, as the entry says that tells of the newest."""
        row = self._row(TOLD, dealer)
        if row is None:
            return None
        told = json_object(row[0]).get("up_to")
        try:
            return parse_moment(str(told), moment(row[1]), field="up_to")
        except InvalidInput:
            return moment(row[1])  # not ours to read: it was written when the prune was made, so no entry is older

    def _of_app(self, log: int, app: int | None, before: datetime) -> AgedEntries:
        entries, oldest, newest = self._row(AGED, log, app, microseconds(before)) or (0, None, None)
        return AgedEntries(self._names.text(app), entries, moment(oldest or 0), moment(newest or 0))
