"""Reading the log in bulk, in the order written: what an export and its proofs go through.

Rows are taken by their number, a range at a time, whatever the query: one pass over the table costs less than an
index and a jump into the table for each entry, and what has been written never changes, so the ranges of one export
need no common snapshot and hold up nobody's checkpoint of the write-ahead log.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from chekt_mcp.domain.audit import Query
from chekt_mcp.domain.log_block import LogBlock, LogSpan, Numbers, Texts
from chekt_mcp.storage.sqlite.log_entries import SEQ_MASK
from chekt_mcp.storage.sqlite.log_query import Condition, Walk
from chekt_mcp.storage.sqlite.log_reader import SEQ_BITS
from chekt_mcp.storage.sqlite.log_search import LogSearch
from chekt_mcp.storage.sqlite.session import Row

BULK = (
    f"id & {SEQ_MASK}, ts, app, actor, kind, action, scope, result, request_id, source, source_ip, key_id, origin,"
    " details"
)
ADDRESSES = "SELECT id, text FROM addresses WHERE id IN (SELECT value FROM json_each(?))"
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


class ResolvedAddresses:
    """Numbers of addresses to their texts. There can be very many, so those of a block are looked up in one go."""

    def __init__(self, look_up: Callable[[str, str], list[Row]]) -> None:
        self._look_up = look_up
        self._known: dict[int | None, str | None] = {}

    def forget(self) -> None:
        """Start over."""
        self._known.clear()

    def of(self, numbers: Numbers) -> Texts:
        """Return what each of these stands for; None for none, or for one that is not in the table."""
        known = self._known
        new = set(numbers).difference(known)
        if new:
            if len(known) > MOST_REMEMBERED:
                known.clear()
                new = set(numbers)
            known.update(dict.fromkeys(new))
            known.update(self._look_up(ADDRESSES, json.dumps([number for number in new if isinstance(number, int)])))
        return known


class LogBlocks(LogSearch):
    """Lookups, see `storage.interface.Reader`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._resolved = Resolved(self._names.text)
        self._resolved_addresses = ResolvedAddresses(self._rows)

    def forget(self) -> None:
        """Drop what was learned, see `Session.forget`."""
        super().forget()
        self._resolved.clear()
        self._resolved_addresses.forget()

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

    async def log_blocks(self, query: Query, first: int, last: int, at_once: int) -> Iterator[LogBlock]:
        """Return the entries of a query numbered `first` to `last`, both included, up to `at_once` in a block."""
        plan = self._plan(query)
        if plan is None:
            return iter(())
        return self._blocks(plan.log << SEQ_BITS, plan.checks(query), first, last, at_once)

    def _blocks(
        self, base: int, checks: tuple[Condition, ...], first: int, last: int, at_once: int
    ) -> Iterator[LogBlock]:
        """Read on from the last one's number each time: a statement that has read what is no text cannot go on."""
        while first <= last:
            walk = Walk(None, (Condition("id BETWEEN ? AND ?", (base + first, base + last)),), checks)
            rows = self._in_bulk(f"SELECT {BULK} {walk.source} ORDER BY id LIMIT ?", (*walk.values, at_once))
            if rows:
                first = rows[-1][0] + 1
                yield self._block(zip(*rows, strict=True))
            if len(rows) < at_once:
                return

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

    def _block(self, columns: Iterator[Any]) -> LogBlock:
        block = LogBlock(self._resolved, {}, *columns)
        return replace(block, addresses=self._resolved_addresses.of(block.source_ip))
