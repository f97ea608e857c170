"""Opening connections, alike for every use."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

BUSY_TIMEOUT = 5.0
"""Seconds to wait for another process's transaction, most of which take a millisecond."""

EVERY = """
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = ON;
PRAGMA recursive_triggers = ON;
PRAGMA trusted_schema = OFF;
PRAGMA secure_delete = ON;
PRAGMA journal_size_limit = 134217728;
"""
READER_KIB = 64 * 1024
"""A page of a search at ten million entries walks through more pages than the 2 MiB that SQLite remembers by itself.

The file is read, not mapped into memory (`mmap_size`): with a map a disk that fails, or a file that somebody cuts,
ends the process (SIGBUS) where a read is refused with words. SQLite maps two gigabytes at most, which are the oldest
half of such a log, and searches of it took as long either way (0.97 to 1.08 times): a page that is new to the process
is a fault instead of a read.
"""

WRITER = """
PRAGMA busy_timeout = 0;
PRAGMA temp_store = MEMORY;
"""
"""What an append needs to be quick on a log of any size. Measured in batches of 100, in this order:

- savepoints kept in memory and not in a file (a third less time in SQLite),
- pages remembered, so that the indexes' growing ends are at hand,
- and a write-ahead log that is written over, neither cut nor extended: `page_cache` says how many pages of each.
"""
RETRY = 0.001
"""Seconds between two looks at a lock that another process holds."""

STATEMENTS_KEPT = 256


def connect(path: Path) -> sqlite3.Connection:
    """Open a connection that commits when told to, and may be handed from thread to thread.

    `path` is absolute; a file that is not there (any more) is not made.
    """
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode=rw",
        uri=True,
        timeout=BUSY_TIMEOUT,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=STATEMENTS_KEPT,
    )
    connection.text_factory = _text
    try:
        connection.executescript(EVERY)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Open a connection that refuses to change anything."""
    connection = connect(path)
    connection.execute("PRAGMA query_only = ON")
    connection.execute(f"PRAGMA cache_size = -{READER_KIB}")
    return connection


def connect_to_write(path: Path) -> sqlite3.Connection:
    """Open a connection for `begin_immediate`, which does the waiting."""
    connection = connect(path)
    connection.executescript(WRITER)
    return connection


def begin_immediate(connection: sqlite3.Connection, patience: float | None = None) -> None:
    """Begin a transaction that may write, waiting so many seconds for other processes: `BUSY_TIMEOUT` unless told.

    SQLite's own waiting ends in looking every 100 ms: a process then stood out for seconds under load, while the
    others took and gave back the lock a hundred times in between.
    """
    give_up = time.monotonic() + (BUSY_TIMEOUT if patience is None else patience)
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= give_up:
                raise
            time.sleep(RETRY)
        else:
            return


def _text(stored: bytes) -> str:
    """Read text even where somebody has put bytes that are none, so that one odd row hides no other."""
    return stored.decode("utf-8", "replace")
