"""Accepted events that wait to be handed on: a queue whose rows are taken under a lease."""

from __future__ import annotations

from datetime import datetime

from chekt_mcp.storage.records import QueuedEvent, QueueExtent
from chekt_mcp.storage.sqlite.session import Row, Session
from chekt_mcp.storage.sqlite.values import microseconds, moment, optional_moment

EVENT = (
    "SELECT queue_id, dealer, app, event_id, request_id, received_at, due_at, sealed, attempts, dead FROM queued_events"
)


class EventQueueReader(Session):
    """Lookups, see `storage.interface.Reader`."""

    async def event_queue(self, dealer: str, app: str) -> QueueExtent:
        """Return how many events wait, when one is due next, and how many were given up."""
        waiting, next_due = self._counted(dealer, app, dead=False)
        dead, _ = self._counted(dealer, app, dead=True)
        return QueueExtent(waiting, optional_moment(next_due), dead)

    def _counted(self, dealer: str, app: str, *, dead: bool) -> Row:
        row = self._row(
            "SELECT count(*), min(due_at) FROM queued_events WHERE dealer = ? AND app = ? AND dead = ?",
            dealer,
            app,
            dead,
        )
        return row or (0, None)


class EventQueueWriter(EventQueueReader):
    """Changes, see `storage.interface.Writer`."""

    async def enqueue_event(self, event: QueuedEvent) -> None:
        """Add an event."""
        self._change(
            "INSERT INTO queued_events"
            " (queue_id, dealer, app, event_id, request_id, received_at, due_at, sealed, attempts, dead)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            event.queue_id,
            event.dealer,
            event.app,
            event.event_id,
            event.request_id,
            microseconds(event.received_at),
            microseconds(event.due_at),
            event.sealed,
            event.attempts,
            event.dead,
        )

    async def take_event(self, dealer: str, app: str, now: datetime, lease_until: datetime) -> QueuedEvent | None:
        """Take the event that has been due longest, counting the attempt; None when none is due."""
        row = self._row(
            f"{EVENT} WHERE dealer = ? AND app = ? AND dead = 0 AND due_at <= ? ORDER BY due_at, rowid LIMIT 1",
            dealer,
            app,
            microseconds(now),
        )
        if row is None:
            return None
        self._change(
            "UPDATE queued_events SET attempts = attempts + 1, due_at = ? WHERE queue_id = ?",
            microseconds(lease_until),
            row[0],
        )
        return _event(self._row(f"{EVENT} WHERE queue_id = ?", row[0]) or row)

    async def put_back_event(self, event: QueuedEvent) -> bool:
        """Store `due_at` and `dead`, unless somebody has taken the event since; False then."""
        changed = self._change(
            "UPDATE queued_events SET due_at = ?, dead = ? WHERE queue_id = ? AND dealer = ? AND attempts = ?",
            microseconds(event.due_at),
            event.dead,
            event.queue_id,
            event.dealer,
            event.attempts,
        )
        return changed > 0

    async def remove_event(self, event: QueuedEvent) -> bool:
        """Forget an event that has been handed on; False when it was gone already."""
        statement = "DELETE FROM queued_events WHERE queue_id = ? AND dealer = ?"
        return self._change(statement, event.queue_id, event.dealer) > 0

    async def revive_events(self, dealer: str, app: str, now: datetime) -> int:
        """Let the events that were given up begin anew; return how many there were."""
        return self._change(
            "UPDATE queued_events SET dead = 0, attempts = 0, due_at = ? WHERE dealer = ? AND app = ? AND dead = 1",
            microseconds(now),
            dealer,
            app,
        )


def _event(row: Row) -> QueuedEvent:
    queue_id, dealer, app, event_id, request_id, received_at, due_at, sealed, attempts, dead = row
    return QueuedEvent(
        queue_id=queue_id,
        dealer=dealer,
        app=app,
        event_id=event_id,
        request_id=request_id,
        received_at=moment(received_at),
        due_at=moment(due_at),
        sealed=sealed,
        attempts=attempts,
        dead=bool(dead),
    )
