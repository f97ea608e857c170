"""How often one caller may do what reaches other people's servers.

Kept in this process: over stdio one process serves one caller, and a restart gives a full bucket.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from chekt_mcp.domain.scope import Grant
from chekt_mcp.domain.token_bucket import Bucket, Rate, filled, full, take
from chekt_mcp.domain.wording import counted
from chekt_mcp.errors import NotPermitted


class CallerRate:
    """One bucket for each caller, the same before and after a key rotation."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._buckets: dict[tuple[str, str], Bucket] = {}

    def spend(self, grant: Grant, now: datetime) -> None:
        """Count one.

        Raises:
            NotPermitted: code `rate_limited`, when this caller has none left; says how long to wait.
        """
        caller = (grant.dealer, grant.principal)
        left = take(self._buckets.get(caller) or full(self._rate, now), self._rate, now)
        if isinstance(left, timedelta):
            raise self._limited(left)
        self._forget_idle(now)
        self._buckets[caller] = left

    def _forget_idle(self, now: datetime) -> None:
        """Drop buckets that are full again: they are as good as none."""
        rate = self._rate
        self._buckets = {who: one for who, one in self._buckets.items() if filled(one, rate, now).tokens < rate.burst}

    def _limited(self, wait: timedelta) -> NotPermitted:
        seconds = int(self._rate.span.total_seconds())
        return NotPermitted(
            f"A caller may do this {counted(self._rate.burst, 'time', 'times')} "
            f"in {counted(seconds, 'second', 'seconds')}: it reaches other servers.",
            code="rate_limited",
            fix=f"Try again in {wait.seconds} s.",
        )
