"""JSON as one text: an array of objects, or an object with such an array under `entries`."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from io import BytesIO
from typing import BinaryIO

from chekt_mcp.operations.audit.log_file.json_text import JsonText
from chekt_mcp.operations.audit.log_file.row import FileCode, RawRow, RowProblem

ENTRIES = "entries"
Rows = Generator[RawRow | RowProblem, None, bool]
"""Rows and problems, and at last whether the closing bracket was there."""


def read_json_array(stream: BinaryIO) -> Iterator[RawRow | RowProblem]:
    """Yield every element as a row or a problem; the text begins with `[`, or with `{` of an object."""
    text = JsonText(stream)
    closed = yield from _elements(text) if text.take() == "[" else _members(text)
    if not closed:
        yield RowProblem(text.line, FileCode.TRUNCATED)
    elif text.mark():
        yield RowProblem(text.line, FileCode.TRAILING_DATA)


def holds_entries(head: bytes) -> bool:
    """Tell whether the beginning of a text is that of an object with an array of entries."""
    text = JsonText(BytesIO(head))
    return text.take() == "{" and _enter_entries(text)


def _members(text: JsonText) -> Rows:
    while _enter_entries(text):
        if not (yield from _elements(text)):
            return False
    return text.take() != ""


def _enter_entries(text: JsonText) -> bool:
    """Go behind the next `"entries": [`; False where there is none, at a bracket that closes or at the end."""
    name: object = None
    while (mark := text.mark()) not in {"", "}", "]"}:
        if mark == "[" and name == ENTRIES:
            text.take()
            return True
        name = text.value()
    return False


def _elements(text: JsonText) -> Rows:
    while (mark := text.mark()) not in {"", "]"}:
        line, found = text.line, text.value()
        if isinstance(found, dict):
            yield RawRow(line, found)
        elif found is not FileCode.TRUNCATED:
            yield _problem(text, line, found)
    text.take()
    return mark == "]"


def _problem(text: JsonText, line: int, found: object) -> RowProblem:
    if isinstance(found, FileCode):
        return RowProblem(line, found, raw=text.skipped)
    return RowProblem(line, FileCode.NOT_AN_OBJECT, raw=found)
