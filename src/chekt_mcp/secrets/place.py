"""The place of a file sink, checked before anything is written there, and its refusals in words.

A configured file may be a symbolic link (dotfile tools make them): the file it leads to is meant, but only where
link and file both belong to this user; any other link is refused. The directory must not be writable by group or
others, or somebody else could put another file in its place. What stands there is taken for a key file: anything
longer than 4 KiB is left alone.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from chekt_mcp.errors import DeliveryFailed
from chekt_mcp.secrets.interface import not_delivered
from chekt_mcp.secrets.whole_file import LIMIT, directories, open_directory, read_small, sweep, temporary_file

REASONS = {
    errno.EACCES: ("this user may not write there", "Give this user the right to write in that directory."),
    errno.EPERM: ("this user may not write there", "Give this user the right to write in that directory."),
    errno.EROFS: ("the file system is read-only", "Mount it writable, or choose another place."),
    errno.ENOSPC: ("the disk is full", "Free some space, then ask again."),
    errno.EDQUOT: ("the disk quota is used up", "Free some space, then ask again."),
    errno.EFBIG: ("no file may grow that long here", "Raise the file size limit, then ask again."),
    errno.ENOTDIR: ("a part of its path is not a directory", "Correct the configured path."),
    errno.EBUSY: ("that file is mounted on its own", "Mount its directory instead, so that it can be replaced."),
    errno.ENOTSUP: ("the file system cannot keep a file private", "Choose a place on another file system."),
}


@dataclass(frozen=True, slots=True)
class Place:
    """An open directory, the name in it, and the content that stood there (None: nothing did)."""

    directory: int
    name: str
    previous: bytes | None = field(repr=False)

    def replace(self, temporary: str) -> None:
        """Put a temporary file of the same directory in place, in one step."""
        os.rename(temporary, self.name, src_dir_fd=self.directory, dst_dir_fd=self.directory)

    def put_back(self) -> None:
        """Undo `replace`: bring back what stood there, or nothing."""
        if self.previous is None:
            os.unlink(self.name, dir_fd=self.directory)
        else:
            with temporary_file(self.directory, self.name, self.previous) as temporary:
                self.replace(temporary)


@contextmanager
def open_place(path: Path, reference: str) -> Iterator[Place]:
    """Open and check the place of `path`; directories made for it go again if nothing is put there.

    Raises:
        DeliveryFailed: it is no place for a key, or the operating system refused something done while it was open.
    """
    try:
        real = _real_path(path.absolute(), reference)
        with directories(real.parent), open_directory(real.parent) as directory:
            _check_directory(os.fstat(directory), reference)
            previous = _previous(directory, real.name, reference)
            sweep(directory, real.name)
            yield Place(directory, real.name, previous)
    except OSError as error:
        raise _refused(error, reference) from error


def _refused(error: OSError, reference: str) -> DeliveryFailed:
    code = errno.errorcode.get(error.errno or 0, "no code")
    other = (f"the operating system refused with {code}", "Check that directory and its file system.")
    return not_delivered(reference, *REASONS.get(error.errno or 0, other))


def _real_path(path: Path, reference: str) -> Path:
    if not path.is_symlink():
        return path
    real = Path(os.path.realpath(path))
    if not real.exists() or {path.lstat().st_uid, real.stat().st_uid} != {os.geteuid()}:
        raise not_delivered(
            reference,
            "it is a link to nowhere, or to a file that is not this user's",
            "Configure the real file, or make the link and its file this user's.",
        )
    return real


def _check_directory(status: os.stat_result, reference: str) -> None:
    if status.st_uid not in {os.geteuid(), 0}:
        raise not_delivered(reference, "its directory belongs to another user", "Choose a directory of this user.")
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise not_delivered(reference, "others may write in its directory", "Run chmod go-w on that directory.")


def _previous(directory: int, name: str, reference: str) -> bytes | None:
    try:
        found = read_small(name, directory=directory)
    except FileNotFoundError:
        return None
    if not found.regular:
        raise not_delivered(reference, "something else than a file stands there", "Move it, or choose another place.")
    if len(found.content) > LIMIT:
        raise not_delivered(reference, "the file there holds more than a key", "Give the key a file of its own.")
    return found.content
