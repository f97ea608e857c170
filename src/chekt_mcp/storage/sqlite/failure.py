"""What SQLite reports (sqlite.org/rescode.html) in our words: one error tree for callers, whatever the engine."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from chekt_mcp.errors import ChektError, Conflict, NotFound, StateUnusable

FULL = ("state_full", "The disk that holds the state is full.", "Free some space; nothing of this was done.")
BUSY = (
    "state_busy",
    "Another process has kept the state locked for too long.",
    "Try again; if it stays so, look for a chekt-mcp process that hangs.",
)
UNWRITABLE = (
    "state_unwritable",
    "The state directory or its database cannot be written.",
    "Check the owner and the permissions (0700 for the directory, 0600 for its files): `chekt-mcp doctor`.",
)
DEVICE = (
    "state_io_error",
    "Reading or writing the state failed on the storage device.",
    "Check the disk and its free space and quota; nothing of this was done.",
)
CORRUPT = (
    "state_corrupt",
    "The state database is damaged, or not a database at all.",
    "Move it away and restore a backup of the whole state directory.",
)
CLOSED = ("state_closed", "The state has been closed.", "")
OTHER = ("state_unusable", "The state database did not carry out what was asked.", "Run `chekt-mcp doctor`.")

BY_RESULT = {
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_BUSY: BUSY,
    sqlite3.SQLITE_LOCKED: BUSY,
    sqlite3.SQLITE_PROTOCOL: BUSY,
    sqlite3.SQLITE_READONLY: UNWRITABLE,
    sqlite3.SQLITE_PERM: UNWRITABLE,
    sqlite3.SQLITE_CANTOPEN: UNWRITABLE,
    sqlite3.SQLITE_IOERR: DEVICE,
    sqlite3.SQLITE_CORRUPT: CORRUPT,
    sqlite3.SQLITE_NOTADB: CORRUPT,
    sqlite3.SQLITE_INTERRUPT: CLOSED,
}
TAKEN = frozenset({sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY})


def explain(error: sqlite3.Error) -> ChektError:
    """Return our error for one of SQLite's; its text is not passed on, because it may quote what was stored."""
    result = getattr(error, "sqlite_errorcode", 0)  # absent where the module itself refused
    if result in TAKEN:
        return Conflict("There is one of that name already.", code="already_exists")
    if result == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
        return NotFound("There is no such dealer or app.")
    return unusable(BY_RESULT.get(result & 0xFF, OTHER))  # the low byte is the primary result code


def unusable(reason: tuple[str, str, str]) -> StateUnusable:
    """Build the error from one of the reasons above."""
    code, message, fix = reason
    return StateUnusable(message, code=code, fix=fix)


@contextmanager
def explained() -> Iterator[None]:
    """Let nothing of SQLite's own errors out."""
    try:
        yield
    except sqlite3.Error as error:
        raise explain(error) from error


@contextmanager
def unique(code: str, message: str) -> Iterator[None]:
    """Name the conflict when what is being added is there already."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        if error.sqlite_errorcode not in TAKEN:
            raise
        raise Conflict(message, code=code) from error
