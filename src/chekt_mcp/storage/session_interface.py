"""What every storage engine promises of signed-in approvers. Part of `interface.Reader` and `interface.Writer`."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from chekt_mcp.domain.approver_session import ApproverSession


class SessionLookups(Protocol):
    """What can be asked of sessions. See `interface.Reader`."""

    async def approver_session(self, digest: bytes, now: datetime) -> ApproverSession | None:
        """The session with this SHA-256 of its token, unless it has ended by `now`."""
        ...


class SessionChanges(Protocol):
    """What can be changed of sessions. See `interface.Writer`."""

    async def add_approver_session(self, session: ApproverSession) -> None:
        """Add a session, and forget those that had ended when it was opened."""
        ...

    async def end_approver_session(self, digest: bytes) -> bool:
        """End a session; False when there is none."""
        ...
