"""The database as a file, looked at byte by byte before SQLite may touch it: sqlite.org/fileformat2.html, 1.3."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from chekt_mcp.errors import StateUnusable
from chekt_mcp.storage.sqlite.failure import CORRUPT, UNWRITABLE, unusable

DATABASE = "chekt.db"
APPLICATION_ID = 0x43484B54  # "CHKT"
SCHEMA_VERSION = 17
"""The number of the newest migration, and so the newest `user_version` that this program understands."""

HEADER_LENGTH = 100
MAGIC = b"SQLite format 3\0"
PAGE_OF_64_KIB = 1
"""How the header's two bytes write a page size of 65,536."""


@dataclass(frozen=True, slots=True)
class Header:
    """What the first 100 bytes say."""

    application_id: int
    user_version: int
    pages: int
    page_size: int


@dataclass(frozen=True, slots=True)
class OpenFile:
    """The file that a store has open, and which one it was when it was opened."""

    path: Path
    inode: tuple[int, int]

    def refuse_replaced(self) -> None:
        """Refuse to go on when another file, or none, lies where ours did: what is written would be lost.

        Raises:
            StateUnusable: code `state_replaced`.
        """
        if _inode(self.path) != self.inode:
            raise StateUnusable(
                "The state database was removed or replaced while this server had it open.",
                code="state_replaced",
                fix="Restart the server.",
            )


def open_file(path: Path) -> OpenFile:
    """Remember which file lies at `path`."""
    return OpenFile(path, _inode(path))


def prepare(directory: Path, *, make: bool) -> Path:
    """Return the database's path; where there is none, `make` makes an empty file (0600).

    Raises:
        StateUnusable: no such directory, not writable, no database in it, or a file that is not ours to open.
            Nothing was touched.
    """
    if not directory.is_dir():
        raise StateUnusable(
            "There is no state directory.",
            code="state_missing",
            fix="Run `chekt-mcp init`, or name the one there is with --state or CHEKT_MCP_STATE.",
        )
    path = directory / DATABASE
    if not os.access(directory, os.W_OK | os.X_OK) or (path.exists() and not os.access(path, os.R_OK | os.W_OK)):
        raise unusable(UNWRITABLE)
    _refuse_nothing(path, make=make)
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise unusable(UNWRITABLE) from error
    _refuse_foreign(path)
    return path


def refuse_version(user_version: int) -> None:
    """Refuse a state that a newer program has written.

    Raises:
        StateUnusable: code `state_newer`.
    """
    if user_version > SCHEMA_VERSION:
        raise StateUnusable(
            f"The state has format {user_version}; this version of chekt-mcp knows formats up to {SCHEMA_VERSION}.",
            code="state_newer",
            fix="Update chekt-mcp, and restart the servers that still run an older version.",
        )


def refuse_application(application_id: int) -> None:
    """Refuse a database that another program made.

    Raises:
        StateUnusable: code `state_not_ours`.
    """
    if application_id != APPLICATION_ID:
        raise StateUnusable(
            f"{DATABASE} in the state directory belongs to another program.",
            code="state_not_ours",
            fix="Choose another directory with --state or CHEKT_MCP_STATE.",
        )


def _refuse_nothing(path: Path, *, make: bool) -> None:
    """Refuse a directory without a database, or what is left of one: a new one would hide that the old is lost."""
    log = _beside(path, "-wal")  # looked at first: whoever writes to it has written the database's header before
    if _size(path):
        return
    if log:
        raise unusable(CORRUPT)
    if not make:
        raise StateUnusable(
            "The state directory holds no state.",
            code="state_missing",
            fix="Name the right one with --state or CHEKT_MCP_STATE, restore a backup, or run `chekt-mcp init`.",
        )


def _refuse_foreign(path: Path) -> None:
    """Judge the header. An empty file is a new database; with a rollback journal beside it SQLite mends it first."""
    with path.open("rb") as file:
        start = file.read(HEADER_LENGTH)
    if not start or _beside(path, "-journal"):
        return
    if len(start) < HEADER_LENGTH or not start.startswith(MAGIC):
        raise unusable(CORRUPT)
    header = _header(start)
    refuse_application(header.application_id)
    refuse_version(header.user_version)
    if not _beside(path, "-wal") and path.stat().st_size < header.pages * header.page_size:
        raise unusable(CORRUPT)


def _header(start: bytes) -> Header:
    size = int.from_bytes(start[16:18], "big")
    return Header(
        application_id=int.from_bytes(start[68:72], "big"),
        user_version=int.from_bytes(start[60:64], "big"),
        pages=int.from_bytes(start[28:32], "big"),
        page_size=0x1_0000 if size == PAGE_OF_64_KIB else size,
    )


def _beside(path: Path, suffix: str) -> bool:
    """Tell whether a journal of this kind is there and holds something."""
    return _size(path.with_name(path.name + suffix)) > 0


def _size(path: Path) -> int:
    """Return a file's size in bytes; 0 where there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _inode(path: Path) -> tuple[int, int]:
    try:
        status = os.stat(path)  # noqa: PTH116 -- asked at every commit; pathlib takes twice as long
    except OSError:
        return (0, 0)
    return status.st_dev, status.st_ino
