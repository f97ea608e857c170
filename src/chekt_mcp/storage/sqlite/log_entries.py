"""Rows of the log as entries. Most rows of a page differ in few columns, so what the others say is read once."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import NamedTuple

from chekt_mcp.domain.audit import Entry, Kind, Result
from chekt_mcp.storage.sqlite.interned import MOST_REMEMBERED
from chekt_mcp.storage.sqlite.log_reader import SEQ_BITS
from chekt_mcp.storage.sqlite.session import Row, Session
from chekt_mcp.storage.sqlite.values import logged_details, moment

COLUMNS = "ts, id, app, actor, kind, action, scope, result, request_id, source, source_ip, key_id, origin, details"
SHOWN = f"{COLUMNS}, (SELECT text FROM addresses WHERE addresses.id = entries.source_ip)"  # noqa: S608 -- ours
"""With the address as text: there are too many to be remembered, as names are."""

KINDS: Mapping[str | None, Kind] = {kind.value: kind for kind in Kind}
RESULTS: Mapping[str | None, Result] = {result.value: result for result in Result}
READ_AS_NONE = (None, "{}")
SEQ_MASK = (1 << SEQ_BITS) - 1


class Said(NamedTuple):
    """What the columns say that hold numbers of names; `odd` names those that cannot be read."""

    app: str | None
    actor: str
    kind: Kind
    action: str
    scope: str | None
    result: Result
    source: str | None
    key_id: str | None
    origin: str | None
    odd: tuple[str, ...]


class EntryReader(Session):
    """Reads rows; what cannot be read as what it should be never fails a page, and is not passed off as more."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._said: dict[Row, Said] = {}

    def forget(self) -> None:
        """Drop what was learned, see `Session.forget`."""
        super().forget()
        self._said.clear()

    def _entry(self, dealer: str, row: Row) -> Entry:
        """Read a row of `COLUMNS`."""
        return self._shown(dealer, (*row, self._addresses.text(row[10])))

    def _shown(self, dealer: str, row: Row) -> Entry:
        """Read a row of `SHOWN`."""
        # Longer than it should be, as in `EntryRows.row`.
        ts, number, app, actor, kind, action, scope, result, request_id, source, address, key, origin, text, ip = row
        numbers = (app, actor, kind, action, scope, result, source, key, origin)
        said = self._said.get(numbers) or self._say(numbers)
        details, odd = logged_details(text) if text is not None else {}, said.odd
        if ip is None and address is not None:
            odd += ("source_ip",)
        if not details and text not in READ_AS_NONE:
            odd += ("details",)
        return Entry(
            dealer,
            moment(ts),
            said.actor,
            said.kind,
            said.action,
            said.result,
            request_id,
            said.app,
            said.scope,
            said.source,
            ip,
            said.key_id,
            said.origin,
            details,
            number & SEQ_MASK,
            odd,
        )

    def _say(self, numbers: Row) -> Said:
        app, actor, kind, action, scope, result, source, key, origin = map(self._names.text, numbers)
        read = (app, actor, KINDS.get(kind), action, scope, RESULTS.get(result), source, key, origin)
        odd = [
            name
            for name, value, number in zip(Said._fields[:-1], read, numbers, strict=True)
            if value is None and number is not None
        ]
        said = Said(
            app,
            actor or "",
            KINDS.get(kind, Kind.OPERATOR_ACTION),
            action or "",
            scope,
            RESULTS.get(result, Result.ERROR),
            source,
            key,
            origin,
            tuple(odd),
        )
        if not odd:
            self._remember(numbers, said)
        return said

    def _remember(self, numbers: Row, said: Said) -> None:
        if len(self._said) >= MOST_REMEMBERED:
            self._said.clear()
        self._said[numbers] = said
