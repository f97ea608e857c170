"""Entries as rows of an answer: the fields asked for, others' text escaped and cut, what cannot be read marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
    cut: list[str] = []
    return [_row(entry, fields, cut) for entry in entries], len(cut)


def row_words(row: Row) -> str:
    """Write a row as one line."""
    values = [f"odd:{','.join(value)}" if isinstance(value, list) else value for value in row.values()]
    return " ".join("-" if value is None else str(value) for value in values)


def _row(entry: Entry, fields: tuple[str, ...], cut: list[str]) -> Row:
    row: Row = {field: None if field in entry.odd else _value(entry, field, cut) for field in fields}
    return row | {ODD: list(entry.odd)} if entry.odd else row


def _value(entry: Entry, field: str, cut: list[str]) -> object:
    if field == "timestamp":
        return rfc3339(entry.timestamp)
    value = getattr(entry, field)
    if isinstance(value, Mapping):
        value = ", ".join(f"{name}={inner}" for name, inner in value.items())
    if not isinstance(value, str):
        return value
    if len(value) > TEXT_LIMIT:
        cut.append(field)
    return escaped(str(value), TEXT_LIMIT)
