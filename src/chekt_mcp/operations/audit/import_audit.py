"""Import a log that others wrote: in batches, each durable on its own, and any number of times with the same end.

An entry is known by request id, timestamp, action, actor and app, so an import that was interrupted is simply done
again. The first batch brings an entry that says who imports which file, the last one says what became of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from chekt_mcp.domain.audit import Kind, NewEntry, Result
from chekt_mcp.domain.identifier import new_id
from chekt_mcp.domain.imported_row import Import
from chekt_mcp.domain.imported_value import Times, stored_text, without_credential
from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.audit.import_tally import ImportProgress, ImportReport, Tally
from chekt_mcp.operations.audit.log_file.opened import LogFile, opened
from chekt_mcp.operations.operator import SOURCE
from chekt_mcp.operations.services import Services
from chekt_mcp.storage.interface import Writer
from chekt_mcp.storage.records import ImportFile

STARTED = "audit.import_started"
FINISHED = "audit.import"
AHEAD = timedelta(days=1)
"""A row may be this much later than our own clock; one of a later time would stay the newest for that long."""

BATCH = 2_000
"""Rows of one transaction: many enough to be quick, few enough that others who append hardly wait."""

FILE_NAME_LIMIT = 255


async def import_log(  # noqa: PLR0913 -- all by name, and each of another kind
    services: Services,
    *,
    dealer: str,
    file: Path,
    imported_by: str,
    progress: Callable[[ImportProgress], None],
    shift: timedelta = timedelta(0),
) -> ImportReport:
    """Import a CSV, JSON or JSON lines file into the dealer's log; `progress` is called after each batch.

    `shift` is added to every timestamp, so that a demonstration ends now. What is then imported is not what the
    file says: it is neither looked up nor remembered under the file's SHA-256.

    Raises:
        InvalidInput: codes `unreadable_file`, `unknown_format`, `bad_header`.
    """
    with opened(file) as log:
        earlier = None if shift else await services.storage.read(lambda reader: reader.import_file(dealer, log.sha256))
        if earlier is not None:
            return _known(earlier)
        target = Import(dealer, new_id("imp", services.random), Times(shift, services.clock() + AHEAD))
        apps = await services.storage.read(lambda reader: reader.apps(dealer))
        tally = Tally(target, frozenset(app.name for app in apps))
        work = _Import(services, log, tally, imported_by, new_id("req", services.random))
        return await work.run(progress)


def newest_timestamp(file: Path) -> datetime:
    """Return the latest timestamp among the rows that an import would take, in one pass.

    Raises:
        InvalidInput: as `import_log`, and `no_rows` when there is no such row.
    """
    tally = Tally(Import("", ""), frozenset())
    with opened(file) as log:
        for row in log.rows():
            tally.entry(row)
    if tally.last is None:
        raise InvalidInput("The file holds no row that could be imported.", field="file", code="no_rows")
    return tally.last


def _known(earlier: ImportFile) -> ImportReport:
    known = earlier.added + earlier.known
    return ImportReport(earlier.import_id, added=0, known=known, rejected=earlier.rejected, file_known=True)


@dataclass(frozen=True, slots=True)
class _Import:
    """One import of one file. Its own entries share a request id."""

    services: Services
    log: LogFile
    tally: Tally
    imported_by: str
    request_id: str

    async def run(self, progress: Callable[[ImportProgress], None]) -> ImportReport:
        rows, opening = map(self.tally.entry, self.log.rows()), [self._entry(STARTED)]
        while batch := list(islice(rows, BATCH)):
            entries = [entry for entry in batch if entry is not None]
            if entries:
                self.tally.added += await self._append(opening, entries)
                opening = []
            progress(self.tally.progress(self.log.position, self.log.size))
        return await self._finish()

    async def _append(self, opening: Sequence[NewEntry], entries: Sequence[NewEntry]) -> int:
        async def work(writer: Writer) -> int:
            await writer.append(opening)
            return await writer.append_imported(entries)

        return await self.services.storage.write(work)

    async def _finish(self) -> ImportReport:
        report = self.tally.report(file_changed=self.log.changed())
        entry = self._entry(FINISHED, **self._outcome(report))

        async def work(writer: Writer) -> None:
            await writer.append([entry])
            if not (report.file_changed or report.future_rows or self.tally.target.times.shift):
                await writer.add_import_file(self._record(report))

        await self.services.storage.write(work)
        return report

    def _outcome(self, report: ImportReport) -> dict[str, object]:
        outcome: dict[str, object] = {"added": report.added, "known": report.known, "rejected": report.rejected}
        if report.redacted:
            outcome["redacted"] = report.redacted
        if report.file_changed:
            outcome["file_changed"] = True
        if self.tally.target.times.shift:
            outcome["shifted_seconds"] = self.tally.target.times.shift.total_seconds()
        return outcome

    def _record(self, report: ImportReport) -> ImportFile:
        return ImportFile(
            import_id=report.import_id,
            dealer=self.tally.target.dealer,
            file_name=self._file_name,
            sha256=self.log.sha256,
            imported_by=self.imported_by,
            imported_at=self.services.clock(),
            added=report.added,
            known=report.known,
            rejected=report.rejected,
        )

    def _entry(self, action: str, **details: object) -> NewEntry:
        named = {"import_id": self.tally.target.import_id, "file": self._file_name, "sha256": self.log.sha256}
        return NewEntry(
            dealer=self.tally.target.dealer,
            timestamp=self.services.clock(),
            actor=self.imported_by,
            kind=Kind.OPERATOR_ACTION,
            action=action,
            result=Result.OK,
            request_id=self.request_id,
            source=SOURCE,
            details={**named, **details},
        )

    @property
    def _file_name(self) -> str:
        return stored_text(without_credential(self.log.name), FILE_NAME_LIMIT, "file")
