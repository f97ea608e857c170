"""Any log as lines of text: plain or gzip, whatever its encoding, in constant memory."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.audit.log_file.opened import open_file, size_and_time, unreadable

LINE_LIMIT = 65_536
"""Bytes of a line that are looked at."""

GZIP = b"\x1f\x8b"
NOT_LINES = (b"PK\x03\x04", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ", codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""How zip, zstd, bzip2, xz and UTF-16 begin."""


@dataclass(frozen=True, slots=True)
class Line:
    r"""A line, numbered from 1; `cut`: longer than `LINE_LIMIT`. Bytes that are not UTF-8 stand as `\xNN`."""

    number: int
    text: str
    cut: bool


@contextmanager
def opened_text(file: Path) -> Iterator[TextLog]:
    """Open a log to be read line by line.

    Raises:
        InvalidInput: code `unreadable_file`, or `unknown_format` for what is neither text nor gzip.
    """
    with open_file(file) as stream:
        yield TextLog(stream)


class TextLog:
    """The file; `size` in bytes as it lies there."""

    def __init__(self, stream: BufferedReader) -> None:
        self._stream = stream
        self._state = size_and_time(stream)
        self.size = self._state[0]
        head = stream.peek(8)
        if head.startswith(NOT_LINES):
            raise InvalidInput(
                "This is neither a text file nor gzip.",
                field="file",
                code="unknown_format",
                fix="Unpack it, or save it as UTF-8.",
            )
        self._packed = head.startswith(GZIP)

    @property
    def position(self) -> int:
        """How many bytes of the file were read so far."""
        return self._stream.tell()

    def changed(self) -> bool:
        """Tell whether the file was written to since it was opened."""
        return size_and_time(self._stream) != self._state

    def lines(self) -> Iterator[Line]:
        """Yield every line.

        Raises:
            InvalidInput: code `damaged_file` where gzip breaks off, so that a part does not pass for the whole.
        """
        try:
            yield from _lines(gzip.GzipFile(fileobj=self._stream) if self._packed else self._stream)
        except (gzip.BadGzipFile, EOFError, zlib.error):
            raise InvalidInput(
                "The file is damaged or not complete: it cannot be unpacked to its end.",
                field="file",
                code="damaged_file",
                fix="Copy it again, or unpack what can be had (`zcat FILE > part.log`) and compare that.",
            ) from None
        except OSError:
            raise unreadable() from None


def _lines(stream: BinaryIO | gzip.GzipFile) -> Iterator[Line]:
    number = 0
    while piece := stream.readline(LINE_LIMIT):
        number += 1
        cut = not piece.endswith(b"\n") and _skip_rest(stream)
        yield Line(number, piece.decode("utf-8", "backslashreplace"), cut)


def _skip_rest(stream: BinaryIO | gzip.GzipFile) -> bool:
    """Go behind the line's end; tell whether anything of it was left."""
    piece = rest = stream.readline(LINE_LIMIT)
    while piece and not piece.endswith(b"\n"):
        piece = stream.readline(LINE_LIMIT)
    return rest.rstrip(b"\r\n") != b""
