"""How often an app may call: the platform's three tiers, so many a minute and so many at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import cached_property

from chekt_mcp.domain.token_bucket import Rate


class RateTier(StrEnum):
    """The tiers that CHeKT publishes."""

    FREE = "free"
    PRO = "pro"
    ENTERPRISE = "enterprise"


@dataclass(frozen=True)
class TierRate:
    """What a tier grants. `bucket` holds what may come at once, and fills up at the rate per minute."""

    per_minute: int
    at_once: int

    @cached_property
    def bucket(self) -> Rate:
        """The tier as a token bucket."""
        return Rate(self.at_once, timedelta(minutes=1) * self.at_once / self.per_minute)


TIERS = {
    RateTier.FREE: TierRate(60, 5),
    RateTier.PRO: TierRate(600, 30),
    RateTier.ENTERPRISE: TierRate(3_000, 200),
}
