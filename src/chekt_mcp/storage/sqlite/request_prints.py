"""Which runs of the log may have a request id: two bytes of each id's hash, filed so that one look tells of all runs.

The index of request ids has a place for an id in every run: forty looks at ten million entries. The prints of a
complete run are cut into parts by the hash's first bits, and the same part of all runs lies together. A run that has
no row for the part is asked: it is not complete, or was completed by an older program that knows no prints and was
still running. So a print can only spare looks where nothing is.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from itertools import chain

from chekt_mcp.storage.sqlite.log_reader import SEQ_BITS
from chekt_mcp.storage.sqlite.request_key import (
    HASH_BITS,
    complete_runs,
    entries_of,
    keys_of,
    part_of,
    print_of,
    prints_of,
    request_hash,
    run_of,
)
from chekt_mcp.storage.sqlite.session import Session

WITH = (
    "SELECT count(*), group_concat(CASE WHEN instr(prints, ?) IS NOT 0 THEN run END) FROM request_prints"
    " WHERE log = ? AND part = ? AND run >= 0 AND run < ?"
)
WITHOUT = "SELECT run FROM request_prints WHERE log = ? AND part = ? AND instr(prints, ?) = 0"
KEYS = (
    "SELECT request_key FROM entries INDEXED BY entries_by_request"
    " WHERE log = ? AND request_key >= ? AND request_key < ? ORDER BY request_key"
)
LEFT = (
    "SELECT 1 FROM entries WHERE id NOT IN (SELECT (log << 40) + prune_seq FROM pruned WHERE log = ?)"
    " AND id BETWEEN ? AND ? LIMIT 1"
)
"""Is anything left of a run but the entries that tell of prunes?"""

STORE = "INSERT OR REPLACE INTO request_prints (log, part, run, prints) VALUES (?, ?, ?, ?)"


class PrintReader(Session):
    """Tells in which runs to look for a request."""

    def _request_keys(self, log: int, size: int, stored_id: str) -> list[int]:
        """Return the keys that a request id may have in a log of `size` entries, newest run first."""
        own, complete = request_hash(stored_id), complete_runs(size)
        printed, runs = self._row(WITH, print_of(own), log, part_of(own), complete) or (0, None)
        if printed == complete:
            there = [int(run) for run in runs.split(",")] if runs else []
            return keys_of(own, sorted({*there, run_of(size)}, reverse=True))
        without = {run for (run,) in self._rows(WITHOUT, log, part_of(own), print_of(own))}
        return keys_of(own, [run for run in range(run_of(size), -1, -1) if run not in without])


class PrintWriter(PrintReader):
    """Keeps the prints, in the transaction that changes the log."""

    def print_completed(self, log: int, before: int, after: int) -> None:
        """Print the runs that have become complete as the log grew from one size to another."""
        for run in range(complete_runs(before), complete_runs(after)):
            self._print(log, run)

    def print_pruned(self, log: int, size: int, pruned: Iterable[tuple[int, int]]) -> None:
        """Print the runs anew whose last entries went with these ranges: nothing stays of their requests.

        Prints of a run that is gone in part stay: each batch of a prune would write them all again.
        """
        base = log << SEQ_BITS
        lost = {run for first, last in pruned for run in range(run_of(first), run_of(last) + 1)}
        for run in sorted(run for run in lost if run < complete_runs(size)):
            if self._row(LEFT, log, *(base + seq for seq in entries_of(run))) is None:
                self._print(log, run)

    def _print(self, log: int, run: int) -> None:
        """Write all parts of a run, empty ones too: a part that has no row is one that nobody printed."""
        first = run << HASH_BITS
        keys = array("Q", chain.from_iterable(self._run(KEYS, log, first, first + (1 << HASH_BITS))))
        prints = prints_of(keys)
        self._connection.executemany(STORE, ((log, part, run, piece) for part, piece in enumerate(prints)))


class PrintUpgrade(PrintWriter):
    """Prints what was written before there were prints, inside the transaction of the migrations."""

    def run(self) -> None:
        """Print every complete run of every log."""
        for log, size in self._rows("SELECT log, size FROM logs"):
            self.print_completed(log, 0, size)
