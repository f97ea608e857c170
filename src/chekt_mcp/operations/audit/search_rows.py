"""Entries as rows of an answer: the fields asked for, others' text escaped and cut, what cannot be read marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import attrgetter

from chekt_mcp.domain.audit import Entry
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.errors import InvalidInput

ALWAYS = ("seq", "timestamp", "request_id")
DEFAULT_FIELDS = ("app", "actor", "kind", "action", "scope", "result", "source_ip", "key_id")
FIELDS = (*ALWAYS, *DEFAULT_FIELDS, "source", "origin", "details")
ODD = "odd"
"""A field that only an entry has of which something cannot be read: the names of those fields, which are null."""

TEXT_LIMIT = 120

Row = dict[str, object]


def chosen_fields(wanted: Sequence[str] | None) -> tuple[str, ...]:
    """Return the fields of every row.

    Raises:
        InvalidInput: code `unknown_field`.
    """
    if wanted is None:
        return (*ALWAYS, *DEFAULT_FIELDS)
    if not set(wanted) <= set(FIELDS):
        raise InvalidInput(
            "There is no such field.", field="fields", code="unknown_field", fix="Fields: " + ", ".join(FIELDS) + "."
        )
    return tuple(dict.fromkeys((*ALWAYS, *wanted)))


def rows_of(entries: Sequence[Entry], fields: tuple[str, ...]) -> tuple[list[Row], int]:
    """Return the rows, and how many of their values were cut."""
    shown, values = _Shown(), attrgetter(*fields)
    return [_row(entry, dict(zip(fields, values(entry), strict=True)), shown) for entry in entries], shown.cut


def row_words(row: Row) -> str:
    """Write a row as one line."""
    values = [f"odd:{','.join(value)}" if isinstance(value, list) else value for value in row.values()]
    return " ".join("-" if value is None else str(value) for value in values)


def _row(entry: Entry, values: Row, shown: _Shown) -> Row:
    row: Row = {field: None if field in entry.odd else shown.value(value) for field, value in values.items()}
    return row | {ODD: list(entry.odd)} if entry.odd else row


class _Shown:
    """The values of a page. Most texts come by many times; each is escaped once."""

    def __init__(self) -> None:
        self.cut = 0
        self._texts: dict[str, str] = {}

    def value(self, value: object) -> object:
        """Return what stands in a row, and count what is cut."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, datetime):
            return rfc3339(value)
        if isinstance(value, Mapping):
            return self._text(", ".join(f"{name}={inner}" for name, inner in value.items()))
        return value

    def _text(self, text: str) -> str:
        self.cut += len(text) > TEXT_LIMIT
        known = self._texts.get(text)
        if known is None:
            known = self._texts[text] = escaped(str(text), TEXT_LIMIT)
        return known
