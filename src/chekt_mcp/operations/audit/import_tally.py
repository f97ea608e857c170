"""What is counted while an import goes through a file, and what is said about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from chekt_mcp.domain.audit import NewEntry
from chekt_mcp.domain.imported_row import Import, ImportedRow, Rejection, read_rows
from chekt_mcp.domain.imported_value import RowCode
from chekt_mcp.operations.audit.log_file.row import RawRow, RowProblem
from chekt_mcp.storage.records import ImportFile, ImportState

PROBLEMS_LISTED = 100
APPS_LISTED = 100
"""Unknown apps that are told apart; the rows of more are counted together."""

POSTPONED = frozenset({RowCode.FUTURE_TIME, RowCode.PAST_RETENTION})
"""Reasons that pass: a clock that is set right, another plan or a legal hold takes these rows."""

Rejected = Callable[[RowProblem], None]


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """How far an import is: `bytes_read` of `bytes_total`, and `rows` read so far, `rejected` ones among them.

    `skipped` of the rows were done with by an earlier run of the same import.
    """

    bytes_read: int
    bytes_total: int
    rows: int
    added: int
    rejected: int
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of a file's rows, over all runs of the import.

    Attributes:
        import_id: the `origin` of the entries added; that of the earlier import where `file_known`.
        added: rows that were new to the log.
        known: rows that the log had, or that the file holds more than once.
        rejected: rows that are no entries; `problems` lists the first 100 of this run.
        first_timestamp: the earliest of the rows taken; None where there are none, or the file was not read.
        last_timestamp: the latest of them.
        redacted: values that held something shaped like a credential and were stored without it.
        postponed: rejected rows that another day or setting would take; the file is then not remembered.
        past_retention: those of them, in this run, that are older than what is kept.
        unknown_apps: rows of this run of each of the first 100 apps that this dealer does not have; no search shows
            them.
        unknown_app_rows: rows of this run of all such apps.
        resumed_at: rows that an earlier run had done with, and this one only went past.
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
    postponed: int = 0
    past_retention: int = 0
    unknown_apps: Mapping[str, int] = field(default_factory=dict)
    unknown_app_rows: int = 0
    resumed_at: int = 0
    file_known: bool = False
    file_changed: bool = False


@dataclass(slots=True)
class Tally:
    """The counts so far, over all runs. `added` is for the caller to count: only the log knows what was new to it."""

    target: Import
    apps: frozenset[str]
    reject: Rejected | None = None
    rows: int = 0
    added: int = 0
    rejected: int = 0
    redacted: int = 0
    postponed: int = 0
    past_retention: int = 0
    first: datetime | None = None
    last: datetime | None = None
    skipped: int = 0
    problems: list[RowProblem] = field(default_factory=list)
    unknown_apps: Counter[str] = field(default_factory=Counter)
    unknown_app_rows: int = 0

    def go_on_from(self, earlier: ImportFile) -> None:
        """Take over the counts of an earlier run."""
        self.rows, self.added, self.rejected = earlier.rows, earlier.added, earlier.rejected
        self.redacted, self.postponed = earlier.redacted, earlier.postponed
        self.first, self.last = earlier.first_at, earlier.last_at

    def entries(self, rows: Sequence[RawRow | RowProblem]) -> list[NewEntry]:
        """Count some hundreds of rows and return the entries among them."""
        self.rows += len(rows)
        found = self._judged(rows)
        for problem in found:
            if isinstance(problem, RowProblem):
                self._reject(problem)
        taken = [one for one in found if isinstance(one, ImportedRow)]
        if taken:
            self._count(taken)
        return [one.entry for one in taken]

    def skip(self, rows: Sequence[RawRow | RowProblem]) -> None:
        """Go past rows that are done with; those that were rejected are named once more to whoever collects them."""
        self.skipped += len(rows)
        if self.reject is not None:
            for problem in self._judged(rows):
                if isinstance(problem, RowProblem):
                    self.reject(problem)

    def progress(self, bytes_read: int, bytes_total: int) -> ImportProgress:
        """Return the counts so far, for a person who waits."""
        return ImportProgress(bytes_read, bytes_total, self.rows, self.added, self.rejected, self.skipped)

    def brought_up(self, file: ImportFile, state: ImportState) -> ImportFile:
        """Return an import with the counts so far, to be stored."""
        return replace(
            file,
            rows=self.rows,
            added=self.added,
            known=self._known,
            rejected=self.rejected,
            redacted=self.redacted,
            postponed=self.postponed,
            first_at=self.first,
            last_at=self.last,
            state=state,
        )

    def report(self, *, file_changed: bool) -> ImportReport:
        """Return the counts at the end."""
        return ImportReport(
            import_id=self.target.import_id,
            added=self.added,
            known=self._known,
            rejected=self.rejected,
            problems=tuple(self.problems),
            first_timestamp=self.first,
            last_timestamp=self.last,
            redacted=self.redacted,
            postponed=self.postponed,
            past_retention=self.past_retention,
            unknown_apps=dict(self.unknown_apps),
            unknown_app_rows=self.unknown_app_rows,
            resumed_at=self.skipped,
            file_changed=file_changed,
        )

    @property
    def _known(self) -> int:
        return self.rows - self.rejected - self.added

    def _judged(self, rows: Sequence[RawRow | RowProblem]) -> Sequence[ImportedRow | RowProblem]:
        """Return what each row is, in their order."""
        raw = [row.fields for row in rows if isinstance(row, RawRow)]
        read = iter(read_rows(raw, self.target))
        return [row if isinstance(row, RowProblem) else _judgement(row, next(read)) for row in rows]

    def _count(self, taken: Sequence[ImportedRow]) -> None:
        moments = [one.entry.timestamp for one in taken]
        self.first = min(self.first or moments[0], *moments)
        self.last = max(self.last or moments[0], *moments)
        self.redacted += sum(one.redacted for one in taken)
        for app, rows in Counter(one.entry.app for one in taken).items():
            if app is not None and app not in self.apps:
                self._of_unknown_app(app, rows)

    def _of_unknown_app(self, app: str, rows: int) -> None:
        self.unknown_app_rows += rows
        if app in self.unknown_apps or len(self.unknown_apps) < APPS_LISTED:
            self.unknown_apps[app] += rows

    def _reject(self, problem: RowProblem) -> None:
        self.rejected += 1
        self.postponed += problem.code in POSTPONED
        self.past_retention += problem.code is RowCode.PAST_RETENTION
        if len(self.problems) < PROBLEMS_LISTED:
            self.problems.append(replace(problem, raw=None))
        if self.reject is not None:
            self.reject(problem)


def _judgement(row: RawRow, found: ImportedRow | Rejection) -> ImportedRow | RowProblem:
    if isinstance(found, ImportedRow):
        return found
    return RowProblem(row.line, found.code, found.field, raw=row.fields)
