"""How many pages the writing connection remembers, and how long its write-ahead log gets: both as the batches are.

The calls of a server append a few entries at a time, to ends of indexes that stay at hand in little memory, and a
server lives long. In batches of 100 and more, the pages of a whole log's indexes come by again and again: 64 MiB are
twice the speed at ten million entries. They are given back with the next small batch.

A commit that makes the write-ahead log longer waits twice as long for the disk as one that writes over what is there.
For single entries the log is moved into the database after 2 MiB, and so is soon long enough. In large batches many a
page has been changed several times before 64 MiB are full, and the disk is waited for less often (half the wait).
"""

from __future__ import annotations

import sqlite3
from typing import Final

BULK: Final = 100
"""Entries of a batch that is no server's: its calls are recorded at most 64 together."""
FEW_KIB: Final = 4 * 1024
MANY_KIB: Final = 64 * 1024
SHORT_LOG, LONG_LOG = 512, 16_384
"""Pages of 4 KiB."""


class PageCache:
    """The memory of one writing connection, from the beginning that of a server."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._kib = 0
        self.suit(1)

    def suit(self, entries: int) -> None:
        """Have the memory that a batch of so many entries is quick with."""
        wanted = MANY_KIB if entries >= BULK else FEW_KIB
        if wanted == self._kib:
            return
        self._connection.execute(f"PRAGMA cache_size = -{wanted}")
        self._connection.execute(f"PRAGMA wal_autocheckpoint = {LONG_LOG if wanted == MANY_KIB else SHORT_LOG}")
        if wanted < self._kib:
            self._connection.execute("PRAGMA shrink_memory")  # lets go of every page that is not in use
        self._kib = wanted
