"""Small files read and written whole: a crash or a power cut leaves the old content or the new, never a part.

The order is the point: a temporary file in the same directory (0600, O_EXCL), all of the content, fsync, then
rename or link into place (one step, POSIX rename(2) and link(2)), then fsync of the directory. Everything here
raises `OSError`; the callers say what it means to a person.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

LIMIT = 4096
"""Bytes: more than any key, token or key-encryption key we read or replace."""


@dataclass(frozen=True, slots=True)
class SmallFile:
    """What was read. `content` is empty for anything but a regular file, and `LIMIT` + 1 bytes when it is too long."""

    status: os.stat_result
    content: bytes = field(repr=False)

    @property
    def regular(self) -> bool:
        """Tell whether it is a plain file and no directory, pipe or device."""
        return stat.S_ISREG(self.status.st_mode)


def read_small(path: str | Path, *, directory: int | None = None) -> SmallFile:
    """Read a small file; within an open `directory` without following a link. Never waits on a pipe or device."""
    follow = os.O_NOFOLLOW if directory is not None else 0
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | follow, dir_fd=directory)
    try:
        status = os.fstat(handle)
        return SmallFile(status, os.read(handle, LIMIT + 1) if stat.S_ISREG(status.st_mode) else b"")
    finally:
        os.close(handle)


@contextmanager
def open_directory(path: Path) -> Iterator[int]:
    """Hold a directory open, so that whatever is checked on it stays true of what is then done in it."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield handle
    finally:
        os.close(handle)


@contextmanager
def directories(path: Path) -> Iterator[None]:
    """Create `path` and its missing parents (0700, durably); on the way out remove again those that stayed empty."""
    missing = [parent for parent in (*reversed(path.parents), path) if not parent.exists()]
    try:
        for parent in missing:
            with suppress(FileExistsError):
                parent.mkdir(mode=0o700)
            with open_directory(parent.parent) as above:
                os.fsync(above)
        yield
    finally:
        for parent in reversed(missing):
            with suppress(OSError):
                parent.rmdir()


@contextmanager
def temporary_file(directory: int, name: str, content: bytes) -> Iterator[str]:
    """Yield the name of a flushed 0600 file beside `name`; it is gone afterwards unless it was renamed."""
    handle, temporary = _create(directory, name)
    try:
        _write(handle, content)
        yield temporary
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=directory)
        os.close(handle)


def _create(directory: int, name: str) -> tuple[int, str]:
    """Create and lock a file: the lock, which dies with the process, tells `sweep` that it is still in use."""
    while True:
        temporary = f".{name}.{os.urandom(8).hex()}.new"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        handle = os.open(temporary, flags, 0o600, dir_fd=directory)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError:
            os.unlink(temporary, dir_fd=directory)
            os.close(handle)
            raise
        if os.fstat(handle).st_nlink:
            return handle, temporary
        # Another process swept it away before the lock was on it.
        os.close(handle)


def sweep(directory: int, name: str) -> None:
    """Remove what killed processes left beside `name`: it may hold a key in clear."""
    leftover = re.compile(rf"\.{re.escape(name)}\.[0-9a-f]{{16}}\.new")
    for found in filter(leftover.fullmatch, os.listdir(directory)):
        # One that vanished, or that belongs to another user, is not ours to judge.
        with suppress(OSError):
            _remove_unlocked(directory, found)


def _remove_unlocked(directory: int, name: str) -> None:
    handle = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
    try:
        with suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(name, dir_fd=directory)
    finally:
        os.close(handle)


def _write(handle: int, content: bytes) -> None:
    # The umask may have taken bits away, and a file system without modes must not look like one that has them.
    os.fchmod(handle, 0o600)
    if os.fstat(handle).st_mode & 0o077:
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))
    written = 0
    while written < len(content):
        written += os.write(handle, content[written:])
    os.fsync(handle)
