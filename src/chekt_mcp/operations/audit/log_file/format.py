"""Which format a log file has, by its first bytes (a name that ends in .jsonl or .ndjson decides, too)."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from typing import BinaryIO

from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.audit.log_file.csv_rows import read_csv
from chekt_mcp.operations.audit.log_file.json_array import holds_entries, read_json_array
from chekt_mcp.operations.audit.log_file.json_lines import read_json_lines
from chekt_mcp.operations.audit.log_file.row import CHUNK, RawRow, RowProblem

JSON_LINES = (".jsonl", ".ndjson")
NOT_TEXT = (b"\x1f\x8b", b"PK\x03\x04", codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""How gzip, zip (and with it XLSX) and UTF-16 begin."""


def read_rows(stream: BinaryIO, name: str) -> Iterator[RawRow | RowProblem]:
    """Yield the rows of a log. `stream` is seekable and at its beginning; `name` is the file's.

    Raises:
        InvalidInput: code `unknown_format` for compressed files and UTF-16, `bad_header` for CSV without names.
    """
    if stream.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
        stream.seek(0)
    begin = stream.tell()
    head = stream.read(CHUNK)
    stream.seek(begin)
    yield from _reader(head, name)(stream)


def _reader(head: bytes, name: str) -> Callable[[BinaryIO], Iterator[RawRow | RowProblem]]:
    if head.startswith(NOT_TEXT):
        raise InvalidInput(
            "This is no log in CSV, JSON or JSON lines.",
            field="file",
            code="unknown_format",
            fix="Unpack it, or save it as CSV in UTF-8.",
        )
    start = head.lstrip()
    if name.lower().endswith(JSON_LINES):
        return read_json_lines
    if start.startswith(b"[") or (start.startswith(b"{") and holds_entries(head)):
        return read_json_array
    return read_json_lines if start.startswith(b"{") else read_csv
