"""Searching the log: pages, counts, and single requests."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from itertools import islice

from chekt_mcp.domain.audit import Entry, Kind, Query, Result
from chekt_mcp.storage.sqlite.log_query import (
    NUMBERED,
    Condition,
    Walk,
    addresses_in,
    but_not,
    each_app,
    equals,
    numbered,
    of_apps,
    of_requests,
    of_texts,
    one_of,
    window,
)
from chekt_mcp.storage.sqlite.log_reader import SEQ_BITS, LogReader
from chekt_mcp.storage.sqlite.request_key import request_keys
from chekt_mcp.storage.sqlite.session import Row
from chekt_mcp.storage.sqlite.values import json_object, moment, storable

COLUMNS = "ts, id, app, actor, kind, action, scope, result, request_id, source, source_ip, key_id, origin, details"
KINDS: Mapping[str | None, Kind] = {kind.value: kind for kind in Kind}
RESULTS: Mapping[str | None, Result] = {result.value: result for result in Result}
SEQ_MASK = (1 << SEQ_BITS) - 1
MOST_WALKS = 64
"""Walks that are merged for one query; beyond it, rows are filtered instead."""


class LogSearch(LogReader):
    """Lookups, see `storage.interface.Reader`."""

    async def search(self, query: Query, limit: int) -> Sequence[Entry]:
        """Return at most `limit` entries that fit, newest first."""
        with ExitStack() as stack:
            cursors = [
                stack.enter_context(closing(self._run(statement, *walk.values, limit)))
                for walk in self._walks(query)
                for statement in [f"SELECT {COLUMNS} {walk.source} ORDER BY ts DESC, id DESC LIMIT ?"]
            ]
            newest_first = heapq.merge(*cursors, key=_position, reverse=True)
            return [self._entry(query.dealer, row) for row in islice(newest_first, limit)]

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
        rows = self._rows(f"SELECT {COLUMNS} {walk.source} ORDER BY ts DESC, id DESC LIMIT ?", *walk.values, limit)
        return [self._entry(dealer, row) for row in rows]

    def _walks(self, query: Query) -> list[Walk]:
        log, apps = self._log(query.dealer), sorted(self._numbers(query.apps))
        named = self._named(query)
        if log is None or named is None or not (apps or query.dealer_wide):
            return []
        index, starts, rest = self._start(query, log, apps, named)
        if query.text is not None:
            rest.append(of_texts(query.text))
        always = [equals("log", log), window(query, log << SEQ_BITS)]
        return [Walk(index, (*always, start, *rest)) for start in starts]

    def _named(self, query: Query) -> dict[str, Condition] | None:
        """Return the conditions on columns that hold numbers of names; None when nothing can fit."""
        chosen = {column: choice for column in NUMBERED if (choice := getattr(query, column)) is not None}
        found = {column: numbered(column, choice, self._names.find) for column, choice in chosen.items()}
        fitting = {column: condition for column, condition in found.items() if condition is not None}
        return fitting if len(fitting) == len(found) else None

    def _start(
        self, query: Query, log: int, apps: list[int], named: dict[str, Condition]
    ) -> tuple[str, list[Condition], list[Condition]]:
        """Choose the index that leaves least to read: its name, where to enter it, and what remains to check."""
        allowed = of_apps(apps, dealer_wide=query.dealer_wide)
        places, inside = self._places(query)
        if query.request_id is not None and not query.request_id.negated:
            ids = sorted({storable(value) for value in query.request_id.values})
            rest = [allowed, *named.values(), *inside]
            return "entries_by_request", [self._request(log, one) for one in ids], rest
        unlike = [] if query.request_id is None else [of_requests(query.request_id)]
        if query.key_id is not None and not query.key_id.negated:
            keys = named.pop("key_id").values
            rest = [allowed, *named.values(), *unlike, *inside]
            return "entries_by_key", [equals("key_id", key) for key in keys], rest
        rest = [*named.values(), *unlike]
        if places is not None:
            return "entries_by_address", [equals("source_ip", place) for place in places], [allowed, *rest]
        return "entries_by_app", each_app(apps, dealer_wide=query.dealer_wide), [*rest, *inside]

    def _request(self, log: int, stored_id: str) -> Condition:
        """Match a request id where the index leads to it."""
        size: int = (self._row("SELECT size FROM logs WHERE log = ?", log) or (0,))[0]
        keys = one_of("request_key", request_keys(size, stored_id))
        return Condition(f"{keys.clause} AND request_id = ?", (*keys.values, stored_id))

    def _places(self, query: Query) -> tuple[list[int] | None, list[Condition]]:
        """Return the numbers of the networks' addresses if they are few, and the condition that always holds."""
        if query.source_network is None:
            return None, []
        within = addresses_in(query.source_network)
        numbers = f"SELECT id FROM addresses WHERE {within.clause}"  # noqa: S608 -- as above
        inside = Condition(f"source_ip IN ({numbers})", within.values)
        if query.source_network.negated:
            return None, [but_not(inside)]
        rows = self._rows(f"{numbers} LIMIT ?", *within.values, MOST_WALKS + 1)
        return ([row[0] for row in rows] if len(rows) <= MOST_WALKS else None), [inside]

    def _entry(self, dealer: str, row: Row) -> Entry:
        """Read a row; what cannot be read as what it should be never fails the page, and is not passed off as more."""
        ts, number, app, actor, kind, action, scope, result, request_id, source, address, key, origin, details = row
        name = self._names.text
        return Entry(
            dealer=dealer,
            timestamp=moment(ts),
            actor=name(actor) or "",
            kind=KINDS.get(name(kind), Kind.OPERATOR_ACTION),
            action=name(action) or "",
            result=RESULTS.get(name(result), Result.ERROR),
            request_id=request_id,
            app=name(app),
            scope=name(scope),
            source=name(source),
            source_ip=self._addresses.text(address),
            key_id=name(key),
            origin=name(origin),
            details=json_object(details),
            seq=number & SEQ_MASK,
        )


def _position(row: Row) -> tuple[int, int]:
    return row[0], row[1]
