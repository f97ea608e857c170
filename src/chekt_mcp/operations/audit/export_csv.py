"""CSV as RFC 4180 has it: a line of column names, quoted where needed, CRLF; formulas defused (domain/formula.py).

NUL, which readers of CSV stumble over, is written as U+FFFD.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from chekt_mcp.domain.formula import HARMLESS, defused
from chekt_mcp.domain.log_block import LogBlock
from chekt_mcp.operations.audit.export_lines import AT_ONCE, Lines, Notation
from chekt_mcp.operations.audit.export_text import details_text

END = "\r\n"
EMPTY = '""'
_SPECIAL = re.compile('[",\r\n]')
_PLAIN = re.compile(rf'(?:\n{HARMLESS.pattern}[^",\r\n\0]*)*')


def _cell(text: str) -> str:
    return _quoted(defused(text).replace("\0", "\ufffd"))


def _only_cell(text: str) -> str:
    """Return a text as the only cell of a row: readers pass over empty lines, but not over an empty text in quotes."""
    return _cell(text) or EMPTY


def _details_cell(stored: str | None) -> str:
    return _quoted(details_text(stored))


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if _SPECIAL.search(cell) else cell


def _are_plain(texts: Sequence[str]) -> bool:
    """Tell whether `_cell` would leave each of these as it is."""
    together = "\n".join(("", *texts))
    return together.count("\n") == len(texts) and _PLAIN.fullmatch(together) is not None


CELLS = Notation("", _cell, _are_plain, "", _details_cell)
ONLY_CELLS = Notation("", _only_cell, _are_plain, EMPTY, _details_cell)


class CsvEncoder:
    """A row of cells for each entry."""

    at_once = AT_ONCE

    def __init__(self, fields: Sequence[str]) -> None:
        self._fields = fields
        notation = CELLS if len(fields) > 1 else ONLY_CELLS
        self._lines = Lines(notation, {field: "," if at else "" for at, field in enumerate(fields)}, END)

    def head(self) -> bytes:
        """Return the column names."""
        return (",".join(self._fields) + END).encode()

    def block(self, block: LogBlock) -> bytes:
        """Return the rows of some entries."""
        return self._lines.of(block)

    def tail(self) -> bytes:
        """Return nothing."""
        return b""
