"""A person who has signed in to the approval pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ApproverSession:
    """One sign-in. `digest` is the SHA-256 of the token that their browser holds."""

    digest: bytes
    dealer: str
    principal: str
    opened_at: datetime
    ends_at: datetime
