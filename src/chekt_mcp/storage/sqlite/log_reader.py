"""What the log tells without a search: its extent, when a key was used last, and what an address was used for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chekt_mcp.domain.audit import AddressUse, Kind, LogExtent, Result
from chekt_mcp.storage.sqlite.session import Session
from chekt_mcp.storage.sqlite.values import microseconds, optional_moment

SEQ_BITS = 40
"""An entry's id is its log's number, then this many bits of its own."""

HOUR = 3_600_000_000
NO_APP = 0
"""Stands for "no app" where a key column may not be NULL."""

ADDRESS_USE = (
    "SELECT actor, count(*), sum(result = ?) FROM"
    " (SELECT app, kind, actor, result FROM entries INDEXED BY entries_by_address"
    " WHERE log = ? AND source_ip = ? AND ts >= ? ORDER BY ts DESC LIMIT ?)"
    " WHERE app = ? AND kind = ? GROUP BY actor ORDER BY 2 DESC"
)


class LogReader(Session):
    """Lookups, see `storage.interface.Reader`."""

    async def log_extent(
        self, dealer: str, apps: Sequence[str] | None = None, *, dealer_wide: bool = False
    ) -> LogExtent:
        """Return oldest, newest and number of entries, from an index and a count kept per app."""
        log = self._log(dealer)
        if log is None:
            return LogExtent(None, None, 0)
        counts = self._rows("SELECT app, entries FROM entry_counts WHERE log = ?", log)
        if apps is not None:
            wanted = self._numbers(apps) | ({NO_APP} if dealer_wide else set())
            counts = [row for row in counts if row[0] in wanted]
        ends = [end for app, _ in counts for end in self._ends(log, None if app == NO_APP else app) if end is not None]
        oldest, newest = min(ends, default=None), max(ends, default=None)
        return LogExtent(optional_moment(oldest), optional_moment(newest), sum(entries for _, entries in counts))

    async def last_use(self, dealer: str, key_id: str) -> datetime | None:
        """Return when a key was used last."""
        row = self._row(
            "SELECT max(ts) FROM entries INDEXED BY entries_by_key WHERE log = ? AND key_id = ?",
            self._log(dealer),
            self._names.find(key_id),
        )
        return None if row is None else optional_moment(row[0])

    async def address_use(self, dealer: str, app: str, source_ip: str, since: datetime, limit: int) -> AddressUse:
        """Return who called an app from an address, and how often it was served, by the newest entries from there."""
        rows = self._rows(
            ADDRESS_USE,
            self._names.find(Result.OK.value),
            self._log(dealer),
            self._addresses.find(source_ip),
            microseconds(since),
            limit,
            self._names.find(app),
            self._names.find(Kind.API_CALL.value),
        )
        return AddressUse(
            tuple(self._names.text(actor) or "" for actor, _, _ in rows), sum(served or 0 for *_, served in rows)
        )

    def _log(self, dealer: str) -> int | None:
        """Return the number of the dealer's log; None when nothing was ever logged for it."""
        row = self._row("SELECT log FROM logs WHERE dealer = ?", dealer)
        return None if row is None else row[0]

    def _numbers(self, texts: Sequence[str]) -> frozenset[int]:
        return frozenset(number for text in texts if (number := self._names.find(text)) is not None)

    def _ends(self, log: int, app: int | None) -> tuple[int | None, ...]:
        """Return the oldest and the newest moment; None where somebody has counted entries that are not there."""
        end = "SELECT {}(ts) FROM entries INDEXED BY entries_by_app WHERE log = ?1 AND app IS ?2"
        row = self._row(f"SELECT ({end.format('min')}), ({end.format('max')})", log, app)
        return row or ()
