"""What a log file yields: raw rows, and problems with their lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from enum import StrEnum

from chekt_mcp.domain.imported_value import RowCode

MAX_ROW = 131_072
"""Bytes of one row (characters in a JSON array). A longer one is a problem, and never held in memory."""

CHUNK = 65_536
"""Bytes read at a time."""


class FileCode(StrEnum):
    """Why a part of a file could not be read as a row."""

    BAD_CSV = "bad_csv"
    WRONG_WIDTH = "wrong_width"
    ROW_TOO_LONG = "row_too_long"
    BAD_ENCODING = "bad_encoding"
    NUL_CHARACTER = "nul_character"
    BAD_JSON = "bad_json"
    NOT_AN_OBJECT = "not_an_object"
    TRUNCATED = "truncated"
    TRAILING_DATA = "trailing_data"
    BROKEN_FILE = "broken_file"


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row as field names and values; `line` is where it begins, from 1."""

    line: int
    fields: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class RowProblem:
    """A row that is not taken: where, why, and which field ("" where it is the row itself).

    `raw` is what of it was read, as it was read: only `row_excerpt.excerpt` may show it to anybody.
    """

    line: int
    code: FileCode | RowCode
    field: str = ""
    raw: object = dataclass_field(default=None, repr=False, compare=False)
