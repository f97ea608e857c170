"""A log file that was opened: its size and SHA-256, its rows, and whether somebody wrote to it meanwhile."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.audit.log_file.format import read_rows
from chekt_mcp.operations.audit.log_file.row import RawRow, RowProblem


@contextmanager
def opened(file: Path) -> Iterator[LogFile]:
    """Open a log file and take its SHA-256.

    Raises:
        InvalidInput: code `unreadable_file` when it is not a file that can be read.
    """
    with open_file(file) as stream:
        yield LogFile(stream, file.name)


def open_file(file: Path) -> BufferedReader:
    """Open an ordinary file to be read.

    Raises:
        InvalidInput: code `unreadable_file`.
    """
    try:
        if file.is_file():  # asked before it is opened: opening a pipe would wait for its writer
            return file.open("rb")
    except (OSError, ValueError):  # ValueError: a NUL in its name
        pass
    raise unreadable()


def size_and_time(stream: BufferedReader) -> tuple[int, int]:
    """Return the size of an open file in bytes, and when it was written to last (nanoseconds since 1970)."""
    state = os.fstat(stream.fileno())
    return state.st_size, state.st_mtime_ns


class LogFile:
    """The file; `size` in bytes, `sha256` in hexadecimal, `name` without its folder."""

    def __init__(self, stream: BufferedReader, name: str) -> None:
        self._stream = stream
        self.name = name
        self._state = size_and_time(stream)
        self.size = self._state[0]
        self.sha256 = self._digest()

    @property
    def position(self) -> int:
        """How many bytes were read so far."""
        return self._stream.tell()

    def rows(self) -> Iterator[RawRow | RowProblem]:
        """Yield rows and problems, see `format.read_rows`."""
        self._stream.seek(0)
        try:
            yield from read_rows(self._stream, self.name)
        except OSError:
            raise unreadable() from None

    def changed(self) -> bool:
        """Tell whether the file was written to since it was opened: `sha256` is then not that of its rows."""
        return size_and_time(self._stream) != self._state

    def _digest(self) -> str:
        try:
            return hashlib.file_digest(self._stream, "sha256").hexdigest()
        except OSError:
            raise unreadable() from None


def unreadable() -> InvalidInput:
    """Return the refusal of a file that cannot be read."""
    return InvalidInput(
        "The file cannot be read.",
        field="file",
        code="unreadable_file",
        fix="Give the path of an ordinary file that you may read.",
    )
