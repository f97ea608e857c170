"""How many entries an exported file holds, counted as it streams by."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from chekt_mcp.errors import Unavailable
from chekt_mcp.operations.audit.export_format import ExportFormat
from chekt_mcp.operations.audit.export_parquet import counted_rows


def count_entries(path: Path, form: ExportFormat) -> int | None:
    """Return the number of entries; None when that cannot be told (Parquet without pyarrow, or a broken file)."""
    match form:
        case ExportFormat.PARQUET:
            try:
                return counted_rows(path)
            except Unavailable:
                return None
        case ExportFormat.CSV:
            return _records(path)
        case ExportFormat.JSON:
            return max(0, _lines(path) - 2) if _is_filled(path) else 0
        case ExportFormat.JSONL:
            return _lines(path)


def _lines(path: Path) -> int:
    with path.open("rb") as stream:
        return sum(1 for _ in stream)


def _is_filled(path: Path) -> bool:
    """Tell an array with entries, each on its own line between `[` and `]`, from an empty one."""
    with path.open("rb") as stream:
        stream.readline()
        return stream.readline().startswith(b"{")


def _records(path: Path) -> int | None:
    """Count the records behind the column names; a quoted field may hold line breaks."""
    csv.field_size_limit(sys.maxsize)
    try:
        with path.open(encoding="utf-8", errors="replace", newline="") as stream:
            return max(0, sum(1 for _ in csv.reader(stream)) - 1)
    except csv.Error:
        return None
