"""`yes` only when the log shows it; what cannot be told is `unknown`, and a doubt is never a yes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chekt_mcp.domain.audit import KeyUse
from chekt_mcp.domain.key_usage import (
    CLOCK_SKEW,
    LOOKBACK,
    QUIET,
    STALE,
    Gap,
    Judgement,
    first_gap,
    rotation_due,
    safe_to_revoke,
)
from chekt_mcp.domain.rotation import GRACE
from chekt_mcp.domain.timespan import rfc3339

NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


def used(source: str, ago: timedelta) -> KeyUse:
    return KeyUse(source, 3, NOW - LOOKBACK, NOW - ago)


def live(old: Sequence[KeyUse], new: Sequence[KeyUse]) -> Judgement:
    return safe_to_revoke(old, new, now=NOW, log_newest=NOW, live_log=True)


def imported(old: Sequence[KeyUse], new: Sequence[KeyUse], ends: timedelta | None) -> Judgement:
    newest = None if ends is None else NOW - ends
    return safe_to_revoke(old, new, now=NOW, log_newest=newest, live_log=False)


@pytest.mark.parametrize(
    ("old", "new", "answer"),
    [
        ([], [], "unknown"),
        ([], [used("a", SECOND)], "yes"),
        ([used("a", 2 * HOUR)], [], "no"),
        ([used("a", 2 * HOUR)], [used("a", HOUR)], "yes"),
        ([used("a", 2 * HOUR)], [used("b", HOUR)], "no"),
        ([used("a", 2 * HOUR)], [used("a", 3 * HOUR)], "no"),
        ([used("a", 2 * HOUR)], [used("a", 2 * HOUR)], "no"),
        ([used("a", 2 * HOUR), used("b", 3 * HOUR)], [used("a", HOUR)], "no"),
        ([used("a", 2 * HOUR), used("b", 3 * HOUR)], [used("b", HOUR), used("a", HOUR)], "yes"),
        ([used("a", 2 * HOUR)], [used("a", HOUR), used("c", HOUR)], "yes"),
        ([used("a", QUIET)], [used("a", SECOND)], "yes"),
        ([used("a", QUIET - SECOND)], [used("a", SECOND)], "no"),
        ([used("a", SECOND)], [used("a", timedelta(0))], "no"),
    ],
)
def test_every_source_must_have_moved_and_the_old_key_be_silent(
    old: list[KeyUse], new: list[KeyUse], answer: str
) -> None:
    assert live(old, new).answer == answer
    assert imported(old, new, timedelta(0)).answer == answer


@pytest.mark.parametrize(("ends", "answer"), [(None, "unknown"), (STALE + SECOND, "unknown"), (STALE, "yes")])
def test_a_log_that_ends_too_early_cannot_tell(ends: timedelta | None, answer: str) -> None:
    assert imported([], [used("a", 30 * HOUR)], ends).answer == answer


def test_a_log_of_our_own_is_never_stale() -> None:
    moved = ([used("a", 50 * HOUR)], [used("a", 49 * HOUR)])
    assert safe_to_revoke(*moved, now=NOW, log_newest=None, live_log=True).answer == "yes"


def test_silence_after_the_end_of_an_imported_log_is_no_silence() -> None:
    old, new = [used("a", 20 * HOUR + 2 * SECOND)], [used("a", 20 * HOUR + SECOND)]
    assert imported(old, new, 20 * HOUR).answer == "no"
    assert imported(old, new, 19 * HOUR).answer == "yes"


@pytest.mark.parametrize("ahead", [CLOCK_SKEW + SECOND, timedelta(days=400)])
def test_calls_from_the_future_mean_that_a_clock_is_wrong(ahead: timedelta) -> None:
    assert live([used("a", -ahead)], [used("a", SECOND)]).answer == "unknown"
    assert live([used("a", 2 * HOUR)], [used("a", -ahead)]).answer == "unknown"
    assert imported([], [used("a", HOUR)], -ahead).answer == "unknown"
    assert "clock" in live([], [used("a", -ahead)]).reasons[0]


def test_a_clock_that_is_a_little_ahead_does_no_harm() -> None:
    assert live([used("a", 2 * HOUR)], [used("a", -CLOCK_SKEW)]).answer == "yes"
    assert live([used("a", -CLOCK_SKEW)], [used("a", -CLOCK_SKEW)]).answer == "no"
    assert imported([], [used("a", -SECOND)], -CLOCK_SKEW).answer == "yes"


SOURCES = st.lists(
    st.builds(used, st.sampled_from("abc"), st.timedeltas(-HOUR, LOOKBACK)),
    max_size=3,
    unique_by=lambda use: use.source,
)


@given(SOURCES, SOURCES, st.none() | st.timedeltas(-HOUR, LOOKBACK), st.booleans())
def test_a_yes_is_always_borne_out_by_the_log(
    old: list[KeyUse],
    new: list[KeyUse],
    ends: timedelta | None,
    live_log: bool,  # noqa: FBT001 -- drawn
) -> None:
    newest = None if ends is None else NOW - ends
    judged = safe_to_revoke(old, new, now=NOW, log_newest=newest, live_log=live_log)
    assert judged.reasons
    assert judged.answer != "not_applicable"
    if judged.answer == "yes":
        last = {use.source: use.last_at for use in new}
        assert new
        assert all(use.last_at < last[use.source] and use.last_at <= NOW - QUIET for use in old)
        assert live_log or (newest is not None and newest >= NOW - STALE)


def test_reasons_count_sources_and_never_name_them() -> None:
    judged = live([used("203.0.113.7", 2 * HOUR), used("stdio", 2 * HOUR)], [used("stdio", HOUR)])
    assert "1 of 2" in judged.reasons[0]
    assert "203.0.113.7" not in "".join(judged.reasons)


def test_a_yes_says_what_it_rests_on() -> None:
    judged = live([used("a", 2 * HOUR)], [used("a", HOUR)])
    assert rfc3339(NOW - 2 * HOUR) in judged.reasons[0]
    assert "cannot be told apart" in judged.reasons[1]


def test_keys_are_rotated_quarterly() -> None:
    assert rotation_due(NOW) == NOW + timedelta(days=90)


def test_the_old_key_is_still_valid_for_24_hours() -> None:
    assert timedelta(hours=24) == GRACE


@pytest.mark.parametrize(
    ("old", "new", "gone", "answer"),
    [
        ([used("a", 2 * HOUR)], [used("b", HOUR)], {"a"}, "yes"),
        ([used("a", 2 * HOUR)], [], {"a"}, "yes"),
        ([used("a", 2 * HOUR), used("b", 2 * HOUR)], [used("c", HOUR)], {"a"}, "no"),
        ([used("a", QUIET - SECOND)], [used("b", SECOND)], {"a"}, "no"),
        ([], [], {"a"}, "unknown"),
    ],
)
def test_a_source_that_is_gone_needs_no_new_key_but_must_be_silent(
    old: list[KeyUse], new: list[KeyUse], gone: set[str], answer: str
) -> None:
    assert safe_to_revoke(old, new, now=NOW, log_newest=NOW, live_log=True, gone=gone).answer == answer


@pytest.mark.parametrize(
    ("hours", "gap"),
    [
        ([], None),
        ([NOW], None),
        ([NOW - STALE, NOW], None),
        ([NOW - STALE - HOUR, NOW], Gap(NOW - STALE - HOUR, NOW)),
        ([NOW - 3 * STALE, NOW - STALE, NOW], Gap(NOW - 3 * STALE, NOW - STALE)),
    ],
)
def test_a_gap_is_longer_than_a_day_without_calls(hours: list[datetime], gap: Gap | None) -> None:
    assert first_gap(hours) == gap


def test_a_gap_makes_an_imported_log_unable_to_tell_and_our_own_not() -> None:
    gap = Gap(NOW - 3 * STALE, NOW - STALE)
    moved = [used("a", 2 * HOUR)], [used("a", HOUR)]
    assert safe_to_revoke(*moved, now=NOW, log_newest=NOW, live_log=False, gap=gap).answer == "unknown"
    assert safe_to_revoke(*moved, now=NOW, log_newest=NOW, live_log=True, gap=gap).answer == "yes"


def test_a_cause_makes_a_rotation_due_at_once() -> None:
    assert rotation_due(NOW - HOUR, NOW) == NOW
    assert rotation_due(NOW - 100 * 24 * HOUR, NOW) == NOW - 10 * 24 * HOUR
