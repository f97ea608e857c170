"""A query as SQL: which index to walk, from which end, and what to check on each row.

Every index used ends in the timestamp, so rows come newest first and a walk ends with the page. Where a query
allows several apps or addresses there is one walk for each, and the walks are merged. The index is named in the
statement: without statistics SQLite would guess, and with them the guess would change as the log grows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from chekt_mcp.domain.audit import Network, Position, Query
from chekt_mcp.domain.choice import Choice
from chekt_mcp.errors import InvalidInput
from chekt_mcp.storage.sqlite.interned import mapped
from chekt_mcp.storage.sqlite.values import microseconds, storable

LONGEST_PATTERN = 40_000
"""Bytes; SQLite refuses LIKE patterns beyond 50,000 (sqlite.org/limits.html)."""

MAPPED = IPv6Network("::ffff:0:0/96")
LARGEST = 2**63 - 1
NUMBERED = ("actor", "action", "kind", "scope", "result", "key_id")


@dataclass(frozen=True, slots=True)
class Condition:
    """A piece of a WHERE clause and its values."""

    clause: str
    values: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Walk:
    """One pass over one index, newest first."""

    index: str
    conditions: tuple[Condition, ...]

    @property
    def source(self) -> str:
        """FROM and WHERE."""
        clauses = " AND ".join(condition.clause for condition in self.conditions)
        return f"FROM entries INDEXED BY {self.index} WHERE {clauses}"

    @property
    def values(self) -> tuple[object, ...]:
        """The values, in the order of their places."""
        return tuple(value for condition in self.conditions for value in condition.values)


def one_of(column: str, numbers: Sequence[object]) -> Condition:
    """Match any of these values."""
    return Condition(f"{column} IN ({','.join('?' * len(numbers))})", tuple(numbers))


def of_apps(apps: Sequence[int], *, dealer_wide: bool) -> Condition:
    """Match entries of any of these apps, and with `dealer_wide` those of none."""
    named = one_of("app", apps)
    return Condition(f"({named.clause} OR app IS NULL)", named.values) if dealer_wide else named


def each_app(apps: Sequence[int], *, dealer_wide: bool) -> list[Condition]:
    """Match each of these apps by itself, and with `dealer_wide` no app: the beginnings of as many walks."""
    return [equals("app", app) for app in apps] + [Condition("app IS NULL", ())] * dealer_wide


def equals(column: str, value: object) -> Condition:
    """Match one value."""
    return Condition(f"{column} = ?", (value,))


def window(query: Query, seq_base: int) -> Condition:
    """Match the query's window, or what is left of it after `before`; `seq_base` is the id of the log's seq 0."""
    since, last = microseconds(query.since), microseconds(query.until) - 1
    if query.before is None:
        return Condition("ts >= ? AND ts <= ?", (since, last))
    at, row = _within(query.before, seq_base)
    # One upper bound only, the tighter one: of two, SQLite would enter the index at the first, however far off.
    return Condition("ts >= ? AND ts <= ? AND (ts < ? OR id < ?)", (since, min(at, last), at, row))


def numbered(column: str, choice: Choice[str], find: Callable[[str], int | None]) -> Condition | None:
    """Match a choice among the log's names; None when nothing can fit, for the log has never held one of them."""
    numbers = sorted({number for value in choice.values if (number := find(value)) is not None})
    if choice.negated:
        return but_not(one_of(column, numbers))
    return one_of(column, numbers) if numbers else None


def but_not(condition: Condition) -> Condition:
    """Match what the condition does not, and what has no value for it."""
    return Condition(f"({condition.clause}) IS NOT 1", condition.values)


def any_condition(conditions: Sequence[Condition]) -> Condition:
    """Match what any of these does."""
    clause = " OR ".join(condition.clause for condition in conditions)
    return Condition(f"({clause})", tuple(value for condition in conditions for value in condition.values))


def of_texts(choice: Choice[str]) -> Condition:
    """Match a choice among pieces of text. Raises as `holds_text`."""
    found = any_condition([holds_text(text) for text in choice.values])
    return but_not(found) if choice.negated else found


def of_requests(choice: Choice[str]) -> Condition:
    """Match a choice among request ids, where no index leads to them."""
    found = one_of("request_id", sorted({storable(value) for value in choice.values}))
    return but_not(found) if choice.negated else found


def holds_text(text: str) -> Condition:
    """Match actor, action or details by a piece of text, without regard to the case of ASCII letters.

    Raises:
        InvalidInput: longer than SQLite can search for.
    """
    pattern, inside_json = _pattern(storable(text)), _pattern(json.dumps(text, ensure_ascii=False)[1:-1])
    if max(len(pattern.encode()), len(inside_json.encode("utf-8", "replace"))) > LONGEST_PATTERN:
        raise InvalidInput("That text is too long to search for.", field="text", code="too_long")
    named = r"IN (SELECT id FROM names WHERE text LIKE ? ESCAPE '\')"
    clause = rf"(actor {named} OR action {named} OR coalesce(details LIKE ? ESCAPE '\', 0))"
    return Condition(clause, (pattern, pattern, inside_json.encode("utf-8", "backslashreplace").decode()))


def addresses_in(choice: Choice[Network]) -> Condition:
    """Match rows of `addresses` within any of these networks, negated or not."""
    spans = [span for network in choice.values for span in ranges(network)]
    return Condition(" OR ".join(["ip BETWEEN ? AND ?"] * len(spans)), tuple(bound for span in spans for bound in span))


def ranges(network: IPv4Network | IPv6Network) -> list[tuple[bytes, bytes]]:
    """Return the 16-byte ranges of a network, both ends inside.

    IPv4 lies within ::ffff:0:0/96 there; an IPv6 network around that block does not mean IPv4 clients.
    """
    if isinstance(network, IPv4Network):
        return [(mapped(network.network_address.packed), mapped(network.broadcast_address.packed))]
    parts = list(network.address_exclude(MAPPED)) if network.supernet_of(MAPPED) and network != MAPPED else [network]
    return [(part.network_address.packed, part.broadcast_address.packed) for part in parts]


def _within(position: Position, seq_base: int) -> tuple[int, int]:
    """Keep a position from outside within what SQLite can count."""
    at = max(-LARGEST, min(position.microseconds, LARGEST))
    return at, seq_base + max(0, min(position.seq, LARGEST - seq_base))


def _pattern(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
