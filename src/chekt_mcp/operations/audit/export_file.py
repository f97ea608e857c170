"""Files of an export: they grow under another name and appear in one step, whole or not at all.

A temporary file in the same directory (0600, O_EXCL, locked while in use), its content, fsync, then link(2) into
place, which replaces nothing, or rename(2) where replacing was asked for; then fsync of the directory. What a killed
export leaves behind begins with a dot, ends in `.new`, and goes when the same name is exported again.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import threading
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Self

from chekt_mcp.domain.export_manifest import FileStatement
from chekt_mcp.errors import Conflict, InvalidInput, Unavailable

WHY = {
    errno.ENOSPC: ("disk_full", "The disk is full", "Make room, or choose another place."),
    errno.EDQUOT: ("disk_full", "The disk quota is used up", "Make room, or choose another place."),
    errno.EFBIG: ("disk_full", "The file would be larger than is allowed here", "Choose another place."),
    errno.EROFS: ("not_writable", "The file system is read-only", "Choose another place."),
    errno.EACCES: ("not_writable", "This user may not write there", "Choose another place."),
    errno.ENOENT: ("not_writable", "The directory is not there", "Make it, or choose another place."),
    errno.ENOTDIR: ("not_writable", "A part of the path is no directory", "Choose another place."),
}


def manifest_path(path: Path) -> Path:
    """Return where an export's manifest is unless told otherwise."""
    return path.parent / f"{path.name}.manifest.json"


def proof_path(path: Path) -> Path:
    """Return where the proof of an export with proofs is."""
    return path.parent / f"{path.name}.proof"


class ExportFile:
    """One file while it grows. Used with `with`: what was not published is gone afterwards."""

    def __init__(self, path: Path, *, force: bool = False) -> None:
        self.path = path
        self._force = force
        self._digest, self._length = sha256(), 0
        self._lock = threading.Lock()
        self._handle = -1
        self._temporary = path

    def __enter__(self) -> Self:
        """Begin.

        Raises:
            Conflict: code `file_exists`; or `export_running`: of two that replace, one could get the other's manifest.
            Unavailable: code `not_writable` or `disk_full`.
        """
        self._refuse_existing()
        try:
            self._create()
            alone = _sweep(self.path, self._temporary)
        except OSError as error:
            raise failed(error) from error
        if self._force and not alone:
            self.__exit__()
            raise _running()
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the temporary file, unless it was published."""
        with self._lock:
            handle, self._handle = self._handle, -1
            with suppress(OSError):
                self._temporary.unlink(missing_ok=True)
            if handle >= 0:
                os.close(handle)

    def write(self, piece: bytes) -> None:
        """Add to the end. From whatever thread; after the end it is an error, also in the middle of a cancellation.

        Raises:
            Unavailable: code `disk_full` and others of `WHY`.
        """
        with self._lock:
            if self._handle < 0:
                raise Unavailable("The export was given up.", code="cancelled")
            try:
                write_all(self._handle, piece)
            except OSError as error:
                raise failed(error) from error
            self._digest.update(piece)
            self._length += len(piece)

    def finished(self) -> FileStatement:
        """Make the content durable and say what it is."""
        try:
            os.fsync(self._handle)
        except OSError as error:
            raise failed(error) from error
        return FileStatement(self.path.name, self._length, self._digest.hexdigest())

    def publish(self) -> None:
        """Let the file appear under its name.

        Raises:
            Conflict: code `file_exists`; somebody else made it meanwhile.
        """
        try:
            if self._force:
                self._temporary.replace(self.path)
            else:
                os.link(self._temporary, self.path, follow_symlinks=False)
                self._temporary.unlink()
            _sync(self.path.parent)
        except FileExistsError:
            raise _exists() from None
        except OSError as error:
            raise failed(error) from error

    def withdraw(self) -> None:
        """Remove what was published: the rest of the export could not be."""
        with suppress(OSError):
            self.path.unlink()

    def _refuse_existing(self) -> None:
        if self.path.is_dir():
            raise InvalidInput("That is a directory.", field="file", code="not_a_file", fix="Name a file in it.")
        if not self._force and (self.path.exists() or self.path.is_symlink()):
            raise _exists()

    def _create(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        self._temporary = self.path.with_name(f".{self.path.name}.{os.urandom(8).hex()}.new")
        self._handle = os.open(self._temporary, flags, 0o600)
        fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def failed(error: OSError) -> Unavailable:
    """Return what a failure means to a person. The path is theirs and is not repeated."""
    code, what, fix = WHY.get(
        error.errno or 0, ("export_failed", f"The file cannot be written ({os.strerror(error.errno or 0)})", "")
    )
    return Unavailable(f"{what}. No export was left there.", code=code, fix=fix)


def write_all(handle: int, piece: bytes) -> None:
    """Write all of it, in as many steps as the system takes."""
    rest = memoryview(piece)
    while rest:
        rest = rest[os.write(handle, rest) :]


def _exists() -> Conflict:
    return Conflict(
        "There is a file of that name.", code="file_exists", fix="Choose another name, or add --force to replace it."
    )


def _running() -> Conflict:
    return Conflict("Another export to that name is under way.", code="export_running", fix="Wait for its end.")


def _sweep(path: Path, own: Path) -> bool:
    """Remove what killed exports of this name left (it holds personal data); tell whether no other one is alive."""
    alone = True
    leftover = re.compile(rf"\.{re.escape(path.name)}(\.proof|\.manifest\.json)?\.[0-9a-f]{{16}}\.new")
    for found in path.parent.iterdir():
        left = leftover.fullmatch(found.name) if found != own else None
        if left is not None:
            with suppress(OSError):
                alone &= remove_unlocked(found) or left[1] is not None
    return alone


def remove_unlocked(path: Path) -> bool:
    """Remove a temporary file that no living export is writing; False when one is.

    Raises:
        OSError: it vanished, or is another user's.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()
    except BlockingIOError:
        return False
    else:
        return True
    finally:
        os.close(handle)


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
