"""Repeated text as integers: an entry of the log names its app, actor, action and address by number.

Rows of both tables are never changed or removed, so what a connection has once seen committed stays true.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from ipaddress import IPv4Address, ip_address

from chekt_mcp.storage.sqlite.values import storable

MOST_REMEMBERED = 20_000
"""Names come from outside, some of them from attackers; beyond this the memory starts over."""

MOST_LISTED = 200
HOLDING = r"SELECT id FROM names WHERE id > ? AND text LIKE ? ESCAPE '\' LIMIT ?"


@dataclass(slots=True)
class _Holding:
    """Which texts, up to the newest one looked at, are LIKE a pattern."""

    pattern: str
    newest: int = 0
    numbers: list[int] = field(default_factory=list)


class Interned:
    """Texts and their numbers on one connection."""

    FIND = "SELECT id FROM names WHERE text = ?"
    READ = "SELECT text FROM names WHERE id = ?"

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._ids: dict[str, int] = {}
        self._texts: dict[int, str] = {}
        self._held = _Holding("")

    def forget(self) -> None:
        """Start over."""
        self._ids.clear()
        self._texts.clear()
        self._held = _Holding("")

    def holding(self, pattern: str) -> list[int] | None:
        """Return the numbers of texts that are LIKE this; None where there are more than can well be listed.

        The last answer is remembered, and only newer texts are looked at when the same is asked again.
        """
        held = self._held if self._held.pattern == pattern else _Holding(pattern)
        newest = self._connection.execute("SELECT coalesce(max(id), 0) FROM names").fetchone()[0]
        if newest > held.newest and len(held.numbers) <= MOST_LISTED:
            rows = self._connection.execute(HOLDING, (held.newest, pattern, MOST_LISTED + 1))
            held.numbers += [row[0] for row in rows]
            held.newest = newest
        self._held = held
        return held.numbers if len(held.numbers) <= MOST_LISTED else None

    def find(self, text: str) -> int | None:
        """Return the number of `text`; None when the log has never held it."""
        known = self._ids.get(text)
        if known is not None:
            return known
        row = self._connection.execute(self.FIND, (storable(text),)).fetchone()
        return None if row is None else self._remember(text, row[0])

    def text(self, number: int | None) -> str | None:
        """Return the text of a number; None for none, or for one that is not in the table."""
        if number is None:
            return None
        known = self._texts.get(number)
        return known if known is not None else self._read(number)

    def intern(self, text: str) -> int:
        """Return the number of `text`, giving it one if it is new. For a writer."""
        known = self.find(text)
        return known if known is not None else self._remember(text, self._add(storable(text)))

    def intern_optional(self, text: str | None) -> int | None:
        """`intern` of what may be absent."""
        return None if text is None else self.intern(text)

    def _read(self, number: int) -> str | None:
        row = self._connection.execute(self.READ, (number,)).fetchone()
        if row is None:
            return None
        self._make_room()
        text: str = row[0]
        self._texts[number] = text
        return text

    def _add(self, text: str) -> int:
        return self._connection.execute("INSERT INTO names (text) VALUES (?)", (text,)).lastrowid or 0

    def _remember(self, text: str, number: int) -> int:
        self._make_room()
        self._ids[text] = number
        return number

    def _make_room(self) -> None:
        if len(self._ids) + len(self._texts) >= MOST_REMEMBERED:
            self.forget()


class InternedAddresses(Interned):
    """Addresses, with their 16 bytes beside the text."""

    FIND = "SELECT id FROM addresses WHERE text = ?"
    READ = "SELECT text FROM addresses WHERE id = ?"

    def _add(self, text: str) -> int:
        statement = "INSERT INTO addresses (text, ip) VALUES (?, ?)"
        return self._connection.execute(statement, (text, sixteen_bytes(text))).lastrowid or 0


def sixteen_bytes(text: str) -> bytes | None:
    """Return an address as IPv6 bytes, IPv4 mapped into ::ffff:0:0/96 (RFC 4291, 2.5.5.2); None if it is none."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return mapped(address.packed) if isinstance(address, IPv4Address) else address.packed


def mapped(four_bytes: bytes) -> bytes:
    """Return four bytes of IPv4 as the sixteen of its mapped address."""
    return b"\0" * 10 + b"\xff\xff" + four_bytes
