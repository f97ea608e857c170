"""A bucket gives so many at once, then one as often as one has run in, and never more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from chekt_mcp.domain.token_bucket import Bucket, Rate, full, take

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
RATE = Rate(10, timedelta(minutes=1))


def spend(bucket: Bucket, count: int, now: datetime) -> Bucket:
    for _ in range(count):
        left = take(bucket, RATE, now)
        assert isinstance(left, Bucket)
        bucket = left
    return bucket


def test_a_full_bucket_gives_its_burst_and_then_says_how_long_to_wait() -> None:
    empty = spend(full(RATE, NOW), 10, NOW)
    assert take(empty, RATE, NOW) == timedelta(seconds=6)
    assert take(empty, RATE, NOW + timedelta(seconds=4.5)) == timedelta(seconds=2)


def test_one_runs_in_after_a_tenth_of_the_span() -> None:
    empty = spend(full(RATE, NOW), 10, NOW)
    assert isinstance(take(empty, RATE, NOW + timedelta(seconds=6)), Bucket)


def test_a_clock_that_goes_back_gives_nothing() -> None:
    empty = spend(full(RATE, NOW), 10, NOW)
    assert isinstance(take(empty, RATE, NOW - timedelta(hours=1)), timedelta)


@given(st.lists(st.floats(0, 30), max_size=80))
def test_in_no_span_are_there_more_than_burst_and_what_ran_in(pauses: list[float]) -> None:
    bucket, now, given_out = full(RATE, NOW), NOW, 0
    for pause in pauses:
        now += timedelta(seconds=pause)
        left = take(bucket, RATE, now)
        if isinstance(left, Bucket):
            bucket, given_out = left, given_out + 1
    assert given_out <= 10 + (now - NOW) / RATE.refill + 0.001
