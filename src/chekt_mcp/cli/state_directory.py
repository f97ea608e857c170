"""Making the state directory: private from its first moment, and set up by one process at a time."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chekt_mcp.config import Settings
from chekt_mcp.domain.api_key import RandomBytes
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.errors import StateUnusable
from chekt_mcp.secrets import key_encryption_key


def create(directory: Path) -> None:
    """Make `directory` and its missing parents, all 0700; take one that exists if nobody else can use it.

    Raises:
        StateUnusable: code `state_unwritable` or `state_not_private`.
    """
    try:
        for missing in [one for one in (*reversed(directory.parents), directory) if not one.exists()]:
            missing.mkdir(mode=0o700, exist_ok=True)
        _check(directory)
    except OSError as error:
        raise StateUnusable(
            f"The state directory {escaped(str(directory))} cannot be made: {os.strerror(error.errno or 0)}.",
            code="state_unwritable",
            fix="Choose another with --state or CHEKT_MCP_STATE, or mend its permissions.",
        ) from error


@contextmanager
def exclusive(directory: Path) -> Iterator[None]:
    """Keep other commands that hand out keys waiting: two at once must not write one key file.

    The lock (flock(2), on the directory itself) ends with the process. No question is asked while it is held.
    """
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def ensure_key_encryption_key(settings: Settings, random: RandomBytes, *, has_dealers: bool) -> None:
    """Make the key file of a new state; a state that has dealers must find the one it was made with.

    Raises:
        SecretUnreadable: the key that counts cannot be had.
    """
    if has_dealers or settings.kek is not None or settings.kek_command is not None:
        key_encryption_key.load(file=settings.kek_file, encoded=settings.kek, command=settings.kek_command)
    else:
        key_encryption_key.create_file(settings.kek_file, random)


def _check(directory: Path) -> None:
    status = directory.stat()
    if not stat.S_ISDIR(status.st_mode):
        raise NotADirectoryError(20, "not a directory")
    if not status.st_mode & 0o077:
        return
    if status.st_uid != os.geteuid() or any(directory.iterdir()):
        raise StateUnusable(
            f"Other users have access to {escaped(str(directory))}.",
            code="state_not_private",
            fix="Run chmod 700 on it if it is only for this, or choose another with --state.",
        )
    directory.chmod(0o700)
