"""Who used a key, and where calls came from: hours as they are summed up, and after them the entries that are not yet.

Both are of one snapshot, so every entry counts once. The rest is some thousands at most (`log_upkeep`), which lie
together in the table: looking through them takes a third of a millisecond.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from chekt_mcp.domain.audit import KeyUse, Kind, Network, Traffic
from chekt_mcp.storage.sqlite.log_cut import HOUR_OF, PLACE
from chekt_mcp.storage.sqlite.log_query import ranges
from chekt_mcp.storage.sqlite.log_reader import HOUR, SEQ_BITS, LogReader
from chekt_mcp.storage.sqlite.log_upkeep import SUMMED
from chekt_mcp.storage.sqlite.session import Row
from chekt_mcp.storage.sqlite.values import microseconds, moment

UNKNOWN_SOURCE = "unknown"
BROKEN_HOUR = (
    f"SELECT {PLACE} AS place, count(*) AS calls, min(ts) AS first, max(ts) AS last"  # noqa: S608 -- ours
    " FROM entries INDEXED BY entries_by_key WHERE log = ?1 AND key_id = ?2 AND ts >= ?3 AND ts < ?4 GROUP BY 1"
)
WHOLE_HOURS = (
    "SELECT place, calls, first_ts AS first, last_ts AS last FROM key_use WHERE log = ?1 AND key_id = ?2 AND hour >= ?5"
)
KEY_REST = (
    f"SELECT {PLACE}, 1, ts, ts FROM entries NOT INDEXED WHERE id BETWEEN ?6 AND ?7"  # noqa: S608 -- ours
    " AND key_id = ?2 AND ts >= ?4"
)
KEY_USES = (
    f"SELECT place, sum(calls), min(first), max(last) FROM ({BROKEN_HOUR} UNION ALL {WHOLE_HOURS} UNION ALL {KEY_REST})"  # noqa: S608 -- ours
    " GROUP BY place ORDER BY 4 DESC"
)

IS_ADDRESS = "place > 0 AND place % 2 = 0"
REST = (
    "FROM entries NOT INDEXED WHERE id BETWEEN ?4 AND ?5 AND app = ?2 AND kind = ?3 AND source_ip IS NOT NULL"
    f" AND ts >= ?6 * {HOUR}"
)
"""The calls of an app that are not summed up, since an hour. Its values are those of `_Asked`."""

TRAFFIC = (
    "SELECT text, requests, max(coalesce(last_ts, rest), coalesce(rest, last_ts)), days FROM"  # noqa: S608 -- ours
    " (SELECT place / 2 AS called_from, sum(calls) AS requests, count(DISTINCT day) AS days FROM"
    " (SELECT place, calls, hour / 24 AS day FROM log_sources WHERE log = ?1 AND app = ?2 AND hour >= ?6 AND kind = ?3"
    f" UNION ALL SELECT source_ip * 2, 1, ({HOUR_OF}) / 24 {REST}) GROUP BY place HAVING days >= ?7 AND {IS_ADDRESS})"
    f" LEFT JOIN (SELECT source_ip AS called_again, max(ts) AS rest {REST} GROUP BY 1) ON called_again = called_from"
    " LEFT JOIN last_requests ON log = ?1 AND app = ?2 AND source_ip = called_from"
    " LEFT JOIN addresses ON addresses.id = called_from ORDER BY 2 DESC, 3 DESC"
)
CALLED = (
    "FROM log_hours AS h WHERE log = ?1 AND app = ?2 AND kind = ?3 AND hour >= ?6"  # noqa: S608 -- ours
    " AND EXISTS (SELECT 1 FROM log_sources AS s WHERE s.log = h.log AND s.app = h.app AND s.hour = h.hour"
    f" AND s.kind = h.kind AND {IS_ADDRESS})"
)
HOURS = f"SELECT hour {CALLED} UNION SELECT {HOUR_OF} {REST} ORDER BY 1"
SUMMED_EXTENT = (
    f"SELECT (SELECT hour {CALLED} ORDER BY hour LIMIT 1), max(last_ts) FROM log_sources AS newest"  # noqa: S608 -- ours
    " JOIN last_requests AS l ON l.log = newest.log AND l.app = newest.app AND l.source_ip = place / 2"
    f" WHERE newest.log = ?1 AND newest.app = ?2 AND kind = ?3 AND {IS_ADDRESS}"
    f" AND hour = (SELECT hour {CALLED} ORDER BY hour DESC LIMIT 1)"
)
REST_EXTENT = f"SELECT min({HOUR_OF}), max(ts) {REST}"
LAST_SUMMED = (
    "SELECT max(last_ts) FROM addresses INDEXED BY addresses_by_ip CROSS JOIN last_requests"
    " ON source_ip = addresses.id AND log = ? AND app = ? WHERE ip BETWEEN ? AND ?"
)
LAST_OF_REST = (
    f"SELECT ip, max(ts) FROM (SELECT source_ip, ts {REST}) JOIN addresses ON addresses.id = source_ip"  # noqa: S608 -- ours
    " WHERE ip IS NOT NULL GROUP BY 1 ORDER BY 1"
)
FIRST_HOUR = -(1 << 25)
"""Earlier than any moment that an entry may have."""


class _Asked(NamedTuple):
    """An app's calls, and the ids between which the entries lie that are not summed up."""

    log: int | None
    app: int | None
    kind: int | None
    first: int
    last: int
    hour: int


