"""Searching the log: pages, counts, and single requests."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import chain, islice

from chekt_mcp.domain.audit import Entry, Query
from chekt_mcp.storage.sqlite.log_entries import SHOWN, EntryReader
from chekt_mcp.storage.sqlite.log_query import (
    NUMBERED,
    Condition,
    Mark,
    Walk,
    addresses_in,
    any_condition,
    but_not,
    each_app,
    equals,
    like,
    numbered,
    of_apps,
    of_requests,
    of_texts,
    one_of,
    window,
)
from chekt_mcp.storage.sqlite.log_reader import SEQ_BITS, LogReader
from chekt_mcp.storage.sqlite.request_prints import PrintReader
from chekt_mcp.storage.sqlite.session import Row
from chekt_mcp.storage.sqlite.values import storable

NEWEST_FIRST = "ORDER BY ts DESC, id DESC"
ADDRESS = "(SELECT ip FROM addresses WHERE id = source_ip)"
MOST_WALKS = 64
"""Walks that are merged for one query; beyond it, rows are filtered instead."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What has to hold for an entry to fit a query, piece by piece; an index spares one of them."""

    log: int
    apps: list[int]
    allowed: Condition
    named: dict[str, Condition]
    places: list[int] | None
    inside: list[Condition]
    requests: list[Condition]
    texts: list[Condition]

    def always(self, query: Query, down_to: Mark | None = None) -> tuple[Condition, Condition]:
        """Return what bounds every walk: log and window."""
        return equals("log", self.log), window(query, self.log << SEQ_BITS, down_to)

    def checks(self, query: Query) -> tuple[Condition, ...]:
        """Return everything, for rows that no index leads to."""
        return (*self.always(query), self.allowed, *self.named.values(), *self.requests, *self.inside, *self.texts)


