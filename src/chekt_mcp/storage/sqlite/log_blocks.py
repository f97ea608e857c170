"""Reading the log in bulk, in the order written: what an export and its proofs go through.

Rows are taken by their number, a range at a time, whatever the query: one pass over the table costs less than an
index and a jump into the table for each entry, and what has been written never changes, so the ranges of one export
need no common snapshot and hold up nobody's checkpoint of the write-ahead log.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import cast

from chekt_mcp.domain.audit import Query
from chekt_mcp.domain.log_block import LogBlock, LogSpan, Texts
from chekt_mcp.storage.sqlite.log_entries import SEQ_MASK
from chekt_mcp.storage.sqlite.log_query import Condition, Walk
from chekt_mcp.storage.sqlite.log_reader import SEQ_BITS
from chekt_mcp.storage.sqlite.log_search import LogSearch
from chekt_mcp.storage.sqlite.session import Row

ADDRESS = "(SELECT text FROM addresses WHERE addresses.id = entries.source_ip)"
"""There are too many addresses to be remembered, as names are."""

BULK = f"id, ts, app, actor, kind, action, scope, result, request_id, source, {ADDRESS}, key_id, origin, details"
EMPTY = LogBlock(*[()] * 14)
INDEXED = ("request_id", "key_id", "source_network")
"""Filters with an index of their own: the ends of what they match are found without reading the whole window."""

MOST_REMEMBERED = 50_000


class Resolved(dict[int | None, str | None]):
    """Numbers of names to their texts, each looked up once."""

    def __init__(self, look_up: Callable[[int | None], str | None]) -> None:
        super().__init__({None: None})
        self._look_up = look_up

    def __missing__(self, number: int | None) -> str | None:
        """Look a number up."""
        if len(self) >= MOST_REMEMBERED:
            self.clear()
        text = self[number] = self._look_up(number)
        return text


class LogBlocks(LogSearch):
    """Lookups, see `storage.interface.Reader`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._resolved = Resolved(self._names.text)

    def forget(self) -> None:
        """Drop what was learned, see `Session.forget`."""
        super().forget()
        self._resolved.clear()

    async def log_span(self, query: Query) -> LogSpan:
        """Return between which numbers the entries of a query lie, and how many there are at most."""
        indexed = {name: choice for name in INDEXED if (choice := getattr(query, name)) and not choice.negated}
        bounds = Query(query.dealer, query.apps, query.since, query.until, dealer_wide=query.dealer_wide)
        walks = self._walks(replace(bounds, **indexed))
        ends = [self._row(f"SELECT min(id), max(id), count(*) {walk.source}", *walk.values) for walk in walks]
        found = [row for row in ends if row is not None and row[2]]
        if not found:
            return LogSpan(0, 0, 0)
        first, last = min(row[0] for row in found), max(row[1] for row in found)
        return LogSpan(first & SEQ_MASK, last & SEQ_MASK, sum(row[2] for row in found))

    async def log_block(self, query: Query, first: int, last: int) -> LogBlock:
        """Return the entries of a query numbered `first` to `last`, both included."""
        plan = self._plan(query)
        if plan is None:
            return EMPTY
        base = plan.log << SEQ_BITS
        walk = Walk(None, (Condition("id BETWEEN ? AND ?", (base + first, base + last)),), plan.checks(query))
        rows = self._in_bulk(f"SELECT {BULK} {walk.source} ORDER BY id", walk.values)
        return self._block(zip(*rows, strict=True)) if rows else EMPTY

    def _in_bulk(self, statement: str, values: tuple[object, ...]) -> list[Row]:
        """Return the rows, with their texts read in C; text that is none is read again as every other lookup does."""
        tolerant = self._connection.text_factory
        self._connection.text_factory = str
        try:
            return self._rows(statement, *values)
        except sqlite3.OperationalError as error:
            if "decode" not in str(error):
                raise
        finally:
            self._connection.text_factory = tolerant
        return self._rows(statement, *values)

    def _block(self, columns: Iterator[tuple[object, ...]]) -> LogBlock:
        ids, moments, app, actor, kind, action, scope, result, request_id, source, address, key, origin, details = (
            cast("tuple[int, ...]", column) for column in columns
        )
        name = self._resolved.__getitem__
        return LogBlock(
            seq=[number & SEQ_MASK for number in ids],
            timestamp=moments,
            app=list(map(name, app)),
            actor=list(map(name, actor)),
            kind=list(map(name, kind)),
            action=list(map(name, action)),
            scope=list(map(name, scope)),
            result=list(map(name, result)),
            request_id=cast("Sequence[str]", request_id),
            source=list(map(name, source)),
            source_ip=cast("Texts", address),
            key_id=list(map(name, key)),
            origin=list(map(name, origin)),
            details=cast("Texts", details),
        )
