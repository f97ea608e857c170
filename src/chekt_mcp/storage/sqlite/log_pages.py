"""Pages of a search that never takes long: a bounded number of rows is looked at, then the page says where it got to.

First the index that leaves least to read is walked a little. What then may take long is decided by counting: a short
rest of the walk is walked; of a long one the stretches are gone through, newest first, and only those are read whose
sketch may hold what is looked for. Where stretches overlap in time so much that this leads nowhere (a log imported in
no order), the walk goes on as far as it may.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice, takewhile

from chekt_mcp.domain.audit import Entry, Page, Position, Query
from chekt_mcp.storage.sqlite.log_entries import SEQ_MASK, SHOWN
from chekt_mcp.storage.sqlite.log_needs import needs
from chekt_mcp.storage.sqlite.log_query import (
    FILTERED,
    Mark,
    Walk,
    all_conditions,
    together,
)
from chekt_mcp.storage.sqlite.log_search import NEWEST_FIRST
from chekt_mcp.storage.sqlite.log_sifting import LogSifting, Look, texts
from chekt_mcp.storage.sqlite.session import Row
from chekt_mcp.storage.sqlite.values import microseconds

FIRST_LOOK = 2_000
"""Rows of the index that are walked before anything else is thought of."""

MOST_WALKED = 30_000
"""Rows of the index that one page walks at most, about ten milliseconds' worth."""

FEW = 500
"""Rows of the index that several addresses or keys lead to and that are put in order without more ado."""

MOST_COUNTED = 1_000
MOST_LISTED = 200
MOST_SORTED = 10_000
"""Entries of the same request id that are put in order; where there are more, the id is a filter like any other."""


class LogPages(LogSifting):
    """Lookups, see `storage.interface.Reader`."""

    async def search_page(self, query: Query, limit: int) -> Page:
        """Return at most `limit` entries that fit, newest first, and how far the search went."""
        if all(getattr(query, name) is None for name in FILTERED):
            found = await self.search(query, limit + 1)
            beyond = replace(query, before=_position(found[limit - 1])) if len(found) > limit else None
            further = await self.count(beyond, MOST_COUNTED) if beyond else 0
            return _page(Look(found), limit, further, MOST_COUNTED)
        look = self._by_request(query, limit + 1) or self._look(query, limit + 1)
        return _page(look, limit, max(0, len(look.entries) - limit), 1)

    def _by_request(self, query: Query, limit: int) -> Look | None:
        """Look up request ids; None where none is asked for, or one of them stands for very many entries."""
        if query.request_id is None or query.request_id.negated:
            return None
        walks = self._request_walks(query)
        few = self._of_few(query.dealer, walks)
        if few is not None:
            return Look(few[:limit])
        rows = [
            row[0]
            for walk in walks
            for row in self._rows(f"SELECT id {walk.bounds.source} LIMIT ?", *walk.bounds.values, MOST_SORTED + 1)
        ]
        if len(rows) > MOST_SORTED:
            return None
        return Look(self._entries(query.dealer, walks, limit))

    def _of_few(self, dealer: str, walks: Sequence[Walk]) -> list[Entry] | None:
        """Read all rows that these walks lead to, newest first, in one look at each; None where they are many."""
        rows: list[Row] = []
        for walk in walks:
            fits, way, room = all_conditions(walk.checks), walk.bounds, MOST_LISTED + 1 - len(rows)
            rows += self._rows(f"SELECT {SHOWN}, {fits.clause} {way.source} LIMIT ?", *fits.values, *way.values, room)
            if len(rows) > MOST_LISTED:
                return None
        rows.sort(reverse=True)  # by timestamp, then by id, of which no two are alike
        return [self._shown(dealer, row[:-1]) for row in rows if row[-1]]

    def _look(self, query: Query, limit: int) -> Look:
        look = self._gathered(query, limit) or self._walked(query, limit, FIRST_LOOK)
        if look.end is None or len(look.entries) >= limit:
            return look
        rest = self._rest(replace(query, before=look.end), limit - len(look.entries))
        return Look([*look.entries, *rest.entries], rest.end)

    def _gathered(self, query: Query, limit: int) -> Look | None:
        """Take the newest of what several addresses or keys lead to; None where the walks are by app.

        The index alone tells which are the newest, so hardly more rows are read than are shown.
        """
        walks = self._index_walks(query)
        if len(walks) <= 1 or walks[0].index == "entries_by_app":
            return None
        newest, end = self._newest(walks, limit)
        found: list[Entry] = []
        while len(found) < limit and (some := list(islice(newest, limit))):
            found += self._of_marks(query.dealer, some, walks[0].checks)
        return Look(found[:limit], Position(-end[0], -end[1] & SEQ_MASK) if end else None)

    def _newest(self, walks: Sequence[Walk], limit: int) -> tuple[Iterator[Mark], Mark | None]:
        """Return the marks on these walks, newest first, and the one where they end; None when these are all.

        All are taken at once where they are few. Else so many of each walk that the newest `limit` are among them, and
        no further than to where the first walk was broken off.
        """
        whole = together(walks).bounds
        marks = self._rows(f"SELECT -ts, -id {whole.source} LIMIT ?", *whole.values, FEW + 1)
        if len(marks) <= FEW:
            return iter(sorted(marks)), None
        each = [
            self._rows(f"SELECT -ts, -id {walk.bounds.source} {NEWEST_FIRST} LIMIT ?", *walk.bounds.values, limit)
            for walk in walks
        ]
        end = min((marks[-1] for marks in each if len(marks) == limit), default=None)
        return takewhile(lambda mark: end is None or mark <= end, heapq.merge(*each)), end

    def _rest(self, query: Query, limit: int) -> Look:
        """Walk on where that is short or no sketch can tell anything; else go through the stretches."""
        log, apps = self._log(query.dealer) or 0, sorted(self._numbers(query.apps))
        needed = needs(query, apps, self._names.find)
        if needed and self._is_long(self._index_walks(query)):
            look = self._through_stretches(query, log, limit, needed)
            if look is not None:
                return look
        return self._walked(query, limit, MOST_WALKED // texts(query))

    def _walked(self, query: Query, limit: int, most: int) -> Look:
        """Look at no more than about `most` rows of the index."""
        walks = self._index_walks(query)
        each = max(1, most // max(1, len(walks)))
        ends = [
            row
            for walk in walks
            for row in self._rows(
                f"SELECT ts, id {walk.bounds.source} {NEWEST_FIRST} LIMIT 1 OFFSET ?", *walk.bounds.values, each - 1
            )
        ]
        end = max(ends, default=None)
        entries = self._entries(query.dealer, self._index_walks(query, end) if end else walks, limit)
        return Look(entries, Position(end[0], end[1] & SEQ_MASK) if end else None)

    def _is_long(self, walks: Sequence[Walk]) -> bool:
        rows = 0
        for walk in walks:
            counted = f"SELECT count(*) FROM (SELECT 1 {walk.bounds.source} LIMIT ?)"  # noqa: S608 -- clauses are ours
            rows += self._rows(counted, *walk.bounds.values, MOST_WALKED + 1 - rows)[0][0]
            if rows > MOST_WALKED:
                return True
        return False


def _page(look: Look, limit: int, further: int, counted: int) -> Page:
    """Make a page of what was found; `counted`: from so many further ones on, there may be more."""
    if len(look.entries) <= limit:
        return Page(look.entries, look.end)
    shown = look.entries[:limit]
    return Page(shown, _position(shown[-1]), full=True, further=further, at_least=further >= counted)


def _position(entry: Entry) -> Position:
    return Position(microseconds(entry.timestamp), entry.seq)
