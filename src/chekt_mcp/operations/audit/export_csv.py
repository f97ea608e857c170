"""CSV as RFC 4180 has it: a line of column names, quoted where needed, CRLF; formulas defused (domain/formula.py)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from chekt_mcp.domain.formula import defused
from chekt_mcp.domain.log_block import LogBlock
from chekt_mcp.operations.audit.export_text import MOST_REMEMBERED, details, moments


class _Cells(dict[str | None, str]):
    """Texts to their cells, each looked at once. What is absent is an empty cell."""

    def __init__(self) -> None:
        super().__init__({None: ""})

    def __missing__(self, text: str) -> str:
        """Look at one."""
        if len(self) >= MOST_REMEMBERED:
            self.clear()
            self[None] = ""
        cell = self[text] = defused(text)
        return cell


class CsvEncoder:
    """Rows of cells; NUL, which readers of CSV stumble over, is written as U+FFFD."""

    def __init__(self, fields: Sequence[str]) -> None:
        self._fields = fields
        self._cells = _Cells()

    def head(self) -> bytes:
        """Return the column names."""
        return self._written([self._fields])

    def block(self, block: LogBlock) -> bytes:
        """Return the rows of some entries."""
        return self._written(zip(*(self._column(block, field) for field in self._fields), strict=True))

    def tail(self) -> bytes:
        """Return nothing."""
        return b""

    def _column(self, block: LogBlock, field: str) -> Iterable[object]:
        if field == "seq":
            return block.seq
        if field == "timestamp":
            return moments(block)
        if field == "details":
            return details(block)
        return map(self._cells.__getitem__, getattr(block, field))

    def _written(self, rows: Iterable[Iterable[object]]) -> bytes:
        page = io.StringIO(newline="")
        csv.writer(page, lineterminator="\r\n").writerows(rows)
        return page.getvalue().replace("\0", "\ufffd").encode("utf-8", "backslashreplace")