class LogSearch(LogReader, EntryReader, PrintReader):
    """Lookups, see `storage.interface.Reader`."""

    async def search(self, query: Query, limit: int) -> Sequence[Entry]:
        """Return at most `limit` entries that fit, newest first."""
        return self._entries(query.dealer, self._walks(query), limit)

    async def count(self, query: Query, limit: int) -> int:
        """Return how many entries fit, counting no further than `limit`."""
        found = 0
        for walk in self._walks(query):
            fitting = f"SELECT count(*) FROM (SELECT 1 {walk.source} LIMIT ?)"  # noqa: S608 -- clauses are ours
            row = self._row(fitting, *walk.values, limit - found)
            found += row[0] if row else 0
        return found

    async def entries_by_request_id(self, dealer: str, request_id: str, limit: int) -> Sequence[Entry]:
        """Return the entries of one request, newest first."""
        log = self._log(dealer)
        if log is None:
            return []
        walk = Walk("entries_by_request", (equals("log", log), self._request(log, storable(request_id))))
        rows = self._rows(f"SELECT {SHOWN} {walk.source} {NEWEST_FIRST} LIMIT ?", *walk.values, limit)
        return [self._shown(dealer, row) for row in rows]

    def _entries(self, dealer: str, walks: Sequence[Walk], limit: int) -> list[Entry]:
        """Return at most `limit` entries that lie on these walks, newest first."""
        with ExitStack() as stack:
            cursors = [
                stack.enter_context(closing(self._run(statement, *walk.values, limit)))
                for walk in walks
                for statement in [f"SELECT {SHOWN} {walk.source} {NEWEST_FIRST} LIMIT ?"]
            ]
            merged = heapq.merge(*cursors, key=_position, reverse=True) if len(cursors) > 1 else chain(*cursors)
            return [self._shown(dealer, row) for row in islice(merged, limit)]

    def _walks(self, query: Query) -> list[Walk]:
        """Return the walks that leave least to read; none when nothing can fit."""
        by_request = query.request_id is not None and not query.request_id.negated
        return self._request_walks(query) if by_request else self._index_walks(query)

    def _request_walks(self, query: Query) -> list[Walk]:
        """Return a walk for each request id that is asked for. They do not end in the timestamp."""
        plan = self._plan(query)
        if plan is None or query.request_id is None:
            return []
        always, ids = plan.always(query), sorted({storable(value) for value in query.request_id.values})
        checks = (plan.allowed, *plan.named.values(), *plan.inside, *plan.texts)
        return [Walk("entries_by_request", (*always, self._request(plan.log, one)), checks) for one in ids]

    def _index_walks(self, query: Query, down_to: Mark | None = None) -> list[Walk]:
        """Return the walks on indexes that end in the timestamp."""
        plan = self._plan(query)
        if plan is None:
            return []
        named, rest = dict(plan.named), [*plan.requests, *plan.texts]
        if query.key_id is not None and not query.key_id.negated:
            keys = named.pop("key_id").values
            index, starts, rest = "entries_by_key", [equals("key_id", key) for key in keys], [*plan.inside, *rest]
            rest.append(plan.allowed)
        elif plan.places is not None:
            index, starts = "entries_by_address", [equals("source_ip", place) for place in plan.places]
            rest.append(plan.allowed)
        else:
            index, starts = "entries_by_app", each_app(plan.apps, dealer_wide=query.dealer_wide)
            rest += plan.inside
        always, checks = plan.always(query, down_to), (*named.values(), *rest)
        return [Walk(index, (*always, start), checks) for start in starts]

    def _plan(self, query: Query) -> Plan | None:
        """Return the conditions of a query; None when nothing can fit."""
        log, apps = self._log(query.dealer), sorted(self._numbers(query.apps))
        named = self._named(query)
        places, inside = self._places(query)
        if log is None or named is None or places == [] or not (apps or query.dealer_wide):
            return None
        return Plan(
            log,
            apps,
            of_apps(apps, dealer_wide=query.dealer_wide),
            named,
            places,
            inside,
            [] if query.request_id is None else [of_requests(query.request_id)],
            [] if query.text is None else [of_texts(query.text, self._named_like)],
        )

    def _named(self, query: Query) -> dict[str, Condition] | None:
        """Return the conditions on columns that hold numbers of names; None when nothing can fit."""
        chosen = {column: choice for column in NUMBERED if (choice := getattr(query, column)) is not None}
        found = {column: numbered(column, choice, self._names.find) for column, choice in chosen.items()}
        fitting = {column: condition for column, condition in found.items() if condition is not None}
        return fitting if len(fitting) == len(found) else None

    def _named_like(self, text: str) -> Condition:
        """Match the actors and actions that hold a text."""
        within = like("text", text)
        numbers = self._names.holding(str(within.values[0]))
        if numbers is not None:
            return any_condition([one_of("actor", numbers), one_of("action", numbers)])
        named = f"IN (SELECT id FROM names WHERE {within.clause})"  # noqa: S608 -- as above
        return Condition(f"(actor {named} OR action {named})", within.values * 2)

    def _request(self, log: int, stored_id: str) -> Condition:
        """Match a request id where the index leads to it."""
        keys = one_of("request_key", self._request_keys(log, self._size(log), stored_id))
        return Condition(f"{keys.clause} AND request_id = ?", (*keys.values, stored_id))

    def _size(self, log: int) -> int:
        """Return the number of the newest entry."""
        row = self._row("SELECT size FROM logs WHERE log = ?", log)
        return 0 if row is None else row[0]

    def _places(self, query: Query) -> tuple[list[int] | None, list[Condition]]:
        """Return the numbers of the networks' addresses if they are few, and the condition that always holds."""
        if query.source_network is None:
            return None, []
        within = addresses_in("ip", query.source_network)
        numbers = f"SELECT id FROM addresses WHERE {within.clause} LIMIT ?"  # noqa: S608 -- as above
        places = [row[0] for row in self._rows(numbers, *within.values, MOST_WALKS + 1)]
        few = len(places) <= MOST_WALKS
        inside = one_of("source_ip", places) if few else addresses_in(ADDRESS, query.source_network)
        if query.source_network.negated:
            return None, [but_not(inside)]
        return (places if few else None), [inside]


def _position(row: Row) -> tuple[int, int]:
    return row[0], row[1]
