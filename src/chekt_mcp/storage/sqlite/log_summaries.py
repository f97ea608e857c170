"""What the log's summaries count in a window: activity, sources, hours and minutes."""

from __future__ import annotations

from collections.abc import Sequence

from chekt_mcp.domain.analysis.facts import Activity, HourCount, MinuteCount, Ranked, SourceUse
from chekt_mcp.domain.audit import Kind, Result
from chekt_mcp.domain.timespan import Window
from chekt_mcp.storage.sqlite.log_cut import ACTIVITY, SOURCES, among
from chekt_mcp.storage.sqlite.log_entries import KINDS, RESULTS
from chekt_mcp.storage.sqlite.log_reader import HOUR, NO_APP
from chekt_mcp.storage.sqlite.log_sightings import LogSightings
from chekt_mcp.storage.sqlite.log_sums import MINUTE
from chekt_mcp.storage.sqlite.session import Row
from chekt_mcp.storage.sqlite.values import microseconds, moment
from chekt_mcp.storage.summary_interface import Apps

MOST_READ = 5_000
"""Entries of a cut hour that are read; of a busier one the whole hour counts."""

MOST_MINUTES = 500
GROUPED_SOURCES = (
    "SELECT app, kind, actor, place, sum(calls), sum(calls * (result IS ?)), sum(calls * (result IS ?)),"
    " min(CASE WHEN result IS ? THEN hour END), max(CASE WHEN result IS ? THEN hour END)"
    " FROM ({}) GROUP BY app, kind, actor, place ORDER BY 5 DESC, 1, 2, 3, 4 LIMIT ?"
)


class LogSummaries(LogSightings):
    """Lookups, see `storage.summary_interface.SummaryLookups`."""

    async def logged_apps(self, dealer: str) -> Apps:
        """Return whose entries the log holds."""
        rows = self._rows("SELECT app FROM entry_counts WHERE log = ? AND entries > 0", self._log(dealer))
        named = sorted(name for (app,) in rows if (name := self._names.text(app or None)) is not None)
        return [*named, *([None] if any(app == NO_APP for (app,) in rows) else [])]

    async def countable(self, dealer: str, apps: Apps, window: Window) -> Window:
        """Return the window, wider where its ends cut very busy hours."""
        since, until = microseconds(window.since), microseconds(window.until)
        if self._is_busy(dealer, apps, since // HOUR):
            since -= since % HOUR
        if self._is_busy(dealer, apps, until // HOUR):
            until += -until % HOUR
        return Window(moment(since), moment(until))

    def _is_busy(self, dealer: str, apps: Apps, hour: int) -> bool:
        numbers = self._app_numbers(apps)
        row = self._row(
            f"SELECT sum(calls) FROM log_hours WHERE log = ? AND {among(numbers)} AND hour = ?",  # noqa: S608 -- places only
            self._log(dealer),
            *numbers,
            hour,
        )
        return row is not None and (row[0] or 0) > MOST_READ

    async def activity(self, dealer: str, apps: Apps, window: Window) -> Sequence[Activity]:
        """Return the entries of a window, by all that they may have in common."""
        source, values = ACTIVITY.within(self._log(dealer), self._app_numbers(apps), window)
        grouped = "app, hour, kind, actor, scope, result, key_id"
        statement = f"SELECT {grouped}, sum(calls) FROM ({source}) GROUP BY {grouped}"  # noqa: S608 -- ours
        return list(map(self._activity, self._rows(statement, *values)))

    def _activity(self, row: Row) -> Activity:
        app, hour, kind, actor, scope, result, key, calls = row
        name = self._names.text
        return Activity(
            name(app or None),
            moment(hour * HOUR),
            _kind(name(kind)),
            name(actor) or "",
            name(scope or None),
            RESULTS.get(name(result), Result.ERROR),
            name(key or None),
            calls,
        )

    async def actions(self, dealer: str, apps: Apps, window: Window, limit: int) -> Ranked:
        """Return the most frequent actions of a window."""
        source, values = ACTIVITY.within(self._log(dealer), self._app_numbers(apps), window)
        statement = f"SELECT action, sum(calls) AS n FROM ({source}) GROUP BY action ORDER BY n DESC, action"  # noqa: S608 -- ours
        rows = self._rows(statement, *values)
        listed = tuple((self._names.text(action), calls) for action, calls in rows[:limit])
        return Ranked(listed, len(rows) - len(listed), sum(calls for _, calls in rows[limit:]))

    async def source_uses(self, dealer: str, apps: Apps, window: Window, limit: int) -> Sequence[SourceUse]:
        """Return the entries of a window by where they came from, most first."""
        source, values = SOURCES.within(self._log(dealer), self._app_numbers(apps), window)
        refused, served = (self._names.find(result.value) for result in (Result.DENIED, Result.OK))
        statement = GROUPED_SOURCES.format(source)
        return list(map(self._source_use, self._rows(statement, refused, served, refused, served, *values, limit)))

    def _source_use(self, row: Row) -> SourceUse:
        app, kind, actor, place, calls, refused, served, refused_hour, served_hour = row
        name, (number, named) = self._names.text, divmod(place, 2)
        return SourceUse(
            name(app or None),
            _kind(name(kind)),
            name(actor) or "",
            None if named else self._addresses.text(number or None),
            name(number) if named else None,
            calls,
            refused,
            served,
            None if refused_hour is None else moment(refused_hour * HOUR),
            None if served_hour is None else moment(served_hour * HOUR),
        )

    async def hour_counts(self, dealer: str, apps: Apps, window: Window) -> Sequence[HourCount]:
        """Return every hour with entries that the window touches."""
        numbers, first, end = (
            self._app_numbers(apps),
            microseconds(window.since) // HOUR,
            -(-microseconds(window.until) // HOUR),
        )
        rows = self._rows(
            "SELECT app, kind, hour, calls, refused, failed, peak, peak_failed FROM log_hours"  # noqa: S608 -- places only
            f" WHERE log = ? AND {among(numbers)} AND hour >= ? AND hour < ? ORDER BY hour, app, kind",
            self._log(dealer),
            *numbers,
            first,
            end,
        )
        name = self._names.text
        return [
            HourCount(name(app or None), _kind(name(kind)), moment(hour * HOUR), *counts)
            for app, kind, hour, *counts in rows
        ]

    async def busy_minutes(
        self, dealer: str, of: tuple[str | None, Kind], window: Window, limits: tuple[int, int]
    ) -> Sequence[MinuteCount]:
        """Return the minutes with so many calls, or so many failed."""
        numbers = self._app_numbers([of[0]])
        if not numbers:
            return []
        rows = self._rows(
            "SELECT minute, calls, failed FROM log_minutes WHERE log = ? AND app = ? AND kind = ?"
            " AND minute >= ? AND minute < ? AND (calls >= ? OR failed >= ?) ORDER BY calls DESC, minute LIMIT ?",
            self._log(dealer),
            *numbers,
            self._names.find(of[1].value),
            microseconds(window.since) // MINUTE,
            -(-microseconds(window.until) // MINUTE),
            *limits,
            MOST_MINUTES,
        )
        return [MinuteCount(moment(minute * MINUTE), *counts) for minute, *counts in rows]


def _kind(text: str | None) -> Kind:
    return KINDS.get(text, Kind.OPERATOR_ACTION)
