"""One connection inside a transaction, asked one statement at a time. Base of every reader and writer."""

from __future__ import annotations

import sqlite3
from typing import Any

from chekt_mcp.storage.sqlite.interned import Interned, InternedAddresses
from chekt_mcp.storage.sqlite.values import storable

Row = tuple[Any, ...]


class Session:
    """Statements on one connection, and the names known on it. Whoever drives it opens and ends the transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._names = Interned(connection)
        self._addresses = InternedAddresses(connection)

    def forget(self) -> None:
        """Drop what was learned in a transaction that was rolled back: its numbers may be given out again."""
        self._names.forget()
        self._addresses.forget()

    def _run(self, statement: str, *values: object) -> sqlite3.Cursor:
        try:
            return self._connection.execute(statement, values)
        except UnicodeEncodeError:  # a lone surrogate in a value
            kept = [storable(value) if isinstance(value, str) else value for value in values]
            return self._connection.execute(statement, kept)

    def _row(self, statement: str, *values: object) -> Row | None:
        row: Row | None = self._run(statement, *values).fetchone()
        return row

    def _rows(self, statement: str, *values: object) -> list[Row]:
        return self._run(statement, *values).fetchall()

    def _change(self, statement: str, *values: object) -> int:
        """Run a statement that changes rows; return how many."""
        return self._run(statement, *values).rowcount
