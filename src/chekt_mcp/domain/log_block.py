"""Entries of the log column by column: what an export moves in bulk, where an object for each would cost most of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Numbers = Sequence[int | None]
Texts = Mapping[int | None, str | None]


@dataclass(frozen=True, slots=True)
class LogBlock:
    """Some entries in the order of their numbers; every column has one value for each of them.

    `timestamp`: microseconds since 1970, UTC. `details`: JSON text as it is stored, None where there are none.
    Texts that repeat are numbers: `addresses` says what those of `source_ip` stand for, and `names` the others. They
    know the numbers of this block, and a number stands for the same text in all blocks of a log.
    """

    names: Texts = field(compare=False, repr=False)
    addresses: Texts = field(compare=False, repr=False)
    seq: Sequence[int]
    timestamp: Sequence[int]
    app: Numbers
    actor: Numbers
    kind: Numbers
    action: Numbers
    scope: Numbers
    result: Numbers
    request_id: Sequence[str]
    source: Numbers
    source_ip: Numbers
    key_id: Numbers
    origin: Numbers
    details: Sequence[str | None]

    def __len__(self) -> int:
        """Return how many entries there are."""
        return len(self.seq)

    def meaning(self, column: str) -> Texts:
        """Return what the numbers of this column stand for."""
        return self.addresses if column == "source_ip" else self.names

    def texts(self, column: str) -> list[str | None]:
        """Return a column of numbers as the texts they stand for."""
        return list(map(self.meaning(column).__getitem__, getattr(self, column)))


@dataclass(frozen=True, slots=True)
class LogSpan:
    """Between which numbers the entries of a query lie, and how many there are at most. 0, 0, 0: there are none."""

    first: int
    last: int
    most: int
