"""Who can read the state besides its owner. Only looked at here; mending is a person's decision."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from chekt_mcp.storage.sqlite.database_file import DATABASE

FILES = (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", f"{DATABASE}-journal")


@dataclass(frozen=True, slots=True)
class PermissionProblem:
    """A path that is open to others, or is not ours, and the command that mends it."""

    path: Path
    problem: str
    fix: str


def permissions_problems(directory: Path) -> list[PermissionProblem]:
    """Return what is wrong with the owner and mode of the state directory and its database files.

    A file that is missing is no problem of permissions and is left out.
    """
    found = []
    for path, mode in [(directory, "700"), *((directory / name, "600") for name in FILES)]:
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        if status.st_uid != os.geteuid():
            found.append(PermissionProblem(path, "It belongs to another user.", f"chown {os.geteuid()} {path}"))
        elif not os.access(path, os.R_OK | os.W_OK | (os.X_OK if stat.S_ISDIR(status.st_mode) else 0)):
            found.append(PermissionProblem(path, "This user cannot read and write it.", f"chmod {mode} {path}"))
        if stat.S_IMODE(status.st_mode) & 0o077:
            found.append(PermissionProblem(path, "Other users have access to it.", f"chmod {mode} {path}"))
    return found
