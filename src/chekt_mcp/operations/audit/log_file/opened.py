"""A log file that was opened: its size and SHA-256, its rows, and whether somebody wrote to it meanwhile."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from chekt_mcp.domain.import_mapping import NO_MAPPING, ImportMapping
from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.audit.log_file.format import read_rows
from chekt_mcp.operations.audit.log_file.row import FileCode, RawRow, RowProblem
from chekt_mcp.operations.audit.log_file.unpacked import unpacked


@contextmanager
def opened(file: Path) -> Iterator[LogFile]:
    """Open a log file and take its SHA-256.

    Raises:
        InvalidInput: code `unreadable_file` when it is not a file that can be read.
    """
    with open_file(file) as stream:
        log = LogFile(stream, file.name)
        try:
            yield log
        finally:
            log.close()


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
    """The file; `sha256` in hexadecimal, of its bytes as they lie there, `name` without its folder.

    `size` is what `position` goes up to: the bytes of its text, unpacked where it is packed.
    """

    def __init__(self, stream: BufferedReader, name: str) -> None:
        self._stream = stream
        self._text: BinaryIO = stream
        self.name = name
        self._state = size_and_time(stream)
        self.size = self._state[0]
        self.sha256 = self._digest()

    @property
    def position(self) -> int:
        """How many bytes of the text were read so far."""
        return self._text.tell()

    def rows(self, mapping: ImportMapping = NO_MAPPING) -> Iterator[RawRow | RowProblem]:
        """Yield rows and problems, see `format.read_rows`; `broken_file` is the last where the file breaks off.

        Raises:
            InvalidInput: as `format.read_rows` and `unpacked.unpacked`, and `unreadable_file`.
        """
        self._stream.seek(0)
        try:
            text = unpacked(self._stream, self._state[0])
            self._text, self.size = text.stream, os.fstat(text.stream.fileno()).st_size
            line = 0
            for row in read_rows(text.stream, self.name, mapping):
                line = row.line
                yield row
            if text.broken:
                yield RowProblem(line + 1, FileCode.BROKEN_FILE)
        except OSError:
            raise unreadable() from None

    def changed(self) -> bool:
        """Tell by size and time whether the file was written to since it was opened: quick, for every batch."""
        return size_and_time(self._stream) != self._state

    def is_other(self) -> bool:
        """Tell by size, time and SHA-256, read once more, whether it is another file than it was when opened."""
        return self.changed() or self._digest() != self.sha256

    def close(self) -> None:
        """Let go of the text that was unpacked; the file itself belongs to whoever opened it."""
        if self._text is not self._stream:
            self._text.close()

    def _digest(self) -> str:
        self._stream.seek(0)
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
