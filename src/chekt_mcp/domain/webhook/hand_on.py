"""Handing an accepted event on: how long to wait after a failure, and when to leave it to a person.

Attempts 1 to 30 span about 20 hours: 5 s after the first failure, twice as long after each further one, at most an
hour. An event that still could not be handed on is kept as it is ("dead") until a person asks for it again.
"""

from __future__ import annotations

from datetime import datetime, timedelta

FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(hours=1)
MOST_ATTEMPTS = 30
MOST_WAITING = 10_000
"""Events of one app that may wait. Beyond it new ones are refused, and so kept by the platform, which asks again."""


def next_attempt(attempts: int, failed_at: datetime) -> datetime | None:
    """Return when to try again after `attempts` failures, the latest at `failed_at`; None when it is to be left."""
    if attempts >= MOST_ATTEMPTS:
        return None
    doublings = min(max(attempts - 1, 0), MOST_ATTEMPTS)
    return failed_at + min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)
