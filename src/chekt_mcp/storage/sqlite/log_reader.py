"""What the log tells without a search: its extent, who used a key, and where traffic comes from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network

from chekt_mcp.domain.audit import AddressUse, KeyUse, Kind, LogExtent, Result, Traffic
from chekt_mcp.storage.sqlite.log_query import ranges
from chekt_mcp.storage.sqlite.session import Session
from chekt_mcp.storage.sqlite.values import microseconds, moment, optional_moment

SEQ_BITS = 40
"""An entry's id is its log's number, then this many bits of its own."""

HOUR = 3_600_000_000
NO_APP = 0
"""Stands for "no app" where a key column may not be NULL."""

UNKNOWN_SOURCE = "unknown"
BROKEN_HOUR = (
    "SELECT coalesce(source_ip * 2, source * 2 + 1, 0) AS place, count(*) AS calls, min(ts) AS first, max(ts) AS last"
    " FROM entries INDEXED BY entries_by_key WHERE log = ?1 AND key_id = ?2 AND ts >= ?3 AND ts < ?4 GROUP BY 1"
)
WHOLE_HOURS = (
    "SELECT place, calls, first_ts AS first, last_ts AS last FROM key_use WHERE log = ?1 AND key_id = ?2 AND hour >= ?5"
)
KEY_USES = (
    f"SELECT place, sum(calls), min(first), max(last) FROM ({BROKEN_HOUR} UNION ALL {WHOLE_HOURS})"  # noqa: S608 -- ours
    " GROUP BY place ORDER BY 4 DESC"
)


def place_of(address: int | None, source: int | None) -> int:
    """Return one number for where a call came from: an address, else a named source, else 0 for unknown."""
    if address is not None:
        return address * 2
    return 0 if source is None else source * 2 + 1


TRAFFIC = (
    "SELECT text, requests, last_ts, days FROM"
    " (SELECT source_ip, sum(requests) AS requests, max(last_ts) AS last_ts, count(DISTINCT hour / 24) AS days"
    " FROM traffic NOT INDEXED WHERE log = ? AND app = ? AND hour >= ? GROUP BY source_ip HAVING days >= ?)"
    " LEFT JOIN addresses ON addresses.id = source_ip ORDER BY requests DESC, last_ts DESC"
)
LAST_REQUEST = (
    "SELECT max((SELECT last_ts FROM traffic INDEXED BY traffic_by_address"
    " WHERE log = ? AND app = ? AND source_ip = addresses.id AND hour >= ? ORDER BY hour DESC LIMIT 1))"
    " FROM addresses INDEXED BY addresses_by_ip WHERE ip BETWEEN ? AND ?"
)
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
        ends = [self._ends(log, None if app == NO_APP else app) for app, _ in counts]
        oldest, newest = min((end[0] for end in ends), default=None), max((end[1] for end in ends), default=None)
        return LogExtent(optional_moment(oldest), optional_moment(newest), sum(entries for _, entries in counts))

    async def key_uses(self, dealer: str, key_id: str, since: datetime) -> Sequence[KeyUse]:
        """Return who used a key since then, latest first: whole hours as counted, the broken first one from entries."""
        start = microseconds(since)
        whole = -(-start // HOUR)
        rows = self._rows(
            KEY_USES,
            self._log(dealer),
            self._names.find(key_id),
            start,
            whole * HOUR,
            whole,
        )
        return [KeyUse(self._place(place), calls, moment(first), moment(last)) for place, calls, first, last in rows]

    async def last_use(self, dealer: str, key_id: str) -> datetime | None:
        """Return when a key was used last."""
        row = self._row(
            "SELECT max(ts) FROM entries INDEXED BY entries_by_key WHERE log = ? AND key_id = ?",
            self._log(dealer),
            self._names.find(key_id),
        )
        return None if row is None else optional_moment(row[0])

    async def traffic(self, dealer: str, app: str, since: datetime, days: int = 1) -> Sequence[Traffic]:
        """Return requests per source address since then (whole hours), most first."""
        hour = microseconds(since) // HOUR
        rows = self._run(TRAFFIC, self._log(dealer), self._names.find(app), hour, days)
        return [Traffic(address or "", requests, moment(last), on_days) for address, requests, last, on_days in rows]

    async def last_request(
        self, dealer: str, app: str, network: IPv4Network | IPv6Network, since: datetime
    ) -> datetime | None:
        """Return when the app was last called from a network since then (whole hours)."""
        log, name, hour = self._log(dealer), self._names.find(app), microseconds(since) // HOUR
        rows = [self._row(LAST_REQUEST, log, name, hour, *span) for span in ranges(network)]
        return max((moment(row[0]) for row in rows if row is not None and row[0] is not None), default=None)

    async def traffic_hours(self, dealer: str, app: str, since: datetime) -> Sequence[datetime]:
        """Return the hours in which the app was called at all, oldest first."""
        rows = self._rows(
            "SELECT DISTINCT hour FROM traffic WHERE log = ? AND app = ? AND hour >= ? ORDER BY hour",
            self._log(dealer),
            self._names.find(app),
            microseconds(since) // HOUR,
        )
        return [moment(hour * HOUR) for (hour,) in rows]

    async def traffic_extent(self, dealer: str, app: str) -> tuple[datetime, datetime] | None:
        """Return the first hour with any traffic, and the moment of the newest request."""
        of_app = "FROM traffic WHERE log = ?1 AND app = ?2"
        row = self._row(
            f"SELECT (SELECT min(hour) {of_app}), max(last_ts) {of_app} AND hour = (SELECT max(hour) {of_app})",
            self._log(dealer),
            self._names.find(app),
        )
        return None if row is None or row[0] is None else (moment(row[0] * HOUR), moment(row[1]))

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

    def _ends(self, log: int, app: int | None) -> tuple[int, int]:
        end = "SELECT {}(ts) FROM entries INDEXED BY entries_by_app WHERE log = ?1 AND app IS ?2"
        row = self._row(f"SELECT ({end.format('min')}), ({end.format('max')})", log, app)
        return (0, 0) if row is None else (row[0], row[1])

    def _place(self, place: int) -> str:
        """Reverse `place_of`, to a text."""
        number, named = divmod(place, 2)
        text = self._names.text(number) if named else self._addresses.text(number or None)
        return text or UNKNOWN_SOURCE
