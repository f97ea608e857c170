"""What the log's summaries tell of the first and the last time: addresses, scopes, steps of the clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from chekt_mcp.domain.analysis.facts import ClockStep, Newcomer, ScopeUse, Turnover
from chekt_mcp.domain.audit import Kind, Result
from chekt_mcp.domain.timespan import Window
from chekt_mcp.storage.sqlite.log_cut import among
from chekt_mcp.storage.sqlite.log_entries import RESULTS
from chekt_mcp.storage.sqlite.log_reader import HOUR, NO_APP, LogReader
from chekt_mcp.storage.sqlite.values import microseconds, moment
from chekt_mcp.storage.summary_interface import Apps

MOST_NEWCOMERS = 1_000
MOST_NEIGHBOURS = 100
"""Newcomers of an app whose neighbourhood is looked at."""

SETTLING = timedelta(days=7)
"""How long an actor is new itself."""

NEWCOMERS = (
    "SELECT actor, source_ip, text, ip, first_hour FROM seen_addresses INDEXED BY seen_addresses_by_first"
    " JOIN addresses ON addresses.id = source_ip"
    " WHERE log = ? AND app = ? AND first_hour >= ? AND first_hour < ? ORDER BY first_hour DESC LIMIT ?"
)
NEIGHBOUR = (
    "SELECT 1 FROM addresses INDEXED BY addresses_by_ip JOIN seen_addresses ON source_ip = addresses.id"
    " WHERE ip BETWEEN ? AND ? AND log = ? AND app = ? AND actor = ? AND first_hour < ? LIMIT 1"
)
TURNOVER = (
    "SELECT actor, sum(first_hour >= max(?1, began + ?2) AND first_hour < ?3), max(?1, began + ?2) FROM seen_addresses"
    " JOIN (SELECT actor AS who, min(first_hour) AS began FROM seen_addresses WHERE log = ?4 AND app = ?5 GROUP BY 1)"
    " ON actor = who WHERE log = ?4 AND app = ?5 GROUP BY actor"
)
CLOCK_STEPS = (
    "SELECT before_ts, clock_steps.ts, app, request_id FROM clock_steps JOIN entries ON entries.id = clock_steps.id"
    " WHERE clock_steps.log = ? AND clock_steps.ts >= ? AND clock_steps.ts < ? ORDER BY clock_steps.ts DESC LIMIT ?"
)
KNOWN_ELSEWHERE = (
    "SELECT 1 FROM entry_counts JOIN seen_addresses USING (log, app)"
    " WHERE log = ? AND app <> ? AND actor = ? AND source_ip = ? AND first_hour < ? LIMIT 1"
)
IPV4_PREFIX, IPV6_PREFIX = 15, 6
"""Bytes of the sixteen that one site has in common: /24 and /48."""


class LogSightings(LogReader):
    """Lookups, see `storage.summary_interface.SummaryLookups`."""

    async def newcomers(self, dealer: str, apps: Apps, span: Window) -> Sequence[Newcomer]:
        """Return the addresses that an actor first came from within a span."""
        return [one for app in apps for one in self._newcomers(self._log(dealer), app, span)]

    def _newcomers(self, log: int | None, app: str | None, span: Window) -> list[Newcomer]:
        since, until = microseconds(span.since) // HOUR, -(-microseconds(span.until) // HOUR)
        found: list[Newcomer] = []
        for number in self._app_numbers([app]):
            for actor, place, address, ip, first in self._rows(NEWCOMERS, log, number, since, until, MOST_NEWCOMERS):
                asked = len(found) < MOST_NEIGHBOURS
                if asked and self._row(KNOWN_ELSEWHERE, log, number, actor, place, since) is not None:
                    continue
                nearby = (
                    asked
                    and ip is not None
                    and self._row(NEIGHBOUR, *_network(ip), log, number, actor, since) is not None
                )
                found.append(Newcomer(app, self._names.text(actor) or "", address, moment(first * HOUR), nearby))
        return found

    async def turnover(self, dealer: str, apps: Apps, span: Window) -> Sequence[Turnover]:
        """Return how many addresses each actor first came from within a span."""
        log, settling = self._log(dealer), SETTLING // timedelta(hours=1)
        since, until = microseconds(span.since) // HOUR, microseconds(span.until) // HOUR
        return [
            Turnover(app, self._names.text(actor) or "", addresses, moment(began * HOUR))
            for app in apps
            for number in self._app_numbers([app])
            for actor, addresses, began in self._rows(TURNOVER, since, settling, until, log, number)
        ]

    async def scope_uses(self, dealer: str, apps: Apps) -> Sequence[ScopeUse]:
        """Return the scopes that the apps' own calls ever named."""
        numbers, name = self._app_numbers(apps), self._names.text
        kinds = [self._names.find(kind.value) for kind in (Kind.API_CALL, Kind.TOOL_CALL)]
        rows = self._rows(
            "SELECT app, scope, result, min(first_hour), max(last_hour) FROM seen_scopes WHERE log = ?"  # noqa: S608 -- places only
            f" AND {among(numbers)} AND kind IN (?, ?) GROUP BY app, scope, result",
            self._log(dealer),
            *numbers,
            *kinds,
        )
        return [
            ScopeUse(
                name(app or None), name(scope) or "", _result(name(result)), moment(first * HOUR), moment(last * HOUR)
            )
            for app, scope, result, first, last in rows
        ]

    async def scope_grants(self, dealer: str, app: str) -> Mapping[str, datetime]:
        """Return the scopes an app holds, and since when."""
        rows = self._rows("SELECT scope, granted_at FROM scope_grants WHERE dealer = ? AND app = ?", dealer, app)
        return {scope: moment(granted_at) for scope, granted_at in rows}

    async def clock_steps(self, dealer: str, window: Window, limit: int) -> tuple[Sequence[ClockStep], int]:
        """Return the newest steps back in a window, and how many there are."""
        asked = (self._log(dealer), microseconds(window.since), microseconds(window.until))
        rows = self._rows(CLOCK_STEPS, *asked, limit)
        total = self._row("SELECT count(*) FROM clock_steps WHERE log = ? AND ts >= ? AND ts < ?", *asked)
        steps = [
            ClockStep(moment(before), moment(at), self._names.text(app), request_id)
            for before, at, app, request_id in rows
        ]
        return steps, total[0] if total else 0

    def _app_numbers(self, apps: Apps) -> list[int]:
        """Return the apps' numbers in the summaries, leaving out what the log has never held."""
        numbers = [NO_APP if app is None else self._names.find(app) for app in apps]
        return [number for number in numbers if number is not None]


def _network(ip: bytes) -> tuple[bytes, bytes]:
    """Return the ends of the network that one site around an address has."""
    common = ip[: IPV4_PREFIX if ip.startswith(b"\0" * 10 + b"\xff\xff") else IPV6_PREFIX]
    return common.ljust(16, b"\0"), common.ljust(16, b"\xff")


def _result(text: str | None) -> Result:
    return RESULTS.get(text, Result.ERROR)
