"""JSON lines: one object a line, blank lines left out (jsonlines.org)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from chekt_mcp.operations.audit.log_file.json_value import DECODER
from chekt_mcp.operations.audit.log_file.row import CHUNK, MAX_ROW, FileCode, RawRow, RowProblem


def read_json_lines(stream: BinaryIO) -> Iterator[RawRow | RowProblem]:
    """Yield every line as a row or a problem."""
    for number, line in _lines(stream):
        if line is None:
            yield RowProblem(number, FileCode.ROW_TOO_LONG)
        elif line.strip():
            found = _object(line)
            yield RowProblem(number, found, raw=line) if isinstance(found, FileCode) else RawRow(number, found)


def _lines(stream: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Yield lines with their numbers, None for one that is too long."""
    number = 0
    while line := stream.readline(MAX_ROW + 1):
        number += 1
        if len(line) <= MAX_ROW:
            yield number, line
        else:
            _finish(stream, line)
            yield number, None


def _finish(stream: BinaryIO, piece: bytes) -> None:
    while piece and not piece.endswith(b"\n"):
        piece = stream.readline(CHUNK)


def _object(line: bytes) -> dict[str, object] | FileCode:
    if b"\0" in line:
        return FileCode.NUL_CHARACTER
    try:
        found: object = DECODER.decode(line.decode())
    except UnicodeDecodeError:
        return FileCode.BAD_ENCODING
    except (ValueError, RecursionError):
        return FileCode.BAD_JSON if line.endswith(b"\n") else FileCode.TRUNCATED
    return found if isinstance(found, dict) else FileCode.NOT_AN_OBJECT
