"""Bringing a database to this program's format: numbered SQL files, all that are missing in one transaction."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator

from chekt_mcp.errors import StateUnusable
from chekt_mcp.storage.sqlite.connection import BUSY_TIMEOUT, RETRY
from chekt_mcp.storage.sqlite.database_file import (
    APPLICATION_ID,
    SCHEMA_VERSION,
    refuse_application,
    refuse_version,
)

LEAVES = 8
"""The migration behind which entries get their leaves."""

STRETCHES = 13
"""The migration behind which the stretches of older logs are drawn."""

PRINTS = 16
"""The migration behind which the runs of older logs are printed."""


def make_current(connection: sqlite3.Connection, random: Callable[[int], bytes]) -> None:
    """Migrate if need be, and make sure of WAL. Safe when several processes do it at once.

    `random` salts entries that are older than the log's tree.

    Raises:
        StateUnusable: codes `state_newer`, `state_not_ours`, `state_no_wal`; the database is left as it was.
    """
    if _number(connection, "user_version") != SCHEMA_VERSION:
        _migrate(connection, random)
    refuse_application(_number(connection, "application_id"))
    _use_wal(connection)


def version(connection: sqlite3.Connection) -> int:
    """Return the format the database has at this moment."""
    return _number(connection, "user_version")


def _migrate(connection: sqlite3.Connection, random: Callable[[int], bytes]) -> None:
    connection.execute("BEGIN EXCLUSIVE")  # another process may be doing the same: it wins, and we find it done
    try:
        found = version(connection)
        refuse_version(found)
        if connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
            refuse_application(_number(connection, "application_id"))
        for number in range(found + 1, SCHEMA_VERSION + 1):
            for statement in _statements(_script(number)):
                connection.execute(statement)
            if number == LEAVES:
                _add_leaves(connection, random)
            if number == STRETCHES:
                _draw_stretches(connection)
            if number == PRINTS:
                _print_requests(connection)
        if found == 0:
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise
    # An older program judges by the file's first bytes, so the new number should be there and not in the WAL.
    connection.execute("PRAGMA wal_checkpoint").fetchall()


def _add_leaves(connection: sqlite3.Connection, random: Callable[[int], bytes]) -> None:
    from chekt_mcp.storage.sqlite.log_upgrade import LogUpgrade  # noqa: PLC0415 -- once in the life of a state

    LogUpgrade(connection).run(random)


def _draw_stretches(connection: sqlite3.Connection) -> None:
    from chekt_mcp.storage.sqlite.log_stretches import StretchUpgrade  # noqa: PLC0415 -- as above

    StretchUpgrade(connection).run()


def _print_requests(connection: sqlite3.Connection) -> None:
    from chekt_mcp.storage.sqlite.request_prints import PrintUpgrade  # noqa: PLC0415 -- as above

    PrintUpgrade(connection).run()


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL, where it is not on already. SQLite does not wait for others here, so we do."""
    give_up = time.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
            time.sleep(RETRY)
            continue
        if mode != "wal":
            raise StateUnusable(
                "The state database cannot be shared by several processes where it lies.",
                code="state_no_wal",
                fix="Choose a directory on a local disk with --state or CHEKT_MCP_STATE.",
            )
        return


def _script(number: int) -> str:
    # Imported here: an up-to-date database needs no script, and this module takes longer to load than all of ours.
    from importlib import resources  # noqa: PLC0415

    for file in (resources.files("chekt_mcp.storage.sqlite") / "migrations").iterdir():
        if file.name.startswith(f"{number:04}_"):
            return file.read_text(encoding="utf-8")
    raise StateUnusable(
        "This installation of chekt-mcp is incomplete.", code="installation_damaged", fix="Install it again."
    )


def _statements(script: str) -> Iterator[str]:
    """Split a script, whose triggers hold semicolons too; `executescript` would commit what is open."""
    waiting = ""
    for line in script.splitlines(keepends=True):
        waiting += line
        if sqlite3.complete_statement(waiting):
            yield waiting
            waiting = ""


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    number: int = connection.execute(f"PRAGMA {pragma}").fetchone()[0]
    return number
