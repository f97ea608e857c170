"""Files that were imported into the log, or are being imported."""

from __future__ import annotations

import json
from collections.abc import Sequence

from chekt_mcp.storage.records import ImportFile, ImportState
from chekt_mcp.storage.sqlite.session import Row, Session
from chekt_mcp.storage.sqlite.values import microseconds, moment, optional_microseconds, optional_moment

COLUMNS = (
    "import_id, dealer, file_name, sha256, imported_by, imported_at, added, known, rejected,"
    " reading, rows, redacted, postponed, first_at, last_at, state"
)
INSERT = f"INSERT INTO import_files ({COLUMNS}) VALUES ({','.join('?' * 16)})"  # noqa: S608 -- our own words only


class ImportReader(Session):
    """Lookups, see `storage.interface.Reader`."""

    async def import_file(self, dealer: str, sha256: str, reading: str = "") -> ImportFile | None:
        """Return the newest import of this file, read this way, that was not set aside."""
        row = self._row(
            f"SELECT {COLUMNS} FROM import_files WHERE dealer = ? AND sha256 = ? AND reading = ? AND state <> ?"  # noqa: S608 -- as above
            " ORDER BY imported_at DESC, rowid DESC LIMIT 1",
            dealer,
            sha256,
            reading,
            ImportState.SET_ASIDE.value,
        )
        return None if row is None else _import_file(row)

    async def imports(self, dealer: str, import_ids: Sequence[str]) -> Sequence[ImportFile]:
        """Return those of these imports that there are."""
        rows = self._rows(
            f"SELECT {COLUMNS} FROM import_files"  # noqa: S608 -- as above
            " WHERE dealer = ? AND import_id IN (SELECT value FROM json_each(?))",
            dealer,
            json.dumps(list(import_ids)),
        )
        return [_import_file(row) for row in rows]


class ImportWriter(ImportReader):
    """Changes, see `storage.interface.Writer`."""

    async def add_import_file(self, file: ImportFile) -> None:
        """Record an import."""
        self._change(
            INSERT,
            file.import_id,
            file.dealer,
            file.file_name,
            file.sha256,
            file.imported_by,
            microseconds(file.imported_at),
            file.added,
            file.known,
            file.rejected,
            file.reading,
            file.rows,
            file.redacted,
            file.postponed,
            optional_microseconds(file.first_at),
            optional_microseconds(file.last_at),
            file.state.value,
        )

    async def advance_import(self, file: ImportFile, rows_before: int) -> bool:
        """Store how far it is, if it still stands where the caller has seen it."""
        changed = self._change(
            "UPDATE import_files SET added = ?, known = ?, rejected = ?, rows = ?, redacted = ?, postponed = ?,"
            " first_at = ?, last_at = ?, state = ?, imported_at = ?"
            " WHERE import_id = ? AND rows = ? AND state <> ?",
            file.added,
            file.known,
            file.rejected,
            file.rows,
            file.redacted,
            file.postponed,
            optional_microseconds(file.first_at),
            optional_microseconds(file.last_at),
            file.state.value,
            microseconds(file.imported_at),
            file.import_id,
            rows_before,
            ImportState.FINISHED.value,
        )
        return changed == 1


def _import_file(row: Row) -> ImportFile:
    import_id, dealer, file_name, sha256, imported_by, imported_at, added, known, rejected, *others = row
    reading, rows, redacted, postponed, first_at, last_at, state = others
    return ImportFile(
        import_id=import_id,
        dealer=dealer,
        file_name=file_name,
        sha256=sha256,
        imported_by=imported_by,
        imported_at=moment(imported_at),
        added=added,
        known=known,
        rejected=rejected,
        reading=reading,
        rows=rows,
        redacted=redacted,
        postponed=postponed,
        first_at=optional_moment(first_at),
        last_at=optional_moment(last_at),
        state=ImportState(state),
    )
