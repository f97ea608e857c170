"""One run of an import: past the rows that are done with, then batch after batch, each with how far it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from chekt_mcp.domain.audit import Kind, NewEntry, Result
from chekt_mcp.domain.identifier import new_id
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.errors import Conflict
from chekt_mcp.operations.audit.import_tally import ImportProgress, ImportReport, Tally
from chekt_mcp.operations.audit.log_file.opened import LogFile
from chekt_mcp.operations.audit.log_file.row import RawRow, RowProblem
from chekt_mcp.operations.operator import SOURCE
from chekt_mcp.operations.services import Services
from chekt_mcp.storage.interface import Writer
from chekt_mcp.storage.records import ImportFile, ImportState

STARTED = "audit.import_started"
RESUMED = "audit.import_resumed"
FINISHED = "audit.import"
FIRST_ROW = "first"
"""The detail of an import's last entry that has the earliest moment of its rows."""

CHUNK_ROWS = 256
"""Rows held as they were read at a time: each may have 128 KiB."""

CHUNKS_TOLD = 40
"""Of the rows that are only gone past, so many chunks are told of as one."""

Rows = Iterator[RawRow | RowProblem]


@dataclass(slots=True)
class ImportRun:
    """A run. Its own entries share a request id. `stored` is the import as the database has it."""

    services: Services
    log: LogFile
    tally: Tally
    stored: ImportFile
    imported_by: str
    resumed: bool
    opened: bool = False
    request_id: str = ""

    async def run(self, progress: Callable[[ImportProgress], None], batch: int) -> ImportReport:
        """Import all rows that are left. See `import_audit.import_log`."""
        self.request_id = new_id("req", self.services.random)
        rows = self.log.rows(self.tally.target.mapping)
        self._go_past(rows, progress)
        while (entries := self._batch(rows, batch)) is not None:
            await self._store(entries)
            progress(self.tally.progress(self.log.position, self.log.size))
        return await self._finish()

    def _go_past(self, rows: Rows, progress: Callable[[ImportProgress], None]) -> None:
        while self.tally.skipped < self.stored.rows:
            chunk = list(islice(rows, min(CHUNK_ROWS, self.stored.rows - self.tally.skipped)))
            if not chunk:
                return
            self.tally.skip(chunk)
            if self.tally.skipped % (CHUNK_ROWS * CHUNKS_TOLD) == 0:
                progress(self.tally.progress(self.log.position, self.log.size))

    def _batch(self, rows: Rows, most: int) -> list[NewEntry] | None:
        """Return the entries of the next rows, `most` of these; None at the end."""
        end, entries = self.tally.rows + most, list[NewEntry]()
        while chunk := list(islice(rows, min(CHUNK_ROWS, end - self.tally.rows))):
            entries += self.tally.entries(chunk)
        return entries if self.tally.rows > end - most else None

    async def _store(self, entries: Sequence[NewEntry]) -> None:
        state = ImportState.SET_ASIDE if self.log.changed() else self.stored.state

        async def work(writer: Writer) -> tuple[ImportFile, int]:
            await self._open(writer)
            added = await writer.append_imported(entries)
            further = replace(self.tally.brought_up(self.stored, state), imported_at=self.services.clock())
            further = replace(further, added=further.added + added, known=further.known - added)
            await self._advance(writer, further)
            return further, added

        self.stored, added = await self.services.storage.write(work)
        self.tally.added += added
        self.opened = True

    async def _finish(self) -> ImportReport:
        changed = self.log.is_other() or (self.stored.state is ImportState.SET_ASIDE and not self._shifted)
        report = self.tally.report(file_changed=changed)
        aside = changed or report.postponed or self._shifted
        state = ImportState.SET_ASIDE if aside else ImportState.FINISHED
        entry = self._entry(FINISHED, **self._outcome(report))

        async def work(writer: Writer) -> None:
            await self._open(writer)
            await writer.append([entry])
            further = replace(self.tally.brought_up(self.stored, state), imported_at=self.services.clock())
            await self._advance(writer, further)

        await self.services.storage.write(work)
        return report

    async def _open(self, writer: Writer) -> None:
        """Say in this run's first transaction who imports what; two that begin at once are told apart here."""
        if self.opened:
            return
        if self.resumed:
            await writer.append([self._entry(RESUMED, rows=self.stored.rows)])
            return
        same = await writer.import_file(self.stored.dealer, self.stored.sha256, self.stored.reading)
        if same is not None and not self._shifted:
            raise _overtaken()
        await writer.append([self._entry(STARTED)])
        await writer.add_import_file(self.stored)

    async def _advance(self, writer: Writer, further: ImportFile) -> None:
        if not await writer.advance_import(further, self.stored.rows):
            raise _overtaken()

    def _outcome(self, report: ImportReport) -> dict[str, object]:
        outcome: dict[str, object] = {"added": report.added, "known": report.known, "rejected": report.rejected}
        if report.first_timestamp is not None:
            outcome[FIRST_ROW] = rfc3339(report.first_timestamp)
        if report.redacted:
            outcome["redacted"] = report.redacted
        if report.file_changed:
            outcome["file_changed"] = True
        if self._shifted:
            outcome["shifted_seconds"] = self.tally.target.times.shift.total_seconds()
        return outcome

    def _entry(self, action: str, **details: object) -> NewEntry:
        named: dict[str, object] = {"import_id": self.stored.import_id, "file": self.stored.file_name}
        named["sha256"] = self.stored.sha256
        if self.stored.reading:
            named["reading"] = self.stored.reading
        return NewEntry(
            dealer=self.stored.dealer,
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
    def _shifted(self) -> bool:
        return bool(self.tally.target.times.shift)


def _overtaken() -> Conflict:
    return Conflict(
        "Another import of this very file went on meanwhile, and this one has stopped.",
        code="import_overtaken",
        fix="Let that one end. Running this again then says that the file is known, or goes on where it ended.",
    )
