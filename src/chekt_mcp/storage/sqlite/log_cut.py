"""A window over summaries by the hour: whole hours as they were counted, the cut ones from the entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chekt_mcp.domain.timespan import Window
from chekt_mcp.storage.sqlite.log_reader import HOUR, NO_APP
from chekt_mcp.storage.sqlite.values import microseconds

HOUR_OF = f"ts / {HOUR} - (ts % {HOUR} < 0)"
PLACE = "coalesce(source_ip * 2, source * 2 + 1, 0)"
"""Where an entry came from: an id in addresses times 2, else one in names times 2 plus 1, else 0."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A window in microseconds: whole hours from `first` up to `end`, and the pieces of hours at its ends."""

    first: int
    end: int
    pieces: tuple[tuple[int, int], ...]


def cut(window: Window) -> Cut:
    """Cut a window where hours begin."""
    since, until = microseconds(window.since), microseconds(window.until)
    first, end = -(-since // HOUR), until // HOUR
    if first > end:
        return Cut(0, 0, ((since, until),))
    pieces = ((since, first * HOUR), (end * HOUR, until))
    return Cut(first, end, tuple(piece for piece in pieces if piece[0] < piece[1]))


@dataclass(frozen=True, slots=True)
class Summary:
    """A table by log, app and hour: the columns asked for, and what each of them is for a single entry."""

    table: str
    columns: str
    of_entry: str

    def within(self, log: int | None, apps: Sequence[int], window: Window) -> tuple[str, list[object]]:
        """Return a SELECT of what these apps have in a window, and its values."""
        hours = cut(window)
        whole = f"SELECT {self.columns} FROM {self.table} WHERE log = ? AND {among(apps)} AND hour >= ? AND hour < ?"  # noqa: S608 -- ours
        parts, values = [whole], [log, *apps, hours.first, hours.end]
        named = [app for app in apps if app != NO_APP]
        for piece in hours.pieces:
            if named:
                parts.append(self._piece(among(named)))
                values += [log, *named, *piece]
            if NO_APP in apps:
                parts.append(self._piece("app IS NULL"))
                values += [log, *piece]
        return " UNION ALL ".join(parts), list(values)

    def _piece(self, whose: str) -> str:
        entries = f"FROM entries INDEXED BY entries_by_app WHERE log = ? AND {whose} AND ts >= ? AND ts < ?"
        return f"SELECT {self.of_entry} {entries}"


ACTIVITY = Summary(
    "log_activity",
    "app, hour, kind, actor, scope, result, key_id, action, calls",
    f"coalesce(app, 0), {HOUR_OF}, kind, actor, coalesce(scope, 0), result, coalesce(key_id, 0), action, 1",
)
SOURCES = Summary(
    "log_sources",
    "app, hour, kind, actor, place, result, calls",
    f"coalesce(app, 0), {HOUR_OF}, kind, actor, {PLACE}, result, 1",
)


def among(apps: Sequence[int]) -> str:
    """Return the condition on these apps; none fits an empty list."""
    return f"app IN ({','.join('?' * len(apps))})"
