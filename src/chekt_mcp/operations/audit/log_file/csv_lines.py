"""The lines of a CSV file, as its reader asks for them, with a way back to the second line of a broken record."""

from __future__ import annotations

import re
from typing import BinaryIO

from chekt_mcp.operations.audit.log_file.row import CHUNK, MAX_ROW, FileCode

CLOSING = re.compile(rb'[^"]*(?:""[^"]*)*"(?:[,\r\n]|\Z)')
"""The rest of a quoted field, up to a quote that may end it."""

MAX_LINES = 100
"""Lines of one record; more count as too long."""


class CsvLines:
    """An iterator of lines that ends early, with `fault` set, where a record grows too long.

    `head` is the first line of the record, where it could be read.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._offset = stream.tell()
        self._passed = 0
        self.begin()

    def begin(self) -> None:
        """Let the next line be the first of a record."""
        self.first = self._passed + 1
        self.fault: FileCode | None = None
        self._begin = self._offset
        self._second: int | None = None
        self.head = ""

    def __iter__(self) -> CsvLines:
        return self

    def __next__(self) -> str:
        line = self._read(MAX_ROW + 1)
        if self._offset - self._begin > MAX_ROW or self._passed - self.first >= MAX_LINES:
            self.fault = FileCode.ROW_TOO_LONG
            raise StopIteration
        if not line:
            raise StopIteration
        text = self._decoded(line)
        if self._second is None:
            self._second, self.head = self._offset, text
        return text

    def skip_record(self) -> bool:
        """Go behind a record that is too long, found by its quotes; False when they cannot be right."""
        self._return(self._begin)
        quoted = False
        while piece := self._read(CHUNK):
            odd = piece.count(b'"') % 2 == 1
            if quoted and odd and not CLOSING.match(piece):
                return False
            quoted ^= odd
            if not quoted and piece.endswith(b"\n"):
                return True
        return not quoted

    def resume_behind_first(self) -> None:
        """Go back to the line behind the first one of this record."""
        self._return(self._second or self._begin)
        if self._second is None:
            while (piece := self._read(CHUNK)) and not piece.endswith(b"\n"):
                pass
        self._passed = self.first

    def _read(self, limit: int) -> bytes:
        line = self._stream.readline(limit)
        self._offset += len(line)
        self._passed += line.endswith(b"\n")
        return line

    def _return(self, offset: int) -> None:
        self._stream.seek(offset)
        self._offset = offset
        self._passed = self.first - 1

    def _decoded(self, line: bytes) -> str:
        if b"\0" in line:
            self.fault = FileCode.NUL_CHARACTER
        try:
            return line.decode()
        except UnicodeDecodeError:
            self.fault = FileCode.BAD_ENCODING
            return line.decode(errors="replace")
