"""Webhook deliveries that were looked at."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chekt_mcp.storage.records import SeenDelivery
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
