"""Going through the log stretch by stretch, newest first; only those are read whose sketch may hold what is wanted."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial

from chekt_mcp.domain.audit import Entry, Position, Query
from chekt_mcp.storage.sqlite.log_entries import SEQ_MASK, SHOWN
from chekt_mcp.storage.sqlite.log_needs import Need
from chekt_mcp.storage.sqlite.log_query import Condition, Mark, Walk, one_of
from chekt_mcp.storage.sqlite.log_reader import SEQ_BITS
from chekt_mcp.storage.sqlite.log_search import NEWEST_FIRST, LogSearch
from chekt_mcp.storage.sqlite.log_stretches import complete
from chekt_mcp.storage.sqlite.sketch import STRETCH_BITS
from chekt_mcp.storage.sqlite.values import microseconds

MOST_READ = 100_000
"""Rows of stretches, which lie together, that one page reads at most: a little more."""

PASSED_OVER = 24
"""What passing over a stretch costs, in rows looked at."""

STRETCHES = (
    "SELECT stretch, last_ts, sketch FROM log_stretches INDEXED BY log_stretches_by_end"
    " WHERE log = ? AND last_ts >= ? AND first_ts <= ? ORDER BY last_ts DESC"
)


@dataclass(frozen=True, slots=True)
class Look:
    """What was found, newest first, and where looking ended; None when everything was looked at."""

    entries: Sequence[Entry]
    end: Position | None = None


class LogSifting(LogSearch):
    """Lookups that `LogPages` is made of."""

    def _through_stretches(self, query: Query, log: int, limit: int, needed: list[Need]) -> Look | None:
        """Read the stretches that may hold what is looked for; None where that leads nowhere."""
        plan = self._plan(query)
        if plan is None:
            return Look(())
        walk = Walk(None, (Condition("id BETWEEN ? AND ?", ()),), plan.checks(query))
        read = partial(self._read, log, Condition(f"SELECT -ts, -id {walk.source}", walk.values))
        since, last = microseconds(query.since), _last_moment(query)
        waiting = read(complete(self._size(log)))
        heapq.heapify(waiting)
        found: list[Mark] = []
        looked, most = len(waiting), MOST_READ // texts(query)
        with closing(self._run(STRETCHES, log, since, last)) as stretches:
            for stretch, last_ts, sketch in stretches:
                while waiting and -waiting[0][0] > last_ts:
                    found.append(heapq.heappop(waiting))
                if len(found) >= limit:
                    break
                if looked > most:
                    end = Position(last_ts, SEQ_MASK)
                    return Look(self._of_marks(query.dealer, found), end) if last_ts < last else None
                looked += PASSED_OVER
                if all(need.may_be_met(sketch) for need in needed):
                    looked += 1 << STRETCH_BITS
                    for mark in read(stretch):
                        heapq.heappush(waiting, mark)
            else:
                found += sorted(waiting)
        return Look(self._of_marks(query.dealer, found[:limit]))

    def _read(self, log: int, fitting: Condition, stretch: int) -> list[Mark]:
        """Return what fits in a stretch, as marks that sort newest first."""
        first = (log << SEQ_BITS) + (stretch << STRETCH_BITS)
        return self._rows(fitting.clause, first, first + (1 << STRETCH_BITS) - 1, *fitting.values)

    def _of_marks(self, dealer: str, marks: Sequence[Mark], checks: tuple[Condition, ...] = ()) -> list[Entry]:
        """Read the entries at these marks that stand the checks, newest first."""
        walk = Walk(None, (one_of("id", [-number for _, number in marks]),), checks)
        rows = self._run(f"SELECT {SHOWN} {walk.source} {NEWEST_FIRST}", *walk.values)
        return [self._shown(dealer, row) for row in rows]


def texts(query: Query) -> int:
    """Return how many texts each row is compared with, 1 at least: what a row costs."""
    return len(query.text.values) if query.text is not None else 1


def _last_moment(query: Query) -> int:
    """Return the newest moment that is left of a query's window."""
    last = microseconds(query.until) - 1
    return last if query.before is None else min(last, query.before.microseconds)
