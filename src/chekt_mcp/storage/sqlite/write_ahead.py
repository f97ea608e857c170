"""Room at the end of the write-ahead log, so that a commit writes over what is there and does not make the file longer.

A flush of a file that has grown also waits for the file system's own journal: half of the time of a small commit, and
most of the processor's, measured on ext4. So the file is made longer by a megabyte at a time, of zeros; what they stand
for is no frame, and ends the log wherever it is read (sqlite.org/walformat.html, 4.1: its checksum cannot hold). The
next frames are written over them: no room on the disk is lost, and from 64 MiB on SQLite begins anew at the beginning.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

HEADER: Final = 32
FRAME_HEADER: Final = 24
NO_PAGE: Final = bytes(4)
"""What begins the header of no frame: pages are counted from 1."""
FRAMES_AHEAD: Final = 256
MOST_BYTES: Final = 64 * 1024 * 1024


class WriteAhead:
    """The log beside one database, for the one thread that writes to it here. Other processes may do the same.

    The file is SQLite's: it is never closed and opened by us while it counts. (Its locks are on two other files.)
    """

    def __init__(self, database: Path, page_size: int) -> None:
        self._path = database.with_name(f"{database.name}-wal")
        self._frame = FRAME_HEADER + page_size
        self._file: int | None = None
        self._size = 0

    def make_room(self) -> None:
        """Make the file longer if a commit has, since the last look. Without room a commit is slower, and no more.

        To be called inside a transaction that may write: nobody else adds to the file then.
        """
        with suppress(OSError):
            if self._file is None:
                self._file = os.open(self._path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
                self._size = os.fstat(self._file).st_size
            size = os.fstat(self._file).st_size
            if size > self._size and size < MOST_BYTES and self._used_up(self._file, size):
                os.pwrite(self._file, bytes(FRAMES_AHEAD * self._frame), size)
                size = os.fstat(self._file).st_size
            self._size = size

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _used_up(self, file: int, size: int) -> bool:
        """Tell whether the last place in the file holds a frame."""
        frames = (size - HEADER) // self._frame
        return frames > 0 and os.pread(file, len(NO_PAGE), HEADER + (frames - 1) * self._frame) != NO_PAGE
