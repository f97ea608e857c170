"""JSON (one array) and JSON lines: one entry a line in both, so that either can be read as it streams by."""

from __future__ import annotations

from collections.abc import Sequence

from chekt_mcp.domain.log_block import LogBlock
from chekt_mcp.operations.audit.export_text import MOST_REMEMBERED, details, json_string, moments


class _Members(dict[str | None, str]):
    """The values of one field to members of an object, each written once."""

    def __init__(self, start: str, end: str) -> None:
        super().__init__()
        self._start, self._end = start, end

    def __missing__(self, text: str | None) -> str:
        """Write one."""
        if len(self) >= MOST_REMEMBERED:
            self.clear()
        member = self[text] = self._start + ("null" if text is None else json_string(text)) + self._end
        return member


class _Field:
    """One field of every object, and what stands around its value: `{` or `,` and its name, and behind the last `}`."""

    def __init__(self, name: str, *, first: bool, last: bool) -> None:
        self._name = name
        self._start, self._end = f'{"{" if first else ","}"{name}":', "}" if last else ""
        self._members = _Members(self._start, self._end)

    def column(self, block: LogBlock) -> list[str]:
        """Return the member of each entry."""
        start, end = self._start, self._end
        match self._name:
            case "seq":
                return [f"{start}{number}{end}" for number in block.seq]
            case "timestamp":
                return moments(block, f'{start}"', f'"{end}')
            case "details":
                return [f"{start}{text}{end}" for text in details(block)]
            case "request_id":  # nearly all differ: nothing to remember
                return [f"{start}{text}{end}" for text in map(json_string, block.request_id)]
            case _:
                return list(map(self._members.__getitem__, getattr(block, self._name)))


class _Entries:
    """Entries as JSON objects. A lone surrogate becomes its escape: valid JSON, and the same text when read."""

    def __init__(self, fields: Sequence[str]) -> None:
        last = len(fields) - 1
        self._fields = [_Field(name, first=at == 0, last=at == last) for at, name in enumerate(fields)]

    def objects(self, block: LogBlock, separator: str) -> bytes:
        """Return the objects of some entries; there must be one at least."""
        columns = [field.column(block) for field in self._fields]
        return separator.join(map("".join, zip(*columns, strict=True))).encode("utf-8", "backslashreplace")


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
