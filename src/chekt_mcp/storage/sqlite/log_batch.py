"""Entries on their way into the log within one transaction, and what they add to its tree and its counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from chekt_mcp.domain.merkle import Frontier
from chekt_mcp.storage.sqlite.log_reader import NO_APP
from chekt_mcp.storage.sqlite.log_rows import APP, LEAF
from chekt_mcp.storage.sqlite.session import Row


@dataclass(slots=True)
class OpenLog:
    """A log that is being appended to.

    `size` counts the entries of the batch already, the tree what was there before; `summed` is the last entry that is
    summed up. `leaves` are the batch's, in the order written, and `apps` how many of its entries each app has.
    """

    log: int
    size: int
    tree: Frontier
    summed: int
    leaves: list[bytes] = field(default_factory=list)
    apps: dict[int | None, int] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        """Take in what a row, the log's next one, adds."""
        app = row[APP]
        self.leaves.append(row[LEAF])
        self.apps[app] = self.apps.get(app, 0) + 1

    def entry_counts(self) -> Iterator[Row]:
        """Yield log, app and number of entries."""
        return ((self.log, app or NO_APP, count) for app, count in self.apps.items())


@dataclass(slots=True)
class Batch:
    """The logs that a batch goes to, by the dealer as each entry names it, and the numbers it was given."""

    logs: dict[str, OpenLog] = field(default_factory=dict)
    numbers: list[int] = field(default_factory=list)

    def opened(self) -> list[OpenLog]:
        """Return the logs, each once: two spellings may be of one."""
        return list({log.log: log for log in self.logs.values()}.values())
