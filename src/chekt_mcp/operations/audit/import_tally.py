"""What is counted while an import goes through a file, and what is said about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from chekt_mcp.domain.audit import NewEntry
from chekt_mcp.domain.imported_row import Import, ImportedRow, read_rows
from chekt_mcp.domain.imported_value import RowCode
from chekt_mcp.operations.audit.log_file.row import RawRow, RowProblem

PROBLEMS_LISTED = 100
APPS_LISTED = 100
"""Unknown apps that are told apart; the rows of more are counted together."""


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """How far an import is: `bytes_read` of `bytes_total`, and `rows` read so far, `rejected` ones among them."""

    bytes_read: int
    bytes_total: int
    rows: int
    added: int
    rejected: int


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of a file's rows.

    Attributes:
        import_id: the `origin` of the entries added; that of the earlier import where `file_known`.
        added: rows that were new to the log.
        known: rows that the log had, or that the file holds more than once.
        rejected: rows that are no entries; `problems` lists the first 100 of them.
        first_timestamp: the earliest of the rows taken; None where there are none, or the file was not read.
        last_timestamp: the latest of them.
        redacted: values that held something shaped like a credential and were stored without it.
        future_rows: rejected rows of a time later than our clock allows; the file is then not remembered, because a
            clock that is set right takes them.
        unknown_apps: rows taken of each of the first 100 apps that this dealer does not have; no search shows them.
        unknown_app_rows: rows taken of all such apps.
        file_known: a file with these very bytes was imported before and was not read again; the counts are from then.
        file_changed: somebody wrote to the file meanwhile; import it once more when they have finished.
    """

    import_id: str
    added: int
    known: int
    rejected: int
    problems: tuple[RowProblem, ...] = ()
    first_timestamp: datetime | None = None
    last_timestamp: datetime | None = None
    redacted: int = 0
    future_rows: int = 0
    unknown_apps: Mapping[str, int] = field(default_factory=dict)
    unknown_app_rows: int = 0
    file_known: bool = False
    file_changed: bool = False


@dataclass(slots=True)
class Tally:
    """The counts so far. `added` is for the caller to count: only the log knows what was new to it."""

    target: Import
    apps: frozenset[str]
    rows: int = 0
    added: int = 0
    rejected: int = 0
    redacted: int = 0
    first: datetime | None = None
    last: datetime | None = None
    problems: list[RowProblem] = field(default_factory=list)
    future_rows: int = 0
    unknown_apps: Counter[str] = field(default_factory=Counter)
    unknown_app_rows: int = 0

    def entry(self, row: RawRow | RowProblem) -> NewEntry | None:
        """Count a row and return its entry, None where it is none."""
        self.rows += 1
        found = row if isinstance(row, RowProblem) else self._read(row)
        if isinstance(found, RowProblem):
            self._reject(found)
            return None
        moment = found.entry.timestamp
        self.first = min(self.first or moment, moment)
        self.last = max(self.last or moment, moment)
        self.redacted += found.redacted
        if found.entry.app is not None and found.entry.app not in self.apps:
            self._of_unknown_app(found.entry.app)
        return found.entry

    def progress(self, bytes_read: int, bytes_total: int) -> ImportProgress:
        """Return the counts so far, for a person who waits."""
        return ImportProgress(bytes_read, bytes_total, self.rows, self.added, self.rejected)

    def report(self, *, file_changed: bool) -> ImportReport:
        """Return the counts at the end."""
        return ImportReport(
            import_id=self.target.import_id,
            added=self.added,
            known=self.rows - self.rejected - self.added,
            rejected=self.rejected,
            problems=tuple(self.problems),
            first_timestamp=self.first,
            last_timestamp=self.last,
            redacted=self.redacted,
            future_rows=self.future_rows,
            unknown_apps=dict(self.unknown_apps),
            unknown_app_rows=self.unknown_app_rows,
            file_changed=file_changed,
        )

    def _read(self, row: RawRow) -> ImportedRow | RowProblem:
        (found,) = read_rows([row.fields], self.target)
        return found if isinstance(found, ImportedRow) else RowProblem(row.line, found.code, found.field)

    def _of_unknown_app(self, app: str) -> None:
        self.unknown_app_rows += 1
        if app in self.unknown_apps or len(self.unknown_apps) < APPS_LISTED:
            self.unknown_apps[app] += 1

    def _reject(self, problem: RowProblem) -> None:
        self.rejected += 1
        self.future_rows += problem.code is RowCode.FUTURE_TIME
        if len(self.problems) < PROBLEMS_LISTED:
            self.problems.append(problem)
