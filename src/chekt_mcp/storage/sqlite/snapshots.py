"""Reads: one connection, one snapshot of the database for each piece of work."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from typing import TypeVar

from chekt_mcp.storage.sqlite.failure import explained
from chekt_mcp.storage.sqlite.job import drive
from chekt_mcp.storage.sqlite.subjects import SqliteReader

T = TypeVar("T")


class Snapshots:
    """Runs one piece of work after the other, each on the state of the database as it began."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._reader = SqliteReader(connection)

    def run(self, work: Callable[[SqliteReader], Awaitable[T]]) -> T:
        """Run work to its end and let go of the snapshot.

        Raises:
            StateUnusable: the database cannot be read; and whatever `work` raises.
            RuntimeError: called from within such work: a mistake in the program.
        """
        if self.connection.in_transaction:
            raise RuntimeError("Work on a snapshot may not ask for another one; use the reader it was given.")
        with explained():
            self.connection.execute("BEGIN")
            self._reader.begin()
            try:
                return drive(work, self._reader)
            finally:
                self.connection.rollback()
