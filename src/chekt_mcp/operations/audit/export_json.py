"""JSON (one array) and JSON lines: one entry a line in both, so that either can be read as it streams by."""

from __future__ import annotations

from collections.abc import Sequence

from chekt_mcp.domain.log_block import LogBlock
from chekt_mcp.operations.audit.export_lines import AT_ONCE, Lines, Notation
from chekt_mcp.operations.audit.export_text import details_text, json_string


def _inside(text: str) -> str:
    return json_string(text)[1:-1]


def _are_plain(texts: Sequence[str]) -> bool:
    together = "".join(texts)
    return together.isascii() and together.isprintable() and '"' not in together and "\\" not in together


JSON = Notation('"', _inside, _are_plain, "null", details_text)


def _objects(fields: Sequence[str], before: str, after: str) -> Lines:
    """Return lines of one object each. A lone surrogate becomes its escape: valid JSON, and the same text when read."""
    starts = {field: f'{"," if at else before + "{"}"{field}":' for at, field in enumerate(fields)}
    return Lines(JSON, starts, "}" + after)


class JsonLinesEncoder:
    """One object a line, each ended by a line feed (jsonlines.org)."""

    at_once = AT_ONCE

    def __init__(self, fields: Sequence[str]) -> None:
        self._lines = _objects(fields, "", "\n")

    def head(self) -> bytes:
        """Return nothing: JSON lines have no header."""
        return b""

    def block(self, block: LogBlock) -> bytes:
        """Return the lines of some entries."""
        return self._lines.of(block)

    def tail(self) -> bytes:
        """Return nothing."""
        return b""


class JsonEncoder:
    """One array: `[`, a line for each entry, `]`."""

    at_once = AT_ONCE

    def __init__(self, fields: Sequence[str]) -> None:
        self._lines = _objects(fields, ",\n", "")
        self._begun = False

    def head(self) -> bytes:
        """Open the array."""
        return b"["

    def block(self, block: LogBlock) -> bytes:
        """Return some elements; no comma stands before the first one."""
        written = self._lines.of(block)
        if self._begun or not written:
            return written
        self._begun = True
        return written.removeprefix(b",")

    def tail(self) -> bytes:
        """Close the array."""
        return b"\n]\n"