class LogUses(LogReader):
    """Lookups, see `storage.interface.Reader`."""

    async def key_uses(self, dealer: str, key_id: str, since: datetime) -> Sequence[KeyUse]:
        """Return who used a key since then, latest first: only the broken first hour is read from an index."""
        start, log = microseconds(since), self._log(dealer)
        whole = -(-start // HOUR)
        rows = self._rows(KEY_USES, log, self._names.find(key_id), start, whole * HOUR, whole, *self._unsummed(log))
        return [KeyUse(self._place(place), calls, moment(first), moment(last)) for place, calls, first, last in rows]

    async def traffic(self, dealer: str, app: str, since: datetime, days: int = 1) -> Sequence[Traffic]:
        """Return requests per source address since then (whole hours), most first."""
        rows = self._run(TRAFFIC, *self._asked(dealer, app, since), days)
        return [Traffic(address or "", requests, moment(last), on_days) for address, requests, last, on_days in rows]

    async def last_requests(
        self, dealer: str, app: str, networks: Sequence[Network], since: datetime
    ) -> Sequence[datetime | None]:
        """Return when the app was last called from each of these networks since then (whole hours)."""
        asked = self._asked(dealer, app, since)
        rest = self._rows(LAST_OF_REST, *asked)
        return [self._last_request(asked, rest, network) for network in networks]

    def _last_request(self, asked: _Asked, rest: Sequence[Row], network: Network) -> datetime | None:
        found: list[int] = []
        for first, last in ranges(network):
            (summed,) = self._row(LAST_SUMMED, asked.log, asked.app, first, last) or (None,)
            # The last of all is the last since any hour, if it came after that.
            found += [] if summed is None or summed < asked.hour * HOUR else [summed]
            within = slice(bisect_left(rest, (first,)), bisect_right(rest, last, key=lambda row: row[0]))
            found += [ts for _, ts in rest[within]]
        return moment(max(found)) if found else None

    async def traffic_hours(self, dealer: str, app: str, since: datetime) -> Sequence[datetime]:
        """Return the hours in which the app was called at all, oldest first."""
        return [moment(hour * HOUR) for (hour,) in self._rows(HOURS, *self._asked(dealer, app, since))]

    async def traffic_extent(self, dealer: str, app: str) -> tuple[datetime, datetime] | None:
        """Return the first hour with any traffic, and the moment of the newest request."""
        asked = self._asked(dealer, app, None)
        rows = [self._row(statement, *asked) or (None, None) for statement in (SUMMED_EXTENT, REST_EXTENT)]
        extents = [(first, last) for first, last in rows if first is not None and last is not None]
        if not extents:
            return None
        return moment(min(first for first, _ in extents) * HOUR), moment(max(last for _, last in extents))

    def _asked(self, dealer: str, app: str, since: datetime | None) -> _Asked:
        log, hour = self._log(dealer), FIRST_HOUR if since is None else microseconds(since) // HOUR
        return _Asked(log, self._names.find(app), self._names.find(Kind.API_CALL.value), *self._unsummed(log), hour)

    def _unsummed(self, log: int | None) -> tuple[int, int]:
        """Return the ids between which the entries of a log lie that are not summed up."""
        if log is None:
            return 0, -1
        (summed,) = self._row(SUMMED, log) or (0,)
        return (log << SEQ_BITS) + summed + 1, ((log + 1) << SEQ_BITS) - 1

    def _place(self, place: int) -> str:
        """Reverse `place_of`, to a text."""
        number, named = divmod(place, 2)
        text = self._names.text(number) if named else self._addresses.text(number or None)
        return text or UNKNOWN_SOURCE
