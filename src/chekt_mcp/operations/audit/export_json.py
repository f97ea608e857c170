"""JSON (one array) and JSON lines: one entry a line in both, so that either can be read as it streams by."""

from __future__ import annotations

from collections.abc import Sequence

from chekt_mcp.domain.canonical_json import quoted
from chekt_mcp.domain.log_block import LogBlock
from chekt_mcp.operations.audit.export_text import MOST_REMEMBERED, details, moments


class _Members(dict[str | None, str]):
    """The values of one field to members of an object, each written once."""

    def __init__(self, start: str) -> None:
        super().__init__()
        self._start = start

    def __missing__(self, text: str | None) -> str:
        """Write one."""
        if len(self) >= MOST_REMEMBERED:
            self.clear()
        member = self[text] = self._start + ("null" if text is None else quoted(text))
        return member


class _Field:
    """One field of every object. What comes before its value: `{` or `,`, and its name."""

    def __init__(self, name: str, *, first: bool) -> None:
        self._name = name
        self._start = f'{"{" if first else ","}"{name}":'
        self._members = _Members(self._start)

    def column(self, block: LogBlock) -> list[str]:
        """Return the member of each entry."""
        start = self._start
        match self._name:
            case "seq":
                return [f"{start}{number}" for number in block.seq]
            case "timestamp":
                return [f'{start}"{moment}"' for moment in moments(block)]
            case "details":
                return [start + text for text in details(block)]
            case "request_id":  # nearly all differ: nothing to remember
                return [start + quoted(text or "") for text in block.request_id]
            case _:
                return list(map(self._members.__getitem__, getattr(block, self._name)))


class _Entries:
    """Entries as JSON objects. A lone surrogate becomes its escape: valid JSON, and the same text when read."""

    def __init__(self, fields: Sequence[str]) -> None:
        self._fields = [_Field(name, first=number == 0) for number, name in enumerate(fields)]

    def objects(self, block: LogBlock, separator: str) -> bytes:
        """Return the objects of some entries; there must be one at least."""
        columns = [field.column(block) for field in self._fields]
        text = ("}" + separator).join(map("".join, zip(*columns, strict=True)))
        return f"{text}}}".encode("utf-8", "backslashreplace")


class JsonLinesEncoder(_Entries):
    """One object a line, each ended by a line feed (jsonlines.org)."""

    def head(self) -> bytes:
        """Return nothing: JSON lines have no header."""
        return b""

    def block(self, block: LogBlock) -> bytes:
        """Return the lines of some entries."""
        return self.objects(block, "\n") + b"\n" if len(block) else b""

    def tail(self) -> bytes:
        """Return nothing."""
        return b""


class JsonEncoder(_Entries):
    """One array: `[`, a line for each entry, `]`."""

    def __init__(self, fields: Sequence[str]) -> None:
        super().__init__(fields)
        self._between = b"\n"

    def head(self) -> bytes:
        """Open the array."""
        return b"["

    def block(self, block: LogBlock) -> bytes:
        """Return some elements."""
        if not len(block):
            return b""
        between, self._between = self._between, b",\n"
        return between + self.objects(block, ",\n")

    def tail(self) -> bytes:
        """Close the array."""
        return b"\n]\n"
