"""Parquet through pyarrow, an optional extra: `pip install chekt-mcp[parquet]`. One row group for each block.

`timestamp` is a moment in UTC with microseconds, `seq` a 64-bit number, everything else text.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from chekt_mcp.domain.log_block import LogBlock
from chekt_mcp.errors import Unavailable
from chekt_mcp.operations.audit.export_text import Written, details_text

ROWS = 100_000
"""Rows collected for a row group: small ones compress badly and are slow to read."""


class _Drain:
    """What pyarrow writes to, emptied after each step."""

    closed = False

    def __init__(self) -> None:
        self._waiting: list[bytes] = []
        self._written = 0

    def write(self, piece: Any) -> int:
        content = bytes(piece)
        self._waiting.append(content)
        self._written += len(content)
        return len(content)

    def tell(self) -> int:
        return self._written

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        self.closed = True

    def taken(self) -> bytes:
        found, self._waiting = b"".join(self._waiting), []
        return found


class ParquetEncoder:
    """Entries as row groups of one table."""

    at_once = 10_000

    def __init__(self, fields: Sequence[str]) -> None:
        self._arrow, parquet = _pyarrow()
        types = {"seq": self._arrow.int64(), "timestamp": self._arrow.timestamp("us", tz="UTC")}
        self._schema = self._arrow.schema([(field, types.get(field, self._arrow.string())) for field in fields])
        self._drain = _Drain()
        sink = self._arrow.PythonFile(self._drain, mode="w")
        self._writer = parquet.ParquetWriter(sink, self._schema, compression="zstd")
        self._waiting: list[Any] = []
        self._rows = 0
        self._details = Written(details_text)

    def head(self) -> bytes:
        """Return the magic number."""
        return self._drain.taken()

    def block(self, block: LogBlock) -> bytes:
        """Take some entries; returns what has become a row group."""
        self._waiting.append(self._arrow.table(self._columns(block), schema=self._schema))
        self._rows += len(block)
        if self._rows >= ROWS:
            self._write()
        return self._drain.taken()

    def tail(self) -> bytes:
        """Write what is left, and the footer that makes the file readable."""
        self._write()
        self._writer.close()
        return self._drain.taken()

    def _columns(self, block: LogBlock) -> list[Any]:
        return [self._column(block, field.name, field.type) for field in self._schema]

    def _column(self, block: LogBlock, field: str, kind: Any) -> Any:
        return self._arrow.array(self._values(block, field), type=kind)

    def _values(self, block: LogBlock, field: str) -> Sequence[object]:
        match field:
            case "seq" | "timestamp" | "request_id":
                values: Sequence[object] = getattr(block, field)
                return values
            case "details":
                return [self._details[stored] for stored in block.details]
            case _:
                return block.texts(field)

    def _write(self) -> None:
        if self._rows:
            self._writer.write_table(self._arrow.concat_tables(self._waiting), row_group_size=self._rows)
        self._waiting, self._rows = [], 0


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415 -- optional, and 50 MB; it has no types
        from pyarrow import parquet  # noqa: PLC0415 -- as above
    except ImportError:
        raise Unavailable(
            "Parquet needs pyarrow, which is not installed here.",
            code="no_parquet",
            fix="Run `pip install 'chekt-mcp[parquet]'`, or choose csv, json or jsonl.",
        ) from None
    return pa, parquet


def counted_rows(path: Path) -> int | None:
    """Return how many rows a file says it has; None when it is no Parquet file.

    Raises:
        Unavailable: code `no_parquet`.
    """
    arrow, parquet = _pyarrow()
    try:
        rows: int = parquet.read_metadata(path).num_rows
    except (arrow.ArrowInvalid, OSError):
        return None
    return rows
