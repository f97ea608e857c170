"""A flood of refusals as a few entries of the log: the first of a source in a minute by itself, the rest as one count.

Anybody can send nonsense, as fast as a line carries it. The log must neither grow that fast nor keep silent about it.
Memory is bounded: beyond MOST_SOURCES in a minute, further sources are counted together.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chekt_mcp.domain.audit import NewEntry

MINUTE = timedelta(minutes=1)
MOST_SOURCES = 1_024
"""Sources that are told apart within one minute."""

OTHERS = "other sources"
"""Named as the source of what is counted beyond that."""


@dataclass(slots=True)
class _Counted:
    """The newest of the refusals after the first, how many these are, and since when; None while there are none."""

    newest: NewEntry | None = None
    times: int = 0
    first_at: datetime | None = None


class RefusalMinute:
    """The refusals of the present minute, by source. Says what is to be written; does not write.

    A minute is one by the clock, UTC. A clock that was set back begins another one, as any step into another minute.
    """

    def __init__(self, most_sources: int = MOST_SOURCES) -> None:
        self._most = most_sources
        self._begin: datetime | None = None
        self._sources: dict[Hashable, _Counted] = {}

    def refused(self, entry: NewEntry) -> list[NewEntry]:
        """Take a refusal; return what to write now: the counts of a minute that is over, and a source's first."""
        due = self.over(entry.timestamp)
        self._begin = _minute(entry.timestamp)
        source: Hashable = (entry.dealer, entry.source_ip)
        if source not in self._sources and len(self._sources) >= self._most:
            source, entry = OTHERS, replace(entry, source_ip=None, app=None, source=OTHERS)
        counted = self._sources.get(source)
        if counted is None:
            self._sources[source] = _Counted()
            return [*due, entry]
        counted.newest = entry
        counted.times += 1
        counted.first_at = counted.first_at or entry.timestamp
        return due

    def over(self, now: datetime) -> list[NewEntry]:
        """Return the counts of the minute, if `now` is not in it; they are told once."""
        return [] if self._begin in (None, _minute(now)) else self.rest()

    def rest(self) -> list[NewEntry]:
        """Return all that is counted, and begin anew."""
        sources, self._sources, self._begin = self._sources, {}, None
        return [_entry(one.newest, one) for one in sources.values() if one.newest is not None]


def _entry(newest: NewEntry, counted: _Counted) -> NewEntry:
    """Return the newest refusal with the count of those since the one that was written by itself."""
    since = (counted.first_at or newest.timestamp).isoformat(timespec="milliseconds")
    return replace(newest, details={**newest.details, "times": counted.times, "since": since})


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)
