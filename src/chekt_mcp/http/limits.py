"""How often: the rate of the calling app, and how many refused credentials one address may send."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from pathlib import Path

from chekt_mcp.domain.allow_list.address import read_address
from chekt_mcp.domain.rate_tier import TIERS, RateTier
from chekt_mcp.domain.scope import Grant
from chekt_mcp.domain.token_bucket import Rate
from chekt_mcp.errors import StateUnusable
from chekt_mcp.http.answer import Raw
from chekt_mcp.http.rates import client_key
from chekt_mcp.http.shared_rates import SharedRates, Spent

FAILURES = Rate(20, timedelta(minutes=1))
"""Refused credentials of one address. A person who mistypes stays below it; whoever tries keys does not."""


@dataclass(frozen=True, slots=True)
class EdgeRates:
    """The buckets of all processes of one state."""

    apps: SharedRates = field(repr=False)
    addresses: SharedRates = field(repr=False)

    def spend(self, grant: Grant, tier: RateTier, now: datetime) -> Spent:
        """Count one request of the calling app, whoever calls for it: whoever signs tokens makes up their subjects."""
        return self.apps.spend(f"{grant.dealer}/{grant.app or grant.principal}", TIERS[tier].bucket, now)

    def failure_wait(self, source_ip: str, now: datetime) -> timedelta | None:
        """Return how long an address has to wait until it may fail again; None when it may now."""
        return self.addresses.wait(client_key(read_address(source_ip)), FAILURES, now)

    def count_failure(self, source_ip: str, now: datetime) -> timedelta | None:
        """Count a refused credential; return how long to wait when there were too many."""
        return self.addresses.spend(client_key(read_address(source_ip)), FAILURES, now).wait

    def close(self) -> None:
        """Let go of the files."""
        self.apps.close()
        self.addresses.close()


def open_rates(state: Path) -> EdgeRates:
    """Open the buckets of a state directory.

    Raises:
        StateUnusable: code `rates_unusable`: they cannot be opened or made.
    """
    try:
        return EdgeRates(SharedRates(state / "rates-apps"), SharedRates(state / "rates-addresses"))
    except OSError as error:
        raise StateUnusable(
            f"The files that hold the rates cannot be used: {os.strerror(error.errno or 0)}.",
            code="rates_unusable",
            fix="rates-apps and rates-addresses in the state directory are plain files of this user, with mode 0600; "
            "without them they are made anew. Check the disk, too.",
        ) from error


def rate_headers(tier: RateTier, spent: Spent) -> Raw:
    """Return what a caller is told of its rate: calls a minute, how many may come now, and when it is whole again."""
    return (
        (b"x-ratelimit-limit", str(TIERS[tier].per_minute).encode()),
        (b"x-ratelimit-remaining", str(spent.left).encode()),
        (b"x-ratelimit-reset", str(ceil(spent.full_at.timestamp())).encode()),
    )
