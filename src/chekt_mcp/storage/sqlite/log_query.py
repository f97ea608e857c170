"""A query as SQL: which index to walk, from which end, and what to check on each row.

Every index used ends in the timestamp, so rows come newest first and a walk ends with the page. Where a query
allows several apps or addresses there is one walk for each, and the walks are merged. The index is named in the
statement: without statistics SQLite would guess, and with them the guess would change as the log grows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from chekt_mcp.domain.audit import Network, Position, Query
from chekt_mcp.domain.canonical_json import quoted, without_surrogates
from chekt_mcp.domain.choice import Choice
from chekt_mcp.errors import InvalidInput
from chekt_mcp.storage.sqlite.interned import mapped
from chekt_mcp.storage.sqlite.values import microseconds, storable

LONGEST_PATTERN = 40_000
"""Bytes; SQLite refuses LIKE patterns beyond 50,000 (sqlite.org/limits.html)."""

MAPPED = IPv6Network("::ffff:0:0/96")
LARGEST = 2**63 - 1
Mark = tuple[int, int]
"""Where a row stands in the order of a search: its timestamp and its id."""

NUMBERED = ("actor", "action", "kind", "scope", "result", "key_id")
FILTERED = (*NUMBERED, "request_id", "source_network", "text")
"""The filters of a query, by their names there."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A piece of a WHERE clause and its values."""

    clause: str
    values: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Walk:
    """One pass over one index, newest first; without an index, over rows by their id."""

    index: str | None
    entry: tuple[Condition, ...]
    """What leads into the index and bounds the walk there."""

    checks: tuple[Condition, ...] = ()
    """What is looked at on each row."""

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """All that has to hold."""
        return self.entry + self.checks

    @property
    def bounds(self) -> Walk:
        """The same walk without looking at the rows."""
        return Walk(self.index, self.entry)

    @property
    def source(self) -> str:
        """FROM and WHERE."""
        clauses = " AND ".join(condition.clause for condition in self.conditions)
        way = f"INDEXED BY {self.index}" if self.index else "NOT INDEXED"
        return f"FROM entries {way} WHERE {clauses}"

    @property
    def values(self) -> tuple[object, ...]:
        """The values, in the order of their places."""
        return tuple(value for condition in self.conditions for value in condition.values)


def together(walks: Sequence[Walk]) -> Walk:
    """Return walks on one index as one, whose rows come in no order; they differ in the last thing that leads there."""
    starts = any_condition([walk.entry[-1] for walk in walks])  # SQLite makes an IN of the same column's values
    return Walk(walks[0].index, (*walks[0].entry[:-1], starts), walks[0].checks)


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


def window(query: Query, seq_base: int, down_to: Mark | None = None) -> Condition:
    """Match the query's window, or what is left of it after `before`; `seq_base` is the id of the log's seq 0.

    With `down_to` nothing that is older than this row is looked at.
    """
    # One bound at either end only, the tighter one: of two, SQLite would use the first for the index, however far off.
    since, last = microseconds(query.since), microseconds(query.until) - 1
    clauses: list[str] = []
    values: list[int] = []
    if query.before is not None:
        at, row = _within(query.before, seq_base)
        last = min(at, last)
        clauses, values = ["(ts < ? OR id < ?)"], [at, row]
    if down_to is not None:
        since = max(since, down_to[0])
        clauses, values = [*clauses, "(ts > ? OR id >= ?)"], [*values, *down_to]
    return Condition(" AND ".join(["ts >= ? AND ts <= ?", *clauses]), (since, last, *values))


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


def all_conditions(conditions: Sequence[Condition]) -> Condition:
    """Match what all of these do; none of them matches everything."""
    clause = " AND ".join(f"({condition.clause})" for condition in conditions)
    return Condition(clause or "1", tuple(value for condition in conditions for value in condition.values))


def of_texts(choice: Choice[str], named: Callable[[str], Condition]) -> Condition:
    """Match a choice among pieces of text in actor, action or details; `named` is how names match a pattern.

    Raises:
        InvalidInput: one is longer than SQLite can search for.
    """
    found = any_condition([_holds_text(text, named) for text in choice.values])
    return but_not(found) if choice.negated else found


def of_requests(choice: Choice[str]) -> Condition:
    """Match a choice among request ids, where no index leads to them."""
    found = one_of("request_id", sorted({storable(value) for value in choice.values}))
    return but_not(found) if choice.negated else found


def name_pattern(text: str) -> str:
    """Return the text as names hold it."""
    return storable(text)


def json_pattern(text: str) -> str:
    """Return the text as the JSON of details holds it."""
    return quoted(without_surrogates(text))[1:-1]


def like(column: str, text: str) -> Condition:
    """Match a piece of text, without regard to the case of ASCII letters."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return Condition(rf"{column} LIKE ? ESCAPE '\'", (f"%{escaped}%",))


def _holds_text(text: str, named: Callable[[str], Condition]) -> Condition:
    in_details = like("details", json_pattern(text))
    if len(str(in_details.values[0]).encode()) > LONGEST_PATTERN:
        raise InvalidInput("That text is too long to search for.", field="text", code="too_long")
    found = Condition(f"coalesce({in_details.clause}, 0)", in_details.values)  # NULL would not be false
    return any_condition([found, named(name_pattern(text))])


def addresses_in(address: str, choice: Choice[Network]) -> Condition:
    """Match 16 bytes of an address within any of these networks, whether the choice is negated or not."""
    spans = [span for network in choice.values for span in ranges(network)]
    return any_condition([Condition(f"{address} BETWEEN ? AND ?", span) for span in spans])


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
