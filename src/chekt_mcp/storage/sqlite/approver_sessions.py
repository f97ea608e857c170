"""Approvers who are signed in."""

from __future__ import annotations

from datetime import datetime

from chekt_mcp.domain.approver_session import ApproverSession
from chekt_mcp.storage.sqlite.session import Session
from chekt_mcp.storage.sqlite.values import microseconds, moment


class ApproverSessionReader(Session):
    """Lookups, see `storage.interface.Reader`."""

    async def approver_session(self, digest: bytes, now: datetime) -> ApproverSession | None:
        """Return a session, unless it has ended by `now`."""
        row = self._row(
            "SELECT digest, dealer, principal, opened_at, ends_at FROM approver_sessions"
            " WHERE digest = ? AND ends_at > ?",
            digest,
            microseconds(now),
        )
        return None if row is None else ApproverSession(row[0], row[1], row[2], moment(row[3]), moment(row[4]))


class ApproverSessionWriter(ApproverSessionReader):
    """Changes, see `storage.interface.Writer`."""

    async def add_approver_session(self, session: ApproverSession) -> None:
        """Add a session, and forget those that had ended when it was opened."""
        opened = microseconds(session.opened_at)
        self._change("DELETE FROM approver_sessions WHERE ends_at <= ?", opened)
        self._change(
            "INSERT INTO approver_sessions (digest, dealer, principal, opened_at, ends_at) VALUES (?, ?, ?, ?, ?)",
            session.digest,
            session.dealer,
            session.principal,
            opened,
            microseconds(session.ends_at),
        )

    async def end_approver_session(self, digest: bytes) -> bool:
        """End a session; False when there is none."""
        return self._change("DELETE FROM approver_sessions WHERE digest = ?", digest) > 0
