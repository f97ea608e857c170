"""Rotations: from the moment a new key is promised to the moment it is in its place.

Order: record (with the sealed new key) → deliver → complete. The old key stays current until the new one has
been delivered, so a crash anywhere ends in "nothing happened" or in a second delivery of the same key.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from chekt_mcp.domain.api_key import KeyKind

GRACE = timedelta(hours=24)
"""How long a previous key lives on (seeds: "The old key is still valid for 24 hours")."""

DELIVERY_LEASE = timedelta(minutes=2)
"""How long one process may take to deliver before another may take over after a crash."""


class RotationState(StrEnum):
    """Where a rotation stands."""

    DELIVERING = "delivering"
    COMPLETED = "completed"
    FAILED = "failed"


class Reason(StrEnum):
    """Why a key is rotated."""

    SCHEDULED = "scheduled"
    TEAM_CHANGE = "team_change"
    SUSPECTED_COMPROMISE = "suspected_compromise"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Rotation:
    """One rotation. `sealed` holds the new value encrypted, only while it may still have to be delivered."""

    rotation_id: str
    dealer: str
    app: str
    kind: KeyKind
    reason: Reason
    state: RotationState
    old_key_id: str | None
    new_key_id: str
    sink: str
    target: str
    revoke_previous_now: bool
    requested_by: str
    approval_id: str
    started_at: datetime
    lease_until: datetime
    sealed: bytes | None
