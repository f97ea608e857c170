"""Webhook deliveries that were looked at, and files that were imported."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chekt_mcp.storage.records import ImportFile, SeenDelivery
from chekt_mcp.storage.sqlite.session import Row, Session
from chekt_mcp.storage.sqlite.values import microseconds, moment

SEEN = (
    "SELECT dealer, app, digest, event_id, times, first_at, digest_until, event_until FROM seen_deliveries"
    " WHERE dealer = ? AND app = ?"
)


class DeliveryReader(Session):
    """Lookups, see `storage.interface.Reader`."""

    async def seen_delivery(self, dealer: str, app: str, digest: bytes, now: datetime) -> SeenDelivery | None:
        """Return a delivery by its digest, unless that is no longer remembered at `now`."""
        row = self._row(f"{SEEN} AND digest = ? AND digest_until > ?", dealer, app, digest, microseconds(now))
        return None if row is None else _seen(row)

    async def seen_event(self, dealer: str, app: str, event_id: str, now: datetime) -> SeenDelivery | None:
        """Return an event's first delivery with the looks at all of them, unless it is no longer remembered."""
        rows = self._rows(
            f"{SEEN} AND event_id = ? AND event_until > ? ORDER BY first_at, rowid",
            dealer,
            app,
            event_id,
            microseconds(now),
        )
        deliveries = [_seen(row) for row in rows]
        return replace(deliveries[0], times=sum(one.times for one in deliveries)) if deliveries else None

    async def import_file(self, dealer: str, sha256: str) -> ImportFile | None:
        """Return the newest completed import of a file with these very bytes."""
        row = self._row(
            "SELECT import_id, dealer, file_name, sha256, imported_by, imported_at, added, known, rejected"
            " FROM import_files WHERE dealer = ? AND sha256 = ? ORDER BY imported_at DESC, rowid DESC LIMIT 1",
            dealer,
            sha256,
        )
        return None if row is None else _import_file(row)


class DeliveryWriter(DeliveryReader):
    """Changes, see `storage.interface.Writer`."""

    async def note_delivery(self, seen: SeenDelivery) -> SeenDelivery:
        """Count one more look and return the new count; `seen.first_at` is the moment of this look.

        What is remembered no longer by then is dropped, so that the table does not grow for ever.
        """
        self._change(
            "DELETE FROM seen_deliveries WHERE dealer = ? AND app = ? AND max(digest_until, event_until) <= ?",
            seen.dealer,
            seen.app,
            microseconds(seen.first_at),
        )
        self._change(
            "INSERT INTO seen_deliveries (dealer, app, digest, event_id, times, first_at, digest_until, event_until)"
            " VALUES (?, ?, ?, ?, 1, ?, ?, ?) ON CONFLICT (dealer, app, digest) DO UPDATE SET times = times + 1,"
            " digest_until = max(digest_until, excluded.digest_until),"
            " event_until = max(event_until, excluded.event_until)",
            seen.dealer,
            seen.app,
            seen.digest,
            seen.event_id,
            microseconds(seen.first_at),
            microseconds(seen.digest_until),
            microseconds(seen.event_until),
        )
        row = self._row(f"{SEEN} AND digest = ?", seen.dealer, seen.app, seen.digest)
        return seen if row is None else _seen(row)

    async def add_import_file(self, file: ImportFile) -> None:
        """Record a finished import."""
        self._change(
            "INSERT INTO import_files"
            " (import_id, dealer, file_name, sha256, imported_by, imported_at, added, known, rejected)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            file.import_id,
            file.dealer,
            file.file_name,
            file.sha256,
            file.imported_by,
            microseconds(file.imported_at),
            file.added,
            file.known,
            file.rejected,
        )


def _import_file(row: Row) -> ImportFile:
    import_id, dealer, file_name, sha256, imported_by, imported_at, added, known, rejected = row
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
    )


def _seen(row: Row) -> SeenDelivery:
    dealer, app, digest, event_id, times, first_at, digest_until, event_until = row
    return SeenDelivery(
        dealer=dealer,
        app=app,
        digest=digest,
        event_id=event_id,
        times=times,
        first_at=moment(first_at),
        digest_until=moment(digest_until),
        event_until=moment(event_until),
    )
