"""Is an entry found where searches look for it: under its names, by its address, in every index, by its details' text.

Whoever has the file can hide an entry without changing what it says: details that read alike but are spelled
otherwise, a name that stands twice, an index drawn up without the row.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from chekt_mcp.domain.audit import Entry
from chekt_mcp.domain.canonical_json import details_text
from chekt_mcp.storage.sqlite.interned import sixteen_bytes
from chekt_mcp.storage.sqlite.log_entries import COLUMNS
from chekt_mcp.storage.sqlite.request_key import HASH_BITS, PART_BITS, print_of, request_key
from chekt_mcp.storage.sqlite.session import Row

INDEXES = {
    "entries_by_app": ("app", "ts"),
    "entries_by_request": ("request_key",),
    "entries_by_key": ("key_id", "ts", "source_ip", "source"),
    "entries_by_address": ("source_ip", "ts"),
}
"""With the columns that lead to an entry; the last two do not hold those that lack the first of these."""

PARTIAL = ("key_id", "source_ip")
NAMES = ("app", "actor", "kind", "action", "scope", "result", "source", "key_id", "origin")
NAME = "SELECT id FROM names WHERE text = (SELECT text FROM names WHERE id = ?) LIMIT 2"
ADDRESS = "SELECT text, ip FROM addresses WHERE id = ?"
ADDRESSES = "SELECT id FROM addresses WHERE ip = ?"


def _led_to() -> Iterator[str]:
    """Yield a condition for each index: that it leads to the row."""
    for index, columns in INDEXES.items():
        same = " AND ".join(f"filed.{column} IS entries.{column}" for column in ("log", *columns, "id"))
        led = f"EXISTS (SELECT 1 FROM entries AS filed INDEXED BY {index} WHERE {same}"  # noqa: S608 -- ours
        first = columns[0]
        yield f"(entries.{first} IS NULL OR {led} AND filed.{first} IS NOT NULL))" if first in PARTIAL else f"{led})"


INDEXED = " AND ".join(_led_to())
"""What is true of a row that every index leads to."""

PRINTS = (
    "(SELECT prints FROM request_prints AS p WHERE p.log = entries.log"  # noqa: S608 -- ours
    f" AND p.part = (request_key >> {HASH_BITS - PART_BITS}) & {(1 << PART_BITS) - 1}"
    f" AND p.run = request_key >> {HASH_BITS})"
)
"""What a search for the request of a row goes by: where there are prints, its own must be among them."""


class Filing:
    """Looks rows up as a search does; for one snapshot, because it remembers the names it has looked at."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._names: dict[int | None, bool] = {None: True}
        self._addresses: dict[int | None, bool] = {None: True}

    def misfiled(self, entry: Entry, row: Row, key: object, prints: object, *, indexed: bool) -> Iterator[str]:
        """Yield the fields by which a search would not find the entry that was read from this row (`COLUMNS`)."""
        stored = dict(zip(COLUMNS.split(", "), row, strict=True))
        yield from (name for name in NAMES if not self._is_name(stored[name]))
        if not self._is_address(stored["source_ip"]):
            yield "source_ip"
        if not indexed or not isinstance(stored["ts"], int) or not _has_key(entry, key, prints):
            yield "request_id"
        written = stored["details"] if "details" not in entry.odd else None
        if written is not None and written != details_text(entry.details):
            yield "details"

    def _is_name(self, number: int | None) -> bool:
        """Tell whether the text of this number leads back to it and to no other."""
        if number not in self._names:
            rows = self._connection.execute(NAME, (number,)).fetchall()
            self._names[number] = rows == [(number,)] and isinstance(number, int) and number > 0
        return self._names[number]

    def _is_address(self, number: int | None) -> bool:
        """Tell whether the text of this number has it filed where a search by network looks."""
        if number not in self._addresses:
            text, ip = self._connection.execute(ADDRESS, (number,)).fetchone() or ("", None)
            found = ip is None or (number,) in self._connection.execute(ADDRESSES, (ip,)).fetchall()
            self._addresses[number] = found and bool(text) and sixteen_bytes(text) == ip
        return self._addresses[number]


def _has_key(entry: Entry, key: object, prints: object) -> bool:
    stored_id: object = entry.request_id  # text, unless somebody made it something else by force
    if not isinstance(stored_id, str) or key != (own := request_key(entry.seq, stored_id)):
        return False
    return prints is None or (isinstance(prints, bytes) and print_of(own) in prints)
