"""A token bucket: so many at once, then one as often as one has run in again. The clock is passed in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from math import ceil


@dataclass(frozen=True)
class Rate:
    """At most `burst` at once, and `burst` in any `span` in the long run."""

    burst: int
    span: timedelta

    @cached_property
    def refill(self) -> timedelta:
        """The time in which one token runs in."""
        return self.span / self.burst


@dataclass(frozen=True, slots=True)
class Bucket:
    """How many tokens there were at a moment."""

    tokens: float
    at: datetime


def full(rate: Rate, now: datetime) -> Bucket:
    """Return the bucket of somebody who has not called yet."""
    return Bucket(rate.burst, now)


def filled(bucket: Bucket, rate: Rate, now: datetime) -> Bucket:
    """Return the bucket as it is now; a clock that went back adds nothing."""
    gained = max(now - bucket.at, timedelta()) / rate.refill
    return Bucket(min(bucket.tokens + gained, rate.burst), now)


def take(bucket: Bucket, rate: Rate, now: datetime) -> Bucket | timedelta:
    """Take one token: return the bucket without it, or how long to wait for one, in whole seconds."""
    present = filled(bucket, rate, now)
    if present.tokens >= 1:
        return Bucket(present.tokens - 1, now)
    return timedelta(seconds=max(1, ceil((1 - present.tokens) * rate.refill.total_seconds())))
