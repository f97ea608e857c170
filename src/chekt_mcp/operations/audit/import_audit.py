"""Import a log that others wrote: in batches, each durable on its own, and any number of times with the same end.

An entry is known by request id, timestamp, action, actor and app: of two rows that agree in all five, within a file or
in two, one is taken. How far an import is stands in the database, written in the transaction of each batch, so one
that was interrupted goes on behind the last. The first batch brings an entry that says who imports which file, the
last one says what became of it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from chekt_mcp.domain.cursor import EPOCH
from chekt_mcp.domain.identifier import new_id
from chekt_mcp.domain.import_mapping import Reading
from chekt_mcp.domain.imported_row import Import
from chekt_mcp.domain.imported_value import Times, stored_text, without_credential
from chekt_mcp.domain.retention import kept_from
from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.audit.import_run import CHUNK_ROWS, ImportRun
from chekt_mcp.operations.audit.import_tally import ImportProgress, ImportReport, Rejected, Tally
from chekt_mcp.operations.audit.log_file.opened import LogFile, opened
from chekt_mcp.operations.services import Services
from chekt_mcp.storage.interface import Reader
from chekt_mcp.storage.records import ImportFile, ImportState

AHEAD = timedelta(days=1)
"""A row may be this much later than our own clock; one of a later time would stay the newest for that long."""

BATCH = 10_000
"""Rows of one transaction: many enough to be quick, few enough that others who append wait a fraction of a second."""

FILE_NAME_LIMIT = 255
AS_IT_IS = Reading()


async def import_log(  # noqa: PLR0913 -- all by name, and each of another kind
    services: Services,
    *,
    dealer: str,
    file: Path,
    imported_by: str,
    progress: Callable[[ImportProgress], None],
    shift: timedelta = timedelta(0),
    reading: Reading = AS_IT_IS,
    reject: Rejected | None = None,
    batch: int = BATCH,
) -> ImportReport:
    """Import a CSV, JSON or JSON lines file, packed with gzip or not, into the dealer's log.

    `progress` is called after each batch, `reject` with every row that is not taken, in their order; with those that
    an earlier run has rejected, too.

    `shift` is added to every timestamp, so that a demonstration ends now. What is then imported is not what the
    file says: it is neither looked up nor remembered under the file's SHA-256.

    Raises:
        InvalidInput: codes `unreadable_file`, `unknown_format`, `unpacked_too_large`, `bad_header`.
        Conflict: code `import_overtaken`: another process imports this very file at the same time, and goes on.
    """
    with opened(file) as log:
        earlier = None if shift else await _earlier(services, dealer, log, reading)
        begun = earlier or _begun(services, dealer, log, imported_by, reading, shift)
        tally = await _tally(services, begun, Times(shift, services.clock() + AHEAD, zone=reading.zone), reading)
        tally.reject = reject
        if begun.state is ImportState.FINISHED:
            return _known(begun, log, tally)
        return await ImportRun(services, log, tally, begun, imported_by, resumed=earlier is not None).run(
            progress, batch
        )


def newest_timestamp(file: Path) -> datetime:
    """Return the latest timestamp among the rows that an import would take, in one pass.

    Raises:
        InvalidInput: as `import_log`, and `no_rows` when there is no such row.
    """
    tally = Tally(Import("", ""), frozenset())
    with opened(file) as log:
        rows = log.rows()
        while chunk := list(islice(rows, CHUNK_ROWS)):
            tally.entries(chunk)
    if tally.last is None:
        raise InvalidInput("The file holds no row that could be imported.", field="file", code="no_rows")
    return tally.last


async def _earlier(services: Services, dealer: str, log: LogFile, reading: Reading) -> ImportFile | None:
    return await services.storage.read(lambda reader: reader.import_file(dealer, log.sha256, reading.digest))


def _known(earlier: ImportFile, log: LogFile, tally: Tally) -> ImportReport:
    """Say that the file is known; it is read for those alone who collect what was rejected."""
    rows = log.rows(tally.target.mapping)
    while tally.reject is not None and (chunk := list(islice(rows, CHUNK_ROWS))):
        tally.skip(chunk)
    known = earlier.added + earlier.known
    return ImportReport(earlier.import_id, added=0, known=known, rejected=earlier.rejected, file_known=True)


def _begun(  # noqa: PLR0913, PLR0917 -- everything that an import is known by
    services: Services, dealer: str, log: LogFile, imported_by: str, reading: Reading, shift: timedelta
) -> ImportFile:
    return ImportFile(
        import_id=new_id("imp", services.random),
        dealer=dealer,
        file_name=stored_text(without_credential(log.name), FILE_NAME_LIMIT, "file"),
        sha256=log.sha256,
        imported_by=imported_by,
        imported_at=services.clock(),
        added=0,
        known=0,
        rejected=0,
        reading=reading.digest,
        state=ImportState.SET_ASIDE if shift else ImportState.UNDER_WAY,
    )


async def _tally(services: Services, begun: ImportFile, times: Times, reading: Reading) -> Tally:
    now = services.clock()

    async def work(reader: Reader) -> tuple[frozenset[str], datetime]:
        apps = frozenset(app.name for app in await reader.apps(begun.dealer))
        plans = {one.name: one.plan for one in await reader.dealers()}
        kept_whole = begun.dealer not in plans or await reader.legal_hold(begun.dealer) is not None
        return apps, EPOCH if kept_whole else kept_from(plans[begun.dealer], now)

    apps, oldest = await services.storage.read(work)
    within = Times(times.shift, times.latest, max(oldest, EPOCH), times.zone)
    tally = Tally(Import(begun.dealer, begun.import_id, within, reading.mapping), apps)
    tally.go_on_from(begun)
    return tally
