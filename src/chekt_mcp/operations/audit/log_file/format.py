"""Which format a log file has, by its first bytes (a name that ends in .jsonl or .ndjson decides, too)."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from functools import partial
from typing import BinaryIO

from chekt_mcp.domain.import_mapping import NO_MAPPING, ImportMapping
from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.audit.log_file.csv_rows import read_csv
from chekt_mcp.operations.audit.log_file.json_array import holds_entries, read_json_array
from chekt_mcp.operations.audit.log_file.json_lines import read_json_lines
from chekt_mcp.operations.audit.log_file.row import CHUNK, RawRow, RowProblem

JSON_LINES = (".jsonl", ".ndjson")
GZIP_NAME = ".gz"
NOT_TEXT = (b"PK\x03\x04", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ", b"\x1f\x8b", b"SQLite format 3")
"""How zip (and with it XLSX), zstd, bzip2, xz, gzip (within gzip) and a database begin."""


def read_rows(stream: BinaryIO, name: str, mapping: ImportMapping = NO_MAPPING) -> Iterator[RawRow | RowProblem]:
    """Yield the rows of a log. `stream` is UTF-8, seekable and at its beginning; `name` is the file's.

    Raises:
        InvalidInput: code `unknown_format` for what is packed, `bad_header` for CSV without names.
    """
    if stream.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
        stream.seek(0)
    begin = stream.tell()
    head = stream.read(CHUNK)
    stream.seek(begin)
    yield from _reader(head, name.lower().removesuffix(GZIP_NAME), mapping)(stream)


def _reader(head: bytes, name: str, mapping: ImportMapping) -> Callable[[BinaryIO], Iterator[RawRow | RowProblem]]:
    if head.startswith(NOT_TEXT):
        raise InvalidInput(
            "This is no log in CSV, JSON or JSON lines.",
            field="file",
            code="unknown_format",
            fix="Unpack it (gzip alone is unpacked here), or save it as CSV in UTF-8.",
        )
    start = head.lstrip()
    if name.endswith(JSON_LINES):
        return read_json_lines
    if start.startswith(b"[") or (start.startswith(b"{") and holds_entries(head)):
        return read_json_array
    return read_json_lines if start.startswith(b"{") else partial(read_csv, mapping=mapping)
