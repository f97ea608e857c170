"""Entries of the log column by column: what an export moves in bulk, where an object for each would cost most of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Texts = Sequence[str | None]


@dataclass(frozen=True, slots=True)
class LogBlock:
    """Some entries in the order of their numbers; every column has one value for each of them.

    `timestamp`: microseconds since 1970, UTC. `details`: JSON text as it is stored, None where there are none.
    """

    seq: Sequence[int]
    timestamp: Sequence[int]
    app: Texts
    actor: Texts
    kind: Texts
    action: Texts
    scope: Texts
    result: Texts
    request_id: Sequence[str]
    source: Texts
    source_ip: Texts
    key_id: Texts
    origin: Texts
    details: Texts

    def __len__(self) -> int:
        """Return how many entries there are."""
        return len(self.seq)


@dataclass(frozen=True, slots=True)
class LogSpan:
    """Between which numbers the entries of a query lie, and how many there are at most. 0, 0, 0: there are none."""

    first: int
    last: int
    most: int
