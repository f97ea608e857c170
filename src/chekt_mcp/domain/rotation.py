"""Rotations: from the moment a new key is promised to the moment it is in its place.

    delivering ──► completed            the new key is in its sink and current; the old one is in its time of grace
        │  ▲
        │  └──── delivery_unknown ──►   nobody can tell whether the new key arrived: the old one stays current, and a
        │                               person has it delivered again or gives it up
        └──────► failed                 the new key did not arrive, or was given up: it is void, the old one current
    in_portal ─► completed              CHeKT's own: rotated in its portal, complete once the new key was adopted here

Order: record (with the sealed new key) → deliver → complete. The old key stays current until the new one has been
delivered, so a crash anywhere ends in "nothing happened" or in a second delivery of the same key.
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

REVEALABLE = timedelta(hours=1)
"""How long after its completion a key that was lost may still be shown to a person, if nothing has used it."""


class RotationState(StrEnum):
    """Where a rotation stands. See the module."""

    DELIVERING = "delivering"
    COMPLETED = "completed"
    FAILED = "failed"
    DELIVERY_UNKNOWN = "delivery_unknown"
    IN_PORTAL = "in_portal"


class Reason(StrEnum):
    """Why a key is rotated."""

    SCHEDULED = "scheduled"
    TEAM_CHANGE = "team_change"
    SUSPECTED_COMPROMISE = "suspected_compromise"
    OTHER = "other"


URGENT = frozenset({Reason.TEAM_CHANGE, Reason.SUSPECTED_COMPROMISE})
"""Reasons that do not wait for the quarter (seeds: "immediately after any team member with access leaves")."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """One rotation. `sealed` holds the new value encrypted, while it may still have to be delivered or shown.

    `ended_at` is when it was completed, given up, or became undecidable.
    """

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
    ended_at: datetime | None = None

    @property
    def undelivered(self) -> bool:
        """Tell whether its new key may still come into force by a delivery."""
        return self.state in {RotationState.DELIVERING, RotationState.DELIVERY_UNKNOWN}

    def leased_at(self, now: datetime) -> bool:
        """Tell whether a living process may be at work on it; a lease left by a clock that ran ahead does not count."""
        return self.lease_until - 2 * DELIVERY_LEASE < now < self.lease_until

    def revealable_at(self, now: datetime) -> bool:
        """Tell whether its new key may still be shown: by the clock only, its use is another matter."""
        if self.sealed is None or self.ended_at is None:
            return False
        return self.state is RotationState.COMPLETED and now < self.ended_at + REVEALABLE
