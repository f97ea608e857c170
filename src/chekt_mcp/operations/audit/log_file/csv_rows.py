"""CSV as RFC 4180 has it: a first line of column names, quoted fields that may hold line breaks.

A quote that is never closed would make one field of all that follows. Where the quotes cannot be right (text behind
a closing one, none until the end of the file, a row of another width), the row in which it began is a problem and
the next line a row again. Where they can be right they are believed: a text within them is never read as rows.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import BinaryIO

from chekt_mcp.domain.import_mapping import NO_MAPPING, ImportMapping
from chekt_mcp.domain.imported_fields import REQUIRED, missing_fields
from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.audit.log_file.csv_lines import CsvLines
from chekt_mcp.operations.audit.log_file.row import FileCode, RawRow, RowProblem


def read_csv(stream: BinaryIO, mapping: ImportMapping = NO_MAPPING) -> Iterator[RawRow | RowProblem]:
    """Yield every row behind the column names as a row or a problem; blank lines are left out.

    Raises:
        InvalidInput: code `bad_header` when the first line does not name the columns that there must be, under
            `mapping`.
    """
    lines, columns = CsvLines(stream), list[str]()
    reader = csv.reader(lines, strict=True)
    while (found := _record(reader, lines)) is not None:
        if found and columns:
            yield _row(found, columns, lines)
        elif found:
            columns = _columns(found, mapping)


def _row(found: list[str] | FileCode, columns: list[str], lines: CsvLines) -> RawRow | RowProblem:
    if isinstance(found, FileCode):
        return RowProblem(lines.first, found, raw=lines.head)
    if len(found) == len(columns):
        return RawRow(lines.first, dict(zip(columns, found, strict=True)))
    lines.resume_behind_first()
    return RowProblem(lines.first, FileCode.WRONG_WIDTH, raw=found)


def _columns(found: list[str] | FileCode, mapping: ImportMapping) -> list[str]:
    if isinstance(found, FileCode) or len(set(found)) < len(found) or missing_fields(mapping.names(found)):
        raise InvalidInput(
            "The first line does not name the columns of a log.",
            field="file",
            code="bad_header",
            fix=f"It must name each column once, and among them {', '.join(REQUIRED)}; other names need a mapping.",
        )
    if mapping.absent(found):
        raise InvalidInput("The mapping names a column that the first line does not.", field="file", code="bad_header")
    return found


def _record(reader: Iterator[list[str]], lines: CsvLines) -> list[str] | FileCode | None:
    """Return the next record, why it is none, or None at the end."""
    lines.begin()
    try:
        found = next(reader, None)
    except csv.Error:
        found = None
        lines.fault = lines.fault if lines.fault is FileCode.ROW_TOO_LONG else FileCode.BAD_CSV
    if lines.fault is FileCode.ROW_TOO_LONG and not lines.skip_record():
        lines.fault = FileCode.BAD_CSV
    if lines.fault is FileCode.BAD_CSV:
        lines.resume_behind_first()
    return lines.fault or found
