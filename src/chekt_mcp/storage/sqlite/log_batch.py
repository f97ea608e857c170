"""Entries on their way into the log within one transaction, and what they add to its counts and summaries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from chekt_mcp.domain.merkle import Frontier
from chekt_mcp.storage.sqlite.log_reader import HOUR, NO_APP, place_of
from chekt_mcp.storage.sqlite.session import Row

LOG, TS, APP, KIND, SOURCE, SOURCE_IP, KEY_ID, LEAF = 1, 2, 3, 5, 10, 11, 12, 17
"""Where a row of `entries` has these columns."""


@dataclass(slots=True)
class OpenLog:
    """A log that is being appended to. `size` counts the rows of the batch already, the tree what was there before."""

    log: int
    size: int
    tree: Frontier


@dataclass(slots=True)
class Batch:
    """Rows in the order written, and the logs they go to; all counts are made of the rows once they are there."""

    rows: list[Row] = field(default_factory=list)
    logs: dict[str, OpenLog] = field(default_factory=dict)

    def leaves(self) -> dict[int, list[bytes]]:
        """Return the new leaves of each log, by its number."""
        leaves: dict[int, list[bytes]] = {}
        for row in self.rows:
            leaves.setdefault(row[LOG], []).append(row[LEAF])
        return leaves

    def entry_counts(self) -> Iterator[Row]:
        """Return log, app and number of entries."""
        counts = Counter([(row[LOG], row[APP]) for row in self.rows])
        return ((log, app or NO_APP, count) for (log, app), count in counts.items())

    def traffic(self, api_call: int | None) -> Iterator[Row]:
        """Return log, app, hour, address, number and last moment of the entries with this kind, where all are known."""
        found: dict[Row, list[int]] = {}
        for row in self.rows:
            if row[KIND] == api_call and row[SOURCE_IP] is not None and row[APP] is not None:
                ts = row[TS]
                _count(found, (row[LOG], row[APP], ts // HOUR, row[SOURCE_IP]), ts)
        return ((*place, calls, last) for place, (calls, _, last) in found.items())

    def key_use(self) -> Iterator[Row]:
        """Return log, key, hour, place, number, first and last moment of the entries with a key."""
        found: dict[Row, list[int]] = {}
        for row in self.rows:
            if row[KEY_ID] is not None:
                ts = row[TS]
                _count(found, (row[LOG], row[KEY_ID], ts // HOUR, place_of(row[SOURCE_IP], row[SOURCE])), ts)
        return ((*place, *use) for place, use in found.items())


def _count(found: dict[Row, list[int]], place: Row, ts: int) -> None:
    """Count one more, and keep the first and the last moment."""
    known = found.get(place)
    if known is None:
        found[place] = [1, ts, ts]
        return
    known[0] += 1
    if ts > known[2]:
        known[2] = ts
    elif ts < known[1]:
        known[1] = ts
