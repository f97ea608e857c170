"""The formats of an export. Each turns blocks of entries into bytes; what it keeps between them is small."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from chekt_mcp.domain.log_block import LogBlock
from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.audit.export_text import FIELDS


class ExportFormat(StrEnum):
    """What an export can be; the value is also the end of the file's name."""

    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"
    PARQUET = "parquet"

    @property
    def media_type(self) -> str:
        """What it is on the wire: RFC 4180, RFC 8259, and the two that IANA knows or people use."""
        return MEDIA_TYPES[self]


MEDIA_TYPES = {
    ExportFormat.CSV: "text/csv",
    ExportFormat.JSON: "application/json",
    ExportFormat.JSONL: "application/jsonl",
    ExportFormat.PARQUET: "application/vnd.apache.parquet",
}


class Encoder(Protocol):
    """One export in one format: `head`, any number of blocks, `tail`; written one after the other.

    `at_once`: entries a block should have at most.
    """

    at_once: int

    def head(self) -> bytes:
        """Return what stands before the first entry."""
        ...

    def block(self, block: LogBlock) -> bytes:
        """Return some entries."""
        ...

    def tail(self) -> bytes:
        """Return what stands behind the last entry."""
        ...


def chosen_fields(wanted: Sequence[str] | None) -> tuple[str, ...]:
    """Return the fields to export, in the order of FIELDS; all of them unless told otherwise.

    Raises:
        InvalidInput: code `unknown_field`, or `no_fields` for an empty list.
    """
    if wanted is None:
        return FIELDS
    if not set(wanted) <= set(FIELDS):
        fix = "Fields: " + ", ".join(FIELDS) + "."
        raise InvalidInput("There is no such field.", field="fields", code="unknown_field", fix=fix)
    if not wanted:
        raise InvalidInput("An export needs at least one field.", field="fields", code="no_fields")
    return tuple(field for field in FIELDS if field in wanted)


def encoder_of(form: ExportFormat, fields: tuple[str, ...]) -> Encoder:
    """Return a fresh encoder.

    Raises:
        Unavailable: code `no_parquet`: pyarrow is not installed.
    """
    if form is ExportFormat.PARQUET:
        from chekt_mcp.operations.audit.export_parquet import ParquetEncoder  # noqa: PLC0415 -- an optional extra

        return ParquetEncoder(fields)
    if form is ExportFormat.CSV:
        from chekt_mcp.operations.audit.export_csv import CsvEncoder  # noqa: PLC0415 -- only one of them is needed

        return CsvEncoder(fields)
    from chekt_mcp.operations.audit.export_json import JsonEncoder, JsonLinesEncoder  # noqa: PLC0415 -- as above

    return JsonEncoder(fields) if form is ExportFormat.JSON else JsonLinesEncoder(fields)
