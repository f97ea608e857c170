"""How long the audit log is kept: seeds/platform-security.txt, "Audit logging", 365 days, or 7 years by plan."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum


class Plan(StrEnum):
    """A dealer's plan with the platform."""

    STANDARD = "standard"
    ENTERPRISE = "enterprise"


RETENTION = {Plan.STANDARD: timedelta(days=365), Plan.ENTERPRISE: timedelta(days=2557)}
"""Seven years with two leap days: a year too few or too many is nobody's, a day too few is a breach."""


def kept_from(plan: Plan, now: datetime) -> datetime:
    """Return the oldest moment that is kept at `now`; what is before it may go."""
    return now - RETENTION[plan]
