"""Is every page of the database what it should be. Opening reads a few of them only."""

from __future__ import annotations

from pathlib import Path

from chekt_mcp.storage.sqlite.connection import connect_to_read
from chekt_mcp.storage.sqlite.database_file import DATABASE
from chekt_mcp.storage.sqlite.failure import CORRUPT, explained, unusable


def refuse_damaged(directory: Path) -> None:
    """Read the whole database, which takes seconds for each gigabyte; servers may go on meanwhile.

    Raises:
        StateUnusable: code `state_corrupt`, or why it cannot be read.
    """
    with explained():
        connection = connect_to_read((directory / DATABASE).absolute())
        try:
            found = connection.execute("PRAGMA quick_check(1)").fetchall()
        finally:
            connection.close()
    if found != [("ok",)]:
        raise unusable(CORRUPT)
